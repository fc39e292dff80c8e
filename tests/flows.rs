//! Whole flows, from the request head to the answer, in a world without sockets, clocks or chance.
//!
//! The world (`flows/world.rs`) is the runtime, with a store, an OpenID Provider, an origin and its APIs; the browser
//! (`flows/browser.rs`) is as strict about cookies as a real one. Every world looks, when it ends, through everything
//! that left it for a token, a code, a verifier or a secret. Timings are never asserted.
//!
//! Here accounts are kept in Workers KV alone; `flows_with_accounts.rs` does all of it again with an object for each.

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

#[path = "flows/database_alone.rs"]
mod database_alone;
#[path = "flows/kv_alone.rs"]
mod kv_alone;

/// Whether accounts have objects, unless a test says otherwise.
const WITH_ACCOUNTS: bool = false;
