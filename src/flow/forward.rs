//! Forwarding to the origin, with the identity of whoever sends the request.
//!
//! The `at_once` half decides without waiting, from this isolate's memory; the other ends in the same plan.

use std::rc::Rc;

use super::at_once::AtOnce;
use super::authenticate::{self, SignedIn};
use super::log::{self, Event};
use super::standing::Standing;
use super::{Incoming, account, assertion, bearer, cors, guard};
use crate::error::Error;
use crate::forwarding::{Carried, ForwardPlan, headers_to_origin, origin_answer, origin_destination, stripped};
use crate::identity::Identity;
use crate::json::members;
use crate::oidc::bearer_token::BearerToken;
use crate::rules::{Access, Rule};
use crate::runtime::Runtime;
use crate::session::cookie::CookieName;
use crate::session::session::Session;
use crate::time::Timestamp;

/// Who sends a request to the origin.
enum Sender {
    /// A program with an access token.
    Client(Rc<BearerToken>),
    /// Nobody who is known.
    Nobody,
    /// A browser whose session is over; what deletes its cookie.
    Left(String),
    /// A signed-in browser.
    User(SignedIn),
}

impl Sender {
    fn identity(&self) -> Option<Identity<'_>> {
        match self {
            Self::Client(token) => Some(Identity::of_token(token)),
            Self::Left(_) | Self::Nobody => None,
            Self::User(SignedIn { session, entry }) => Some(Identity::of_user(entry, session.id)),
        }
    }
}

/// The plan for a request to the origin that needs nothing but this isolate's memory, and by what it stands.
pub(super) fn at_once<R: Runtime>(incoming: &Incoming<'_, R>, rule: &Rule) -> Option<AtOnce> {
    // A signature has to be waited for.
    if assertion::is_wanted(incoming) {
        return None;
    }
    let sender = match rule.access {
        Access::Anonymous => Sender::Nobody,
        Access::Optional if !authenticate::has_cookie(incoming) => Sender::Nobody,
        Access::Api | Access::Login | Access::Optional => Sender::User(authenticate::at_once_for(incoming, rule)?),
        Access::Bearer => Sender::Client(bearer::at_once(incoming)?.token),
    };
    judged(incoming, rule, &sender).ok()?;
    let standing = standing(incoming, rule, &sender);
    Some(AtOnce { plan: origin_plan(incoming, rule, &sender), standing })
}

/// A plan for a signed-in browser stands as long as its session, and one for nobody for ever.
fn standing<R: Runtime>(incoming: &Incoming<'_, R>, rule: &Rule, sender: &Sender) -> Option<Standing> {
    let rest = stripped(&incoming.app.config.gateway.rewriting, incoming.head.target).0.length();
    match sender {
        Sender::Client(_) | Sender::Left(_) => None,
        Sender::Nobody => Some(Standing::for_anybody(rest)),
        Sender::User(signed_in) => Standing::for_user(incoming, rule, signed_in, (Timestamp::MAX, rest)),
    }
}

/// Passes a request to the origin, if the rule lets it.
pub(super) async fn serve<R: Runtime>(
    incoming: &Incoming<'_, R>,
    inbound: &R::Inbound,
    rule: &Rule,
) -> Result<R::Forwarded, Error> {
    let sender = match rule.access {
        Access::Anonymous => Sender::Nobody,
        Access::Api | Access::Login => Sender::User(authenticate::signed_in_for(incoming, rule).await?),
        Access::Bearer => Sender::Client(bearer::authenticated(incoming).await?.token),
        Access::Optional => if_any(incoming, rule).await?,
    };
    judged(incoming, rule, &sender)?;
    let mut plan = origin_plan(incoming, rule, &sender);
    plan.carried = match &sender {
        Sender::Client(token) => bearer::carried(incoming, token),
        Sender::Left(_) | Sender::Nobody => None,
        Sender::User(signed_in) => carried(incoming, signed_in)?,
    };
    let plan = assertion::added(incoming, plan, sender.identity().as_ref()).await?;
    incoming.runtime.forward(inbound, &plan).await.map_err(Error::OriginUnreachable)
}

/// Whoever is signed in, where nobody needs to be. A session that is over is not the same as none: its cookie goes. One
/// that cannot be known to be over is no reason to take a user for a stranger.
async fn if_any<R: Runtime>(incoming: &Incoming<'_, R>, rule: &Rule) -> Result<Sender, Error> {
    match authenticate::signed_in_for(incoming, rule).await {
        Ok(signed_in) => Ok(Sender::User(signed_in)),
        Err(Error::LoginRequired) => Ok(Sender::Nobody),
        Err(error @ Error::SessionEnded(_)) => {
            let details = members([("code", error.code().into()), ("reason", error.to_string().into())]);
            log::happened(incoming, Event::SessionLeft, authenticate::opened(incoming).ok().as_ref(), details);
            Ok(Sender::Left(CookieName::Session(incoming.realm.ring.label()).expire()))
        }
        Err(error) => Err(error),
    }
}

/// Whether the rule lets them do this.
fn judged<R: Runtime>(incoming: &Incoming<'_, R>, rule: &Rule, sender: &Sender) -> Result<(), Error> {
    match sender {
        Sender::Client(token) => bearer::judged(incoming, rule, token),
        Sender::Left(_) | Sender::Nobody => Ok(()),
        Sender::User(signed_in) => guard::user(incoming, rule, &signed_in.entry.claims),
    }
}

/// For whom a WebSocket is carried that the request opens.
pub(super) fn carried<R: Runtime>(incoming: &Incoming<'_, R>, signed_in: &SignedIn) -> Result<Option<Carried>, Error> {
    if !incoming.head.is_websocket() {
        return Ok(None);
    }
    let session = &signed_in.session;
    let has_objects = incoming.app.config.has_account_objects;
    let object = has_objects.then(|| account::object_name(incoming, session)).transpose()?;
    Ok(Some(Carried { session: Some(session.id), object, ends_at: session.absolute_expires_at }))
}

fn origin_plan<R: Runtime>(incoming: &Incoming<'_, R>, rule: &Rule, sender: &Sender) -> ForwardPlan {
    let config = &incoming.app.config;
    let gateway = &config.gateway;
    let identity = sender.identity();
    let known = identity.as_ref().map(|identity| (identity, incoming.realm.provider.idp()));
    let (remove, set) = headers_to_origin(gateway, incoming.head, incoming.public_origin, known);
    let mut answer = origin_answer(gateway);
    cors::edit(&mut answer, incoming.head, rule);
    answer.set_cookie = match sender {
        Sender::Client(_) | Sender::Nobody => Vec::new(),
        Sender::Left(deleted) => vec![deleted.clone()],
        Sender::User(signed_in) => rolled(incoming, signed_in),
    };
    ForwardPlan {
        destination: origin_destination(gateway, incoming.public_origin, incoming.head.target),
        remove,
        set,
        timeout: rule.timeout.unwrap_or(gateway.origin_timeout),
        may_be_cached: rule.access == Access::Anonymous,
        reconsider: None,
        answer,
        carried: None,
        measure: None,
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
