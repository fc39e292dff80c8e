//! The account's sessions: which there are, which have ended, and the copies of their entries in Workers KV.
//!
//! A session goes on if it is registered and began after the account's watermark. That is a comparison, so nothing that
//! is written later, and no copy that somebody still has, brings an ended one back.

use super::super::{Context, token_cache};
use super::message::Reply;
use crate::error::{Error, Failure, SessionEnd};
use crate::json;
use crate::runtime::{AccountStorage, Runtime, StoreFault, StoredSession, Task};
use crate::session::entry::{EntryMetadata, TokenCacheEntry};
use crate::session::session::Session;
use crate::session::storage_key::EntryKey;
use crate::time::{Lifetime, Timestamp};

/// A session that goes on.
pub(super) struct Current {
    /// The revision of its entry.
    pub(super) revision: u64,
    /// The entry, sealed.
    pub(super) entry: Vec<u8>,
}

/// Registers a new session.
pub(super) async fn begin<R: Runtime>(
    context: &Context<'_, R>,
    storage: &R::Storage,
    session: Session,
    entry: Current,
    metadata: String,
) -> Result<Reply, Failure> {
    let earliest = storage.valid_after().map_err(Failure::Store)?.map(|moment| moment + Lifetime::from_seconds(1));
    let issued_at = session.issued_at.max(earliest.unwrap_or(session.issued_at));
    let session = Session { issued_at, ..session };
    put(storage, &session, entry.revision, Some(entry.entry), metadata)?;
    storage.flush().await.map_err(Failure::Store)?;
    context.runtime.later(Task::Store { session, attempt: 0 });
    Ok(Reply::Begun(issued_at))
}

/// The session, if it goes on. One that began before the object existed is taken over from Workers KV.
pub(super) async fn current<R: Runtime>(
    context: &Context<'_, R>,
    storage: &R::Storage,
    session: &Session,
) -> Result<Current, Failure> {
    if let Some(current) = registered(storage, session)? {
        return Ok(current);
    }
    let key = token_cache::key(context, session).map_err(|_| Failure::Ended(SessionEnd::EntryMissing))?;
    let stored = context.runtime.kv_get(key.as_str()).await.map_err(Failure::Store)?;
    // It may have ended, or somebody else taken it over, while the store answered.
    if let Some(current) = registered(storage, session)? {
        return Ok(current);
    }
    let sealed = stored.ok_or(Failure::Ended(SessionEnd::EntryMissing))?;
    let entry = TokenCacheEntry::open(&sealed, &session.record_key, &key)
        .map_err(|_| Failure::Ended(SessionEnd::EntryDoesNotOpen))?;
    let metadata = serde_json::to_string(&entry.metadata(session)).unwrap_or_default();
    put(storage, session, entry.revision, Some(sealed.clone()), metadata)?;
    Ok(Current { revision: entry.revision, entry: sealed })
}

/// Keeps a renewed entry: durable before anybody learns of it, and not at all if the session ended meanwhile.
pub(super) async fn keep<R: Runtime>(
    context: &Context<'_, R>,
    storage: &R::Storage,
    session: &Session,
    entry: &TokenCacheEntry,
) -> Result<(), Failure> {
    let (sealed, metadata) = token_cache::sealed(context, session, entry).map_err(|_| STORAGE_FAILED)?;
    // Nothing is awaited between this look and the write.
    registered(storage, session)?.ok_or(Failure::Ended(SessionEnd::EntryMissing))?;
    put(storage, session, entry.revision, Some(sealed), metadata)?;
    storage.flush().await.map_err(Failure::Store)?;
    context.runtime.later(Task::Store { session: session.clone(), attempt: 0 });
    Ok(())
}

