//! What the flows need from the world, as one narrow trait: the Worker runtime implements it under `edge/`, a fake one
//! runs whole flows in milliseconds on the host.
//!
//! Requests and answers that are passed on cross it as handles ([`Runtime::Inbound`], [`Runtime::Forwarded`]) whose
//! bodies never enter this code: only heads do. `docs/decisions.md` has the measurements behind that.

use serde_json::Value;

use crate::forwarding::ForwardPlan;
use crate::json::{Json, Members, name_and_value, named};
use crate::measure::Measure;
use crate::oidc::algorithm::Algorithm;
pub use crate::oidc::call::{OpRequest, OpResponse};
use crate::oidc::client_key::ClientKey;
use crate::oidc::jwks::Jwk;
use crate::oidc::pfx::{OpenedPfx, Pfx, PfxFault};
use crate::secret::Secret;
use crate::session::session::{Session, SessionId};
use crate::session::signing_key::{PublicPoint, SigningKey};
use crate::time::{Lifetime, Timestamp};

/// The world outside. Futures need not be `Send`: an isolate is single-threaded.
#[allow(async_fn_in_trait, reason = "no executor of ours moves a future between threads")]
pub trait Runtime {
    /// A request being served, with its unread body.
    type Inbound;
    /// The answer of the origin or an API, with its unread body.
    type Forwarded;
    /// The durable storage of an account's object.
    type Storage: AccountStorage;

    /// The present moment.
    fn now(&self) -> Timestamp;

    /// Fills an array from the platform's cryptographic random source.
    fn random<const N: usize>(&self) -> [u8; N];

    /// Sends a request to the OpenID Provider and reads the whole answer. Redirects are answers, never followed.
    async fn call_op(&self, request: OpRequest, timeout: Lifetime) -> Result<OpResponse, TransportFault>;

    /// Sends a request to a service binding instead, and reads the whole answer.
    async fn call_service(
        &self,
        service: &str,
        request: OpRequest,
        timeout: Lifetime,
    ) -> Result<OpResponse, TransportFault>;

    /// Passes a request on and returns its answer as soon as the head is there.
    async fn forward(&self, inbound: &Self::Inbound, plan: &ForwardPlan) -> Result<Self::Forwarded, TransportFault>;

    /// The status of a forwarded answer.
    fn status(&self, answer: &Self::Forwarded) -> u16;

    /// A header of a forwarded answer; the values of several of one name with `, ` between them (RFC 9110 §5.3).
    fn answer_header(&self, answer: &Self::Forwarded, name: &str) -> Option<String>;

    /// Gives up a forwarded answer that nobody will read.
    fn discard(&self, answer: Self::Forwarded);

    /// Calls the object of that name, in which [`crate::flow::serve_account`] answers with this runtime's
    /// [`Runtime::storage`] in place. Only for deployments with the `ACCOUNTS` binding.
    async fn call_account(&self, name: &str, request: &str) -> Result<String, StoreFault>;

    /// Opens a WebSocket to the object of that name, which tells on it when the session ends: the answer is that of the
    /// handshake. Only for deployments with the `ACCOUNTS` binding.
    async fn watch(&self, object: &str, session: SessionId) -> Result<Self::Forwarded, StoreFault>;

    /// The storage of the object that this code runs in; none in the Worker itself.
    fn storage(&self) -> Option<&Self::Storage>;

    /// Has [`crate::flow::perform`] do something after the answer, for as long as it takes.
    fn later(&self, task: Task);

    /// Waits.
    async fn sleep(&self, lifetime: Lifetime);

    /// Waits for another request of the isolate, which is to call what `until` is given, or for `longest`.
    async fn wait(&self, longest: Lifetime, until: impl FnOnce(Wake));

    /// Reads the body of a request that is answered here, to its end. `None` for one of more than `limit` bytes, and where
    /// the connection broke.
    async fn read_body(&self, inbound: &Self::Inbound, limit: usize) -> Option<Vec<u8>>;

    /// Reads a value. The store is Workers KV, or whatever `Session.TokenCache` puts in its place; deployments that keep
    /// everything in the accounts' objects have none and never ask.
    async fn kv_get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreFault>;

    /// Writes a value that ends by itself after `lifetime`. `metadata` is JSON, at most 1,024 bytes.
    async fn kv_put(&self, key: &str, value: &[u8], metadata: &str, lifetime: Lifetime) -> Result<(), StoreFault>;

