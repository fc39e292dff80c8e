//! What is done in one place for each account: registering and ending sessions, and renewing their tokens.
//!
//! With the `ACCOUNTS` binding that place is the account's Durable Object, and all copies in Workers KV are its own.
//! Without it the same code runs where the request is, on Workers KV alone, with the weaker promises of the README.

mod cause;
mod copies;
mod message;
mod object;
mod registry;
mod renewal;

use std::rc::Rc;

use super::{Context, token_cache};
use crate::config::Api;
use crate::error::{Error, Failure, OpFault, SessionEnd};
use crate::runtime::{Runtime, StoreFault};
use crate::session::entry::TokenCacheEntry;
use crate::session::session::Session;

pub(super) use cause::Cause;
pub(super) use copies::store;
use message::Call;
pub(super) use message::{Ask, Reply};
pub use object::{account_expired, serve_account};

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
    match ask_for(context, &session, ask).await? {
        Reply::Begun(issued_at) => Ok(Session { issued_at, ..session }),
        Reply::Failed(failure) => Err(error(failure)),
        Reply::Current {} | Reply::Done {} | Reply::Entry(_) => Err(ODD_REPLY),
    }
}

/// The entry as its keeper has it now.
pub(super) async fn read<R: Runtime>(
    context: &Context<'_, R>,
    session: &Session,
) -> Result<Rc<TokenCacheEntry>, Error> {
    if !is_elsewhere(context) {
        return token_cache::read(context, session).await;
    }
    let memory = &context.app.memory;
    let known = memory.stale_entry(session.id);
    let revision = known.as_ref().map(|entry| entry.revision);
    let fault = match ask_for(context, session, Ask::Read { session: message::encoded(session), revision }).await {
        Ok(Reply::Current {}) => match known {
            Some(known) => return Ok(memory.confirm(session.id, known, context.now)),
            None => return Err(ODD_REPLY),
        },
        Ok(Reply::Entry(sealed)) => return token_cache::opened(context, session, &sealed),
        Ok(Reply::Failed(Failure::Store(fault))) | Err(Error::CacheUnavailable(fault)) => fault,
        Ok(Reply::Failed(failure)) => {
            memory.forget(session.id);
            return Err(error(failure));
        }
        Ok(Reply::Begun(_) | Reply::Done {}) => return Err(ODD_REPLY),
        Err(error) => return Err(error),
    };
    token_cache::failed(context, "account", fault);
    token_cache::copy(context, session, fault).await
}

/// The entry with a token for the API that the cause does not rule out.
pub(super) async fn renew<R: Runtime>(
    context: &Context<'_, R>,
    session: &Session,
    api: &Api,
    cause: &Cause,
) -> Result<Rc<TokenCacheEntry>, Failure> {
    if !is_elsewhere(context) {
        return renewal::renew(context, session, api, cause).await;
    }
    let purpose = cause.purpose(api);
    if let Some(failure) = context.app.memory.recent_failure(session.id, &purpose, context.now) {
        return Err(failure);
    }
    let ask = Ask::Renew { session: message::encoded(session), api: api.name.clone(), cause: cause.clone() };
    let failure = match ask_for(context, session, ask).await {
        Ok(Reply::Entry(sealed)) => match token_cache::open(context, session, &sealed) {
            Ok(entry) => {
                // Not what a later reply may have left in memory: that token was made for another demand.
                context.app.memory.remember(session.id, entry.clone(), context.now);
                return Ok(Rc::new(entry));
            }
            Err(error) => Failure::of(&error).unwrap_or(UNREACHABLE),
        },
        Ok(Reply::Failed(failure)) => {
            if let Failure::Ended(_) = failure {
                context.app.memory.forget(session.id);
            }
            failure
        }
        Err(Error::CacheUnavailable(fault)) => {
            token_cache::failed(context, "account", fault);
            Failure::Store(fault)
        }
        Ok(Reply::Begun(_) | Reply::Current {} | Reply::Done {}) | Err(_) => UNREACHABLE,
    };
    renewal::remember(context, session, purpose, &failure);
    Err(failure)
}

/// Ends one session and deletes what is kept of it. `sid` is the index entry that leads to it, and to no other.
pub(super) async fn end<R: Runtime>(
    context: &Context<'_, R>,
    session: &Session,
    sid: Option<String>,
) -> Result<(), Error> {
    if is_elsewhere(context) {
        return done(ask_for(context, session, Ask::End { session: message::encoded(session), sid }).await?);
    }
    registry::end(context, session, sid.as_deref()).await
}

/// Ends every session of the account and deletes what is kept of them, under every name the account has, whether or not
/// it can be opened.
pub(super) async fn sign_out<R: Runtime>(
    context: &Context<'_, R>,
    session: &Session,
    entry: Option<&TokenCacheEntry>,
) -> Result<(), Error> {
    let memory = &context.app.memory;
    let until = context.now.max(session.issued_at);
    if is_elsewhere(context) {
        for keys in context.app.ring.all() {
            let (name, prefix) = (session.account.object_name(keys), session.account.prefix(keys));
            done(ask(context, &name, Ask::SignOut { prefix, until }).await?)?;
        }
        // Not earlier: where the sign-out fails, the session goes on, and with it the cookie to try again with.
        memory.sign_out(session.account, until);
        memory.forget(session.id);
        return Ok(());
    }
    // From this moment on a refresh that is under way in this isolate keeps nothing.
    memory.sign_out(session.account, until);
    memory.forget(session.id);
    let key = token_cache::key(context, session)?;
    for prefix in session.account.prefixes(&context.app.ring) {
        // Listings lag behind writes, so the session's own entry is not left to them. An object knows its sessions.
        let own = || (key.as_str().to_owned(), entry.and_then(|entry| entry.sid_key.clone()));
        let own = key.as_str().starts_with(&prefix).then(own);
        registry::sign_out(context, &prefix, until, own).await?;
    }
    Ok(())
}

/// Asks an object by its name.
pub(super) async fn ask<R: Runtime>(context: &Context<'_, R>, name: &str, ask: Ask) -> Result<Reply, Error> {
    let call = Call { trace: context.trace.clone(), ask }.to_text();
    let reply = context.runtime.call_account(name, &call).await.map_err(Error::CacheUnavailable)?;
    Reply::parse(&reply).ok_or(ODD_REPLY)
}

/// The name of the object that keeps the session.
pub(super) fn object_name<R: Runtime>(context: &Context<'_, R>, session: &Session) -> Result<String, Error> {
    let keys = context.app.ring.find(session.named_by).ok_or(Error::SessionEnded(SessionEnd::EntryMissing))?;
    Ok(session.account.object_name(keys))
}

async fn ask_for<R: Runtime>(context: &Context<'_, R>, session: &Session, ask: Ask) -> Result<Reply, Error> {
    self::ask(context, &object_name(context, session)?, ask).await
}

fn done(reply: Reply) -> Result<(), Error> {
    match reply {
        Reply::Done {} => Ok(()),
        Reply::Failed(failure) => Err(error(failure)),
        Reply::Begun(_) | Reply::Current {} | Reply::Entry(_) => Err(ODD_REPLY),
    }
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

/// An object of another version of this software, in the middle of a deployment: soon it will be the same.
const ODD_REPLY: Error = Error::CacheUnavailable(StoreFault::Account);
const UNREACHABLE: Failure = Failure::Store(StoreFault::Account);
