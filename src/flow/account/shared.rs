//! One read for all requests of a session that arrive at once at an isolate which does not know it: a page's scripts, say.

use std::rc::Rc;

use super::read;
use crate::error::{Error, SessionEnd};
use crate::flow::Context;
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
    if trusted == Lifetime::from_seconds(0) {
        return read(context, session).await;
    }
    if memory.reads.begins(session.id, context.runtime.now()) {
        let outcome = read(context, session).await;
        memory.reads.ended(session.id);
        return outcome;
    }
    for _ in 0..MOST_MOMENTS {
        context.runtime.moment().await;
        if !memory.reads.is_under_way(session.id, context.runtime.now()) {
            break;
        }
    }
    if memory.has_ended(session) {
        return Err(Error::SessionEnded(SessionEnd::SignedOut));
    }
    match memory.entry(session.id, context.runtime.now(), trusted) {
        Some(entry) => Ok(entry),
        None => read(context, session).await,
    }
}

/// How often to look whether the other read is over: for a second or two, as long as a person would wait.
const MOST_MOMENTS: usize = 30;
