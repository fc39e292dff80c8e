//! Who sent this request: the session cookie, then this isolate's memory, then the store.

use std::rc::Rc;

use super::Incoming;
use super::account::{self, everybody};
use crate::error::{Error, SessionEnd};
use crate::rules::Rule;
use crate::runtime::Runtime;
use crate::session::cookie::Cookies;
use crate::session::entry::TokenCacheEntry;
use crate::session::session::{Session, SessionFault};
use crate::time::Timestamp;

/// A signed-in browser.
pub(super) struct SignedIn {
    /// Its session.
    pub(super) session: Session,
    /// Its token cache entry.
    pub(super) entry: Rc<TokenCacheEntry>,
}

/// The session of the request's cookie, unless it has ended as far as this isolate knows.
pub(super) fn session<R: Runtime>(incoming: &Incoming<'_, R>) -> Result<Session, Error> {
    let session = opened(incoming)?;
    if incoming.realm.memory.has_ended(&session) {
        return Err(Error::SessionEnded(SessionEnd::SignedOut));
    }
    Ok(session)
}

/// The session of the request's cookie, by the cookie alone: whoever signs out a second time finds it, too.
pub(super) fn opened<R: Runtime>(incoming: &Incoming<'_, R>) -> Result<Session, Error> {
    let cookies = Cookies::parse(incoming.head.header("cookie"));
    let label = incoming.realm.ring.label();
    if !cookies.has_session(label) {
        return Err(Error::LoginRequired);
    }
    let ended = |fault| Error::SessionEnded(SessionEnd::Cookie(fault));
    let sealed = cookies.session(label).ok_or_else(|| ended(SessionFault::DoesNotOpen))?;
    Session::open(&sealed, &incoming.realm.ring, incoming.now).map_err(ended)
}

/// Whether the session of the request's cookie goes on by now, by what the store says. The request is an earlier one, so
/// the idle end in its cookie says nothing: the browser may have another cookie since.
pub(super) async fn goes_on<R: Runtime>(incoming: &Incoming<'_, R>) -> bool {
    let Some(sealed) = Cookies::parse(incoming.head.header("cookie")).session(incoming.realm.ring.label()) else {
        return true;
    };
    let Ok(session) = Session::open(&sealed, &incoming.realm.ring, Timestamp::from_unix(0)) else { return true };
    everybody::learn(incoming).await;
    let is_over = session.absolute_expires_at <= incoming.now
        || incoming.realm.memory.has_ended(&session)
        || matches!(account::read(incoming, &session).await, Err(Error::SessionEnded(_)));
    !is_over
}

/// The signed-in browser, if this isolate's memory vouches for it.
pub(super) fn at_once<R: Runtime>(incoming: &Incoming<'_, R>) -> Option<SignedIn> {
    if !everybody::is_known(incoming) {
        return None;
    }
    let session = session(incoming).ok()?;
    let entry = incoming.realm.memory.entry(session.id, incoming.now, incoming.app.config.session.recheck)?;
    admitted(incoming, SignedIn { session, entry }).ok()
}

/// The signed-in browser as a route rule wants it: one that is sensitive is not content with what this isolate remembers.
pub(super) fn at_once_for<R: Runtime>(incoming: &Incoming<'_, R>, rule: &Rule) -> Option<SignedIn> {
    if rule.is_sensitive { None } else { at_once(incoming) }
}

/// The same, from the store if need be. What is sensitive is served by nobody's word but that of the account's keeper.
pub(super) async fn signed_in_for<R: Runtime>(incoming: &Incoming<'_, R>, rule: &Rule) -> Result<SignedIn, Error> {
    if !rule.is_sensitive {
        return signed_in(incoming).await;
    }
    session(incoming)?;
    everybody::learn(incoming).await;
    let session = session(incoming)?;
    let entry = account::confirmed(incoming, &session).await?;
    admitted(incoming, SignedIn { session, entry })
}

/// Whether the browser sent a session cookie of the realm at all.
pub(super) fn has_cookie<R: Runtime>(incoming: &Incoming<'_, R>) -> bool {
    Cookies::parse(incoming.head.header("cookie")).has_session(incoming.realm.ring.label())
}

/// The signed-in browser, from the store if need be.
pub(super) async fn signed_in<R: Runtime>(incoming: &Incoming<'_, R>) -> Result<SignedIn, Error> {
    if let Some(signed_in) = at_once(incoming) {
        return Ok(signed_in);
    }
    // Nobody is asked about a cookie that is no session.
    session(incoming)?;
    everybody::learn(incoming).await;
    if let Some(signed_in) = at_once(incoming) {
        return Ok(signed_in);
    }
    let session = session(incoming)?;
    let entry = account::read_once(incoming, &session).await?;
    admitted(incoming, SignedIn { session, entry })
}

/// A session that began when its tenant was still allowed is over.
fn admitted<R: Runtime>(incoming: &Incoming<'_, R>, signed_in: SignedIn) -> Result<SignedIn, Error> {
    if incoming.realm.provider.admits(signed_in.entry.claim("tid")) {
        return Ok(signed_in);
    }
    Err(Error::SessionEnded(SessionEnd::TenantNotAllowed))
}
