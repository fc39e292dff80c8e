//! Requests as a warm isolate decides them: somebody is signed in, everything is in memory, and there is nothing to wait for.
//!
//! The tests of what a decision costs and the benchmarks in `bench/micro` share it, so that both are about the same requests.

pub(crate) mod runtime;
pub(crate) mod scene;
pub(crate) mod told;
pub(crate) mod visitor;
