//! What is done in one place for each account: registering and ending sessions, and renewing their tokens.
//!
//! With the `ACCOUNTS` binding that place is the account's Durable Object, and all copies in Workers KV are its own.
//! Without it the same code runs where the request is, on Workers KV alone, with the weaker promises of the README.

mod cause;
mod copies;
mod deletion;
mod ending;
pub(super) mod everybody;
mod index;
pub(super) mod kv_alone;
mod message;
mod object;
mod registry;
mod renewal;
mod shared;
mod which;
mod wire;

use std::rc::Rc;

use super::{Context, token_cache};
use crate::config::Api;
use crate::error::{Error, Failure, OpFault, SessionEnd};
use crate::runtime::{Runtime, StoreFault};
use crate::session::entry::TokenCacheEntry;
use crate::session::session::Session;
use crate::time::Timestamp;

pub(super) use cause::Cause;
pub(super) use copies::store;
pub(super) use index::stored as stored_lead;
use message::Call;
pub(super) use message::{Ask, Listed, LogoutTokenId, Reply, encoded};
pub use object::{account_expired, serve_account};
pub(super) use shared::{read_once, renew_once};
pub(super) use which::{Chosen, Which};

/// Whether somebody else keeps the account: its object, unless this is it.
pub(super) fn is_elsewhere<R: Runtime>(context: &Context<'_, R>) -> bool {
    context.app.config.has_account_objects && context.runtime.storage().is_none()
}

/// Registers a new session with its entry, and returns it with the moment from which it counts: after the last sign-out
/// of its account.
pub(super) async fn begin<R: Runtime>(
    context: &Context<'_, R>,
    session: Session,
    entry: &TokenCacheEntry,
) -> Result<Session, Error> {
    if !is_elsewhere(context) {
        token_cache::write(context, &session, entry).await?;
        return Ok(session);
    }
    let revision = entry.revision;
    let (entry, metadata) = token_cache::sealed(context, &session, entry)?;
    let ask = Ask::Begin { session: message::encoded(&session), entry, revision, metadata };
    let reply = ask_for(context, &session, ask).await?;
    if let Reply::Begun(issued_at) = reply { Ok(Session { issued_at, ..session }) } else { Err(refused(reply)) }
}

/// The entry as its keeper has it now, or a copy of it where the keeper cannot be asked.
pub(super) async fn read<R: Runtime>(
    context: &Context<'_, R>,
    session: &Session,
) -> Result<Rc<TokenCacheEntry>, Error> {
    match confirmed(context, session).await {
        Err(Error::CacheUnavailable(fault)) if is_elsewhere(context) => {
            token_cache::failed(context, "account", fault);
            token_cache::copy(context, session, fault).await
        }
        outcome => outcome,
    }
}

/// The entry as its keeper has it now, and no copy of it.
pub(super) async fn confirmed<R: Runtime>(
    context: &Context<'_, R>,
    session: &Session,
) -> Result<Rc<TokenCacheEntry>, Error> {
    if !is_elsewhere(context) {
        return token_cache::read(context, session).await;
    }
    let memory = &context.realm.memory;
    let known = memory.stale_entry(session.id);
    let revision = known.as_ref().map(|entry| entry.revision);
    let ask = Ask::Read { session: message::encoded(session), revision };
    match (ask_for(context, session, ask).await?, known) {
        (Reply::Current {}, Some(known)) => Ok(memory.confirm(session.id, known, context.now)),
        (Reply::Entry(sealed), _) => token_cache::opened(context, session, &sealed),
        (reply, _) => {
            let error = refused(reply);
            if error.ends_session() {
                memory.forget(session.id);
            }
            Err(error)
        }
    }
}

/// The entry with a token for the API that the cause does not rule out, from its keeper.
async fn renew<R: Runtime>(
    context: &Context<'_, R>,
    session: &Session,
    api: &Api,
    cause: &Cause,
) -> Result<Rc<TokenCacheEntry>, Failure> {
    if !is_elsewhere(context) {
        return renewal::renew(context, session, api, cause).await;
    }
    let purpose = cause.purpose(api);
    if let Some(failure) = context.realm.memory.recent_failure(session.id, &purpose, context.now) {
        return Err(failure);
    }
    let ask = Ask::Renew { session: message::encoded(session), api: api.name.clone(), cause: cause.clone() };
    let failure = match ask_for(context, session, ask).await {
        Ok(Reply::Entry(sealed)) => match token_cache::open(context, session, &sealed) {
            Ok(entry) => {
                // Not what a later reply may have left in memory: that token was made for another demand.
                context.realm.memory.remember(session.id, entry.clone(), context.now);
                return Ok(Rc::new(entry));
            }
            Err(error) => self::failure(error),
        },
        Ok(Reply::Failed(failure)) => {
            if let Failure::Ended(_) = failure {
                context.realm.memory.forget(session.id);
            }
            failure
        }
        Err(Error::CacheUnavailable(fault)) => {
            token_cache::failed(context, "account", fault);
            Failure::Store(fault)
        }
        Ok(_) | Err(_) => UNREACHABLE,
    };
    renewal::remember(context, session, &purpose, &failure);
    Err(failure)
}

