//! Inside the object of an OP's session: which sessions it leads to. A logout that knows nothing but `sid` finds them
//! seconds after the sign-in and from anywhere, which Workers KV does not promise.

use super::super::Context;
use super::message::{Ask, LogoutTokenId, Reply};
use super::{ask, failure, refused};
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
    /// Whether the OP itself says so.
    pub(super) is_certain: bool,
    /// The logout token, unless it is used up in the account's object.
    pub(super) token: Option<LogoutTokenId>,
}

/// Has the OP's session lead to one of ours, unless it ended while that was beginning.
pub(super) async fn lead(
    storage: &impl AccountStorage,
    key: &str,
    begun_at: Timestamp,
    expires_at: Timestamp,
) -> Result<Reply, Failure> {
    let id = EntryKey::parse(key).and_then(|key| key.session()).ok_or(Failure::Store(StoreFault::Account))?;
    let sessions = storage.sessions().map_err(Failure::Store)?;
    if sessions.iter().any(|(_, ended)| ended.entry.is_none() && begun_at <= ended.issued_at) {
        return Err(Failure::Ended(SessionEnd::SignedOut));
    }
    let entry = Some(key.as_bytes().to_vec());
    let lead = StoredSession { issued_at: begun_at, expires_at, revision: 0, entry, metadata: "{}".to_owned() };
    put(storage, id, &lead)?;
    storage.flush().await.map_err(Failure::Store)?;
    Ok(Reply::Done {})
}

/// Ends the sessions that the OP's session leads to. Nothing is written for one that leads nowhere, unless it is certain
/// that it has ended.
pub(super) async fn end<R: Runtime>(
    context: &Context<'_, R>,
    storage: &R::Storage,
    logout: &Logout,
) -> Result<Reply, Failure> {
    let mut leads = storage.sessions().map_err(Failure::Store)?;
    leads.retain(|(_, lead)| lead.entry.is_some());
    if leads.is_empty() && !logout.is_certain {
        return Ok(Reply::Unknown {});
    }
    // A sign-in that is under way now registers afterwards, and is refused then.
    let ended = ended(context);
    put(storage, SessionId::from_bytes([0; 16]), &ended)?;
    storage.flush().await.map_err(Failure::Store)?;
    let mut asked = Vec::new();
    for prefix in leads.iter().filter_map(|(_, lead)| prefix(lead)) {
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
    leads.iter().try_for_each(|(id, _)| put(storage, *id, &ended))?;
    storage.flush().await.map_err(Failure::Store)?;
    Ok(match (is_new, leads.is_empty()) {
        (false, _) => Reply::Replayed {},
        (true, true) => Reply::Unknown {},
        (true, false) => Reply::Done {},
    })
}

async fn end_in<R: Runtime>(context: &Context<'_, R>, prefix: String, logout: &Logout) -> Result<(), Failure> {
    let name = prefix.trim_end_matches('/').to_owned();
    let Logout { sid, until, token, .. } = logout;
    let ask_for = Ask::Logout { prefix, sid: Some(sid.clone()), until: *until, token: token.clone() };
    let reply = ask(context, &name, ask_for).await.map_err(failure)?;
    // Used before: by a call of which this object did not hear that it was done.
    if let Reply::Done {} | Reply::Replayed {} = reply { Ok(()) } else { Err(failure(refused(reply))) }
}

/// What is kept of an OP's session that has ended: as long as a sign-in may be under way.
fn ended<R: Runtime>(context: &Context<'_, R>) -> StoredSession {
    let (issued_at, expires_at) = (context.now, context.now + context.app.config.session.login_attempt);
    StoredSession { issued_at, expires_at, revision: 0, entry: None, metadata: "{}".to_owned() }
}

fn prefix(lead: &StoredSession) -> Option<String> {
    let key = lead.entry.as_deref().and_then(|key| std::str::from_utf8(key).ok());
    key.and_then(EntryKey::parse).map(|key| key.prefix().to_owned())
}

fn put(storage: &impl AccountStorage, id: SessionId, session: &StoredSession) -> Result<(), Failure> {
    storage.put_session(id, session).and_then(|()| storage.wake_at(session.expires_at)).map_err(Failure::Store)
}
