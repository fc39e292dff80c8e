//! Logout: removes the account from the store, then sends the browser to the OP (RP-Initiated Logout 1.0).
//!
//! Removal comes first and must succeed: a user is told "signed out" only when nothing of the account is left here.

use std::rc::Rc;

use serde_json::Value;

use super::log::{self, Event};
use super::sign_out::{self, Farewell};
use super::{Incoming, authenticate, documents, revoke, user_flow};
use crate::answer::{Action, Answer, Page};
use crate::config::SignOutScope;
use crate::error::Error;
use crate::oidc::end_session::EndSessionRequest;
use crate::oidc::user_flow::UserFlow;
use crate::request::Method;
use crate::runtime::Runtime;
use crate::session::cookie::{CookieName, Cookies};
use crate::session::entry::TokenCacheEntry;
use crate::session::keys::Purpose;
use crate::session::session::Session;
use crate::time::Lifetime;

/// `/.auth/logout`: a POST or GET from a page of ours signs out; any other GET asks first, so that no other site can
/// sign a user out with a link or an image.
pub(super) async fn requested<R: Runtime>(incoming: &Incoming<'_, R>) -> Result<Answer, Error> {
    incoming.only(&[Method::Get, Method::Post], "GET, POST")?;
    let typed = incoming.head.header("sec-fetch-site") == Some("none");
    if !incoming.is_ours() || typed {
        if incoming.head.method == Method::Post {
            return Err(Error::UntrustedOrigin);
        }
        return Ok(asking(incoming));
    }
    let others = end_others(incoming, incoming.app.config.session.sign_out_scope).await?;
    Ok(with_cookies(end_own(incoming).await?, others))
}

/// Ends the session of the request's realm, and sends the browser to its provider.
async fn end_own<R: Runtime>(incoming: &Incoming<'_, R>) -> Result<Answer, Error> {
    let cookie = CookieName::Session(incoming.realm.ring.label()).expire();
    // By the cookie alone: after a removal that failed, the user signs out again and must not be told that it is done.
    let Ok(session) = authenticate::opened(incoming) else {
        // Nobody is signed in here; the OP, if it is clear which, may still know the user, and the cookie may be a remnant.
        let is_known = !incoming.app.has_several_realms();
        let answer = if is_known { leave(incoming, None).await } else { signed_out(incoming) };
        return Ok(answer.with("set-cookie", cookie));
    };
    let farewell = end(incoming, &session, incoming.app.config.session.sign_out_scope).await;
    let entry = gone(incoming, &session, farewell)?;
    Ok(leave(incoming, entry.as_deref()).await.with("set-cookie", cookie))
}

/// Ends the sessions that the browser has with other providers: whoever signs out is signed in nowhere. The providers
/// themselves are not visited, one cannot go to several. Returns what deletes their cookies.
async fn end_others<R: Runtime>(incoming: &Incoming<'_, R>, scope: SignOutScope) -> Result<Vec<String>, Error> {
    let mut cookies = Vec::new();
    for realm in incoming.app.realms().filter(|realm| !std::ptr::eq(*realm, incoming.realm)) {
        let label = realm.ring.label();
        if !Cookies::parse(incoming.head.header("cookie")).has_session(label) {
            continue;
        }
        let other = incoming.within(realm);
        if let Ok(session) = authenticate::opened(&other) {
            let farewell = end(&other, &session, scope).await;
            gone(&other, &session, farewell)?;
        }
        cookies.push(CookieName::Session(label).expire());
    }
    Ok(cookies)
}

fn with_cookies(answer: Answer, cookies: Vec<String>) -> Answer {
    cookies.into_iter().fold(answer, |answer, cookie| answer.with("set-cookie", cookie))
}

/// What signing out ends.
async fn end<R: Runtime>(incoming: &Incoming<'_, R>, session: &Session, scope: SignOutScope) -> Farewell {
    match scope {
        SignOutScope::Account => sign_out::account(incoming, session).await,
        SignOutScope::Session => sign_out::session(incoming, session, None).await,
    }
}

/// Ends every session of the account for a user who looks at them, whatever signing out means otherwise; and of the
/// accounts that the browser has sessions of with other providers.
pub(super) async fn everywhere<R: Runtime>(incoming: &Incoming<'_, R>, session: &Session) -> Result<Answer, Error> {
    let others = end_others(incoming, SignOutScope::Account).await?;
    let farewell = sign_out::account(incoming, session).await;
    Ok(with_cookies(left(incoming, session, farewell).await?, others))
}

/// Ends the session in which its user looks at all of them.
pub(super) async fn here<R: Runtime>(incoming: &Incoming<'_, R>, session: &Session) -> Result<Answer, Error> {
    let farewell = sign_out::session(incoming, session, None).await;
    left(incoming, session, farewell).await
}