/// Has the OP's session lead to one of ours that is about to begin: a logout that names nothing else finds it by that.
pub(super) async fn index<R: Runtime>(
    context: &Context<'_, R>,
    session: &Session,
    sid: &str,
    begun_at: Timestamp,
) -> Result<(), Error> {
    if !is_elsewhere(context) {
        return Ok(());
    }
    let key = token_cache::key(context, session)?.as_str().to_owned();
    let (issued_at, expires_at) = (session.issued_at, session.absolute_expires_at);
    done(ask(context, sid, Ask::Index { key, begun_at, issued_at, expires_at }).await?)
}

/// The sessions of the account that go on.
pub(super) async fn sessions<R: Runtime>(context: &Context<'_, R>, session: &Session) -> Result<Vec<Listed>, Error> {
    let mut listed = Vec::new();
    for prefix in session.account.prefixes(&context.realm.ring) {
        if is_elsewhere(context) {
            let name = object_under(&prefix);
            let reply = ask(context, &name, Ask::Sessions { prefix }).await?;
            let Reply::Sessions(sessions) = reply else { return Err(refused(reply)) };
            listed.extend(sessions);
        } else {
            listed.extend(registry::copied(context, &prefix).await.map_err(Error::CacheUnavailable)?);
        }
    }
    listed.retain(|listed| !context.realm.memory.everybody.covers(listed.metadata.created));
    Ok(listed)
}

/// Asks an object by its name.
pub(super) async fn ask<R: Runtime>(context: &Context<'_, R>, name: &str, ask: Ask) -> Result<Reply, Error> {
    let provider = Some(context.realm.provider.name.clone());
    let traceparent = context.traceparent.map(|parent| parent.as_str().to_owned());
    let call = Call { provider, trace: context.trace.clone(), traceparent, ask }.to_text();
    let reply = context.runtime.call_account(name, &call).await.map_err(Error::CacheUnavailable)?;
    Reply::parse(&reply).ok_or(Error::CacheUnavailable(StoreFault::Account))
}

/// The name of the account's object, by what the names of its entries begin with.
pub(super) fn object_under(prefix: &str) -> String {
    prefix.trim_end_matches('/').to_owned()
}

/// The name of the object that keeps the session.
pub(super) fn object_name<R: Runtime>(context: &Context<'_, R>, session: &Session) -> Result<String, Error> {
    let keys = context.realm.ring.find(session.named_by).ok_or(Error::SessionEnded(SessionEnd::EntryMissing))?;
    Ok(session.account.object_name(keys))
}

async fn ask_for<R: Runtime>(context: &Context<'_, R>, session: &Session, ask: Ask) -> Result<Reply, Error> {
    self::ask(context, &object_name(context, session)?, ask).await
}

/// The reply to what is only to be done.
pub(super) fn done(reply: Reply) -> Result<(), Error> {
    if let Reply::Done {} = reply { Ok(()) } else { Err(refused(reply)) }
}

/// What a reply means that is not the one hoped for. One that answers another question comes from an object of another
/// version of this software, in the middle of a deployment: soon it will be the same.
pub(super) fn refused(reply: Reply) -> Error {
    if let Reply::Failed(failure) = reply { error(failure) } else { Error::CacheUnavailable(StoreFault::Account) }
}

/// The error of a failure that no end-user can mend, or that concerns no API.
pub(super) fn error(failure: Failure) -> Error {
    match failure {
        Failure::Ended(end) => Error::SessionEnded(end),
        Failure::NeedsUser { .. } => Error::LoginRequired,
        Failure::OpRefused(code) => Error::OpRefused(code),
        Failure::OpUnreachable(fault) => Error::OpUnreachable(fault),
        Failure::Store(fault) => Error::CacheUnavailable(fault),
        Failure::Untrusted => Error::OpMisbehaved(OpFault::Renewal),
    }
}

/// What an error comes to inside an object.
#[allow(clippy::needless_pass_by_value, reason = "it is given to map_err")]
fn failure(error: Error) -> Failure {
    Failure::of(&error).unwrap_or(UNREACHABLE)
}

const UNREACHABLE: Failure = Failure::Store(StoreFault::Account);
