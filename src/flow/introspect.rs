//! Asking the OP about an access token (RFC 7662). What it says is remembered for a while, the yes and the no.
//!
//! Whoever sends garbage makes a call of the OP each time, and no OP takes those without end. So only so many may go
//! without a yes within a while ([`Introspections::begin`]); after that, tokens that are not known wait.

use std::rc::Rc;

use serde_json::Value;
use url::Url;

use super::log::{self, Event};
use super::{Incoming, bearer, client_authentication, documents};
use crate::config::Bearer;
use crate::error::{AccessTokenFault, Error, OpFault};
use crate::memory::{BearerTokenKey, Introspections, JudgedBy};
use crate::oidc::bearer::BearerCredential;
use crate::oidc::bearer_token::BearerToken;
use crate::oidc::introspection::{self, ExpectedIntrospection, IntrospectionFault, UntrustedIntrospection};
use crate::oidc::metadata::Metadata;
use crate::runtime::Runtime;

/// The token, if the OP says that it is active and it is for us. An OP that cannot answer says nothing against it.
pub(super) async fn ask<R: Runtime>(
    incoming: &Incoming<'_, R>,
    bearer: &Bearer,
    credential: &BearerCredential,
) -> Result<(BearerTokenKey, Rc<BearerToken>), Error> {
    let metadata = documents::metadata(incoming).await?;
    let endpoint = metadata.introspection_endpoint.as_ref();
    let endpoint = endpoint.ok_or(Error::OpMisbehaved(OpFault::NoIntrospection))?;
    let (memory, now) = (&incoming.realm.memory, incoming.now);
    let key = bearer::key(incoming, JudgedBy::Endpoint(endpoint), credential);
    if memory.introspections.is_refused(key, now) {
        return Err(Error::AccessTokenRejected(AccessTokenFault::RefusedBefore));
    }
    begin(incoming, &memory.introspections)?;
    let answer = answer(incoming, (&metadata, endpoint), credential).await.inspect_err(|error| {
        if let Error::OpUnreachable(fault) = error {
            memory.introspections.failed(*fault, now);
        }
    })?;
    match judged(incoming, bearer, &metadata, &answer) {
        Ok(token) => {
            memory.introspections.believed();
            let until = token.believed_until(now, bearer.introspection_cache);
            Ok((key, memory.bearer_tokens.remember(key, token, until)))
        }
        Err(fault @ (IntrospectionFault::Malformed | IntrospectionFault::TooLong)) => {
            Err(Error::OpMisbehaved(OpFault::Introspection(fault)))
        }
        Err(
            fault @ (IntrospectionFault::Claims(_)
            | IntrospectionFault::Inactive
            | IntrospectionFault::TokenTypeRefused),
        ) => {
            memory.introspections.refused(key, now);
            Err(Error::AccessTokenRejected(AccessTokenFault::Introspection(fault)))
        }
    }
}

fn begin<R: Runtime>(incoming: &Incoming<'_, R>, introspections: &Introspections) -> Result<(), Error> {
    introspections.begin(incoming.now).map_err(|pause| {
        if pause.is_news {
            log::happened(incoming, Event::IntrospectionPaused, None, Value::Null);
        }
        Error::OpUnreachable(pause.fault)
    })
}

/// The body of a 200.
async fn answer<R: Runtime>(
    incoming: &Incoming<'_, R>,
    (metadata, endpoint): (&Metadata, &Url),
    credential: &BearerCredential,
) -> Result<Vec<u8>, Error> {
    let parameters = introspection::parameters(credential.secret().expose());
    let response = client_authentication::post(incoming, metadata, endpoint, &parameters).await?;
    match (response.status, documents::outage(&response, incoming.now)) {
        (200, _) => Ok(response.body),
        (_, Some(fault)) => Err(Error::OpUnreachable(fault)),
        // It is about us, not about the token (§2.3).
        (status @ 400..=403, None) => Err(Error::OpRefused(format!("introspection endpoint, status {status}"))),
        (status, None) => Err(Error::OpMisbehaved(OpFault::Status("introspection", status))),
    }
}

fn judged<R: Runtime>(
    incoming: &Incoming<'_, R>,
    bearer: &Bearer,
    metadata: &Metadata,
    answer: &[u8],
) -> Result<BearerToken, IntrospectionFault> {
    let provider = &incoming.realm.provider;
    let expected = ExpectedIntrospection {
        issuer: &metadata.issuer,
        audiences: &bearer.audiences,
        now: incoming.runtime.now(),
        skew: provider.clock_skew,
    };
    UntrustedIntrospection::parse(answer)?.accept(&expected)
}
