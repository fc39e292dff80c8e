//! Assertions that somebody else signs for this client, from a service binding or a URL; kept until shortly before they
//! end.

use url::Url;

use super::Context;
use crate::config::{AssertionPlace, AssertionSource};
use crate::error::CredentialFault;
use crate::oidc::signed_assertion::SignedAssertion;
use crate::runtime::{OpRequest, Runtime};

/// The assertion that is at hand, or a new one.
pub(super) async fn acquire<R: Runtime>(
    context: &Context<'_, R>,
    position: usize,
    source: &AssertionSource,
) -> Result<String, CredentialFault> {
    let memory = &context.realm.memory.client_credentials;
    if let Some(assertion) = memory.assertion(position, context.runtime.now()) {
        return Ok(assertion.into_exposed());
    }
    let answer = ask(context, source).await?;
    let assertion = SignedAssertion::parse(&answer, context.runtime.now()).map_err(CredentialFault::Assertion)?;
    memory.remember_assertion(position, assertion.jwt.clone(), assertion.keep_until);
    Ok(assertion.jwt.into_exposed())
}

/// The body of a 200.
async fn ask<R: Runtime>(context: &Context<'_, R>, source: &AssertionSource) -> Result<Vec<u8>, CredentialFault> {
    let (mut url, service) = match &source.place {
        // The binding decides who is asked; a URL needs a host all the same.
        AssertionPlace::Service(name) => (Url::parse("https://assertion/").ok(), Some(name.as_str())),
        AssertionPlace::Url(url) => (Some(url.clone()), None),
    };
    if let (Some(url), Some(audience)) = (&mut url, &source.audience) {
        url.query_pairs_mut().append_pair("audience", audience);
    }
    let url = url.ok_or(CredentialFault::NotSigned)?;
    let mut request = OpRequest::get(url.as_str());
    let accepted = request.set("accept", "application/json, text/plain".to_owned());
    let authorized = source.token.as_ref().map_or(Ok(()), |token| request.authorize(token));
    accepted.and(authorized).map_err(|_| CredentialFault::NotSigned)?;
    let timeout = context.realm.provider.timeout;
    let response = match service {
        Some(service) => context.runtime.call_service(service, request, timeout).await,
        None => context.runtime.call_op(request, timeout).await,
    };
    let response = response.map_err(CredentialFault::Transport)?;
    match response.status {
        200 => Ok(response.body),
        status => Err(CredentialFault::Status(status)),
    }
}
