//! The functions of `signing.js` and `pfx.js`, with Rust types around them. Why the platform refused a key is not kept: one
//! that is derived as ours are always is one, and one of the operator's has the right form by then.

use js_sys::{Array, Uint8Array};
use wasm_bindgen::prelude::*;

use crate::oidc::client_key::{ClientKey, KeyMaterial};
use crate::oidc::pfx::{OpenedPfx, Pfx, PfxFault};
use crate::secret::Secret;
use crate::session::signing_key::{PublicPoint, SigningKey};

#[wasm_bindgen(raw_module = "./signing.js")]
extern "C" {
    #[wasm_bindgen(catch, js_name = sign)]
    async fn js_sign(kid: &str, pkcs8: &[u8], data: &[u8]) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(catch, js_name = signAsClient)]
    async fn js_sign_as_client(
        name: &str,
        format: &str,
        material: &[u8],
        algorithm: &str,
        data: &[u8],
    ) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(catch, js_name = publicPoint)]
    async fn js_public_point(pkcs8: &[u8]) -> Result<JsValue, JsValue>;
}

#[wasm_bindgen(raw_module = "./pfx.js")]
extern "C" {
    #[wasm_bindgen(catch, js_name = openPfx)]
    async fn js_open_pfx(file: &[u8], password: &str) -> Result<JsValue, JsValue>;
}

/// Signs; see `Runtime::sign_as_client`.
pub(super) async fn sign_as_client(name: &str, key: &ClientKey, data: &[u8]) -> Option<Vec<u8>> {
    let (format, material) = match key.material() {
        KeyMaterial::Jwk(text) => ("jwk", text.expose().as_bytes()),
        KeyMaterial::Pkcs8(der) => ("pkcs8", der.expose().as_slice()),
    };
    let signature = js_sign_as_client(name, format, material, key.algorithm().name(), data).await.ok()?;
    Some(signature.unchecked_into::<Uint8Array>().to_vec())
}

/// Opens a file; see `Runtime::open_pfx`.
pub(super) async fn open_pfx(pfx: &Pfx) -> Result<OpenedPfx, PfxFault> {
    let opened = js_open_pfx(pfx.contents.expose(), pfx.password.expose()).await;
    let opened: Array = opened.map_err(|failure| pfx_fault(&failure))?.unchecked_into();
    let mut parts = opened.iter().map(|part| part.unchecked_into::<Uint8Array>().to_vec());
    let pkcs8 = Secret::new(parts.next().ok_or(PfxFault::KeyNotAlone)?);
    Ok(OpenedPfx { pkcs8, certificates: parts.collect() })
}

/// What a rejection of `pfx.js` means; its numbers are there.
fn pfx_fault(failure: &JsValue) -> PfxFault {
    match failure.as_f64() {
        Some(2.0) => PfxFault::Password,
        Some(3.0) => PfxFault::Unsupported,
        Some(4.0) => PfxFault::KeyNotAlone,
        _ => PfxFault::Malformed,
    }
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