/// `/signout-callback-oidc`: the browser is back from the OP.
pub(super) fn returned<R: Runtime>(incoming: &Incoming<'_, R>) -> Result<Answer, Error> {
    incoming.only(&[Method::Get], "GET")?;
    let expected = Cookies::parse(incoming.head.header("cookie"))
        .logout(incoming.realm.ring.label())
        .and_then(|sealed| {
            incoming
                .realm
                .ring
                .open(Purpose::LogoutState, &CookieName::Logout(incoming.realm.ring.label()).text(), &sealed)
                .ok()
        })
        .map(|(_, state)| state);
    let state = incoming.parameter("state");
    let matches = expected
        .zip(state)
        .is_some_and(|(expected, state)| subtle::ConstantTimeEq::ct_eq(expected.as_slice(), state.as_bytes()).into());
    if !matches {
        return Err(Error::LogoutResponseInvalid);
    }
    log::happened(incoming, Event::LogoutReturned, None, Value::Null);
    Ok(signed_out(incoming).with("set-cookie", CookieName::Logout(incoming.realm.ring.label()).expire()))
}

/// Asks before it signs out: no other site can make a user press this button.
fn asking<R: Runtime>(incoming: &Incoming<'_, R>) -> Answer {
    let text = match incoming.app.config.session.sign_out_scope {
        SignOutScope::Account => "You will be signed out of this application on all your devices.",
        SignOutScope::Session => "You will be signed out of this application in this browser.",
    };
    let logout = incoming.auth_url("logout");
    let page = Page { title: "Sign out?", text, action: Some(Action::Post("Sign out", &logout)), trace: None };
    Answer::page(200, &page)
}

/// A person goes on to the OP; a script is told that it is done.
async fn left<R: Runtime>(incoming: &Incoming<'_, R>, session: &Session, farewell: Farewell) -> Result<Answer, Error> {
    let entry = gone(incoming, session, farewell)?;
    let is_person = incoming.head.is_navigation();
    let answer = if is_person { leave(incoming, entry.as_deref()).await } else { Answer::empty(204) };
    Ok(answer.with("set-cookie", CookieName::Session(incoming.realm.ring.label()).expire()))
}

/// The last entry, if all is removed. Its refresh token goes back to the OP in any case: the sessions are over.
fn gone<R: Runtime>(
    incoming: &Incoming<'_, R>,
    session: &Session,
    farewell: Farewell,
) -> Result<Option<Rc<TokenCacheEntry>>, Error> {
    revoke::begin(incoming, farewell.entry.as_deref());
    farewell.outcome?;
    log::happened(incoming, Event::LogoutCompleted, Some(session), Value::Null);
    Ok(farewell.entry)
}

/// Sends the browser to the OP to end its session there; without such an endpoint the sign-out ends here.
async fn leave<R: Runtime>(incoming: &Incoming<'_, R>, entry: Option<&TokenCacheEntry>) -> Answer {
    let provider = &incoming.realm.provider;
    let user_flow = entry.map_or(UserFlow::SignIn, |entry| user_flow::of(provider, entry));
    let incoming = &incoming.in_flow(user_flow);
    // The account is removed: an OP that cannot be reached must not turn that into an error.
    let metadata = documents::metadata(incoming).await.ok();
    let Some(endpoint) = metadata.as_ref().and_then(|metadata| metadata.end_session_endpoint.as_ref()) else {
        return signed_out(incoming);
    };
    let state = super::hex(&incoming.runtime.random::<16>());
    let location = EndSessionRequest {
        client_id: &provider.client_id,
        id_token_hint: entry.and_then(|entry| entry.id_token.as_ref()).map(|token| token.expose().as_str()),
        logout_hint: entry.and_then(|entry| entry.claim("login_hint")),
        post_logout_redirect_uri: &incoming.public_url(&provider.paths.signed_out_callback),
        state: &state,
    }
    .url(endpoint);
    let place = CookieName::Logout(incoming.realm.ring.label()).text();
    let sealed = incoming.realm.ring.seal(Purpose::LogoutState, &place, state.as_bytes(), incoming.runtime.random());
    Answer::redirect(303, location.into())
        .with("set-cookie", CookieName::Logout(incoming.realm.ring.label()).set(&sealed, LOGOUT_LIFETIME))
}

/// The end: the configured page, or our own.
fn signed_out<R: Runtime>(incoming: &Incoming<'_, R>) -> Answer {
    if let Some(uri) = &incoming.realm.provider.signed_out_redirect_uri {
        let location = if uri.starts_with('/') { incoming.public_url(uri) } else { uri.clone() };
        return Answer::redirect(303, location);
    }
    let home = incoming.public_url("/");
    let page = Page {
        title: "You are signed out",
        text: "Your tokens have been removed from this application.",
        action: Some(Action::Link("Sign in again", &home)),
        trace: None,
    };
    Answer::page(200, &page)
}

/// How long a browser may take to come back from the OP.
const LOGOUT_LIFETIME: Lifetime = Lifetime::from_seconds(900);
