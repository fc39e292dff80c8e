//! What lives between requests: the browser's session, the login attempt before it, the token cache entry beside it,
//! and how each is sealed. Pure: randomness, keys and time are arguments.

pub mod account;
pub mod cookie;
pub mod device;
pub mod entry;
pub mod keys;
pub mod login_attempt;
pub mod login_request;
pub mod return_to;
pub mod seal;
#[allow(clippy::module_inception, reason = "the noun of the module is its main type")]
pub mod session;
pub mod signing_key;
pub mod storage_key;
