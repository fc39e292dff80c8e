//! Forwarding to the origin, with the user's identity.
//!
//! The `at_once` half decides without waiting, from this isolate's memory; the other ends in the same plan.

use std::borrow::Cow;

use super::authenticate::{self, SignedIn};
use super::{Incoming, account};
use crate::error::Error;
use crate::forwarding::{
    AnswerEdits, Carried, ForwardPlan, configured_headers, forwarded_cookies, headers_to_remove, identity_headers,
    origin_answer, origin_destination, origin_headers, rewritten_headers,
};
use crate::runtime::Runtime;
use crate::session::session::Session;

/// The plan for a request to the origin by a user whom memory vouches for.
pub(super) fn at_once<R: Runtime>(incoming: &Incoming<'_, R>) -> Option<ForwardPlan> {
    if must_be_ours(incoming) && !is_ours(incoming) {
        return None;
    }
    authenticate::at_once(incoming).map(|signed_in| origin_plan(incoming, &signed_in))
}

/// Passes a request of the signed-in user to the origin.
pub(super) async fn serve<R: Runtime>(incoming: &Incoming<'_, R>, inbound: &R::Inbound) -> Result<R::Forwarded, Error> {
    let signed_in = authenticate::signed_in(incoming).await?;
    if must_be_ours(incoming) && !is_ours(incoming) {
        return Err(Error::UntrustedOrigin);
    }
    let plan = ForwardPlan { carried: carried(incoming, &signed_in)?, ..origin_plan(incoming, &signed_in) };
    incoming.runtime.forward(inbound, &plan).await.map_err(Error::OriginUnreachable)
}

/// Whether a page of ours sent the request.
pub(super) fn is_ours<R: Runtime>(incoming: &Incoming<'_, R>) -> bool {
    incoming.head.is_same_origin(&incoming.app.config.gateway.public_origin)
}

/// For whom a WebSocket is carried that the request opens.
pub(super) fn carried<R: Runtime>(incoming: &Incoming<'_, R>, signed_in: &SignedIn) -> Result<Option<Carried>, Error> {
    if !incoming.head.is_websocket() {
        return Ok(None);
    }
    let session = &signed_in.session;
    let has_objects = incoming.app.config.has_account_objects;
    let object = has_objects.then(|| account::object_name(incoming, session)).transpose()?;
    Ok(Some(Carried { session: session.id, object, ends_at: session.absolute_expires_at }))
}

/// Whether no other site may send the request: it changes something, or it opens a WebSocket, through which the page
/// that opened it would read and write as the user.
fn must_be_ours<R: Runtime>(incoming: &Incoming<'_, R>) -> bool {
    !incoming.head.method.is_safe() || incoming.head.is_websocket()
}

fn origin_plan<R: Runtime>(incoming: &Incoming<'_, R>, signed_in: &SignedIn) -> ForwardPlan {
    let config = &incoming.app.config;
    let gateway = &config.gateway;
    let mut remove = headers_to_remove(incoming.head);
    remove.extend(rewritten_headers(&gateway.rewriting, incoming.head));
    // What comes later takes the place of what came before.
    let mut set = configured_headers(gateway, incoming.head.target);
    set.extend(identity_headers(&signed_in.entry, incoming.realm.provider.idp()));
    set.extend(origin_headers(incoming.head, &gateway.public_origin));
    match forwarded_cookies(incoming.head) {
        None => {}
        Some(None) => remove.push("cookie".to_owned()),
        Some(Some(others)) => set.push((Cow::Borrowed("cookie"), others)),
    }
    ForwardPlan {
        destination: origin_destination(gateway, incoming.head.target),
        remove,
        set,
        timeout: gateway.origin_timeout,
        may_be_cached: false,
        reconsider: None,
        answer: AnswerEdits { set_cookie: rolled(incoming, signed_in), ..origin_answer(gateway) },
        carried: None,
    }
}

/// A new session cookie once half the idle window has passed and a person, not a script in the background, is there.
pub(super) fn rolled<R: Runtime>(incoming: &Incoming<'_, R>, signed_in: &SignedIn) -> Vec<String> {
    if !incoming.head.is_navigation() {
        return Vec::new();
    }
    let rolled = signed_in.session.rolled(incoming.now, &incoming.app.config.session);
    let cookie = |session: Session| session.cookie(&incoming.realm.ring, incoming.runtime.random(), incoming.now);
    rolled.map(cookie).into_iter().collect()
}