/// Writes a copy of the newest entry to Workers KV; a session that ends meanwhile takes it away again.
pub(super) async fn store_copy<R: Runtime>(
    context: &Context<'_, R>,
    storage: &R::Storage,
    session: &Session,
) -> Result<(), Error> {
    let unavailable = Error::CacheUnavailable;
    let Some(StoredSession { entry: Some(entry), metadata, .. }) = storage.session(session.id).map_err(unavailable)?
    else {
        return Ok(());
    };
    let key = token_cache::key(context, session)?;
    let lifetime = token_cache::lifetime(context, session);
    let put = context.runtime.kv_put(key.as_str(), &entry, &metadata, lifetime).await;
    if registered(storage, session).is_ok_and(|current| current.is_some()) {
        return put.map_err(unavailable);
    }
    context.runtime.kv_delete(key.as_str()).await.map_err(unavailable)
}

/// Ends one session.
pub(super) async fn end<R: Runtime>(
    context: &Context<'_, R>,
    session: &Session,
    sid: Option<&str>,
) -> Result<(), Error> {
    if let Some(storage) = context.runtime.storage() {
        put(storage, session, 0, None, "{}".to_owned()).map_err(super::error)?;
        storage.flush().await.map_err(Error::CacheUnavailable)?;
    }
    let key = token_cache::key(context, session)?;
    token_cache::remove(context, key.as_str(), sid).await
}

/// Ends every session of the account that began up to `until`, and deletes what Workers KV has under `prefix`.
pub(super) async fn sign_out<R: Runtime>(
    context: &Context<'_, R>,
    prefix: &str,
    until: Timestamp,
) -> Result<(), Error> {
    let unavailable = Error::CacheUnavailable;
    // Listings lag behind writes; the object knows its own sessions.
    let mut known = Vec::new();
    if let Some(storage) = context.runtime.storage() {
        let mut until = until;
        for (id, session) in storage.sessions().map_err(unavailable)? {
            // Every session there is, whatever the clock of the isolate said in which it began.
            until = until.max(session.issued_at);
            known.push((EntryKey::under(prefix, id).as_str().to_owned(), sid_of(&session.metadata)));
        }
        storage.end_until(until).map_err(unavailable)?;
        storage.flush().await.map_err(unavailable)?;
    }
    let listed = context.runtime.kv_list(prefix).await.map_err(unavailable)?;
    // Whoever signed in since is not signed out.
    let since = match context.runtime.storage() {
        Some(storage) => storage.sessions().map_err(unavailable)?,
        None => Vec::new(),
    };
    let since: Vec<_> = since.into_iter().map(|(id, _)| EntryKey::under(prefix, id).as_str().to_owned()).collect();
    for listing in listed {
        if !since.contains(&listing.key) && !known.iter().any(|(key, _)| *key == listing.key) {
            known.push((listing.key, listing.metadata.as_deref().and_then(sid_of)));
        }
    }
    for (key, sid) in known {
        token_cache::remove(context, &key, sid.as_deref()).await?;
    }
    Ok(())
}

/// What the storage alone says: the session that goes on, or that it ended; `None` if it was never heard of.
fn registered(storage: &impl AccountStorage, session: &Session) -> Result<Option<Current>, Failure> {
    let valid_after = storage.valid_after().map_err(Failure::Store)?;
    if valid_after.is_some_and(|valid_after| session.issued_at <= valid_after) {
        return Err(Failure::Ended(SessionEnd::SignedOut));
    }
    match storage.session(session.id).map_err(Failure::Store)? {
        None => Ok(None),
        Some(StoredSession { entry: None, .. }) => Err(Failure::Ended(SessionEnd::SignedOut)),
        Some(StoredSession { entry: Some(entry), revision, .. }) => Ok(Some(Current { revision, entry })),
    }
}

fn put(
    storage: &impl AccountStorage,
    session: &Session,
    revision: u64,
    entry: Option<Vec<u8>>,
    metadata: String,
) -> Result<(), Failure> {
    let (issued_at, expires_at) = (session.issued_at, session.absolute_expires_at);
    let stored = StoredSession { issued_at, expires_at, revision, entry, metadata };
    storage.put_session(session.id, &stored).and_then(|()| storage.wake_at(expires_at)).map_err(Failure::Store)
}

fn sid_of(metadata: &str) -> Option<String> {
    json::parse::<EntryMetadata>(metadata.as_bytes()).and_then(|metadata| metadata.sid)
}

const STORAGE_FAILED: Failure = Failure::Store(StoreFault::Account);
