//! Ending sessions: first in the object's storage, where nothing undoes it, then what Workers KV still has of them. What
//! cannot be deleted there at once stays noted, and an alarm tries again until it is gone.

use super::super::{Context, token_cache};
use super::message::LogoutTokenId;
use super::registry::metadata_of;
use crate::config::LONGEST_SESSION;
use crate::error::Failure;
use crate::runtime::{AccountStorage, KvListing, Runtime, StoredSession};
use crate::session::entry::EntryMetadata;
use crate::session::session::SessionId;
use crate::session::storage_key::{EntryKey, SidKey};
use crate::time::{Lifetime, Timestamp};

/// Which sessions of an account end.
#[derive(Clone, Copy)]
pub(crate) enum Which<'a> {
    /// Those of one session of the OP that began up to a moment, and those of which it is not known whose they are.
    Of(&'a str, Timestamp),
    /// One.
    One(SessionId),
    /// All that began up to a moment.
    Until(Timestamp),
    /// All there are, whatever the clock said where they began; at least up to a moment.
    Whole(Timestamp),
}

impl<'a> Which<'a> {
    /// Those that the OP says are over, by an index key of its session or all of the account.
    pub(crate) fn logged_out(sid: Option<&'a str>, until: Timestamp, now: Timestamp) -> Self {
        match sid {
            Some(sid) => Self::Of(sid, until),
            None if until >= now => Self::Whole(now),
            None => Self::Until(until),
        }
    }
}

/// What became of it.
pub(super) enum Outcome {
    /// The sessions have ended. Carries why their copies are still there.
    Ended(Option<Failure>),
    /// The logout token was used before, and nothing was done.
    Replayed,
}

