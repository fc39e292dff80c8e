//! Inside an account's object: each call is answered from its own storage, and every copy in Workers KV is written and
//! deleted here, so that none of these can overtake another.

use super::super::{Context, apart, app_token, hex, token_cache};
use super::deletion::{self, RETRY};
use super::ending::{self, Outcome};
use super::message::{self, Ask, Call, Reply};
use super::which::Which;
use super::{everybody, index, registry, renewal};
use crate::app::App;
use crate::config::LONGEST_SESSION;
use crate::error::{Failure, SessionEnd};
use crate::request::TraceParent;
use crate::runtime::{AccountStorage, Runtime, StoreFault};
use crate::session::session::{Session, SessionId};

/// Answers a call of [`Runtime::call_account`], inside the object.
pub async fn serve_account<R: Runtime>(app: &App, runtime: &R, request: &str) -> String {
    let reply = match Call::parse(request) {
        None => Reply::Failed(Failure::Store(StoreFault::Account)),
        Some(Call { provider, trace, traceparent, ask }) => {
            let Some(realm) = provider.map_or_else(|| app.unlabelled(), |provider| app.realm(&provider)) else {
                return Reply::Failed(Failure::Store(StoreFault::Account)).to_text();
            };
            let traceparent = traceparent.as_deref().and_then(TraceParent::parse);
            let context = Context { traceparent, ..Context::without_request(app, realm, runtime, trace) };
            answer(&context, ask).await.unwrap_or_else(Reply::Failed)
        }
    };
    reply.to_text()
}

/// Deletes what has ended from the object's storage and what is noted from Workers KV, and has the next end waited for.
///
/// # Errors
/// The storage's. The platform then calls again a little later.
pub async fn account_expired<R: Runtime>(app: &App, runtime: &R) -> Result<(), StoreFault> {
    let Some(storage) = runtime.storage() else { return Ok(()) };
    // What ends by the clock ends alike in every realm.
    let context = Context::without_request(app, app.first(), runtime, hex(&runtime.random::<8>()));
    if let Err(Failure::Store(fault)) = deletion::sweep(&context, storage).await {
        token_cache::failed(&context, "deletion", fault);
    }
    let next = storage.expire(context.now, LONGEST_SESSION)?;
    let retry = (!storage.to_delete()?.is_empty()).then(|| context.now + RETRY);
    next.into_iter().chain(retry).try_for_each(|moment| storage.wake_at(moment))
}

async fn answer<R: Runtime>(context: &Context<'_, R>, ask: Ask) -> Result<Reply, Failure> {
    let storage = context.runtime.storage().ok_or(Failure::Store(StoreFault::Account))?;
    let session = |text: &str| session(context, text);
    match ask {
        Ask::AppToken { api, cause } => {
            let api = context.app.config.api(&api).ok_or(Failure::Store(StoreFault::Account))?;
            apart(app_token::in_object(context, storage, api, &cause)).await.map(Reply::Entry)
        }
        Ask::Begin { session: text, entry, revision, metadata } => {
            let entry = registry::Current { revision, entry, metadata };
            apart(registry::begin(context, storage, session(&text)?, entry)).await
        }
        Ask::End { prefix, id, session } => {
            let id = SessionId::parse(&id).ok_or(Failure::Ended(SessionEnd::EntryMissing))?;
            apart(ended(context, storage, (&prefix, Which::One(id)), session.as_deref())).await
        }
        Ask::EndAll { until } => apart(everybody::end(storage, until)).await,
        Ask::EndIndexed { sid, until, token, names_account } => {
            apart(index::end(context, storage, &index::Logout { sid, until, token, names_account })).await
        }
        Ask::Index { key, begun_at, issued_at, expires_at } => {
            apart(index::lead(storage, index::Lead { key, begun_at, issued_at, expires_at })).await
        }
        Ask::Logout { prefix, sid, until, token } => {
            let which = Which::logged_out(sid.as_deref(), until, context.now);
            Ok(match apart(ending::in_object(context, storage, (&prefix, which), token.as_ref())).await? {
                // The copies that are left are deleted later, and the OP has nothing to do with them.
                Outcome::Ended(_) => Reply::Done {},
                Outcome::Replayed => Reply::Replayed {},
            })
        }
        Ask::Read { session: text, revision } => {
            let stored = registry::current(context, storage, &session(&text)?).await?;
            Ok(if revision == Some(stored.revision) { Reply::Current {} } else { Reply::Entry(stored.entry) })
        }
        Ask::Renew { session: text, api, cause } => {
            let session = session(&text)?;
            let api = context.app.config.api(&api).ok_or(Failure::Store(StoreFault::Account))?;
            apart(renewal::renew(context, &session, api, &cause)).await?;
            Ok(Reply::Entry(registry::current(context, storage, &session).await?.entry))
        }
        Ask::Sessions { prefix } => apart(registry::sessions(context, storage, &prefix)).await.map(Reply::Sessions),
        Ask::SignOut { prefix, until, all, session } => {
            let which = if all { Which::Whole(until) } else { Which::Until(until) };
            apart(ended(context, storage, (&prefix, which), session.as_deref())).await
        }
        Ask::ValidAfter {} => storage.valid_after().map(Reply::ValidAfter).map_err(Failure::Store),
    }
}

/// Ends sessions for a user or operator, and gives the last entry of the one that is given: with its refresh token it
/// goes to the OP.
async fn ended<R: Runtime>(
    context: &Context<'_, R>,
    storage: &R::Storage,
    (prefix, which): (&str, Which<'_>),
    leaving: Option<&str>,
) -> Result<Reply, Failure> {
    let last = match leaving.map(|text| session(context, text)) {
        // Doing without is no reason not to end it.
        Some(Ok(leaving)) => registry::current(context, storage, &leaving).await.ok(),
        Some(Err(_)) | None => None,
    };
    match ending::in_object(context, storage, (prefix, which), None).await? {
        Outcome::Ended(left) => {
            let entry = last.map(|last| last.entry);
            Ok(Reply::Ended { entry, left })
        }
        Outcome::Replayed => Ok(Reply::Replayed {}),
    }
}

fn session<R: Runtime>(context: &Context<'_, R>, text: &str) -> Result<Session, Failure> {
    let session = message::decoded(text, &context.realm.ring).ok_or(Failure::Ended(SessionEnd::EntryMissing))?;
    if session.absolute_expires_at <= context.now {
        return Err(Failure::Ended(SessionEnd::EntryMissing));
    }
    Ok(session)
}
