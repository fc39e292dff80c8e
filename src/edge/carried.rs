//! The functions of `carried.js`, with Rust types around them.

use wasm_bindgen::prelude::*;

use super::context::ExecutionContext;
use crate::forwarding::Carried;
use crate::session::session::SessionId;

#[wasm_bindgen(raw_module = "./carried.js")]
extern "C" {
    #[wasm_bindgen(js_name = carry)]
    fn js_carry(
        answer: &JsValue,
        request: &JsValue,
        context: &ExecutionContext,
        env: &JsValue,
        session: Option<&str>,
        object: Option<&str>,
        ends_at: f64,
    ) -> JsValue;
}

/// The answer to a request that wants a WebSocket. If it has one, that ends with the session, or the access token.
pub(super) fn carry(
    answer: &JsValue,
    request: &JsValue,
    (context, env): (&ExecutionContext, &JsValue),
    carried: &Carried,
) -> JsValue {
    let Carried { session, object, ends_at } = carried;
    let (session, ends_at) = (session.map(SessionId::to_text), ends_at.as_unix() as f64);
    js_carry(answer, request, context, env, session.as_deref(), object.as_deref(), ends_at)
}
