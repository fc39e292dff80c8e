//! Inside the object of an OP's session: which sessions it leads to. A logout that knows nothing but `sid` finds them
//! seconds after the sign-in and from anywhere, which Workers KV does not promise.

use super::super::{Context, token_cache};
use super::message::{Ask, LogoutTokenId, Reply};
use super::{ask, failure, object_under, refused};
use crate::error::{Failure, SessionEnd};
use crate::runtime::{AccountStorage, Runtime, StoreFault, StoredSession};
use crate::session::session::SessionId;
use crate::session::storage_key::EntryKey;
use crate::time::Timestamp;

/// A logout of the OP's session.
pub(super) struct Logout {
    /// Its index key.
    pub(super) sid: String,
    /// Sessions that began up to this moment end.
    pub(super) until: Timestamp,
    /// The logout token, if it is the OP itself that says so.
    pub(super) token: Option<LogoutTokenId>,
    /// Whether the account is named as well: then its own object has used the token up.
    pub(super) names_account: bool,
}

/// Where a session of ours begins that the OP's session is to lead to.
pub(super) struct Lead {
    /// The key of its entry.
    pub(super) key: String,
    /// When the end-user was sent to the OP.
    pub(super) begun_at: Timestamp,
    /// When it began.
    pub(super) issued_at: Timestamp,
    /// When it ends in any case.
    pub(super) expires_at: Timestamp,
}

/// Has the OP's session lead to one of ours, unless it ended while that was beginning.
pub(super) async fn lead(storage: &impl AccountStorage, lead: Lead) -> Result<Reply, Failure> {
    let Lead { key, begun_at, issued_at, expires_at } = lead;
    let id = EntryKey::parse(&key).and_then(|key| key.session()).ok_or(Failure::Store(StoreFault::Account))?;
    let sessions = storage.sessions().map_err(Failure::Store)?;
    if sessions.iter().any(|(_, ended)| ended.entry.is_none() && begun_at <= ended.issued_at) {
        return Err(Failure::Ended(SessionEnd::SignedOut));
    }
    let entry = Some(key.into_bytes());
    let lead = StoredSession { issued_at, expires_at, revision: 0, entry, metadata: "{}".to_owned() };
    put(storage, id, &lead)?;
    storage.flush().await.map_err(Failure::Store)?;
    Ok(Reply::Done {})
}

/// Ends the sessions that the OP's session leads to. Nothing is written for one that leads nowhere, unless the OP itself
/// says that it has ended, and nothing for a token that was used before.
pub(super) async fn end<R: Runtime>(
    context: &Context<'_, R>,
    storage: &R::Storage,
    logout: &Logout,
) -> Result<Reply, Failure> {
    if let Some(token) = &logout.token
        && storage.is_spent(&token.digest).map_err(Failure::Store)?
    {
        return Ok(Reply::Replayed {});
    }
    let stored = match leads(storage, logout.until)?.is_empty() && token_cache::has_store(context) {
        true => stored(context, &logout.sid).await.map_err(Failure::Store)?,
        false => None,
    };
    // One may have registered while the store answered. From here to the write nothing is awaited.
    let (ids, mut prefixes): (Vec<_>, Vec<_>) = leads(storage, logout.until)?.into_iter().unzip();
    prefixes.extend(stored.map(|key| key.prefix().to_owned()));
    if prefixes.is_empty() && logout.token.is_none() {
        return Ok(Reply::Unknown {});
    }
    // A sign-in that is under way now registers afterwards, and is refused then.
    let ended = ended(context, storage, logout.until)?;
    put(storage, SessionId::from_bytes([0; 16]), &ended)?;
    storage.flush().await.map_err(Failure::Store)?;
    let mut asked = Vec::new();
    for prefix in prefixes {
        if !asked.contains(&prefix) {
            end_in(context, prefix.clone(), logout).await?;
            asked.push(prefix);
        }
    }
    let is_new = match &logout.token {
        Some(token) => {
            let is_new = storage.spend(&token.digest, token.expires_at);
            is_new.and_then(|is_new| storage.wake_at(token.expires_at).map(|()| is_new)).map_err(Failure::Store)?
        }
        None => true,
    };
    ids.iter().try_for_each(|id| put(storage, *id, &ended))?;
    storage.flush().await.map_err(Failure::Store)?;
    Ok(match (is_new, asked.is_empty()) {
        (false, _) => Reply::Replayed {},
        (true, true) => Reply::Unknown {},
        (true, false) => Reply::Done {},
    })
}

/// Where the OP's session leads to as far as Workers KV knows, which is all there is of one that began without objects.
pub(in crate::flow) async fn stored<R: Runtime>(
    context: &Context<'_, R>,
    sid: &str,
) -> Result<Option<EntryKey>, StoreFault> {
    let key = context.runtime.kv_get(sid).await?;
    Ok(key.as_deref().and_then(|key| EntryKey::parse(std::str::from_utf8(key).ok()?)))
}

async fn end_in<R: Runtime>(context: &Context<'_, R>, prefix: String, logout: &Logout) -> Result<(), Failure> {
    let name = object_under(&prefix);
    let Logout { sid, until, token, names_account } = logout;
    // What has registered since the account's own object heard of it must end, too.
    let token = token.clone().filter(|_| !names_account);
    let ask_for = Ask::Logout { prefix, sid: Some(sid.clone()), until: *until, token };
    let reply = ask(context, &name, ask_for).await.map_err(failure)?;
    // Used before: by a call of which this object did not hear that it was done.
    if let Reply::Done {} | Reply::Replayed {} = reply { Ok(()) } else { Err(failure(refused(reply))) }
}

/// What is kept of an OP's session that has ended: as long as a sign-in may be under way that began before.
fn ended<R: Runtime>(
    context: &Context<'_, R>,
    storage: &R::Storage,
    until: Timestamp,
) -> Result<StoredSession, Failure> {
    let sessions = storage.sessions().map_err(Failure::Store)?;
    let earlier = sessions.iter().filter(|(_, session)| session.entry.is_none()).map(|(_, ended)| ended.issued_at);
    let issued_at = earlier.fold(until.min(context.now), Timestamp::max);
    let expires_at = context.now + context.app.config.session.login_attempt;
    Ok(StoredSession { issued_at, expires_at, revision: 0, entry: None, metadata: "{}".to_owned() })
}

/// Where the OP's session leads to: sessions that began up to a moment, and what the names of their entries begin with.
fn leads(storage: &impl AccountStorage, until: Timestamp) -> Result<Vec<(SessionId, String)>, Failure> {
    let sessions = storage.sessions().map_err(Failure::Store)?;
    let leads = sessions.iter().filter(|(_, lead)| lead.issued_at <= until);
    Ok(leads.filter_map(|(id, lead)| Some((*id, prefix(lead)?))).collect())
}

fn prefix(lead: &StoredSession) -> Option<String> {
    let key = lead.entry.as_deref().and_then(|key| std::str::from_utf8(key).ok());
    key.and_then(EntryKey::parse).map(|key| key.prefix().to_owned())
}

fn put(storage: &impl AccountStorage, id: SessionId, session: &StoredSession) -> Result<(), Failure> {
    storage.put_session(id, session).and_then(|()| storage.wake_at(session.expires_at)).map_err(Failure::Store)
}
