//! What the flows need from the world, as one narrow trait: the Worker runtime implements it under `edge/`, a fake one
//! runs whole flows in milliseconds on the host.
//!
//! Requests and answers that are passed on cross it as handles ([`Runtime::Inbound`], [`Runtime::Forwarded`]) whose
//! bodies never enter this code: only heads do. `docs/decisions.md` has the measurements behind that.

use crate::forwarding::ForwardPlan;
use crate::oidc::algorithm::Algorithm;
use crate::oidc::jwks::Jwk;
use crate::time::{Lifetime, Timestamp};

/// The world outside. Futures need not be `Send`: an isolate is single-threaded.
#[allow(async_fn_in_trait, reason = "no executor of ours moves a future between threads")]
pub trait Runtime {
    /// A request being served, with its unread body.
    type Inbound;
    /// The answer of the origin or an API, with its unread body.
    type Forwarded;

    /// The present moment.
    fn now(&self) -> Timestamp;

    /// Fills an array from the platform's cryptographic random source.
    fn random<const N: usize>(&self) -> [u8; N];

    /// Sends a request to the OpenID Provider and reads the whole answer. Redirects are answers, never followed.
    async fn call_op(&self, request: OpRequest, timeout: Lifetime) -> Result<OpResponse, TransportFault>;

    /// Passes a request on and returns its answer as soon as the head is there.
    async fn forward(&self, inbound: &Self::Inbound, plan: &ForwardPlan) -> Result<Self::Forwarded, TransportFault>;

    /// Reads a value.
    async fn kv_get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreFault>;

    /// Writes a value that ends by itself after `lifetime`. `metadata` is JSON, at most 1,024 bytes.
    async fn kv_put(&self, key: &str, value: &[u8], metadata: &str, lifetime: Lifetime) -> Result<(), StoreFault>;

    /// Deletes a value; deleting nothing succeeds.
    async fn kv_delete(&self, key: &str) -> Result<(), StoreFault>;

    /// Lists all keys that start with `prefix`.
    async fn kv_list(&self, prefix: &str) -> Result<Vec<KvListing>, StoreFault>;

    /// Verifies a signature with the platform's cryptography. A key that the platform refuses verifies nothing.
    async fn verify(&self, key: &Jwk, algorithm: Algorithm, signed_data: &[u8], signature: &[u8]) -> bool;

    /// Writes one line to the log.
    fn log(&self, line: &str);
}

/// A request to the OpenID Provider, of the `oauth2` crate's own type.
pub type OpRequest = oauth2::HttpRequest;

/// The OpenID Provider's answer.
pub type OpResponse = oauth2::HttpResponse;

/// A key found by listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KvListing {
    /// The key.
    pub key: String,
    /// The metadata, as JSON.
    pub metadata: Option<String>,
}

/// Seconds to wait before trying again where nobody says.
pub const RETRY_AFTER: u64 = 5;

/// Why a call brought no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransportFault {
    /// 429 or 503: try again after so many seconds.
    Busy {
        /// Seconds to wait.
        retry_after: u64,
    },
    /// Another status from 500 on.
    Failing(u16),
    /// No connection, or it broke.
    NoConnection,
    /// The answer was longer than any honest one.
    TooLarge,
    /// No answer in time.
    TimedOut,
}

/// Why the store did not do as asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreFault {
    /// A deletion failed.
    Delete,
    /// A read failed.
    Get,
    /// A listing failed.
    List,
    /// A write failed.
    Put,
}

impl std::fmt::Display for TransportFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self:?}")
    }
}

impl std::error::Error for TransportFault {}