/// Ends sessions of the account in whose object this runs. They have ended once it answers, even if it fails after that.
pub(super) async fn in_object<R: Runtime>(
    context: &Context<'_, R>,
    storage: &R::Storage,
    (prefix, which): (&str, Which<'_>),
    token: Option<&LogoutTokenId>,
) -> Result<Outcome, Failure> {
    let unregistered = unregistered(context, storage, prefix, which).await;
    // From here to the flush nothing is awaited: the token is used up with the end of the sessions or not at all.
    let is_new = match token.filter(|_| unregistered.is_ok()) {
        Some(token) => {
            storage.wake_at(token.expires_at).map_err(Failure::Store)?;
            storage.spend(&token.digest, token.expires_at).map_err(Failure::Store)?
        }
        None => true,
    };
    if !is_new {
        return Ok(Outcome::Replayed);
    }
    let found: &[_] = unregistered.as_deref().unwrap_or_default();
    mark(storage, (prefix, which), found)?;
    // Whatever happens to this call, somebody deletes what is noted.
    storage.wake_at(context.now + RETRY).map_err(Failure::Store)?;
    storage.flush().await.map_err(Failure::Store)?;
    // Sessions that are not known here may go on. Whoever asked has to ask again.
    unregistered?;
    Ok(Outcome::Ended(sweep(context, storage).await.err()))
}

/// Ends sessions where Workers KV is all there is. `own` is an entry that is not left to the listing, which lags behind
/// writes, with its index key; `kept` an index key that leads to another session by now.
pub(crate) async fn on_kv<R: Runtime>(
    context: &Context<'_, R>,
    (prefix, which): (&str, Which<'_>),
    own: Option<(String, Option<String>)>,
    kept: Option<&str>,
) -> Result<(), Failure> {
    let is_alone = match (which, &own) {
        // Even where only that one ends: its index may lead to others, too.
        (Which::One(_), Some((_, sid))) => sid.is_none() || sid.as_deref() == kept,
        (Which::Of(..) | Which::One(_) | Which::Until(_) | Which::Whole(_), _) => false,
    };
    let listed =
        if is_alone { Vec::new() } else { token_cache::list(context, prefix).await.map_err(Failure::Store)? };
    let mut ended: Vec<(String, Option<String>)> = Vec::new();
    let mut done: Vec<String> = kept.map(str::to_owned).into_iter().collect();
    for KvListing { key, metadata } in listed {
        let metadata = metadata.as_deref().and_then(metadata_of);
        let is_meant = match which {
            Which::One(id) => EntryKey::under(prefix, id).as_str() == key,
            Which::Of(..) | Which::Until(_) | Which::Whole(_) => is_meant(which, metadata.as_ref()),
        };
        let sid = metadata.and_then(|metadata| metadata.sid);
        if is_meant {
            ended.push((key, sid));
        } else {
            done.extend(sid);
        }
    }
    ended.extend(own.filter(|(own, _)| !ended.iter().any(|(key, _)| key == own)));
    // From here on a refresh that is under way in this isolate keeps nothing.
    let ids = ended.iter().filter_map(|(key, _)| EntryKey::parse(key)?.session());
    ids.for_each(|id| context.app.memory.end(id));
    for (key, sid) in ended {
        // Each key once: Workers KV takes one change of it in a second.
        let sid = sid.filter(|sid| !done.contains(sid));
        token_cache::remove(context, &key, sid.as_deref()).await.map_err(super::failure)?;
        done.extend(sid);
    }
    Ok(())
}

/// Deletes from Workers KV what is noted. Whatever cannot be deleted stays noted.
pub(super) async fn sweep<R: Runtime>(context: &Context<'_, R>, storage: &R::Storage) -> Result<(), Failure> {
    for prefix in storage.to_delete().map_err(Failure::Store)?.iter().filter(|key| key.ends_with('/')) {
        let listed = token_cache::list(context, prefix).await.map_err(Failure::Store)?;
        for KvListing { key, metadata } in listed {
            let metadata = metadata.as_deref().and_then(metadata_of);
            let id = EntryKey::parse(&key).and_then(|key| key.session());
            let has_ended = id.map_or(Ok(true), |id| has_ended(storage, id, metadata.as_ref()))?;
            if has_ended {
                storage.will_delete(&key).map_err(Failure::Store)?;
                let sid = metadata.and_then(|metadata| metadata.sid);
                sid.map_or(Ok(()), |sid| note_index(storage, &sid))?;
            }
        }
        storage.deleted(prefix).map_err(Failure::Store)?;
    }
    for key in storage.to_delete().map_err(Failure::Store)? {
        // A session may have begun meanwhile that this index entry leads to.
        if !is_in_use(storage, &key)? {
            token_cache::delete(context, &key).await.map_err(super::failure)?;
        }
        storage.deleted(&key).map_err(Failure::Store)?;
    }
    Ok(())
}

/// What Workers KV has of sessions that the object never heard of: they began before it existed.
async fn unregistered<R: Runtime>(
    context: &Context<'_, R>,
    storage: &R::Storage,
    prefix: &str,
    which: Which<'_>,
) -> Result<Vec<(SessionId, EntryMetadata)>, Failure> {
    let place = match which {
        // The watermark ends them.
        Which::Until(_) | Which::Whole(_) => return Ok(Vec::new()),
        Which::One(id) if storage.session(id).map_err(Failure::Store)?.is_some() => return Ok(Vec::new()),
        Which::One(id) => EntryKey::under(prefix, id).as_str().to_owned(),
        Which::Of(..) => prefix.to_owned(),
    };
    let mut found = Vec::new();
    for listing in token_cache::list(context, &place).await.map_err(Failure::Store)? {
        let id = EntryKey::parse(&listing.key).and_then(|key| key.session());
        let Some((id, metadata)) = id.zip(listing.metadata.as_deref().and_then(metadata_of)) else { continue };
        if storage.session(id).map_err(Failure::Store)?.is_none() && is_meant(which, Some(&metadata)) {
            found.push((id, metadata));
        }
    }
    Ok(found)
}

/// Ends the sessions in the storage and notes what is to be deleted.
fn mark(
    storage: &impl AccountStorage,
    (prefix, which): (&str, Which<'_>),
    unregistered: &[(SessionId, EntryMetadata)],
) -> Result<(), Failure> {
    let sessions = storage.sessions().map_err(Failure::Store)?;
    let until = match which {
        Which::Until(until) => Some(until),
        Which::Whole(least) => Some(sessions.iter().map(|(_, session)| session.issued_at).fold(least, Timestamp::max)),
        Which::Of(..) | Which::One(_) => None,
    };
    let mut sids = Vec::new();
    // The copies of those that ended before are gone or noted.
    for (id, session) in sessions.iter().filter(|(_, session)| session.entry.is_some()) {
        let metadata = metadata_of(&session.metadata);
        let is_meant = match (which, until) {
            (Which::One(one), _) => *id == one,
            (_, Some(until)) => session.issued_at <= until,
            (_, None) => is_meant(which, metadata.as_ref()),
        };
        if is_meant {
            storage.will_delete(EntryKey::under(prefix, *id).as_str()).map_err(Failure::Store)?;
            if until.is_none() {
                end(storage, *id, (session.issued_at, session.expires_at))?;
            }
            sids.extend(metadata.and_then(|metadata| metadata.sid));
        }
    }
    for (id, metadata) in unregistered {
        storage.will_delete(EntryKey::under(prefix, *id).as_str()).map_err(Failure::Store)?;
        end(storage, *id, (metadata.created, metadata.expires))?;
        sids.extend(metadata.sid.clone());
    }
    if let Some(until) = until {
        storage.end_until(until).and_then(|()| storage.wake_at(until + LONGEST_SESSION)).map_err(Failure::Store)?;
        // Listings have what the object does not know, from before it existed.
        storage.will_delete(prefix).map_err(Failure::Store)?;
    }
    sids.iter().try_for_each(|sid| note_index(storage, sid))
}

/// What is left of a session until its end, so that it is not taken for one that is not known yet.
fn end(
    storage: &impl AccountStorage,
    id: SessionId,
    (issued_at, expires_at): (Timestamp, Timestamp),
) -> Result<(), Failure> {
    let ended = StoredSession { issued_at, expires_at, revision: 0, entry: None, metadata: "{}".to_owned() };
    storage.put_session(id, &ended).and_then(|()| storage.wake_at(expires_at)).map_err(Failure::Store)
}

/// Notes an index entry, unless a session goes on that it leads to.
fn note_index(storage: &impl AccountStorage, sid: &str) -> Result<(), Failure> {
    if SidKey::parse(sid).is_none() || is_in_use(storage, sid)? {
        return Ok(());
    }
    storage.will_delete(sid).map_err(Failure::Store)
}

/// Whether a key is that of an index entry that leads to a session which goes on.
fn is_in_use(storage: &impl AccountStorage, sid: &str) -> Result<bool, Failure> {
    let leads_to = |session: &StoredSession| {
        session.entry.is_some()
            && metadata_of(&session.metadata).and_then(|metadata| metadata.sid).as_deref() == Some(sid)
    };
    Ok(storage.sessions().map_err(Failure::Store)?.iter().any(|(_, session)| leads_to(session)))
}

/// Whether a session that is only known by its name or metadata is meant.
fn is_meant(which: Which<'_>, metadata: Option<&EntryMetadata>) -> bool {
    match which {
        Which::Of(sid, until) => metadata
            .is_none_or(|metadata| metadata.created <= until && metadata.sid.as_deref().is_none_or(|own| own == sid)),
        Which::Until(until) => metadata.is_none_or(|metadata| metadata.created <= until),
        Which::One(_) | Which::Whole(_) => true,
    }
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
    Ok(valid_after.is_some_and(|until| is_meant(Which::Until(until), metadata)))
}

/// When to try again to delete what could not be deleted.
pub(super) const RETRY: Lifetime = Lifetime::from_seconds(60);
