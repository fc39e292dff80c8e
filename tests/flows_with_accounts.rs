//! The flows of `flows.rs` with an object for every account, and what only the objects can promise.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that panics has failed, which is what it is for"
)]

#[path = "flows/mod.rs"]
mod flows;

use flows::*;

#[path = "flows/crashes.rs"]
mod crashes;
#[path = "flows/signing_out.rs"]
mod signing_out;
#[path = "flows/single_flight.rs"]
mod single_flight;

/// Whether accounts have objects, unless a test says otherwise.
const WITH_ACCOUNTS: bool = true;
