//! The [`Runtime`] of Cloudflare Workers.

use serde_json::{Value, json};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use worker::Env;
use worker::kv::{KvError, KvStore};

use super::glue;
use crate::forwarding::ForwardPlan;
use crate::oidc::algorithm::Algorithm;
use crate::oidc::jwks::{Jwk, KeyMaterial};
use crate::runtime::{KvListing, OpRequest, OpResponse, Runtime, StoreFault, TransportFault};
use crate::time::{Lifetime, Timestamp};

/// One request's view of the platform.
#[derive(Clone)]
pub(super) struct Edge {
    env: Env,
}

impl Edge {
    /// The platform behind an environment.
    pub(super) const fn new(env: Env) -> Self {
        Self { env }
    }

    /// The environment's own object.
    pub(super) fn env(&self) -> &JsValue {
        self.env.as_ref()
    }

    fn store(&self) -> Result<KvStore, KvError> {
        KvStore::from_this(self.env(), TOKEN_CACHE)
    }

    async fn list(&self, prefix: &str) -> Result<Vec<KvListing>, KvError> {
        let store = self.store()?;
        let mut listings = Vec::new();
        let mut cursor = None;
        loop {
            let request = store.list().prefix(prefix.to_owned());
            let request = match cursor.take() {
                Some(cursor) => request.cursor(cursor),
                None => request,
            };
            let page = request.execute().await?;
            let listed = page.keys.into_iter();
            listings.extend(
                listed.map(|key| KvListing { key: key.name, metadata: key.metadata.map(|json| json.to_string()) }),
            );
            match page.cursor.filter(|_| !page.list_complete) {
                Some(next) => cursor = Some(next),
                None => return Ok(listings),
            }
        }
    }

    async fn put(&self, key: &str, value: &[u8], metadata: &str, lifetime: Lifetime) -> Result<(), KvError> {
        let metadata: Value = serde_json::from_str(metadata)?;
        let request = self.store()?.put_bytes(key, value)?.expiration_ttl(lifetime.as_seconds()).metadata(metadata)?;
        request.execute().await
    }
}

impl Runtime for Edge {
    type Inbound = JsValue;
    type Forwarded = JsValue;

    fn now(&self) -> Timestamp {
        Timestamp::from_unix((js_sys::Date::now() / 1000.0) as u64)
    }

    fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        #[allow(
            clippy::expect_used,
            reason = "without randomness nothing may be sealed; the isolate's instance is replaced"
        )]
        getrandom::getrandom(&mut bytes).expect("the platform has no randomness");
        bytes
    }

    async fn call_op(&self, request: OpRequest, timeout: Lifetime) -> Result<OpResponse, TransportFault> {
        glue::call_op(request, timeout).await
    }

    async fn forward(&self, inbound: &JsValue, plan: &ForwardPlan) -> Result<JsValue, TransportFault> {
        glue::forward(inbound, plan).await
    }

    async fn kv_get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreFault> {
        self.store().map_err(|_| StoreFault::Get)?.get(key).bytes().await.map_err(|_| StoreFault::Get)
    }

    async fn kv_put(&self, key: &str, value: &[u8], metadata: &str, lifetime: Lifetime) -> Result<(), StoreFault> {
        self.put(key, value, metadata, lifetime).await.map_err(|_| StoreFault::Put)
    }

    async fn kv_delete(&self, key: &str) -> Result<(), StoreFault> {
        self.store().map_err(|_| StoreFault::Delete)?.delete(key).await.map_err(|_| StoreFault::Delete)
    }

    async fn kv_list(&self, prefix: &str) -> Result<Vec<KvListing>, StoreFault> {
        self.list(prefix).await.map_err(|_| StoreFault::List)
    }

    async fn verify(&self, key: &Jwk, algorithm: Algorithm, signed_data: &[u8], signature: &[u8]) -> bool {
        let promise = glue::verify(&jwk(key).to_string(), algorithm.name(), signature, signed_data);
        JsFuture::from(promise).await.is_ok_and(|verified| verified.is_truthy())
    }

    fn log(&self, line: &str) {
        glue::log(line);
    }
}

/// The members that WebCrypto needs, and no other: `use` and `key_ops` were judged when the key set was parsed.
fn jwk(key: &Jwk) -> Value {
    match &key.material {
        KeyMaterial::Rsa { n, e } => json!({ "kty": "RSA", "n": n, "e": e }),
        KeyMaterial::P256 { x, y } => json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y }),
        KeyMaterial::Ed25519 { x } => json!({ "kty": "OKP", "crv": "Ed25519", "x": x }),
    }
}

const TOKEN_CACHE: &str = "TOKEN_CACHE";
