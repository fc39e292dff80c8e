//! The functions of `glue.js`, with Rust types around them.

use std::borrow::Cow;

use js_sys::{Array, Function, Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use super::context::ExecutionContext;
use super::runtime::Edge;
use crate::answer::Answer;
use crate::flow::{Kept, Reply, StandingRefusal};
use crate::forwarding::{AnswerEdits, Destination, ForwardPlan, Relinking};
use crate::measure::Measure;
use crate::runtime::{OpRequest, OpResponse, TransportFault, Wake};
use crate::time::Lifetime;

#[wasm_bindgen(raw_module = "./glue.js")]
extern "C" {
    /// The head of a request, as `RequestHead::parse` wants it.
    pub(super) fn head(request: &JsValue) -> String;

    /// The same of a request whose headers were read already.
    #[wasm_bindgen(js_name = head)]
    pub(super) fn head_with(request: &JsValue, headers: &Array) -> String;

    /// The environment, as `Config::parse` wants it.
    pub(super) fn environment(env: &JsValue) -> String;

    /// Fills bytes from the platform's cryptographic random source.
    #[wasm_bindgen(js_name = fillRandom, catch)]
    pub(super) fn fill_random(bytes: &mut [u8]) -> Result<(), JsValue>;

    /// Writes a log line.
    pub(super) fn log(line: &str);

    /// Sets the function that answers for a forward that nobody awaits.
    #[wasm_bindgen(js_name = onForwardFailure)]
    pub(super) fn on_forward_failure(answer: &Function);

    /// Sets the function that looks again at the answer of a forward that nobody awaits.
    #[wasm_bindgen(js_name = onSecondLook)]
    pub(super) fn on_second_look(look: &Function);

    /// The status of an answer.
    pub(super) fn status(answer: &JsValue) -> u16;

    /// A header of an answer.
    #[wasm_bindgen(js_name = answerHeader)]
    pub(super) fn answer_header(answer: &JsValue, name: &str) -> Option<String>;

    /// Gives up an answer that nobody will read.
    pub(super) fn discard(answer: &JsValue);

    /// Verifies a signature.
    pub(super) fn verify(jwk: &str, algorithm: &str, signature: &[u8], data: &[u8]) -> Promise;

    #[wasm_bindgen(js_name = answer)]
    fn js_answer(status: u16, header_lines: &str, body: &str) -> JsValue;

    #[wasm_bindgen(js_name = callOp)]
    fn js_call_op(
        env: &JsValue,
        service: Option<&str>,
        method: &str,
        url: &str,
        header_lines: &str,
        body: &[u8],
        timeout: u32,
        limit: u32,
    ) -> Promise;

    #[wasm_bindgen(js_name = plan)]
    fn js_plan(
        service: Option<&str>,
        edits: &str,
        timeout: u32,
        switches: u32,
        answer_edits: &str,
        cookies: &str,
        links: Option<String>,
        issued_at: Option<f64>,
        point: Option<String>,
    ) -> JsValue;

    #[wasm_bindgen(js_name = forward)]
    fn js_forward(request: &JsValue, env: &JsValue, url: &str, plan: &JsValue) -> Promise;

    #[wasm_bindgen(js_name = passedOn)]
    fn js_passed_on(request: &JsValue, env: &JsValue, context: &ExecutionContext, url: &str, plan: &JsValue)
    -> Promise;

    #[wasm_bindgen(js_name = readBody)]
    fn js_read_body(request: &JsValue, limit: usize) -> Promise;

    type Alarm;

    fn alarm(milliseconds: u32) -> Alarm;

    #[wasm_bindgen(method, getter)]
    fn woken(this: &Alarm) -> Promise;

    #[wasm_bindgen(method)]
    fn wake(this: &Alarm);

    #[wasm_bindgen(js_name = sleep)]
    fn js_sleep(milliseconds: u32) -> Promise;
}

#[wasm_bindgen(raw_module = "./edited.js")]
extern "C" {
    /// Sets the function that says where a redirect leads.
    #[wasm_bindgen(js_name = onRedirect)]
    pub(super) fn on_redirect(relocate: &Function);
}

#[wasm_bindgen(raw_module = "./standing.js")]
extern "C" {
    #[wasm_bindgen(js_name = keep)]
    fn js_keep(place: usize, base: &str, cut: usize, plan: &JsValue);
}

#[wasm_bindgen(raw_module = "./refusals.js")]
extern "C" {
    #[wasm_bindgen(js_name = keepRefusal)]
    fn js_keep_refusal(
        told: &str,
        referer: Option<&str>,
        trace: &str,
        status: u16,
        header_lines: &str,
        body: &str,
        line: &str,
    );
}

#[wasm_bindgen(raw_module = "./metrics.js")]
extern "C" {
    /// Writes a data point, where the binding is there.
    pub(super) fn count(env: &JsValue, point: &str, milliseconds: f64);
}

#[wasm_bindgen(raw_module = "./traps.js")]
extern "C" {
    /// A promise of an answer that a panic answers.
    pub(super) fn guarded(promise: &Promise) -> Promise;

    /// A promise that a panic rejects.
    #[wasm_bindgen(js_name = guardedCall)]
    pub(super) fn guarded_call(promise: &Promise) -> Promise;

    /// Tells the main module that this instance is broken.
    pub(super) fn trapped();
}

/// A `Response` made of an answer of our own.
pub(super) fn respond(answer: &Answer) -> JsValue {
    js_answer(answer.status, &header_lines(answer), &answer.body)
}

/// Keeps a refusal for requests that come again.
pub(super) fn keep_refusal(told: &str, referer: Option<&str>, answer: &Answer, standing: &StandingRefusal) {
    let StandingRefusal { trace, line } = standing;
    js_keep_refusal(told, referer, trace, answer.status, &header_lines(answer), &answer.body, line);
}

fn header_lines(answer: &Answer) -> String {
    lines(answer.headers.iter().map(|(name, value)| (*name, value.as_str())))
}

/// The `Response` of a flow's reply.
pub(super) fn reply(reply: Reply<JsValue>) -> JsValue {
    match reply {
        Reply::Answer(answer) => respond(&answer),
        Reply::Forwarded(response) => response,
    }
}

/// Passes a request on; resolves with the native answer.
pub(super) async fn forward(request: &JsValue, env: &JsValue, plan: &ForwardPlan) -> Result<JsValue, TransportFault> {
    let promise = js_forward(request, env, plan.destination.url(), &native(plan));
    JsFuture::from(promise).await.map_err(|failure| transport_fault(&failure))
}

/// Passes a request on for a handler that returns the promise as its own, and keeps the plan if it stands for others.
pub(super) fn pass_on(request: &JsValue, runtime: &Edge, plan: &ForwardPlan, kept: Option<&Kept<'_>>) -> Promise {
    let native = native(plan);
    if let Some(Kept { place, base, cut }) = kept {
        js_keep(*place, base, *cut, &native);
    }
    js_passed_on(request, runtime.env(), runtime.context(), plan.destination.url(), &native)
}

/// Reads the body of a request; see `Runtime::read_body`.
pub(super) async fn read_body(request: &JsValue, limit: usize) -> Option<Vec<u8>> {
    let body = JsFuture::from(js_read_body(request, limit)).await.ok()?;
    Some(body.unchecked_into::<Uint8Array>().to_vec())
}

/// Waits.
pub(super) async fn sleep(lifetime: Lifetime) {
    // A timer never fails.
    let _ = JsFuture::from(js_sleep(milliseconds(lifetime))).await;
}

/// Waits for another request, or for `longest`.
pub(super) async fn wait(longest: Lifetime, until: impl FnOnce(Wake)) {
    let alarm = alarm(milliseconds(longest));
    let woken = alarm.woken();
    until(Box::new(move || alarm.wake()));
    // Nothing rejects it.
    let _ = JsFuture::from(woken).await;
}

/// A plan as `glue.js` has it.
fn native(plan: &ForwardPlan) -> JsValue {
    let service = match &plan.destination {
        Destination::Url(_) => None,
        Destination::Service { name, .. } => Some(name.as_str()),
    };
    let AnswerEdits { set_cookie, drop_cookies, force_no_store, remove, set, relocate, links } = &plan.answer;
    let switches = [*force_no_store, *drop_cookies, *relocate, plan.may_be_cached];
    let switches = switches.iter().rev().fold(0, |sum, is_on| sum * 2 + u32::from(*is_on));
    let (edits, answer_edits) = (edits(&plan.remove, &plan.set), edits(remove, set));
    let links = links.as_ref().map(|Relinking { from, to }| format!("{from}\n{to}"));
    // Exact up to 2^53, which is enough for any moment.
    let issued_at = plan.reconsider.map(|moment| moment.as_unix() as f64);
    let (timeout, cookies) = (milliseconds(plan.timeout), set_cookie.join("\n"));
    let point = plan.measure.as_ref().map(Measure::lines);
    js_plan(service, &edits, timeout, switches, &answer_edits, &cookies, links, issued_at, point)
}

/// As `edit` of `edited.js` wants them.
fn edits(remove: &[impl AsRef<str>], set: &[(Cow<'_, str>, String)]) -> String {
    let removed = remove.iter().map(|name| (name.as_ref(), ""));
    lines(removed.chain(set.iter().map(|(name, value)| (name.as_ref(), value.as_str()))))
}

/// Sends a request to the OpenID Provider, or to a service binding.
pub(super) async fn call_op(
    (env, service): (&JsValue, Option<&str>),
    request: OpRequest,
    timeout: Lifetime,
) -> Result<OpResponse, TransportFault> {
    let OpRequest { method, url, body, .. } = &request;
    let (headers, timeout) = (lines(request.headers()), milliseconds(timeout));
    let promise = js_call_op(env, service, method, url, &headers, body, timeout, MAX_OP_ANSWER_BYTES);
    let answer = JsFuture::from(promise).await.map_err(|failure| transport_fault(&failure))?;
    let answer: Array = answer.unchecked_into();
    Ok(OpResponse {
        status: answer.get(0).as_f64().unwrap_or(0.0) as u16,
        content_type: answer.get(1).as_string(),
        retry_after: answer.get(2).as_string(),
        body: answer.get(3).unchecked_into::<Uint8Array>().to_vec(),
    })
}

/// What a rejection of `glue.js` means; its numbers are there.
pub(super) fn transport_fault(failure: &JsValue) -> TransportFault {
    match failure.as_f64() {
        Some(2.0) => TransportFault::TimedOut,
        Some(3.0) => TransportFault::TooLarge,
        _ => TransportFault::NoConnection,
    }
}

fn lines<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut text = String::new();
    for (name, value) in pairs {
        text.push_str(name);
        text.push('\n');
        text.push_str(value);
        text.push('\n');
    }
    text
}

fn milliseconds(lifetime: Lifetime) -> u32 {
    u32::try_from(lifetime.as_seconds().saturating_mul(1000)).unwrap_or(u32::MAX)
}

const MAX_OP_ANSWER_BYTES: u32 = 256 * 1024;
