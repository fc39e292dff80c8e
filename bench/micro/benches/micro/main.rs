//! How long the layers take that wait for nothing, on this machine: `npm run bench:micro` (bench/README.md).

#![allow(clippy::panic, clippy::unwrap_used, reason = "what cannot be measured ends the run")]

mod growth;
mod layers;
#[allow(dead_code, reason = "the tests use more of it")]
#[path = "../../../../tests/warm/mod.rs"]
mod warm;

use std::time::Duration;

use criterion::Criterion;

fn main() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .sample_size(30)
        .without_plots()
        .configure_from_args();
    layers::measure(&mut criterion);
    growth::measure(&mut criterion);
    criterion.final_summary();
}
