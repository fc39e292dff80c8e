//! The account's sessions: which there are, which have ended, and the copies of their entries in Workers KV.
//!
//! A session goes on if it is registered and began after the account's watermark. That is a comparison, so nothing that
//! is written later, and no copy that somebody still has, brings an ended one back.

use super::super::{Context, token_cache};
use super::deletion;
use super::message::{Listed, Reply};
use crate::error::{Error, Failure, SessionEnd};
use crate::json::Json;
use crate::runtime::{AccountStorage, Runtime, StoreFault, StoredSession, Work};
use crate::session::entry::{EntryMetadata, TokenCacheEntry};
use crate::session::session::{Session, SessionId};
use crate::session::storage_key::EntryKey;

/// A session that goes on.
#[derive(Clone)]
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
    let issued_at = session.issued_at.after(storage.valid_after().map_err(Failure::Store)?);
    let session = Session { issued_at, ..session };
    put(storage, &session, entry)?;
    storage.flush().await.map_err(Failure::Store)?;
    copy(context, session);
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
    if !token_cache::has_store(context) {
        return Err(Failure::Ended(SessionEnd::EntryMissing));
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
    let metadata = entry.metadata(session).to_json().to_string();
    let current = Current { revision: entry.revision, entry: sealed, metadata };
    put(storage, session, current.clone())?;
    Ok(current)
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
    put(storage, session, Current { revision: entry.revision, entry: sealed, metadata })?;
    storage.flush().await.map_err(Failure::Store)?;
    copy(context, session.clone());
    Ok(())
}

/// Has the entry copied to the store, where there is one.
fn copy<R: Runtime>(context: &Context<'_, R>, session: Session) {
    if token_cache::has_store(context) {
        context.later(Work::Store { session, attempt: 0 });
    }
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
                return context.runtime.kv_delete(&[key.as_str()]).await.map_err(Error::CacheUnavailable);
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

/// The sessions that go on, those among them that began before the object existed.
pub(super) async fn sessions<R: Runtime>(
    context: &Context<'_, R>,
    storage: &R::Storage,
    prefix: &str,
) -> Result<Vec<Listed>, Failure> {
    let mut listed = Vec::new();
    for (id, session) in storage.sessions().map_err(Failure::Store)? {
        let metadata = session.entry.and_then(|_| EntryMetadata::parse(&session.metadata));
        listed.extend(metadata.map(|metadata| Listed { id: id.to_text(), metadata }));
    }
    match copied(context, prefix).await {
        Err(fault) => token_cache::failed(context, "sessions", fault),
        Ok(copies) => {
            for copy in copies {
                let is_known = |known: &Listed| known.id == copy.id;
                let Some(id) = SessionId::parse(&copy.id).filter(|_| !listed.iter().any(is_known)) else { continue };
                if !deletion::has_ended(storage, id, Some(&copy.metadata))? {
                    listed.push(copy);
                }
            }
        }
    }
    Ok(listed)
}

/// The sessions that Workers KV has copies of.
pub(super) async fn copied<R: Runtime>(context: &Context<'_, R>, prefix: &str) -> Result<Vec<Listed>, StoreFault> {
    let copies = token_cache::list(context, prefix).await?.into_iter().filter_map(|copy| {
        let id = EntryKey::parse(&copy.key)?.session()?;
        Some(Listed { id: id.to_text(), metadata: EntryMetadata::parse(&copy.metadata?)? })
    });
    Ok(copies.collect())
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

fn put(storage: &impl AccountStorage, session: &Session, current: Current) -> Result<(), Failure> {
    let (issued_at, expires_at) = (session.issued_at, session.absolute_expires_at);
    let Current { revision, entry, metadata } = current;
    let stored = StoredSession { issued_at, expires_at, revision, entry: Some(entry), metadata };
    storage.put_session(session.id, &stored).and_then(|()| storage.wake_at(expires_at)).map_err(Failure::Store)
}

const STORAGE_FAILED: Failure = Failure::Store(StoreFault::Account);
