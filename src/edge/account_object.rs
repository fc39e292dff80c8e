//! What `account-object.js` calls: the same application as a request's, with an object's storage in its runtime.

use std::future::Future;
use std::rc::Rc;

use js_sys::Promise;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;

use super::account_storage::SqlStorage;
use super::context::ExecutionContext;
use super::deployment;
use super::glue;
use super::runtime::Edge;
use crate::app::App;
use crate::flow;

/// Answers one call of an account's object.
#[wasm_bindgen(js_name = serveAccount)]
pub fn serve_account(env: JsValue, state: ExecutionContext, storage: SqlStorage, request: String) -> Promise {
    run(Edge::inside(env, state, storage), async move |app, runtime| {
        Ok(flow::serve_account(&app, &runtime, &request).await.into())
    })
}

/// Deletes what has ended in an account's object.
#[wasm_bindgen(js_name = accountExpired)]
pub fn account_expired(env: JsValue, state: ExecutionContext, storage: SqlStorage) -> Promise {
    run(Edge::inside(env, state, storage), async move |app, runtime| {
        let expired = flow::account_expired(&app, &runtime).await;
        expired.map(|()| JsValue::UNDEFINED).map_err(|fault| js_sys::Error::new(&format!("{fault:?}")).into())
    })
}

/// A deployment that serves no request has nothing to say about an account either.
fn run<F: Future<Output = Result<JsValue, JsValue>> + 'static>(
    runtime: Edge,
    work: impl FnOnce(Rc<App>, Edge) -> F,
) -> Promise {
    match deployment::app(&runtime) {
        Some(app) => glue::guarded_call(&future_to_promise(work(app, runtime))),
        None => Promise::reject(&js_sys::Error::new("misconfigured")),
    }
}