    /// Writes a value in place of an earlier one, if that is still there: tells whether it was. A store that cannot know
    /// writes it and says yes.
    async fn kv_replace(&self, key: &str, value: &[u8], metadata: &str, lifetime: Lifetime)
    -> Result<bool, StoreFault>;

    /// Deletes values, of which Workers KV is given one at a time and other stores delete all or none; deleting nothing
    /// succeeds.
    async fn kv_delete(&self, keys: &[&str]) -> Result<(), StoreFault>;

    /// Lists keys that start with `prefix`: a page of them, from where `cursor` of the page before left off.
    async fn kv_list(&self, prefix: &str, cursor: Option<&str>) -> Result<KvPage, StoreFault>;

    /// Verifies a signature with the platform's cryptography. A key that the platform refuses verifies nothing.
    async fn verify(&self, key: &Jwk, algorithm: Algorithm, signed_data: &[u8], signature: &[u8]) -> bool;

    /// Signs with the platform's cryptography: ES256, the 64 bytes of RFC 7518 §3.4. `None` if the platform refuses.
    async fn sign(&self, key: &SigningKey, data: &[u8]) -> Option<Vec<u8>>;

    /// Signs with a key of this client's, called `name` in this deployment; ES256 as the 64 bytes of RFC 7518 §3.4. `None`
    /// if the platform refuses.
    async fn sign_as_client(&self, name: &str, key: &ClientKey, data: &[u8]) -> Option<Vec<u8>>;

    /// Opens a PFX file with the platform's cryptography.
    async fn open_pfx(&self, pfx: &Pfx) -> Result<OpenedPfx, PfxFault>;

    /// The public half of a key of ours: the coordinates as a JWK has them (RFC 7518 §6.2.1). `None` if the platform
    /// refuses.
    async fn public_point(&self, key: &SigningKey) -> Option<PublicPoint>;

    /// Writes one line to the log.
    fn log(&self, line: &str);

    /// Counts, where the operator bound a place for that. It never fails and is never waited for.
    fn measure(&self, point: &Measure);

    /// Milliseconds since some moment, to tell durations by.
    fn milliseconds(&self) -> u64;
}

/// Ends the wait of a request, whichever request of its isolate calls it. If that wait is over, nothing happens.
pub type Wake = Box<dyn FnOnce()>;

/// The durable storage of one account's object: synchronous, as SQLite in a Durable Object is, and strongly consistent.
/// Calls with nothing awaited between them become durable together or not at all.
#[allow(async_fn_in_trait, reason = "no executor of ours moves a future between threads")]
pub trait AccountStorage {
    /// Numbers the lives of objects within an isolate, in their order. The platform may end an object and begin it anew
    /// while the isolate's memory goes on; where memory ends with the object, every life is the first.
    fn life(&self) -> u64 {
        0
    }

    /// The session of that id.
    fn session(&self, id: SessionId) -> Result<Option<StoredSession>, StoreFault>;

    /// Every session, ended ones included.
    fn sessions(&self) -> Result<Vec<(SessionId, StoredSession)>, StoreFault>;

    /// Writes a session, in place of what was there.
    fn put_session(&self, id: SessionId, session: &StoredSession) -> Result<(), StoreFault>;

    /// The moment up to which sessions of the account count as ended.
    fn valid_after(&self) -> Result<Option<Timestamp>, StoreFault>;

    /// Ends every session that began up to `until`: moves the moment there, never back, and deletes those sessions.
    fn end_until(&self, until: Timestamp) -> Result<(), StoreFault>;

    /// Whether a logout token was used before.
    fn is_spent(&self, token: &str) -> Result<bool, StoreFault>;

    /// Notes a logout token as used until it expires; tells whether it was not before.
    fn spend(&self, token: &str, expires_at: Timestamp) -> Result<bool, StoreFault>;

    /// Notes that a key of Workers KV is to be deleted, or all that begin with it if it ends in a slash.
    fn will_delete(&self, key: &str) -> Result<(), StoreFault>;

    /// The keys noted.
    fn to_delete(&self) -> Result<Vec<String>, StoreFault>;

    /// Strikes a key off.
    fn deleted(&self, key: &str) -> Result<(), StoreFault>;

