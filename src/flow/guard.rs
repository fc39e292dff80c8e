//! What a route rule demands of a request beyond a session: where it comes from, what the claims say, and how its user
//! signed in. No I/O and no clock: the command `explain` judges by the same functions.

use serde_json::{Map, Value};
use url::Url;

use super::{Incoming, cors};
use crate::error::Error;
use crate::request::RequestHead;
use crate::rules::{Access, Rule, StepUp};
use crate::runtime::Runtime;
use crate::time::{Lifetime, Timestamp};

/// A request with its rule, at one moment.
#[derive(Clone, Copy)]
pub(crate) struct Guarded<'a> {
    pub(crate) head: &'a RequestHead<'a>,
    pub(crate) rule: &'a Rule,
    /// The origin that it was made to.
    pub(crate) public_origin: &'a Url,
    pub(crate) now: Timestamp,
    /// The tolerance for the times in tokens of whoever signed the user in.
    pub(crate) skew: Lifetime,
}

/// Whether a request that carries a session may be what it is, by where it comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum AntiForgery {
    /// As far as its headers tell, a page sent it that may not.
    Failed,
    /// A page of an origin that the rule lists sent it.
    Listed,
    /// Nothing changes and nothing can be read by whoever caused it.
    NotNeeded,
    /// The rule does without.
    Off,
    /// A page of ours sent it.
    Ours,
}

/// Whether the rule lets a signed-in user do this.
pub(super) fn user<R: Runtime>(
    incoming: &Incoming<'_, R>,
    rule: &Rule,
    claims: &Map<String, Value>,
) -> Result<(), Error> {
    guarded(incoming, rule).user(claims)
}

/// Whether claims and sign-in are what the rule demands.
pub(super) fn claims<R: Runtime>(
    incoming: &Incoming<'_, R>,
    rule: &Rule,
    claims: &Map<String, Value>,
) -> Result<(), Error> {
    guarded(incoming, rule).claims(claims)
}

fn guarded<'a, R: Runtime>(incoming: &'a Incoming<'_, R>, rule: &'a Rule) -> Guarded<'a> {
    Guarded {
        head: incoming.head,
        rule,
        public_origin: incoming.public_origin,
        now: incoming.now,
        skew: incoming.realm.provider.clock_skew,
    }
}

impl Guarded<'_> {
    /// Whether the rule lets a signed-in user do this: where the request comes from counts first.
    pub(crate) fn user(&self, claims: &Map<String, Value>) -> Result<(), Error> {
        if self.anti_forgery() == AntiForgery::Failed { Err(Error::UntrustedOrigin) } else { self.claims(claims) }
    }

    /// No other site may send a request that changes something or opens a WebSocket, through which the page that opened
    /// it would read and write as the user; nor any request to what only programs ask.
    pub(crate) fn anti_forgery(&self) -> AntiForgery {
        let is_program = self.rule.access == Access::Api;
        if !is_program && self.head.method.is_safe() && !self.head.is_websocket() {
            AntiForgery::NotNeeded
        } else if !self.rule.has_anti_forgery {
            AntiForgery::Off
        } else if self.head.is_same_origin(self.public_origin) {
            AntiForgery::Ours
        } else if cors::allowed(self.head, self.rule).is_some() {
            AntiForgery::Listed
        } else {
            AntiForgery::Failed
        }
    }

    /// Whether claims and sign-in are what the rule demands.
    pub(crate) fn claims(&self, claims: &Map<String, Value>) -> Result<(), Error> {
        let rule = self.rule;
        if rule.require.as_ref().is_some_and(|require| !require.holds(claims)) {
            return Err(Error::Forbidden { rule: rule.name.clone(), hides: rule.hides });
        }
        match &rule.step_up {
            Some(step_up) if !(has_acr(step_up, claims) && self.is_recent(step_up, claims)) => {
                Err(Error::StepUpRequired(rule.name.clone(), step_up.clone()))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Whether the end-user entered credentials recently enough. What the OP does not say counts as no.
    pub(crate) fn is_recent(&self, step_up: &StepUp, claims: &Map<String, Value>) -> bool {
        let auth_time = claims.get("auth_time").and_then(Value::as_u64).map(Timestamp::from_unix);
        let is_within = |age: Lifetime| auth_time.is_some_and(|moment| self.now <= moment + age + self.skew);
        step_up.max_age.is_none_or(is_within)
    }
}

/// Whether the sign-in reached one of the classes. What the OP does not say counts as no.
pub(crate) fn has_acr(step_up: &StepUp, claims: &Map<String, Value>) -> bool {
    let acr = claims.get("acr").and_then(Value::as_str);
    step_up.acr_values.is_empty() || acr.is_some_and(|acr| step_up.acr_values.iter().any(|own| own == acr))
}
