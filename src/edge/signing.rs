//! The functions of `signing.js`, with Rust types around them. Why the platform refused is not kept: a key that is
//! derived as ours are is always one.

use js_sys::{Array, Uint8Array};
use wasm_bindgen::prelude::*;

use crate::session::signing_key::{PublicPoint, SigningKey};

#[wasm_bindgen(raw_module = "./signing.js")]
extern "C" {
    #[wasm_bindgen(catch, js_name = sign)]
    async fn js_sign(kid: &str, pkcs8: &[u8], data: &[u8]) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(catch, js_name = publicPoint)]
    async fn js_public_point(pkcs8: &[u8]) -> Result<JsValue, JsValue>;
}

/// Signs; see `Runtime::sign`.
pub(super) async fn sign(key: &SigningKey, data: &[u8]) -> Option<Vec<u8>> {
    let signature = js_sign(key.kid(), key.pkcs8().expose(), data).await.ok()?;
    Some(signature.unchecked_into::<Uint8Array>().to_vec())
}

/// The public half of a key; see `Runtime::public_point`.
pub(super) async fn public_point(key: &SigningKey) -> Option<PublicPoint> {
    let point: Array = js_public_point(key.pkcs8().expose()).await.ok()?.unchecked_into();
    Some(PublicPoint { x: point.get(0).as_string()?, y: point.get(1).as_string()? })
}
