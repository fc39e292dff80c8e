//! The account's sessions: which there are, which have ended, and the copies of their entries in Workers KV.
//!
//! A session goes on if it is registered and began after the account's watermark. That is a comparison, so nothing that
//! is written later, and no copy that somebody still has, brings an ended one back.

use super::super::{Context, token_cache};
use super::message::Reply;
use crate::config::LONGEST_SESSION;
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
    /// The entry's metadata, as JSON.
    pub(super) metadata: String,
}

/// Registers a new session.
pub(super) async fn begin<R: Runtime>(
    context: &Context<'_, R>,
    storage: &R::Storage,
    session: Session,
    entry: Current,
) -> Result<Reply, Failure> {
    let earliest = storage.valid_after().map_err(Failure::Store)?.map(|moment| moment + Lifetime::from_seconds(1));
    let issued_at = session.issued_at.max(earliest.unwrap_or(session.issued_at));
    let session = Session { issued_at, ..session };
    put(storage, &session, entry.revision, Some(entry.entry), entry.metadata)?;
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
    let Some(sealed) = stored else {
        let is_recent = token_cache::may_be_on_its_way(context, session);
        return Err(if is_recent { Failure::Store(StoreFault::Get) } else { Failure::Ended(SessionEnd::EntryMissing) });
    };
    let entry = TokenCacheEntry::open(&sealed, &session.record_key, &key)
        .map_err(|_| Failure::Ended(SessionEnd::EntryDoesNotOpen))?;
    let metadata = serde_json::to_string(&entry.metadata(session)).unwrap_or_default();
    put(storage, session, entry.revision, Some(sealed.clone()), metadata.clone())?;
    Ok(Current { revision: entry.revision, entry: sealed, metadata })
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

/// Brings the copy in Workers KV up to date: writes the newest entry, or takes it away once the session has ended.
pub(super) async fn store_copy<R: Runtime>(
    context: &Context<'_, R>,
    storage: &R::Storage,
    session: &Session,
) -> Result<(), Error> {
    let key = token_cache::key(context, session)?;
    let lifetime = token_cache::lifetime(context, session);
    let mut written = None;
    loop {
        let Current { revision, entry, metadata } = match registered(storage, session) {
            Ok(Some(current)) => current,
            Ok(None) => return Ok(()),
            Err(Failure::Ended(_)) => {
                return context.runtime.kv_delete(key.as_str()).await.map_err(Error::CacheUnavailable);
            }
            Err(failure) => return Err(super::error(failure)),
        };
        // Writes overtake each other: whoever wrote an older entry looks again afterwards.
        match written {
            Some((Ok(()), copied)) if copied < revision => (),
            Some((outcome, _)) => return outcome.map_err(Error::CacheUnavailable),
            None => (),
        }
        let put = context.runtime.kv_put(key.as_str(), &entry, &metadata, lifetime).await;
        written = Some((put, revision));
    }
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

/// Ends every session of the account that began up to `until`, and deletes what Workers KV has under `prefix`, the entry
/// `own` and its index among it.
pub(super) async fn sign_out<R: Runtime>(
    context: &Context<'_, R>,
    prefix: &str,
    until: Timestamp,
    own: Option<(String, Option<String>)>,
) -> Result<(), Error> {
    let unavailable = Error::CacheUnavailable;
    let key_of = |id| EntryKey::under(prefix, id).as_str().to_owned();
    let storage = context.runtime.storage();
    // Listings lag behind writes; the object knows its own sessions.
    let mut ended = Vec::new();
    if let Some(storage) = storage {
        let mut until = until;
        for (id, session) in storage.sessions().map_err(unavailable)? {
            // Every session there is, whatever the clock of the isolate said in which it began.
            until = until.max(session.issued_at);
            ended.push((key_of(id), sid_of(&session.metadata)));
        }
        storage.end_until(until).map_err(unavailable)?;
        storage.wake_at(until + LONGEST_SESSION).map_err(unavailable)?;
        storage.flush().await.map_err(unavailable)?;
    }
    let listed = context.runtime.kv_list(prefix).await.map_err(unavailable)?;
    // What is there by now began while the store made its list, or goes on anyway.
    let living = storage.map_or(Ok(Vec::new()), AccountStorage::sessions).map_err(unavailable)?;
    let living = living.into_iter().filter(|(_, session)| session.entry.is_some());
    let living: Vec<String> = living.map(|(id, _)| key_of(id)).collect();
    for listing in listed {
        if !living.contains(&listing.key) && !ended.iter().any(|(key, _)| *key == listing.key) {
            ended.push((listing.key, listing.metadata.as_deref().and_then(sid_of)));
        }
    }
    ended.extend(own.filter(|(own, _)| !ended.iter().any(|(key, _)| key == own)));
    // Each key once: Workers KV takes one change of it in a second.
    let mut removed = Vec::new();
    for (key, sid) in ended {
        let sid = sid.filter(|sid| !removed.contains(sid));
        token_cache::remove(context, &key, sid.as_deref()).await?;
        removed.extend(sid);
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
        Some(StoredSession { entry: Some(entry), revision, metadata, .. }) => {
            Ok(Some(Current { revision, entry, metadata }))
        }
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
