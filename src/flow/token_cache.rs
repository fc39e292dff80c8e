//! The token cache: entries in the store, with this isolate's memory in front of it. The store is Workers KV, D1 or memory
//! (`Session.TokenCache`), or there is none, where the accounts' objects alone keep them.

use std::rc::Rc;

use super::Context;
use super::log::{self, Event};
use crate::error::{Error, SessionEnd};
use crate::json::{Json, members};
use crate::runtime::{KvListing, Runtime, StoreFault, Work};
use crate::session::entry::TokenCacheEntry;
use crate::session::session::Session;
use crate::session::storage_key::EntryKey;
use crate::time::Lifetime;

/// Whether there is a store. Where there is none, nothing is read from it, written to it or deleted.
pub(super) fn has_store<R: Runtime>(context: &Context<'_, R>) -> bool {
    context.app.config.token_cache.has_store()
}

/// Where the session's entry is kept. The key that named it is in the ring, or the session would not have opened.
pub(super) fn key<R: Runtime>(context: &Context<'_, R>, session: &Session) -> Result<EntryKey, Error> {
    EntryKey::of(session, &context.realm.ring).ok_or(Error::SessionEnded(SessionEnd::EntryMissing))
}

/// The entry as it is stored, and what is stored beside it.
pub(super) fn sealed<R: Runtime>(
    context: &Context<'_, R>,
    session: &Session,
    entry: &TokenCacheEntry,
) -> Result<(Vec<u8>, String), Error> {
    let key = key(context, session)?;
    let metadata = entry.metadata(session).to_json().to_string();
    Ok((entry.seal(&session.record_key, &key, context.runtime.random()), metadata))
}

/// Opens a stored entry.
pub(super) fn open<R: Runtime>(
    context: &Context<'_, R>,
    session: &Session,
    stored: &[u8],
) -> Result<TokenCacheEntry, Error> {
    TokenCacheEntry::open(stored, &session.record_key, &key(context, session)?)
        .map_err(|_| Error::SessionEnded(SessionEnd::EntryDoesNotOpen))
}

/// Opens a stored entry and remembers it, unless there is a newer one here.
pub(super) fn opened<R: Runtime>(
    context: &Context<'_, R>,
    session: &Session,
    stored: &[u8],
) -> Result<Rc<TokenCacheEntry>, Error> {
    Ok(context.realm.memory.remember(session.id, open(context, session, stored)?, context.now))
}

/// The entry as the store has it now, or as this isolate does if that is newer.
pub(super) async fn read<R: Runtime>(
    context: &Context<'_, R>,
    session: &Session,
) -> Result<Rc<TokenCacheEntry>, Error> {
    let memory = &context.realm.memory;
    match context.runtime.kv_get(key(context, session)?.as_str()).await {
        Ok(Some(stored)) => opened(context, session, &stored),
        Ok(None) if may_be_on_its_way(context, session) => {
            memory.forget(session.id);
            Err(Error::CacheUnavailable(StoreFault::Get))
        }
        Ok(None) => {
            memory.forget(session.id);
            Err(Error::SessionEnded(SessionEnd::EntryMissing))
        }
        Err(fault) => recalled(context, session, fault),
    }
}

/// The copy in the store, while the account's object cannot be asked because of `fault`. That there is none proves
/// nothing, and signs nobody out. Without a store the fault is all there is: what this isolate remembers would serve a
/// session that ended elsewhere for as long as the object is out of reach.
pub(super) async fn copy<R: Runtime>(
    context: &Context<'_, R>,
    session: &Session,
    fault: StoreFault,
) -> Result<Rc<TokenCacheEntry>, Error> {
    if !has_store(context) {
        return Err(Error::CacheUnavailable(fault));
    }
    match context.runtime.kv_get(key(context, session)?.as_str()).await {
        Ok(Some(stored)) => opened(context, session, &stored),
        Ok(None) => Err(Error::CacheUnavailable(fault)),
        Err(fault) => recalled(context, session, fault),
    }
}

/// An outage of the store signs nobody out: what this isolate knows serves until the store is back.
fn recalled<R: Runtime>(
    context: &Context<'_, R>,
    session: &Session,
    fault: StoreFault,
) -> Result<Rc<TokenCacheEntry>, Error> {
    failed(context, "entry", fault);
    context.realm.memory.stale_entry(session.id).ok_or(Error::CacheUnavailable(fault))
}

/// Writes the entry of a new session to the store, where it ends with it.
pub(super) async fn write<R: Runtime>(
    context: &Context<'_, R>,
    session: &Session,
    entry: &TokenCacheEntry,
) -> Result<(), Error> {
    let key = key(context, session)?;
    let (sealed, metadata) = sealed(context, session, entry)?;
    let put = context.runtime.kv_put(key.as_str(), &sealed, &metadata, lifetime(context, session));
    put.await.map_err(Error::CacheUnavailable)
}

/// Keeps a renewed entry, unless the account signed out while the OP was answering: nothing may bring it back.
pub(super) async fn keep<R: Runtime>(
    context: &Context<'_, R>,
    session: &Session,
    renewed: TokenCacheEntry,
) -> Option<Rc<TokenCacheEntry>> {
    let memory = &context.realm.memory;
    if memory.has_ended(session) || is_gone(context, session).await {
        memory.forget(session.id);
        return None;
    }
    // Before the store, which is given what memory has.
    let renewed = memory.remember(session.id, renewed, context.now);
    match store_newest(context, session).await {
        Ok(Stored::Gone) => return None,
        Err(Error::CacheUnavailable(fault)) => {
            // The store keeps the old copy for now: this isolate goes on with the new one.
            failed(context, "entry", fault);
            context.later(Work::Store { session: session.clone(), attempt: 1 });
        }
        Ok(Stored::Kept) | Err(_) => (),
    }
    Some(renewed)
}

