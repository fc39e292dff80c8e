//! The token cache: entries in the store, with this isolate's memory in front of it.

use std::rc::Rc;

use serde_json::json;

use super::Context;
use super::log::{self, Event};
use crate::error::{Error, SessionEnd};
use crate::runtime::{Runtime, StoreFault};
use crate::session::device;
use crate::session::entry::{EntryMetadata, TokenCacheEntry};
use crate::session::session::Session;
use crate::session::storage_key::{EntryKey, SidKey};
use crate::time::Lifetime;

/// Where the session's entry is kept. The key that named it is in the ring, or the session would not have opened.
pub(super) fn key<R: Runtime>(context: &Context<'_, R>, session: &Session) -> Result<EntryKey, Error> {
    EntryKey::of(session, &context.app.ring).ok_or(Error::SessionEnded(SessionEnd::EntryMissing))
}

/// The entry as the store has it now, or as this isolate does if that is newer.
pub(super) async fn read<R: Runtime>(
    context: &Context<'_, R>,
    session: &Session,
) -> Result<Rc<TokenCacheEntry>, Error> {
    let memory = &context.app.memory;
    let key = key(context, session)?;
    match context.runtime.kv_get(key.as_str()).await {
        Ok(Some(stored)) => {
            let entry = TokenCacheEntry::open(&stored, &session.record_key, &key)
                .map_err(|_| Error::SessionEnded(SessionEnd::EntryDoesNotOpen))?;
            Ok(memory.remember(session.id, entry, context.now))
        }
        Ok(None) => {
            memory.forget(session.id);
            Err(Error::SessionEnded(SessionEnd::EntryMissing))
        }
        // An outage of the store signs nobody out: what this isolate knows serves until the store is back.
        Err(fault) => {
            failed(context, "entry", fault);
            memory.stale_entry(session.id).ok_or(Error::CacheUnavailable(fault))
        }
    }
}

/// Writes an entry to the store, where it ends with its session.
pub(super) async fn write<R: Runtime>(
    context: &Context<'_, R>,
    session: &Session,
    entry: &TokenCacheEntry,
) -> Result<(), Error> {
    let key = key(context, session)?;
    let metadata = EntryMetadata {
        created: entry.created_at,
        expires: session.absolute_expires_at,
        device: device::describe(context.head.header("user-agent")),
        sid: entry.sid_key.clone(),
    };
    let metadata = serde_json::to_string(&metadata).map_err(|_| Error::Bug("metadata is no JSON"))?;
    let sealed = entry.seal(&session.record_key, &key, context.runtime.random());
    let put = context.runtime.kv_put(key.as_str(), &sealed, &metadata, lifetime(context, session));
    put.await.map_err(Error::CacheUnavailable)
}

/// Keeps a renewed entry, unless the account signed out while the OP was answering: nothing may bring it back.
pub(super) async fn keep<R: Runtime>(context: &Context<'_, R>, session: &Session, renewed: TokenCacheEntry) {
    let memory = &context.app.memory;
    if memory.is_signed_out(session.account, session.issued_at) {
        return;
    }
    // Before the store: a request that lost the race for the refresh token looks for its successor while we write.
    let renewed = memory.remember(session.id, renewed, context.now);
    // A store that fails now keeps the old copy: this isolate goes on with the new one.
    let mut outcome = write(context, session, &renewed).await;
    // A sign-out may have looked for the entry while it was on its way to the store.
    if memory.is_signed_out(session.account, session.issued_at) {
        memory.forget(session.id);
        outcome = end(context, session, Some(&renewed)).await;
    }
    if let Err(Error::CacheUnavailable(fault)) = outcome {
        failed(context, "entry", fault);
    }
}

/// Deletes what the store has of one session. Without the entry, the index that leads to it ends by itself.
pub(super) async fn end<R: Runtime>(
    context: &Context<'_, R>,
    session: &Session,
    entry: Option<&TokenCacheEntry>,
) -> Result<(), Error> {
    let key = key(context, session)?;
    remove(context, key.as_str(), entry.and_then(|entry| entry.sid_key.as_deref())).await
}

/// Deletes an entry and, before it, the index entry that it names: a second attempt must still find both.
pub(super) async fn remove<R: Runtime>(context: &Context<'_, R>, key: &str, sid: Option<&str>) -> Result<(), Error> {
    if let Some(sid) = sid.and_then(SidKey::parse) {
        context.runtime.kv_delete(sid.as_str()).await.map_err(Error::CacheUnavailable)?;
    }
    context.runtime.kv_delete(key).await.map_err(Error::CacheUnavailable)
}

/// How long what belongs to a session is stored.
pub(super) fn lifetime<R: Runtime>(context: &Context<'_, R>, session: &Session) -> Lifetime {
    session.storage_lifetime(context.now).max(SHORTEST_STORED_LIFETIME)
}

/// Logs a failure of the store that the request survives.
pub(super) fn failed<R: Runtime>(context: &Context<'_, R>, what: &str, fault: StoreFault) {
    let details = json!({ "what": what, "reason": format!("{fault:?}") });
    log::happened(context.runtime, &context.trace, Event::StoreFailed, details);
}

/// Workers KV refuses less.
const SHORTEST_STORED_LIFETIME: Lifetime = Lifetime::from_seconds(60);
