//! Who sent this request: the session cookie, then this isolate's memory, then the store.

use std::rc::Rc;

use super::{Context, token_cache};
use crate::error::{Error, LoginReason, SessionEnd};
use crate::runtime::Runtime;
use crate::session::cookie::Cookies;
use crate::session::entry::TokenCacheEntry;
use crate::session::session::{Session, SessionFault};

/// A signed-in browser.
pub(super) struct SignedIn {
    /// Its session.
    pub(super) session: Session,
    /// Its token cache entry.
    pub(super) entry: Rc<TokenCacheEntry>,
}

/// The session of the request's cookie, unless this isolate saw its account sign out.
pub(super) fn session<R: Runtime>(context: &Context<'_, R>) -> Result<Session, Error> {
    let session = presented(context)?;
    if context.app.memory.is_signed_out(session.account, session.issued_at) {
        return Err(Error::SessionEnded(SessionEnd::SignedOut));
    }
    Ok(session)
}

/// The session of the request's cookie, by the cookie alone.
pub(super) fn presented<R: Runtime>(context: &Context<'_, R>) -> Result<Session, Error> {
    let cookies = Cookies::parse(context.head.header("cookie"));
    if !cookies.has_session() {
        return Err(Error::LoginRequired(LoginReason::NoSession));
    }
    let ended = |fault| Error::SessionEnded(SessionEnd::Cookie(fault));
    let sealed = cookies.session().ok_or_else(|| ended(SessionFault::DoesNotOpen))?;
    Session::open(&sealed, &context.app.ring, context.now).map_err(ended)
}

/// The signed-in browser, if this isolate's memory vouches for it.
pub(super) fn at_once<R: Runtime>(context: &Context<'_, R>) -> Option<SignedIn> {
    let session = session(context).ok()?;
    let entry = context.app.memory.entry(session.id, context.now, context.app.config.session.recheck)?;
    Some(SignedIn { session, entry })
}

/// The signed-in browser, from the store if need be.
pub(super) async fn signed_in<R: Runtime>(context: &Context<'_, R>) -> Result<SignedIn, Error> {
    if let Some(signed_in) = at_once(context) {
        return Ok(signed_in);
    }
    let session = session(context)?;
    let entry = token_cache::read(context, &session).await?;
    Ok(SignedIn { session, entry })
}
