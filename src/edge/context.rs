//! What the platform hands over beside the environment: the context of a request, or the state of an object.

use js_sys::Promise;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// What a request's handler gets beside the environment; for an object, its state.
    #[derive(Clone)]
    pub type ExecutionContext;

    /// Has the platform go on until the promise is settled, whether or not anybody still waits for the answer.
    #[wasm_bindgen(method, js_name = waitUntil)]
    pub(super) fn wait_until(this: &ExecutionContext, promise: &Promise);
}
