//! Writing entries to Workers KV after the answer: the object's copies, and what could not be written at once without one.

use serde_json::Value;

use super::super::log::{self, Event};
use super::super::{Context, token_cache};
use super::registry;
use crate::error::Error;
use crate::runtime::{Runtime, Work};
use crate::session::session::Session;
use crate::time::Lifetime;

/// Writes the newest entry of a session, and again a little later should that fail: Workers KV takes one write a second
/// for each key.
pub(crate) async fn store<R: Runtime>(context: &Context<'_, R>, session: Session, attempt: u8) {
    if attempt > 0 {
        context.runtime.sleep(Lifetime::from_seconds(1 << attempt)).await;
    }
    let outcome = match context.runtime.storage() {
        Some(storage) => registry::store_copy(context, storage, &session).await,
        None => token_cache::store_newest(context, &session).await.map(drop),
    };
    let Err(Error::CacheUnavailable(fault)) = outcome else { return };
    token_cache::failed(context, "entry", fault);
    if attempt < MAX_ATTEMPTS {
        context.later(Work::Store { session, attempt: attempt + 1 });
    } else {
        log::happened(context, Event::StoreGivenUp, Some(&session), Value::Null);
    }
}

/// After 2, 4 and 8 seconds: the platform gives work after the answer half a minute.
const MAX_ATTEMPTS: u8 = 3;
