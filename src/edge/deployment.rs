//! The one deployment that an isolate serves: its configuration is read once, and the functions are set that answer for
//! forwards which nobody awaits.

use std::rc::Rc;

use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;

use super::context::ExecutionContext;
use super::runtime::Edge;
use super::{glue, isolate, store};
use crate::app::App;
use crate::flow;
use crate::request::RequestHead;
use crate::time::Timestamp;

/// The application; none if no configuration can serve. What is wrong with it is logged once and answered ever after.
pub(super) fn app(runtime: &Edge) -> Option<Rc<App>> {
    isolate::app_or_deploy(|| deploy(runtime))
}

/// Reads the configuration while the isolate starts, when nobody waits for it yet. The platform forbids to do more then, and
/// whatever is said of it would be in no request's log.
pub(super) fn prepare(env: &JsValue) {
    isolate::keep(read(env));
}

fn read(env: &JsValue) -> isolate::Read {
    std::panic::set_hook(Box::new(|panic| {
        console_error_panic_hook::hook(panic);
        glue::trapped();
    }));
    App::new(&glue::environment(env))
}

fn deploy(runtime: &Edge) -> Option<Rc<App>> {
    match isolate::take_read().unwrap_or_else(|| read(runtime.env())) {
        Err(faults) => {
            flow::misconfigured(runtime, &faults);
            None
        }
        Ok(app) => {
            let app = Rc::new(app);
            store::choose(app.config.token_cache.name());
            flow::deployed(runtime, &app.config);
            glue::on_forward_failure(&forward_failure(Rc::clone(&app), runtime.env().clone()));
            glue::on_second_look(&second_look(Rc::clone(&app), runtime.env().clone()));
            glue::on_redirect(&redirect(Rc::clone(&app)));
            Some(app)
        }
    }
}

/// Answers for a forward that failed. Only the environment is kept of the call that came first: a context belongs to
/// its own request, and the storage to its object.
fn forward_failure(app: Rc<App>, env: JsValue) -> Function {
    let answer = move |request: JsValue, failure: JsValue, context: ExecutionContext| -> JsValue {
        let runtime = Edge::new(env.clone(), context);
        let text = glue::head(&request);
        let fault = glue::transport_fault(&failure);
        let answer = match RequestHead::parse(&text) {
            Ok(head) => flow::forward_failed(&app, &runtime, &head, fault),
            Err(fault) => flow::refuse_head(&runtime, fault),
        };
        glue::respond(&answer)
    };
    Closure::<dyn Fn(JsValue, JsValue, ExecutionContext) -> JsValue>::new(answer).into_js_value().unchecked_into()
}

/// Says where a redirect of the origin leads; nothing if it stays as it is.
fn redirect(app: Rc<App>) -> Function {
    let relocate = move |request: JsValue, location: String| -> Option<String> {
        let text = glue::head(&request);
        let head = RequestHead::parse(&text).ok()?;
        flow::relocated(&app, &head, &location)
    };
    Closure::<dyn Fn(JsValue, String) -> Option<String>>::new(relocate).into_js_value().unchecked_into()
}

/// Has [`flow::reconsider`] look at the answer of a forward.
fn second_look(app: Rc<App>, env: JsValue) -> Function {
    let look = move |request: JsValue, answer: JsValue, issued_at: f64, context: ExecutionContext| -> Promise {
        let app = Rc::clone(&app);
        let runtime = Edge::new(env.clone(), context);
        let issued_at = Timestamp::from_unix(issued_at as u64);
        runtime.clone().finish(async move {
            let text = glue::head(&request);
            match RequestHead::parse(&text) {
                Ok(head) => glue::reply(flow::reconsider(&app, &runtime, &request, &head, answer, issued_at).await),
                Err(fault) => glue::respond(&flow::refuse_head(&runtime, fault)),
            }
        })
    };
    Closure::<dyn Fn(JsValue, JsValue, f64, ExecutionContext) -> Promise>::new(look).into_js_value().unchecked_into()
}