    /// Deletes what ended up to `now`: sessions, used logout tokens, and a watermark once sessions that began before it
    /// have ended by themselves, `longest` later. Returns when the next of these comes.
    fn expire(&self, now: Timestamp, longest: Lifetime) -> Result<Option<Timestamp>, StoreFault>;

    /// Has the runtime call [`crate::flow::account_expired`] at that moment, unless it will do so earlier.
    fn wake_at(&self, moment: Timestamp) -> Result<(), StoreFault>;

    /// Waits until everything written so far is durable.
    async fn flush(&self) -> Result<(), StoreFault>;
}

/// A session as its account's object keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSession {
    /// When it began; compared with the account's watermark.
    pub issued_at: Timestamp,
    /// When it ends in any case.
    pub expires_at: Timestamp,
    /// The revision of the entry.
    pub revision: u64,
    /// The sealed token cache entry. None once the session ended: it must not be taken for one that is not known yet.
    pub entry: Option<Vec<u8>>,
    /// The metadata of the entry, as JSON.
    pub metadata: String,
}

/// Something to do after the answer.
#[derive(Clone, Debug)]
pub struct Task {
    /// The name of the provider that it concerns.
    pub provider: String,
    /// What.
    pub work: Work,
}

/// What there can be to do after an answer.
#[derive(Clone, Debug)]
pub enum Work {
    /// Renew the token of an API, whose moment for that has come.
    Renew {
        /// The session.
        session: Session,
        /// The API's name.
        api: String,
    },
    /// Renew the application's own token of an API, whose moment for that has come.
    RenewAppToken {
        /// The API's name.
        api: String,
    },
    /// Have the OP revoke a refresh token.
    Revoke {
        /// The token.
        token: Secret,
        /// How often that was tried before.
        attempt: u8,
    },
    /// Write the newest entry of a session to the store.
    Store {
        /// The session.
        session: Session,
        /// How often that was tried before.
        attempt: u8,
    },
}

/// A key found by listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KvListing {
    /// The key.
    pub key: String,
    /// The metadata, as JSON.
    pub metadata: Option<String>,
}

/// A part of a listing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KvPage {
    /// The keys, in their order; at most [`KV_PAGE`].
    pub listings: Vec<KvListing>,
    /// Where the next page begins; none after the last.
    pub cursor: Option<String>,
}

/// The most keys of a page.
pub const KV_PAGE: usize = 100;

/// Seconds to wait before trying again where nobody says.
pub const RETRY_AFTER: u64 = 5;

/// Why a call brought no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransportFault {
    /// 429, or 503 with a wait: try again after so many seconds.
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

/// Why the store did not do as asked, or not in time. What was asked may have been done all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreFault {
    /// The account's object cannot be reached, or its storage failed.
    Account,
    /// A deletion failed.
    Delete,
    /// A read failed.
    Get,
    /// A listing failed.
    List,
    /// A write failed.
    Put,
}

impl Json for TransportFault {
    fn to_json(&self) -> Value {
        match self {
            Self::Busy { retry_after } => named("Busy", named("retry_after", retry_after.to_json())),
            Self::Failing(status) => named("Failing", u64::from(*status).to_json()),
            Self::NoConnection => "NoConnection".into(),
            Self::TooLarge => "TooLarge".into(),
            Self::TimedOut => "TimedOut".into(),
        }
    }

    fn from_json(value: Value) -> Option<Self> {
        let (name, value) = name_and_value(value)?;
        Some(match name.as_str() {
            "Busy" => Self::Busy { retry_after: Members::of(value)?.take("retry_after")? },
            "Failing" => Self::Failing(u64::from_json(value)?.try_into().ok()?),
            "NoConnection" => Self::NoConnection,
            "TooLarge" => Self::TooLarge,
            "TimedOut" => Self::TimedOut,
            _ => return None,
        })
    }
}

impl StoreFault {
    /// Its name where it is stored or sent.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Account => "Account",
            Self::Delete => "Delete",
            Self::Get => "Get",
            Self::List => "List",
            Self::Put => "Put",
        }
    }
}

impl Json for StoreFault {
    fn to_json(&self) -> Value {
        self.name().into()
    }

    fn from_json(value: Value) -> Option<Self> {
        let all = [Self::Account, Self::Delete, Self::Get, Self::List, Self::Put];
        all.into_iter().find(|fault| value == fault.name())
    }
}

impl std::fmt::Display for TransportFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self:?}")
    }
}

impl std::error::Error for TransportFault {}
