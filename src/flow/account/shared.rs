//! What one request of a session does for all that want the same at once at its isolate: the scripts of a page, say, when
//! the isolate does not know the session, or when its access token has expired.

use std::rc::Rc;

use super::{Cause, is_elsewhere, read, renew};
use crate::config::Api;
use crate::error::{Error, Failure, SessionEnd};
use crate::flow::Context;
use crate::flow::under_way::{Patience, begin_or_wait};
use crate::memory::PurposeKey;
use crate::runtime::Runtime;
use crate::session::entry::TokenCacheEntry;
use crate::session::session::Session;
use crate::time::Lifetime;

/// The entry as its keeper has it now, or has just told another request of this isolate. If that brought nothing, each asks for
/// itself: they have waited long enough.
pub(in crate::flow) async fn read_once<R: Runtime>(
    context: &Context<'_, R>,
    session: &Session,
) -> Result<Rc<TokenCacheEntry>, Error> {
    let (memory, trusted) = (&context.realm.memory, context.app.config.session.recheck);
    // What others were told counts for nobody else where memory is never trusted.
    if trusted == NEVER {
        return read(context, session).await;
    }
    let key = PurposeKey::of_session(session.id, READ);
    if let Some(_begun) = begin_or_wait(context, key, Patience::OF_A_PERSON).await {
        return read(context, session).await;
    }
    if memory.has_ended(session) {
        return Err(Error::SessionEnded(SessionEnd::SignedOut));
    }
    match memory.entry(session.id, context.runtime.now(), trusted) {
        Some(entry) => Ok(entry),
        None => read(context, session).await,
    }
}

/// The entry with a token for the API that the cause does not rule out.
///
/// The account's object has one renewal of a session follow another, so there only those wait here who want the same. Without
/// it one request at a time presents the refresh token, whatever for: an OP that rotates it may take the second for a thief.
pub(in crate::flow) async fn renew_once<R: Runtime>(
    context: &Context<'_, R>,
    session: &Session,
    api: &Api,
    cause: &Cause,
) -> Result<Rc<TokenCacheEntry>, Failure> {
    let (memory, trusted) = (&context.realm.memory, context.app.config.session.recheck);
    let has_object = is_elsewhere(context);
    if has_object && trusted == NEVER {
        return renew(context, session, api, cause).await;
    }
    let purpose = if has_object { cause.purpose(api) } else { RENEWAL.to_owned() };
    let key = PurposeKey::of_session(session.id, &purpose);
    loop {
        if let Some(_begun) = begin_or_wait(context, key, Patience::FOR_THE_OP).await {
            return renew(context, session, api, cause).await;
        }
        if memory.has_ended(session) {
            return Err(Failure::Ended(SessionEnd::SignedOut));
        }
        let now = context.runtime.now();
        if let Some(entry) = memory.entry(session.id, now, trusted).filter(|entry| cause.is_met(entry, api, now)) {
            return Ok(entry);
        }
        // Whatever it was that brought nothing, nobody waits for the next one, who may fare no better.
        let is_known = memory.stale_entry(session.id).is_some();
        if has_object || !is_known {
            return renew(context, session, api, cause).await;
        }
    }
}

/// What is under way besides: the purpose of a renewal, which begins with the name of an API.
const READ: &str = "";
const RENEWAL: &str = " ";

const NEVER: Lifetime = Lifetime::from_seconds(0);
