//! The [`Runtime`] of Cloudflare Workers.

use std::future::Future;
use std::task::{Context, Poll, Waker};

use js_sys::Promise;
use serde_json::Value;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::{JsFuture, future_to_promise};

use super::account_storage::SqlStorage;
use super::context::ExecutionContext;
use super::{carried, glue, isolate, signing, store};
use crate::flow;
use crate::forwarding::ForwardPlan;
use crate::json::members;
use crate::measure::Measure;
use crate::oidc::algorithm::Algorithm;
use crate::oidc::client_key::ClientKey;
use crate::oidc::jwks::{Jwk, KeyMaterial};
use crate::oidc::pfx::{OpenedPfx, Pfx, PfxFault};
use crate::runtime::{KvPage, OpRequest, OpResponse, Runtime, StoreFault, Task, TransportFault, Wake};
use crate::session::session::SessionId;
use crate::session::signing_key::{PublicPoint, SigningKey};
use crate::time::{Lifetime, Timestamp};

/// A moment as JavaScript has it, in milliseconds.
pub(super) fn moment(milliseconds: f64) -> Timestamp {
    Timestamp::from_unix((milliseconds / 1000.0) as u64)
}

/// One request's view of the platform, or that of one call of an object.
#[derive(Clone)]
pub(super) struct Edge {
    env: JsValue,
    context: ExecutionContext,
    storage: Option<SqlStorage>,
}

impl Edge {
    /// The platform as a request sees it.
    pub(super) const fn new(env: JsValue, context: ExecutionContext) -> Self {
        Self { env, context, storage: None }
    }

    /// The platform as an object sees it.
    pub(super) const fn inside(env: JsValue, state: ExecutionContext, storage: SqlStorage) -> Self {
        Self { env, context: state, storage: Some(storage) }
    }

    /// The environment's own object.
    pub(super) const fn env(&self) -> &JsValue {
        &self.env
    }

    /// The context's own object.
    pub(super) const fn context(&self) -> &ExecutionContext {
        &self.context
    }

    /// The promise of an answer that may take its time. A browser that hangs up must not end the work: between the OP's
    /// answer and the write of the new refresh token, that would lose the session. What waits for nothing, like the way to
    /// the OP, needs nobody who looks after it.
    pub(super) fn finish(self, answer: impl Future<Output = JsValue> + 'static) -> Promise {
        let mut answer = Box::pin(answer);
        if let Poll::Ready(answer) = answer.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return Promise::resolve(&answer);
        }
        let promise = glue::guarded(&future_to_promise(async move { Ok(answer.await) }));
        self.context.wait_until(&promise);
        promise
    }
}

impl Runtime for Edge {
    type Inbound = JsValue;
    type Forwarded = JsValue;
    type Storage = SqlStorage;

    fn now(&self) -> Timestamp {
        moment(js_sys::Date::now())
    }

    fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        #[allow(
            clippy::expect_used,
            reason = "without randomness nothing may be sealed; the isolate's instance is replaced"
        )]
        glue::fill_random(&mut bytes).expect("the platform has no randomness");
        bytes
    }

    async fn call_op(&self, request: OpRequest, timeout: Lifetime) -> Result<OpResponse, TransportFault> {
        glue::call_op((&self.env, None), request, timeout).await
    }

    async fn call_service(
        &self,
        service: &str,
        request: OpRequest,
        timeout: Lifetime,
    ) -> Result<OpResponse, TransportFault> {
        glue::call_op((&self.env, Some(service)), request, timeout).await
    }

    async fn forward(&self, inbound: &JsValue, plan: &ForwardPlan) -> Result<JsValue, TransportFault> {
        let answer = glue::forward(inbound, &self.env, plan).await?;
        Ok(match &plan.carried {
            None => answer,
            Some(carried) => carried::carry(&answer, inbound, (&self.context, &self.env), carried),
        })
    }

    fn status(&self, answer: &JsValue) -> u16 {
        glue::status(answer)
    }

    fn answer_header(&self, answer: &JsValue, name: &str) -> Option<String> {
        glue::answer_header(answer, name)
    }

    fn discard(&self, answer: JsValue) {
        glue::discard(&answer);
    }

    async fn call_account(&self, name: &str, request: &str) -> Result<String, StoreFault> {
        store::call_account(&self.env, name, request).await
    }

    async fn watch(&self, object: &str, session: SessionId) -> Result<JsValue, StoreFault> {
        store::watch(&self.env, object, session).await
    }

    fn storage(&self) -> Option<&SqlStorage> {
        self.storage.as_ref()
    }

    fn later(&self, task: Task) {
        let Some(app) = isolate::app() else { return };
        let runtime = self.clone();
        let work = future_to_promise(async move {
            flow::perform(&app, &runtime, task).await;
            Ok(JsValue::UNDEFINED)
        });
        self.context.wait_until(&glue::guarded_call(&work));
    }

    async fn sleep(&self, lifetime: Lifetime) {
        glue::sleep(lifetime).await;
    }

    async fn wait(&self, longest: Lifetime, until: impl FnOnce(Wake)) {
        glue::wait(longest, until).await;
    }

    async fn read_body(&self, inbound: &JsValue, limit: usize) -> Option<Vec<u8>> {
        glue::read_body(inbound, limit).await
    }

    async fn kv_get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreFault> {
        store::get(&self.env, key).await
    }

    async fn kv_put(&self, key: &str, value: &[u8], metadata: &str, lifetime: Lifetime) -> Result<(), StoreFault> {
        store::put(&self.env, key, value, metadata, lifetime).await
    }

    async fn kv_replace(
        &self,
        key: &str,
        value: &[u8],
        metadata: &str,
        lifetime: Lifetime,
    ) -> Result<bool, StoreFault> {
        store::replace(&self.env, key, value, metadata, lifetime).await
    }

    async fn kv_delete(&self, keys: &[&str]) -> Result<(), StoreFault> {
        store::delete(&self.env, &keys.join("\n")).await
    }

    async fn kv_list(&self, prefix: &str, cursor: Option<&str>) -> Result<KvPage, StoreFault> {
        store::list(&self.env, prefix, cursor).await
    }

    async fn verify(&self, key: &Jwk, algorithm: Algorithm, signed_data: &[u8], signature: &[u8]) -> bool {
        let promise = glue::verify(&jwk(key).to_string(), algorithm.name(), signature, signed_data);
        JsFuture::from(promise).await.is_ok_and(|verified| verified.is_truthy())
    }

    async fn sign(&self, key: &SigningKey, data: &[u8]) -> Option<Vec<u8>> {
        signing::sign(key, data).await
    }

    async fn sign_as_client(&self, name: &str, key: &ClientKey, data: &[u8]) -> Option<Vec<u8>> {
        signing::sign_as_client(name, key, data).await
    }

    async fn open_pfx(&self, pfx: &Pfx) -> Result<OpenedPfx, PfxFault> {
        signing::open_pfx(pfx).await
    }

    async fn public_point(&self, key: &SigningKey) -> Option<PublicPoint> {
        signing::public_point(key).await
    }

    fn log(&self, line: &str) {
        glue::log(line);
    }

    fn measure(&self, point: &Measure) {
        glue::count(&self.env, &point.lines(), point.milliseconds as f64);
    }

    fn milliseconds(&self) -> u64 {
        js_sys::Date::now() as u64
    }
}

/// The members that WebCrypto needs, and no other: `use` and `key_ops` were judged when the key set was parsed.
fn jwk(key: &Jwk) -> Value {
    match &key.material {
        KeyMaterial::Rsa { n, e } => {
            members([("kty", "RSA".into()), ("n", n.as_str().into()), ("e", e.as_str().into())])
        }
        KeyMaterial::P256 { x, y } => {
            members([("kty", "EC".into()), ("crv", "P-256".into()), ("x", x.as_str().into()), ("y", y.as_str().into())])
        }
        KeyMaterial::Ed25519 { x } => {
            members([("kty", "OKP".into()), ("crv", "Ed25519".into()), ("x", x.as_str().into())])
        }
    }
}
