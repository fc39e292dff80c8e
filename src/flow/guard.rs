//! What a route rule demands of a request beyond a session: where it comes from, what the claims say, and how its user
//! signed in.

use serde_json::{Map, Value};

use super::{Incoming, cors};
use crate::error::Error;
use crate::rules::{Rule, StepUp};
use crate::runtime::Runtime;
use crate::time::{Lifetime, Timestamp};

/// Whether a request that carries a session may be what it is: no other site may send one that changes something or opens
/// a WebSocket, through which the page that opened it would read and write as the user.
pub(super) fn origin<R: Runtime>(incoming: &Incoming<'_, R>, rule: &Rule) -> Result<(), Error> {
    let must_be_ours = !incoming.head.method.is_safe() || incoming.head.is_websocket();
    if must_be_ours && rule.has_anti_forgery { page(incoming, rule) } else { Ok(()) }
}

/// Whether a page sent the request that may: one of ours, or of an origin that the rule lists.
pub(super) fn page<R: Runtime>(incoming: &Incoming<'_, R>, rule: &Rule) -> Result<(), Error> {
    let is_ours = incoming.is_ours() || cors::allowed(incoming.head, rule).is_some();
    if is_ours { Ok(()) } else { Err(Error::UntrustedOrigin) }
}

/// Whether claims and sign-in are what the rule demands.
pub(super) fn claims<R: Runtime>(
    incoming: &Incoming<'_, R>,
    rule: &Rule,
    claims: &Map<String, Value>,
) -> Result<(), Error> {
    if rule.require.as_ref().is_some_and(|require| !require.holds(claims)) {
        return Err(Error::Forbidden { rule: rule.name.clone(), hides: rule.hides });
    }
    match &rule.step_up {
        Some(step_up) if !is_met(step_up, claims, incoming.now, incoming.realm.provider.clock_skew) => {
            Err(Error::StepUpRequired(rule.name.clone(), step_up.clone()))
        }
        Some(_) | None => Ok(()),
    }
}

/// Whether a sign-in with these claims is good enough now. What the OP does not say counts as no.
pub(super) fn is_met(step_up: &StepUp, claims: &Map<String, Value>, now: Timestamp, skew: Lifetime) -> bool {
    let acr = claims.get("acr").and_then(Value::as_str);
    let auth_time = claims.get("auth_time").and_then(Value::as_u64).map(Timestamp::from_unix);
    let has_acr =
        step_up.acr_values.is_empty() || acr.is_some_and(|acr| step_up.acr_values.iter().any(|own| own == acr));
    let is_recent = |age: Lifetime| auth_time.is_some_and(|moment| now <= moment + age + skew);
    has_acr && step_up.max_age.is_none_or(is_recent)
}
