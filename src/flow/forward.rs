//! Forwarding: to the origin with the user's identity, to a downstream API with an access token.
//!
//! The `at_once` halves decide without waiting, from this isolate's memory; the others end in the same plan.

use super::Incoming;
use super::acquire;
use super::authenticate::{self, SignedIn};
use crate::config::Api;
use crate::error::Error;
use crate::forwarding::{
    AnswerEdits, ForwardPlan, forwarded_cookies, headers_to_remove, identity_headers, origin_headers,
};
use crate::request::Target;
use crate::runtime::Runtime;
use crate::secret::Secret;
use crate::session::cookie::CookieName;
use crate::session::entry::Lookup;

/// The plan for an API call whose token is in memory and outside its expiry window.
pub(super) fn api_at_once<R: Runtime>(incoming: &Incoming<'_, R>, api: &Api, target: Target<'_>) -> Option<ForwardPlan> {
    if !is_ours(incoming) {
        return None;
    }
    let signed_in = authenticate::at_once(incoming)?;
    match acquire::lookup(&signed_in.entry, api, incoming.now) {
        Lookup::Fresh(cached) => Some(api_plan(incoming, &signed_in, api, target, &cached.token)),
        Lookup::Expiring(_) | Lookup::Missing => None,
    }
}

/// Calls a downstream API for the signed-in user.
pub(super) async fn to_api<R: Runtime>(
    incoming: &Incoming<'_, R>,
    inbound: &R::Inbound,
    api: &Api,
    target: Target<'_>,
) -> Result<R::Forwarded, Error> {
    let signed_in = authenticate::signed_in(incoming).await?;
    if !is_ours(incoming) {
        return Err(Error::UntrustedOrigin);
    }
    // Before the body: it cannot be sent twice.
    let token = acquire::access_token(incoming, &signed_in, api).await?;
    let plan = api_plan(incoming, &signed_in, api, target, &token);
    let forwarded = incoming.runtime.forward(inbound, &plan).await;
    forwarded.map_err(|fault| Error::ApiUnreachable(api.name.clone(), fault))
}

/// The plan for a request to the origin by a user whom memory vouches for.
pub(super) fn origin_at_once<R: Runtime>(incoming: &Incoming<'_, R>) -> Option<ForwardPlan> {
    if !incoming.head.method.is_safe() && !is_ours(incoming) {
        return None;
    }
    authenticate::at_once(incoming).map(|signed_in| origin_plan(incoming, &signed_in))
}

/// Passes a request of the signed-in user to the origin.
pub(super) async fn to_origin<R: Runtime>(
    incoming: &Incoming<'_, R>,
    inbound: &R::Inbound,
) -> Result<R::Forwarded, Error> {
    let signed_in = authenticate::signed_in(incoming).await?;
    if !incoming.head.method.is_safe() && !is_ours(incoming) {
        return Err(Error::UntrustedOrigin);
    }
    let plan = origin_plan(incoming, &signed_in);
    incoming.runtime.forward(inbound, &plan).await.map_err(Error::OriginUnreachable)
}

fn is_ours<R: Runtime>(incoming: &Incoming<'_, R>) -> bool {
    incoming.head.is_same_origin(&incoming.app.config.gateway.public_origin)
}

fn api_plan<R: Runtime>(
    incoming: &Incoming<'_, R>,
    signed_in: &SignedIn,
    api: &Api,
    target: Target<'_>,
    token: &Secret,
) -> ForwardPlan {
    let mut remove = headers_to_remove(incoming.head);
    // The cookies of our origin are not the API's business, and neither is where its caller is.
    remove.extend(["cookie", "origin", "referer"].map(str::to_owned));
    ForwardPlan {
        url: target.under(&api.base_url),
        remove,
        set: vec![("authorization", format!("Bearer {}", token.expose()))],
        timeout: api.timeout,
        reconsider: false,
        answer: AnswerEdits { set_cookie: rolled(incoming, signed_in), drop_cookies: true, force_no_store: true },
    }
}

fn origin_plan<R: Runtime>(incoming: &Incoming<'_, R>, signed_in: &SignedIn) -> ForwardPlan {
    let config = &incoming.app.config;
    let mut remove = headers_to_remove(incoming.head);
    let mut set = identity_headers(&signed_in.entry, config.provider.name);
    set.extend(origin_headers(incoming.head, &config.gateway.public_origin));
    match forwarded_cookies(incoming.head) {
        None => {}
        Some(None) => remove.push("cookie".to_owned()),
        Some(Some(others)) => set.push(("cookie", others)),
    }
    ForwardPlan {
        url: incoming.head.target.under(&config.gateway.origin),
        remove,
        set,
        timeout: config.gateway.origin_timeout,
        reconsider: false,
        answer: AnswerEdits { set_cookie: rolled(incoming, signed_in), drop_cookies: false, force_no_store: false },
    }
}

/// A new session cookie once half the idle window has passed and a person, not a script in the background, is there.
fn rolled<R: Runtime>(incoming: &Incoming<'_, R>, signed_in: &SignedIn) -> Vec<String> {
    if !incoming.head.is_navigation() {
        return Vec::new();
    }
    let Some(session) = signed_in.session.rolled(incoming.now, &incoming.app.config.session) else { return Vec::new() };
    let sealed = session.seal(&incoming.app.ring, incoming.runtime.random());
    vec![CookieName::Session.set(&sealed, session.expires_at().since(incoming.now))]
}
