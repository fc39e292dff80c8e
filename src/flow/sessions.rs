//! `/.auth/sessions`: an end-user's own sessions, to look at and to end. A page for people, JSON for scripts.

use serde_json::Value;

use super::account::Listed;
use super::log::{self, Event};
use super::{Incoming, account, authenticate, logout, sign_out};
use crate::answer::{Answer, Row};
use crate::error::Error;
use crate::json::{Json, members, members_and_nulls};
use crate::request::Method;
use crate::runtime::Runtime;
use crate::session::session::{Session, SessionId};

/// All of them: GET shows them, POST and DELETE end them.
pub(super) async fn all<R: Runtime>(incoming: &Incoming<'_, R>) -> Result<Answer, Error> {
    incoming.only(&[Method::Get, Method::Head, Method::Post, Method::Delete], "GET, HEAD, POST, DELETE")?;
    let session = current(incoming).await?;
    if !incoming.head.method.is_safe() {
        return logout::everywhere(incoming, &session).await;
    }
    let own = session.id.to_text();
    let listed = in_order(account::sessions(incoming, &session).await?, &own);
    if incoming.head.is_navigation() {
        let rows: Vec<_> = listed.iter().map(|listed| row(incoming, listed, &own)).collect();
        return Ok(Answer::sessions(&rows, &incoming.auth_url("sessions"), &incoming.public_url("/")));
    }
    let sessions: Vec<Value> = listed.iter().map(|listed| entry(incoming, listed, &own)).collect();
    Ok(Answer::json(200, &members([("sessions", sessions.into())])))
}

/// One: POST and DELETE end it.
pub(super) async fn one<R: Runtime>(incoming: &Incoming<'_, R>, id: &str) -> Result<Answer, Error> {
    incoming.only(&[Method::Post, Method::Delete], "POST, DELETE")?;
    let session = current(incoming).await?;
    let id = SessionId::parse(id).ok_or(Error::NoSuchRoute)?;
    if id == session.id {
        return logout::here(incoming, &session).await;
    }
    // Only those of the same account are looked for; one that is over already is what was wanted.
    sign_out::by_id(incoming, session.account, id).await?;
    // The page may be from before another session counted.
    for realm in incoming.app.realms().filter(|realm| !std::ptr::eq(*realm, incoming.realm)) {
        let other = incoming.within(realm);
        let Ok(session) = current(&other).await else { continue };
        if id == session.id {
            return logout::here(&other, &session).await;
        }
        sign_out::by_id(&other, session.account, id).await?;
    }
    log::happened(incoming, Event::SessionEnded, Some(&Session { id, ..session }), Value::Null);
    if incoming.head.is_navigation() {
        return Ok(Answer::redirect(303, incoming.auth_url("sessions")));
    }
    Ok(Answer::empty(204))
}

/// Whoever asks, as its keeper knows it now: a session that ended elsewhere a moment ago ends no others.
async fn current<R: Runtime>(incoming: &Incoming<'_, R>) -> Result<Session, Error> {
    let session = authenticate::signed_in(incoming).await?.session;
    if !incoming.head.method.is_safe() && !incoming.is_ours() {
        return Err(Error::UntrustedOrigin);
    }
    account::read(incoming, &session).await?;
    Ok(session)
}

/// This one first, then the latest.
fn in_order(listed: Vec<Listed>, own: &str) -> Vec<Listed> {
    let is_before = |one: &Listed, other: &Listed| {
        other.id != own && (one.id == own || one.metadata.created > other.metadata.created)
    };
    // One by one into place: there are few, and the code of a real sort is longer than all of this page's.
    listed.into_iter().fold(Vec::new(), |mut sorted, next| {
        let place = sorted.iter().position(|other| is_before(&next, other)).unwrap_or(sorted.len());
        sorted.insert(place, next);
        sorted
    })
}

fn row<R: Runtime>(incoming: &Incoming<'_, R>, listed: &Listed, own: &str) -> Row {
    Row {
        device: listed.metadata.device.clone(),
        country: listed.metadata.country.clone(),
        began: listed.metadata.created,
        is_own: listed.id == own,
        end_url: url(incoming, listed),
    }
}

fn entry<R: Runtime>(incoming: &Incoming<'_, R>, listed: &Listed, own: &str) -> Value {
    members_and_nulls([
        ("id", listed.id.as_str().into()),
        ("current", (listed.id == own).into()),
        ("created", listed.metadata.created.to_json()),
        ("expires", listed.metadata.expires.to_json()),
        ("device", listed.metadata.device.as_str().into()),
        ("country", listed.metadata.country.as_deref().into()),
        ("url", url(incoming, listed).into()),
    ])
}

fn url<R: Runtime>(incoming: &Incoming<'_, R>, listed: &Listed) -> String {
    incoming.auth_url(&format!("sessions/{}", listed.id))
}
