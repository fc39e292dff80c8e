//! The Worker runtime: everything that names it is here and nowhere else.
//!
//! `entry.js` is the Worker's main module. What has been here before in every letter is answered by what was kept of it
//! (`again.js`); of anything else [`standing`] is asked whether a plan stands for it, and [`serve`] serves what has none.
//! `glue.js` keeps requests, answers and bodies as native handles. A request that needs no I/O before its
//! forward is decided in one synchronous call, and the promise of that forward is what the handler returns.

pub mod account_object;
mod account_storage;
mod carried;
mod context;
mod deployment;
mod glue;
mod isolate;
mod runtime;
mod signing;
mod store;

use std::rc::Rc;

use js_sys::{Array, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;

use crate::answer::Answer;
use crate::app::App;
use crate::error::Error;
use crate::flow::{self, AtOnce, RefusedAtOnce};
use crate::request::RequestHead;
use context::ExecutionContext;
use runtime::{Edge, moment};

/// Reads the configuration, before there is a request.
#[wasm_bindgen]
pub fn prepare(env: &JsValue) {
    deployment::prepare(env);
}

/// The place of the plan that stands for a request, as [`flow::standing`] wants it described; `now` in milliseconds.
#[wasm_bindgen]
pub fn standing(told: &str, now: f64) -> Option<usize> {
    isolate::app().and_then(|app| flow::standing(&app, moment(now), told))
}

/// Whether the plan in a place still stands: [`flow::stands`].
#[wasm_bindgen]
pub fn stands(place: usize, now: f64) -> bool {
    isolate::app().is_some_and(|app| flow::stands(&app, moment(now), place))
}

/// Whether that description has a header: [`flow::decides`]. Nothing before the first request.
#[wasm_bindgen]
pub fn decides(name: &str) -> Option<bool> {
    isolate::app().map(|app| flow::decides(&app.config, name))
}

/// Serves one request for which no plan stands; `headers` are its headers, `told` describes it as for [`standing`].
#[wasm_bindgen]
pub fn serve(request: JsValue, headers: &Array, env: JsValue, context: ExecutionContext, told: &str) -> Promise {
    let runtime = Edge::new(env, context);
    let Some(app) = deployment::app(&runtime) else {
        return resolved(&misconfigured(&runtime, &request));
    };
    let text = glue::head_with(&request, headers);
    let head = match RequestHead::parse(&text) {
        Ok(head) => head,
        Err(fault) => return resolved(&flow::refuse_head(&runtime, fault)),
    };
    if let Some(AtOnce { plan, standing }) = flow::serve_at_once(&app, &runtime, &head) {
        let kept = standing.and_then(|standing| flow::keep(&app, told, &plan, standing));
        return glue::pass_on(&request, &runtime, &plan, kept.as_ref());
    }
    if let Some(RefusedAtOnce { answer, standing }) = flow::refuse_at_once(&app, &runtime, &head) {
        if let Some(standing) = standing {
            glue::keep_refusal(told, head.header("referer"), &answer, &standing);
        }
        return resolved(&answer);
    }
    runtime.clone().finish(serve_later(app, runtime, request, text))
}

/// Serves what could not be decided at once. A head borrows its text, so it cannot move in here: the same text is parsed
/// the same way again.
async fn serve_later(app: Rc<App>, runtime: Edge, request: JsValue, text: String) -> JsValue {
    match RequestHead::parse(&text) {
        Ok(head) => glue::reply(flow::serve(&app, &runtime, &request, &head).await),
        Err(fault) => glue::respond(&flow::refuse_head(&runtime, fault)),
    }
}

/// Whether the session goes on for which a WebSocket is carried, by the request that opened it.
#[wasm_bindgen(js_name = goesOn)]
pub fn goes_on(request: JsValue, env: JsValue, context: ExecutionContext) -> Promise {
    let runtime = Edge::new(env, context);
    let Some(app) = deployment::app(&runtime) else { return Promise::resolve(&JsValue::TRUE) };
    glue::guarded_call(&future_to_promise(async move {
        let text = glue::head(&request);
        let Ok(head) = RequestHead::parse(&text) else { return Ok(JsValue::TRUE) };
        Ok(flow::goes_on(&app, &runtime, &head).await.into())
    }))
}

fn misconfigured(runtime: &Edge, request: &JsValue) -> Answer {
    let text = glue::head(request);
    match RequestHead::parse(&text) {
        Ok(head) => flow::refuse_all(runtime, &head, &Error::Misconfigured),
        Err(fault) => flow::refuse_head(runtime, fault),
    }
}

fn resolved(answer: &Answer) -> Promise {
    Promise::resolve(&glue::respond(answer))
}
