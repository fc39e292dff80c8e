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

#[path = "flows/account_faults.rs"]
mod account_faults;
#[path = "flows/back_channel_faults.rs"]
mod back_channel_faults;
#[path = "flows/crashes.rs"]
mod crashes;
#[path = "flows/deletions.rs"]
mod deletions;
#[path = "flows/index_races.rs"]
mod index_races;
#[path = "flows/objects_alone.rs"]
mod objects_alone;
#[path = "flows/sensitive.rs"]
mod sensitive;
#[path = "flows/sign_out_races.rs"]
mod sign_out_races;
#[path = "flows/signing_out.rs"]
mod signing_out;
#[path = "flows/single_flight.rs"]
mod single_flight;
#[path = "flows/stays_removed.rs"]
mod stays_removed;
#[path = "flows/taking_over.rs"]
mod taking_over;

/// Whether accounts have objects, unless a test says otherwise.
const WITH_ACCOUNTS: bool = true;