/// Whether the entry was deleted, as a sign-out elsewhere does: on Workers KV without an account's object this look is all
/// there is against writing it anew. Other stores know when they write. One that cannot be read proves nothing.
async fn is_gone<R: Runtime>(context: &Context<'_, R>, session: &Session) -> bool {
    if context.app.config.token_cache.is_consistent() {
        return false;
    }
    let Ok(key) = key(context, session) else { return true };
    let is_old = session.issued_at + PROPAGATION <= context.runtime.now();
    is_old && matches!(context.runtime.kv_get(key.as_str()).await, Ok(None))
}

/// What became of the newest entry of a session.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stored {
    /// The session ended elsewhere: the store has no entry to put it in place of.
    Gone,
    /// The store has it, or the account signed out here.
    Kept,
}

/// Writes to the store what this isolate has of a session, or takes it away once the account signed out.
pub(super) async fn store_newest<R: Runtime>(context: &Context<'_, R>, session: &Session) -> Result<Stored, Error> {
    let memory = &context.realm.memory;
    let mut written = None;
    while !memory.has_ended(session) {
        let Some(newest) = memory.stale_entry(session.id) else { return Ok(Stored::Kept) };
        // Writes overtake each other: whoever wrote an older entry looks again afterwards.
        match written {
            Some((Ok(Stored::Kept), revision)) if revision < newest.revision => (),
            Some((outcome, _)) => return outcome,
            None => (),
        }
        let outcome = replace(context, session, &newest).await;
        if let Ok(Stored::Gone) = outcome {
            memory.end(session.id);
            return outcome;
        }
        written = Some((outcome, newest.revision));
    }
    // A sign-out may have looked for the entry while it was on its way to the store. Its index may be another session's.
    delete(context, &[key(context, session)?.as_str()]).await?;
    memory.forget(session.id);
    Ok(Stored::Kept)
}

/// Writes a renewed entry to the store in place of the one before. One that was deleted is not written anew.
async fn replace<R: Runtime>(
    context: &Context<'_, R>,
    session: &Session,
    entry: &TokenCacheEntry,
) -> Result<Stored, Error> {
    let key = key(context, session)?;
    let (sealed, metadata) = sealed(context, session, entry)?;
    let put = context.runtime.kv_replace(key.as_str(), &sealed, &metadata, lifetime(context, session));
    let is_replaced = put.await.map_err(Error::CacheUnavailable)?;
    Ok(if is_replaced { Stored::Kept } else { Stored::Gone })
}

/// All keys that begin with `prefix`.
pub(super) async fn list<R: Runtime>(context: &Context<'_, R>, prefix: &str) -> Result<Vec<KvListing>, StoreFault> {
    let mut listings = Vec::new();
    let mut cursor = None;
    if !has_store(context) {
        return Ok(listings);
    }
    loop {
        let page = context.runtime.kv_list(prefix, cursor.as_deref()).await?;
        listings.extend(page.listings);
        cursor = page.cursor;
        if cursor.is_none() {
            return Ok(listings);
        }
    }
}

/// How many values are deleted together, all or none of them: on Workers KV one by one, so that a second attempt finds what
/// is left.
pub(super) const fn most_at_once<R: Runtime>(context: &Context<'_, R>) -> usize {
    if context.app.config.token_cache.is_consistent() { 100 } else { 1 }
}

/// Deletes values, on a second try if need be: Workers KV refuses a change of a key within a second of another one.
pub(super) async fn delete<R: Runtime>(context: &Context<'_, R>, keys: &[&str]) -> Result<(), Error> {
    if keys.is_empty() || context.runtime.kv_delete(keys).await.is_ok() {
        return Ok(());
    }
    context.runtime.sleep(Lifetime::from_seconds(1)).await;
    context.runtime.kv_delete(keys).await.map_err(Error::CacheUnavailable)
}

/// Whether the sign-in was so recent that its entry may not be seen everywhere yet: that it is missing proves nothing.
pub(super) fn may_be_on_its_way<R: Runtime>(context: &Context<'_, R>, session: &Session) -> bool {
    !context.app.config.token_cache.is_consistent() && session.issued_at + PROPAGATION > context.now
}

/// How long what belongs to a session is stored.
pub(super) fn lifetime<R: Runtime>(context: &Context<'_, R>, session: &Session) -> Lifetime {
    session.storage_lifetime(context.now).max(SHORTEST_STORED_LIFETIME)
}

/// Logs a failure of the store that the request survives.
pub(super) fn failed<R: Runtime>(context: &Context<'_, R>, what: &str, fault: StoreFault) {
    let details = members([("what", what.into()), ("reason", format!("{fault:?}").into())]);
    log::happened(context, Event::StoreFailed, None, details);
}

/// Workers KV refuses less.
const SHORTEST_STORED_LIFETIME: Lifetime = Lifetime::from_seconds(60);
/// Workers KV may take a minute, and longer, to show a new value everywhere, and shows a miss for another minute.
const PROPAGATION: Lifetime = Lifetime::from_seconds(120);
