//! The Worker runtime: everything that names it is here and nowhere else.
//!
//! `entry.js` is the Worker's main module and calls [`serve`]; `glue.js` keeps requests, answers and bodies as native
//! handles. A request that needs no I/O before its forward is decided in one synchronous call, and the promise of that
//! forward is what the handler returns.

mod glue;
mod runtime;

use std::cell::OnceCell;
use std::rc::Rc;

use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;
use worker::Env;

use crate::answer::Answer;
use crate::app::App;
use crate::error::Error;
use crate::flow::{self, Reply};
use crate::request::RequestHead;
use runtime::Edge;

thread_local! {
    /// One deployment never changes while an isolate lives.
    static DEPLOYMENT: OnceCell<Deployment> = const { OnceCell::new() };
}

/// The configuration is read once; what is wrong with it is logged then and answered ever after.
#[derive(Clone)]
enum Deployment {
    Misconfigured,
    Ready(Rc<App>),
}

/// Serves one request.
#[wasm_bindgen]
pub fn serve(request: JsValue, env: JsValue) -> Promise {
    let runtime = Edge::new(env.unchecked_into::<Env>());
    let app = match deployment(&runtime) {
        Deployment::Ready(app) => app,
        Deployment::Misconfigured => return resolved(&misconfigured(&runtime, &request)),
    };
    let text = glue::head(&request);
    let head = match RequestHead::parse(&text) {
        Ok(head) => head,
        Err(fault) => return resolved(&flow::refuse_head(&runtime, fault)),
    };
    if let Some(plan) = flow::serve_at_once(&app, &runtime, &head) {
        return glue::forward_at_once(&request, &plan);
    }
    glue::guarded(&future_to_promise(serve_later(app, runtime, request, text)))
}

/// Serves what could not be decided at once. A head borrows its text, so it cannot move in here: the same text is parsed
/// the same way again.
async fn serve_later(app: Rc<App>, runtime: Edge, request: JsValue, text: String) -> Result<JsValue, JsValue> {
    let head = match RequestHead::parse(&text) {
        Ok(head) => head,
        Err(fault) => return Ok(glue::respond(&flow::refuse_head(&runtime, fault))),
    };
    Ok(match flow::serve(&app, &runtime, &request, &head).await {
        Reply::Answer(answer) => glue::respond(&answer),
        Reply::Forwarded(response) => response,
    })
}

fn deployment(runtime: &Edge) -> Deployment {
    DEPLOYMENT.with(|deployment| deployment.get_or_init(|| deploy(runtime)).clone())
}

fn deploy(runtime: &Edge) -> Deployment {
    std::panic::set_hook(Box::new(|panic| {
        console_error_panic_hook::hook(panic);
        glue::trapped();
    }));
    match App::new(&glue::environment(runtime.env())) {
        Err(faults) => {
            flow::misconfigured(runtime, &faults);
            Deployment::Misconfigured
        }
        Ok(app) => {
            let app = Rc::new(app);
            glue::on_forward_failure(&forward_failure(Rc::clone(&app), runtime.clone()));
            Deployment::Ready(app)
        }
    }
}

/// Answers for a forward that nobody awaits.
fn forward_failure(app: Rc<App>, runtime: Edge) -> Function {
    let answer = move |request: JsValue, failure: JsValue| -> JsValue {
        let text = glue::head(&request);
        let fault = glue::transport_fault(&failure);
        let answer = match RequestHead::parse(&text) {
            Ok(head) => flow::forward_failed(&app, &runtime, &head, fault),
            Err(fault) => flow::refuse_head(&runtime, fault),
        };
        glue::respond(&answer)
    };
    Closure::<dyn Fn(JsValue, JsValue) -> JsValue>::new(answer).into_js_value().unchecked_into()
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
