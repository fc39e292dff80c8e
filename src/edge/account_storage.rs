//! The [`AccountStorage`] of Durable Objects: `account-storage.js` around SQLite. Why a call failed is not kept: the
//! object cannot vouch for the account then, whatever the reason.

use js_sys::{Array, Uint8Array};
use wasm_bindgen::prelude::*;

use crate::runtime::{AccountStorage, StoreFault, StoredSession};
use crate::session::session::SessionId;
use crate::time::{Lifetime, Timestamp};

#[wasm_bindgen]
extern "C" {
    /// The storage of the object that this code runs in.
    #[derive(Clone)]
    pub type SqlStorage;

    #[wasm_bindgen(method, getter, js_name = life)]
    fn js_life(this: &SqlStorage) -> f64;

    #[wasm_bindgen(catch, method, js_name = session)]
    fn js_session(this: &SqlStorage, id: &str) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(catch, method, js_name = sessions)]
    fn js_sessions(this: &SqlStorage) -> Result<Array, JsValue>;

    #[wasm_bindgen(catch, method, js_name = putSession)]
    fn js_put_session(
        this: &SqlStorage,
        id: &str,
        issued_at: f64,
        expires_at: f64,
        revision: f64,
        entry: &JsValue,
        metadata: &str,
    ) -> Result<(), JsValue>;

    #[wasm_bindgen(catch, method, js_name = validAfter)]
    fn js_valid_after(this: &SqlStorage) -> Result<Option<f64>, JsValue>;

    #[wasm_bindgen(catch, method, js_name = endUntil)]
    fn js_end_until(this: &SqlStorage, until: f64) -> Result<(), JsValue>;

    #[wasm_bindgen(catch, method, js_name = isSpent)]
    fn js_is_spent(this: &SqlStorage, token: &str) -> Result<bool, JsValue>;

    #[wasm_bindgen(catch, method, js_name = spend)]
    fn js_spend(this: &SqlStorage, token: &str, expires_at: f64) -> Result<bool, JsValue>;

    #[wasm_bindgen(catch, method, js_name = willDelete)]
    fn js_will_delete(this: &SqlStorage, key: &str) -> Result<(), JsValue>;

    #[wasm_bindgen(catch, method, js_name = toDelete)]
    fn js_to_delete(this: &SqlStorage) -> Result<Array, JsValue>;

    #[wasm_bindgen(catch, method, js_name = deleted)]
    fn js_deleted(this: &SqlStorage, key: &str) -> Result<(), JsValue>;

    #[wasm_bindgen(catch, method, js_name = expire)]
    fn js_expire(this: &SqlStorage, now: f64, longest: f64) -> Result<Option<f64>, JsValue>;

    #[wasm_bindgen(catch, method, js_name = wakeAt)]
    fn js_wake_at(this: &SqlStorage, moment: f64) -> Result<(), JsValue>;

    #[wasm_bindgen(catch, method, js_name = flush)]
    async fn js_flush(this: &SqlStorage) -> Result<JsValue, JsValue>;
}

impl AccountStorage for SqlStorage {
    fn life(&self) -> u64 {
        self.js_life() as u64
    }

    fn session(&self, id: SessionId) -> Result<Option<StoredSession>, StoreFault> {
        let row = self.js_session(&id.to_text()).map_err(fault)?;
        if row.is_undefined() {
            return Ok(None);
        }
        let (_, session) = read(&row.unchecked_into()).ok_or(StoreFault::Account)?;
        Ok(Some(session))
    }

    fn sessions(&self) -> Result<Vec<(SessionId, StoredSession)>, StoreFault> {
        let rows = self.js_sessions().map_err(fault)?;
        rows.iter().map(|row| read(&row.unchecked_into()).ok_or(StoreFault::Account)).collect()
    }

    fn put_session(&self, id: SessionId, session: &StoredSession) -> Result<(), StoreFault> {
        let [issued_at, expires_at] = [session.issued_at, session.expires_at].map(seconds);
        // As SQLite gives it, too: `read` looks into it without a copy.
        let entry = session.entry.as_deref().map_or(JsValue::NULL, |entry| Uint8Array::from(entry).buffer().into());
        let revision = session.revision as f64;
        self.js_put_session(&id.to_text(), issued_at, expires_at, revision, &entry, &session.metadata).map_err(fault)
    }

    fn valid_after(&self) -> Result<Option<Timestamp>, StoreFault> {
        self.js_valid_after().map(|moment| moment.map(timestamp)).map_err(fault)
    }

    fn end_until(&self, until: Timestamp) -> Result<(), StoreFault> {
        self.js_end_until(seconds(until)).map_err(fault)
    }

    fn is_spent(&self, token: &str) -> Result<bool, StoreFault> {
        self.js_is_spent(token).map_err(fault)
    }

    fn spend(&self, token: &str, expires_at: Timestamp) -> Result<bool, StoreFault> {
        self.js_spend(token, seconds(expires_at)).map_err(fault)
    }

    fn will_delete(&self, key: &str) -> Result<(), StoreFault> {
        self.js_will_delete(key).map_err(fault)
    }

    fn to_delete(&self) -> Result<Vec<String>, StoreFault> {
        let keys = self.js_to_delete().map_err(fault)?;
        keys.iter().map(|key| key.as_string().ok_or(StoreFault::Account)).collect()
    }

    fn deleted(&self, key: &str) -> Result<(), StoreFault> {
        self.js_deleted(key).map_err(fault)
    }

    fn expire(&self, now: Timestamp, longest: Lifetime) -> Result<Option<Timestamp>, StoreFault> {
        self.js_expire(seconds(now), longest.as_seconds() as f64).map(|moment| moment.map(timestamp)).map_err(fault)
    }

    fn wake_at(&self, moment: Timestamp) -> Result<(), StoreFault> {
        self.js_wake_at(seconds(moment)).map_err(fault)
    }

    async fn flush(&self) -> Result<(), StoreFault> {
        self.js_flush().await.map(drop).map_err(fault)
    }
}

/// The row as `account-storage.js` selects it.
fn read(row: &Array) -> Option<(SessionId, StoredSession)> {
    let id = SessionId::parse(&row.get(0).as_string()?)?;
    let entry = row.get(4);
    let session = StoredSession {
        issued_at: row.get(1).as_f64().map(timestamp)?,
        expires_at: row.get(2).as_f64().map(timestamp)?,
        revision: row.get(3).as_f64()? as u64,
        entry: (!entry.is_null()).then(|| Uint8Array::new(&entry).to_vec()),
        metadata: row.get(5).as_string()?,
    };
    Some((id, session))
}

/// Exact up to 2^53, which is enough for any moment.
fn seconds(moment: Timestamp) -> f64 {
    moment.as_unix() as f64
}

fn timestamp(seconds: f64) -> Timestamp {
    Timestamp::from_unix(seconds as u64)
}

#[allow(clippy::needless_pass_by_value, reason = "it is given to map_err")]
fn fault(_: JsValue) -> StoreFault {
    StoreFault::Account
}
