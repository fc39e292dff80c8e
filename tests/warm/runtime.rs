//! A runtime with a clock that stands still and nothing else: what is decided from memory asks for no more.

use vestibule::forwarding::ForwardPlan;
use vestibule::measure::Measure;
use vestibule::oidc::algorithm::Algorithm;
use vestibule::oidc::client_key::ClientKey;
use vestibule::oidc::jwks::Jwk;
use vestibule::oidc::pfx::{OpenedPfx, Pfx, PfxFault};
use vestibule::runtime::{
    AccountStorage, KvPage, OpRequest, OpResponse, Runtime, StoreFault, StoredSession, Task, TransportFault, Wake,
};
use vestibule::session::session::SessionId;
use vestibule::session::signing_key::{PublicPoint, SigningKey};
use vestibule::time::{Lifetime, Timestamp};

/// The moment at which everything happens.
pub(crate) const NOW: Timestamp = Timestamp::from_unix(1_800_000_000);

/// The runtime.
pub(crate) struct Still;

/// The storage of an object in which nothing runs.
pub(crate) enum Nowhere {}

impl Runtime for Still {
    type Inbound = ();
    type Forwarded = ();
    type Storage = Nowhere;

    fn now(&self) -> Timestamp {
        NOW
    }

    fn random<const N: usize>(&self) -> [u8; N] {
        [7; N]
    }

    async fn call_op(&self, _: OpRequest, _: Lifetime) -> Result<OpResponse, TransportFault> {
        Err(TransportFault::NoConnection)
    }

    async fn call_service(&self, _: &str, _: OpRequest, _: Lifetime) -> Result<OpResponse, TransportFault> {
        Err(TransportFault::NoConnection)
    }

    async fn forward(&self, (): &(), _: &ForwardPlan) -> Result<(), TransportFault> {
        Err(TransportFault::NoConnection)
    }

    fn status(&self, (): &()) -> u16 {
        200
    }

    fn answer_header(&self, (): &(), _: &str) -> Option<String> {
        None
    }

    fn discard(&self, (): ()) {}

    async fn call_account(&self, _: &str, _: &str) -> Result<String, StoreFault> {
        Err(StoreFault::Account)
    }

    async fn watch(&self, _: &str, _: SessionId) -> Result<(), StoreFault> {
        Err(StoreFault::Account)
    }

    fn storage(&self) -> Option<&Nowhere> {
        None
    }

    fn later(&self, _: Task) {}

    async fn sleep(&self, _: Lifetime) {}

    async fn wait(&self, _: Lifetime, _: impl FnOnce(Wake)) {}

    async fn read_body(&self, (): &(), _: usize) -> Option<Vec<u8>> {
        None
    }

    async fn kv_get(&self, _: &str) -> Result<Option<Vec<u8>>, StoreFault> {
        Err(StoreFault::Get)
    }

    async fn kv_put(&self, _: &str, _: &[u8], _: &str, _: Lifetime) -> Result<(), StoreFault> {
        Err(StoreFault::Put)
    }

    async fn kv_replace(&self, _: &str, _: &[u8], _: &str, _: Lifetime) -> Result<bool, StoreFault> {
        Err(StoreFault::Put)
    }

    async fn kv_delete(&self, _: &[&str]) -> Result<(), StoreFault> {
        Err(StoreFault::Delete)
    }

    async fn kv_list(&self, _: &str, _: Option<&str>) -> Result<KvPage, StoreFault> {
        Err(StoreFault::List)
    }

    async fn verify(&self, _: &Jwk, _: Algorithm, _: &[u8], _: &[u8]) -> bool {
        false
    }

    async fn sign(&self, _: &SigningKey, _: &[u8]) -> Option<Vec<u8>> {
        None
    }

    async fn sign_as_client(&self, _: &str, _: &ClientKey, _: &[u8]) -> Option<Vec<u8>> {
        None
    }

    async fn open_pfx(&self, _: &Pfx) -> Result<OpenedPfx, PfxFault> {
        Err(PfxFault::Malformed)
    }

    async fn public_point(&self, _: &SigningKey) -> Option<PublicPoint> {
        None
    }

    fn log(&self, _: &str) {}

    fn measure(&self, _: &Measure) {}

    fn milliseconds(&self) -> u64 {
        NOW.as_unix() * 1000
    }
}

impl AccountStorage for Nowhere {
    fn session(&self, _: SessionId) -> Result<Option<StoredSession>, StoreFault> {
        match *self {}
    }

    fn sessions(&self) -> Result<Vec<(SessionId, StoredSession)>, StoreFault> {
        match *self {}
    }

    fn put_session(&self, _: SessionId, _: &StoredSession) -> Result<(), StoreFault> {
        match *self {}
    }

    fn valid_after(&self) -> Result<Option<Timestamp>, StoreFault> {
        match *self {}
    }

    fn end_until(&self, _: Timestamp) -> Result<(), StoreFault> {
        match *self {}
    }

    fn is_spent(&self, _: &str) -> Result<bool, StoreFault> {
        match *self {}
    }

    fn spend(&self, _: &str, _: Timestamp) -> Result<bool, StoreFault> {
        match *self {}
    }

    fn will_delete(&self, _: &str) -> Result<(), StoreFault> {
        match *self {}
    }

    fn to_delete(&self) -> Result<Vec<String>, StoreFault> {
        match *self {}
    }

    fn deleted(&self, _: &str) -> Result<(), StoreFault> {
        match *self {}
    }

    fn expire(&self, _: Timestamp, _: Lifetime) -> Result<Option<Timestamp>, StoreFault> {
        match *self {}
    }

    fn wake_at(&self, _: Timestamp) -> Result<(), StoreFault> {
        match *self {}
    }

    async fn flush(&self) -> Result<(), StoreFault> {
        match *self {}
    }
}
