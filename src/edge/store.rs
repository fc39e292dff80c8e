//! The functions of `store.js`, with Rust types around them. Why a call failed is not kept: every fault of a store is
//! met the same way.

use js_sys::{Array, Uint8Array};
use wasm_bindgen::prelude::*;

use crate::runtime::{KV_PAGE, KvListing, KvPage, StoreFault};
use crate::session::session::SessionId;
use crate::time::Lifetime;

#[wasm_bindgen(raw_module = "./store.js")]
extern "C" {
    #[wasm_bindgen(catch, js_name = get)]
    async fn js_get(env: &JsValue, key: &str) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(catch, js_name = put)]
    async fn js_put(env: &JsValue, key: &str, value: &[u8], metadata: &str, ttl: f64) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(catch, js_name = replace)]
    async fn js_replace(env: &JsValue, key: &str, value: &[u8], metadata: &str, ttl: f64) -> Result<JsValue, JsValue>;

    /// Says which store it is, by its name in the configuration.
    pub(super) fn choose(name: &str);

    #[wasm_bindgen(catch, js_name = remove)]
    async fn js_remove(env: &JsValue, keys: &str) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(catch, js_name = list)]
    async fn js_list(env: &JsValue, prefix: &str, cursor: Option<&str>, limit: usize) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(catch, js_name = callAccount)]
    async fn js_call_account(env: &JsValue, name: &str, request: &str) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(catch, js_name = watchSession)]
    async fn js_watch_session(env: &JsValue, name: &str, session: &str) -> Result<JsValue, JsValue>;
}

/// Reads a value.
pub(super) async fn get(env: &JsValue, key: &str) -> Result<Option<Vec<u8>>, StoreFault> {
    let value = js_get(env, key).await.map_err(|_| StoreFault::Get)?;
    Ok((!value.is_null()).then(|| Uint8Array::new(&value).to_vec()))
}

/// Writes a value that ends by itself.
pub(super) async fn put(
    env: &JsValue,
    key: &str,
    value: &[u8],
    metadata: &str,
    lifetime: Lifetime,
) -> Result<(), StoreFault> {
    let written = js_put(env, key, value, metadata, lifetime.as_seconds() as f64).await;
    written.map(drop).map_err(|_| StoreFault::Put)
}

/// Writes a value in place of an earlier one; tells whether there was one, as far as the store can know.
pub(super) async fn replace(
    env: &JsValue,
    key: &str,
    value: &[u8],
    metadata: &str,
    lifetime: Lifetime,
) -> Result<bool, StoreFault> {
    let written = js_replace(env, key, value, metadata, lifetime.as_seconds() as f64).await;
    written.map(|is_there| is_there.is_truthy()).map_err(|_| StoreFault::Put)
}

/// Deletes values, whose keys stand in lines.
pub(super) async fn delete(env: &JsValue, keys: &str) -> Result<(), StoreFault> {
    js_remove(env, keys).await.map(drop).map_err(|_| StoreFault::Delete)
}

/// Lists a page of the keys that start with `prefix`.
pub(super) async fn list(env: &JsValue, prefix: &str, cursor: Option<&str>) -> Result<KvPage, StoreFault> {
    let listed: Array = js_list(env, prefix, cursor, KV_PAGE).await.map_err(|_| StoreFault::List)?.unchecked_into();
    let mut values = listed.iter();
    let cursor = values.next().and_then(|cursor| cursor.as_string());
    let mut listings = Vec::new();
    while let (Some(key), Some(metadata)) = (values.next(), values.next()) {
        listings.push(KvListing { key: key.as_string().ok_or(StoreFault::List)?, metadata: metadata.as_string() });
    }
    Ok(KvPage { listings, cursor })
}

/// Calls the account object of that name.
pub(super) async fn call_account(env: &JsValue, name: &str, request: &str) -> Result<String, StoreFault> {
    let answer = js_call_account(env, name, request).await.map_err(|_| StoreFault::Account)?;
    answer.as_string().ok_or(StoreFault::Account)
}

/// Opens a WebSocket to the account object of that name, for a session.
pub(super) async fn watch(env: &JsValue, name: &str, session: SessionId) -> Result<JsValue, StoreFault> {
    js_watch_session(env, name, &session.to_text()).await.map_err(|_| StoreFault::Account)
}
