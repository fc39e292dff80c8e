//! Inside an account's object: what is to be deleted from Workers KV. It is noted together with the end of its session and
//! struck off once it is gone; an alarm tries again until then.

use super::super::{Context, token_cache};
use super::failure;
use super::which::Which;
use crate::error::Failure;
use crate::runtime::{AccountStorage, KvListing, Runtime, StoredSession};
use crate::session::entry::EntryMetadata;
use crate::session::session::SessionId;
use crate::session::storage_key::{EntryKey, SidKey};
use crate::time::Lifetime;

/// Deletes from the store what is noted. Whatever cannot be deleted stays noted.
pub(super) async fn sweep<R: Runtime>(context: &Context<'_, R>, storage: &R::Storage) -> Result<(), Failure> {
    if !token_cache::has_store(context) {
        // From before, when there was one.
        let noted = storage.to_delete().map_err(Failure::Store)?;
        return noted.iter().try_for_each(|key| storage.deleted(key)).map_err(Failure::Store);
    }
    for prefix in storage.to_delete().map_err(Failure::Store)?.iter().filter(|key| key.ends_with('/')) {
        let listed = token_cache::list(context, prefix).await.map_err(Failure::Store)?;
        for KvListing { key, metadata } in listed {
            let metadata = metadata.as_deref().and_then(EntryMetadata::parse);
            let id = EntryKey::parse(&key).and_then(|key| key.session());
            let has_ended = id.map_or(Ok(true), |id| has_ended(storage, id, metadata.as_ref()))?;
            if has_ended {
                note(context, storage, &key)?;
                let sid = metadata.and_then(|metadata| metadata.sid);
                sid.map_or(Ok(()), |sid| note_index(context, storage, &sid))?;
            }
        }
        storage.deleted(prefix).map_err(Failure::Store)?;
    }
    for keys in storage.to_delete().map_err(Failure::Store)?.chunks(token_cache::most_at_once(context)) {
        let mut unused = Vec::new();
        for key in keys {
            // A session may go on that this index entry leads to, too.
            if !is_in_use(storage, key)? {
                unused.push(key.as_str());
            }
        }
        token_cache::delete(context, &unused).await.map_err(failure)?;
        keys.iter().try_for_each(|key| storage.deleted(key)).map_err(Failure::Store)?;
    }
    Ok(())
}

/// Notes a key that is to be deleted from the store, where there is one.
pub(super) fn note<R: Runtime>(context: &Context<'_, R>, storage: &R::Storage, key: &str) -> Result<(), Failure> {
    if token_cache::has_store(context) { storage.will_delete(key).map_err(Failure::Store) } else { Ok(()) }
}

/// Notes the index entry of a session that ends. It stays if another session goes on by then that it leads to.
pub(super) fn note_index<R: Runtime>(context: &Context<'_, R>, storage: &R::Storage, sid: &str) -> Result<(), Failure> {
    match SidKey::parse(sid) {
        Some(sid) => note(context, storage, sid.as_str()),
        None => Ok(()),
    }
}

/// Whether a key is that of an index entry that leads to a session which goes on.
fn is_in_use(storage: &impl AccountStorage, sid: &str) -> Result<bool, Failure> {
    let leads_to = |session: &StoredSession| {
        session.entry.is_some()
            && EntryMetadata::parse(&session.metadata).and_then(|metadata| metadata.sid).as_deref() == Some(sid)
    };
    Ok(storage.sessions().map_err(Failure::Store)?.iter().any(|(_, session)| leads_to(session)))
}

/// Whether a session has ended of which Workers KV has a copy. One that the storage does not know began before it existed.
pub(super) fn has_ended(
    storage: &impl AccountStorage,
    id: SessionId,
    metadata: Option<&EntryMetadata>,
) -> Result<bool, Failure> {
    if let Some(session) = storage.session(id).map_err(Failure::Store)? {
        return Ok(session.entry.is_none());
    }
    let valid_after = storage.valid_after().map_err(Failure::Store)?;
    Ok(valid_after.is_some_and(|until| Which::Until(until).means(metadata)))
}

/// When to try again to delete what could not be deleted.
pub(super) const RETRY: Lifetime = Lifetime::from_seconds(60);
