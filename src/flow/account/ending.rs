//! Inside an account's object: ending sessions, in its own storage first, where nothing undoes it, and then what Workers
//! KV still has of them.

use super::super::{Context, token_cache};
use super::deletion::{RETRY, note, note_index, sweep};
use super::message::LogoutTokenId;
use super::which::Which;
use crate::config::LONGEST_SESSION;
use crate::error::Failure;
use crate::runtime::{AccountStorage, Runtime, StoredSession};
use crate::session::entry::EntryMetadata;
use crate::session::session::SessionId;
use crate::session::storage_key::EntryKey;
use crate::time::Timestamp;

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
    mark(context, storage, (prefix, which), found)?;
    if token_cache::has_store(context) {
        // Whatever happens to this call, somebody deletes what is noted.
        storage.wake_at(context.now + RETRY).map_err(Failure::Store)?;
    }
    storage.flush().await.map_err(Failure::Store)?;
    // Sessions that are not known here may go on. Whoever asked has to ask again.
    unregistered?;
    Ok(Outcome::Ended(sweep(context, storage).await.err()))
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
        let Some((id, metadata)) = id.zip(listing.metadata.as_deref().and_then(EntryMetadata::parse)) else { continue };
        if storage.session(id).map_err(Failure::Store)?.is_none() && which.means(Some(&metadata)) {
            found.push((id, metadata));
        }
    }
    Ok(found)
}

/// Ends the sessions in the storage and notes what is to be deleted.
fn mark<R: Runtime>(
    context: &Context<'_, R>,
    storage: &R::Storage,
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
        let metadata = EntryMetadata::parse(&session.metadata);
        let is_meant = match (which, until) {
            (Which::One(one), _) => *id == one,
            (_, Some(until)) => session.issued_at <= until,
            (_, None) => which.means(metadata.as_ref()),
        };
        if is_meant {
            note(context, storage, EntryKey::under(prefix, *id).as_str())?;
            if until.is_none() {
                end(storage, *id, (session.issued_at, session.expires_at))?;
            }
            sids.extend(metadata.and_then(|metadata| metadata.sid));
        }
    }
    for (id, metadata) in unregistered {
        note(context, storage, EntryKey::under(prefix, *id).as_str())?;
        end(storage, *id, (metadata.created, metadata.expires))?;
        sids.extend(metadata.sid.clone());
    }
    if let Some(until) = until {
        storage.end_until(until).and_then(|()| storage.wake_at(until + LONGEST_SESSION)).map_err(Failure::Store)?;
        // Listings have what the object does not know, from before it existed.
        note(context, storage, prefix)?;
    }
    sids.iter().try_for_each(|sid| note_index(context, storage, sid))
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
