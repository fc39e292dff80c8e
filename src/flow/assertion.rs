//! The signed assertion to the origin, and the keys that verify it.

use std::borrow::Cow;

use super::{Incoming, log};
use crate::answer::Answer;
use crate::assertion;
use crate::claim_headers;
use crate::error::Error;
use crate::forwarding::ForwardPlan;
use crate::identity::Identity;
use crate::json::named;
use crate::request::Method;
use crate::runtime::Runtime;

/// Whether requests to the origin carry an assertion.
pub(super) const fn is_wanted<R: Runtime>(incoming: &Incoming<'_, R>) -> bool {
    incoming.context.app.config.gateway.assertion_audience.is_some()
}

/// The plan of a request to the origin with an assertion about it, where one is wanted: about whose request it is, and of
/// nobody's about the request alone. A request that cannot be signed is not forwarded.
pub(super) async fn added<R: Runtime>(
    incoming: &Incoming<'_, R>,
    mut plan: ForwardPlan,
    identity: Option<&Identity<'_>>,
) -> Result<ForwardPlan, Error> {
    note_left_out(incoming, identity);
    let config = &incoming.app.config;
    let Some(audience) = &config.gateway.assertion_audience else { return Ok(plan) };
    let request = assertion::Request {
        issuer: config.gateway.public_origin.as_str().trim_end_matches('/'),
        audience,
        method: incoming.head.method_name,
        url: plan.destination.url(),
        now: incoming.now,
        id: incoming.runtime.random(),
    };
    let mut claims = request.claims();
    if let Some(identity) = identity {
        claims.extend(assertion::identity_claims(identity));
    }
    let key = incoming.realm.ring.current().assertions();
    let input = assertion::signing_input(key, claims);
    let signature = incoming.runtime.sign(key, input.as_bytes()).await;
    let signature = signature.ok_or(Error::Bug("the platform does not sign"))?;
    plan.set.push((Cow::Borrowed(assertion::HEADER), assertion::compact(input, &signature)));
    Ok(plan)
}

/// Answers with the public keys, those of earlier `Session__Key`s among them, so that a rotation breaks no origin.
pub(super) async fn keys<R: Runtime>(incoming: &Incoming<'_, R>) -> Result<Answer, Error> {
    incoming.only(&[Method::Get, Method::Head], "GET, HEAD")?;
    let mut keys = Vec::new();
    for key in incoming.realm.ring.all() {
        let key = key.assertions();
        let point = incoming.runtime.public_point(key).await;
        keys.push(assertion::jwk(key, &point.ok_or(Error::Bug("the platform gives no public key"))?));
    }
    Ok(Answer::public_json(&named("keys", keys.into()), MAX_AGE))
}

/// Logs once what the origin is not told because it is too long.
fn note_left_out<R: Runtime>(incoming: &Incoming<'_, R>, identity: Option<&Identity<'_>>) {
    let Some(identity) = identity else { return };
    let headers = claim_headers::left_out(identity.claims, &incoming.app.config.gateway.claim_headers);
    let claims = assertion::left_out(identity).filter(|_| is_wanted(incoming));
    for (kind, name) in headers.map(|name| ("header", name)).chain(claims.map(|name| ("claim", name))) {
        if incoming.realm.memory.is_left_out_anew(&[kind, name].join(" ")) {
            log::happened(incoming, log::Event::IdentityLeftOut, None, named(kind, name.into()));
        }
    }
}

/// In seconds.
const MAX_AGE: u64 = 300;
