//! Inside an account's object: each call is answered from its own storage, and every copy in Workers KV is written and
//! deleted here, so that none of these can overtake another.

use super::super::{Context, app_token};
use super::message::{self, Ask, Call, Reply};
use super::{registry, renewal};
use crate::app::App;
use crate::config::LONGEST_SESSION;
use crate::error::{Error, Failure, SessionEnd};
use crate::runtime::{AccountStorage, Runtime, StoreFault};
use crate::session::session::Session;

/// Answers a call of [`Runtime::call_account`], inside the object.
pub async fn serve_account<R: Runtime>(app: &App, runtime: &R, request: &str) -> String {
    let reply = match Call::parse(request) {
        None => Reply::Failed(Failure::Store(StoreFault::Account)),
        Some(Call { trace, ask }) => {
            let context = Context { app, runtime, now: runtime.now(), trace };
            answer(&context, ask).await.unwrap_or_else(Reply::Failed)
        }
    };
    reply.to_text()
}

/// Deletes what has ended from the object's storage, and has the next end waited for.
///
/// # Errors
/// The storage's. The platform then calls again a little later.
pub async fn account_expired<R: Runtime>(runtime: &R) -> Result<(), StoreFault> {
    let Some(storage) = runtime.storage() else { return Ok(()) };
    match storage.expire(runtime.now(), LONGEST_SESSION)? {
        Some(next) => storage.wake_at(next),
        None => Ok(()),
    }
}

async fn answer<R: Runtime>(context: &Context<'_, R>, ask: Ask) -> Result<Reply, Failure> {
    let storage = context.runtime.storage().ok_or(Failure::Store(StoreFault::Account))?;
    let session = |text: &str| session(context, text);
    match ask {
        Ask::AppToken { api, cause } => {
            let api = context.app.config.api(&api).ok_or(Failure::Store(StoreFault::Account))?;
            app_token::in_object(context, storage, api, &cause).await.map(Reply::Entry)
        }
        Ask::Begin { session: text, entry, revision, metadata } => {
            let entry = registry::Current { revision, entry, metadata };
            registry::begin(context, storage, session(&text)?, entry).await
        }
        Ask::End { session: text, sid } => {
            let session = session(&text)?;
            registry::end(context, &session, sid.as_deref()).await.map(|()| Reply::Done {}).map_err(failure)
        }
        Ask::Read { session: text, revision } => {
            let stored = registry::current(context, storage, &session(&text)?).await?;
            Ok(if revision == Some(stored.revision) { Reply::Current {} } else { Reply::Entry(stored.entry) })
        }
        Ask::Renew { session: text, api, cause } => {
            let session = session(&text)?;
            let api = context.app.config.api(&api).ok_or(Failure::Store(StoreFault::Account))?;
            renewal::renew(context, &session, api, &cause).await?;
            Ok(Reply::Entry(registry::current(context, storage, &session).await?.entry))
        }
        Ask::SignOut { prefix, until } => {
            registry::sign_out(context, &prefix, until, None).await.map(|()| Reply::Done {}).map_err(failure)
        }
    }
}

fn session<R: Runtime>(context: &Context<'_, R>, text: &str) -> Result<Session, Failure> {
    let session = message::decoded(text, &context.app.ring).ok_or(Failure::Ended(SessionEnd::EntryMissing))?;
    if session.absolute_expires_at <= context.now {
        return Err(Failure::Ended(SessionEnd::EntryMissing));
    }
    Ok(session)
}

#[allow(clippy::needless_pass_by_value, reason = "it is given to map_err")]
fn failure(error: Error) -> Failure {
    Failure::of(&error).unwrap_or(Failure::Store(StoreFault::Account))
}
