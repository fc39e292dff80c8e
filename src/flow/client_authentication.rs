//! Requests on which this client says who it is: to the token, revocation and introspection endpoints. The credentials
//! of the configuration are tried in their order, beginning with the one that this isolate knows to work.

use std::rc::Rc;

use url::Url;

use super::log::{self, Event};
use super::{Context, request_id, signed_assertion};
use crate::config::{AssertionAudience, ClientCredential};
use crate::error::{CredentialFault, Error};
use crate::json::members;
use crate::oidc::client_assertion::{self, ClientAssertion};
use crate::oidc::client_authentication::{ClientAuthentication, form};
use crate::oidc::client_key::ClientKey;
use crate::oidc::issuer::IssuerRule;
use crate::oidc::metadata::Metadata;
use crate::oidc::pfx::{OpenedPfx, Pfx};
use crate::oidc::token::{TokenError, TokenErrorCode};
use crate::runtime::{OpResponse, Runtime};
use crate::time::Lifetime;

/// Sends a form and returns the OP's answer, whatever it says. If that is `invalid_client`, the next credential is tried,
/// once: the OP refused before it looked at anything else, so that not even a code is used up (RFC 6749 §5.2).
pub(super) async fn post<R: Runtime>(
    context: &Context<'_, R>,
    metadata: &Metadata,
    endpoint: &Url,
    parameters: &[(&str, &str)],
) -> Result<OpResponse, Error> {
    let provider = &context.realm.provider;
    let memory = &context.realm.memory.client_credentials;
    let (first, count) = (memory.first(), provider.credentials.len());
    let mut refused: Option<(usize, OpResponse)> = None;
    let mut error = Error::Misconfigured;
    for position in (first..count).chain(0..first) {
        let authentication = match authentication(context, (metadata, endpoint), position).await {
            Ok(authentication) => authentication,
            Err(fault) => {
                error = fault.outage().map_or(error, Error::OpUnreachable);
                continue;
            }
        };
        let request = form(endpoint, (&provider.client_id, &authentication), parameters);
        let mut request = request.map_err(|_| Error::Bug("a request to the OP is malformed"))?;
        request_id::identify(context, &mut request);
        let response = context.call_op(request).await.map_err(Error::OpUnreachable)?;
        if is_client_refused(&response) {
            memory.forget_assertion(position);
            if refused.is_some() {
                break;
            }
            refused = Some((position, response));
            continue;
        }
        // What says nothing about the client says nothing about its credential either.
        if position != first && is_about_the_request(&response) {
            memory.begin_with(position);
            if let Some((refused, _)) = refused {
                let details = members([("credential", position.into()), ("refused", refused.into())]);
                log::happened(context, Event::ClientCredentialRolledOver, None, details);
            }
        }
        return Ok(response);
    }
    refused.map(|(_, response)| response).ok_or(error)
}

/// What a request carries; a key signs anew for each.
async fn authentication<'a, R: Runtime>(
    context: &'a Context<'_, R>,
    at: (&Metadata, &Url),
    position: usize,
) -> Result<ClientAuthentication<'a>, CredentialFault> {
    let memory = &context.realm.memory.client_credentials;
    let outcome = match context.realm.provider.credentials.get(position) {
        Some(ClientCredential::SecretBasic(secret)) => Ok(ClientAuthentication::SecretBasic(secret.expose())),
        Some(ClientCredential::SecretPost(secret)) => Ok(ClientAuthentication::SecretPost(secret.expose())),
        Some(ClientCredential::Key(key)) => signed(context, at, (position, key)).await,
        Some(ClientCredential::Pfx(pfx)) => match memory.opened(position) {
            // It was logged why.
            Some(None) => return Err(CredentialFault::KnownUnusable),
            Some(Some(key)) => signed(context, at, (position, &key)).await,
            None => match opened(context, position, pfx).await {
                Ok(key) => signed(context, at, (position, &key)).await,
                Err(fault) => Err(fault),
            },
        },
        Some(ClientCredential::Assertion(source)) => {
            signed_assertion::acquire(context, position, source).await.map(ClientAuthentication::Assertion)
        }
        None => return Err(CredentialFault::KnownUnusable),
    };
    outcome.inspect_err(|fault| {
        let details = members([("credential", position.into()), ("reason", fault.to_string().into())]);
        log::happened(context, Event::ClientCredentialUnusable, None, details);
    })
}

async fn opened<R: Runtime>(
    context: &Context<'_, R>,
    position: usize,
    pfx: &Pfx,
) -> Result<Rc<ClientKey>, CredentialFault> {
    let opened = context.runtime.open_pfx(pfx).await;
    let key = opened.and_then(|opened: OpenedPfx| opened.into_key(&pfx.wanted)).map(Rc::new);
    context.realm.memory.client_credentials.remember_opened(position, key.clone().ok());
    key.map_err(CredentialFault::Pfx)
}

async fn signed<'a, R: Runtime>(
    context: &Context<'_, R>,
    (metadata, endpoint): (&Metadata, &Url),
    (position, key): (usize, &ClientKey),
) -> Result<ClientAuthentication<'a>, CredentialFault> {
    warn(context, position, key);
    let provider = &context.realm.provider;
    let audience = match (&provider.issuer, provider.assertion_audience) {
        (IssuerRule::Exact(issuer), AssertionAudience::Issuer) => issuer,
        // Each of its tenants has an endpoint of its own.
        _ if provider.is_entra => endpoint.as_str(),
        (IssuerRule::Exact(_) | IssuerRule::Learned(_) | IssuerRule::Tenanted(_), _) => {
            metadata.token_endpoint.as_str()
        }
    };
    let now = context.runtime.now();
    let assertion = ClientAssertion { client_id: &provider.client_id, audience, now, id: context.runtime.random() };
    let input = assertion.signing_input(key);
    // Keys never change while an isolate lives, so a position names one.
    let name = format!("{}/{position}", provider.name);
    let signature = context.runtime.sign_as_client(&name, key, input.as_bytes()).await;
    let signature = signature.ok_or(CredentialFault::NotSigned)?;
    Ok(ClientAuthentication::Assertion(client_assertion::compact(input, &signature)))
}

/// Warns in time, and not with every request, of a certificate that is about to end.
fn warn<R: Runtime>(context: &Context<'_, R>, position: usize, key: &ClientKey) {
    let Some(not_after) = key.not_after().filter(|not_after| *not_after - NOTICE <= context.now) else { return };
    if context.realm.memory.client_credentials.warns(context.now, DAY) {
        let details = members([("credential", position.into()), ("expires_at", not_after.to_utc().into())]);
        log::happened(context, Event::ClientCertificateExpires, None, details);
    }
}

/// Whether the OP does not believe that it is us (RFC 6749 §5.2, RFC 7009 §2.2.1, RFC 7662 §2.3).
fn is_client_refused(response: &OpResponse) -> bool {
    matches!(response.status, 400 | 401)
        && TokenError::parse(&response.body).is_some_and(|error| error.code == TokenErrorCode::InvalidClient)
}

fn is_about_the_request(response: &OpResponse) -> bool {
    let status = response.status;
    status < 500 && status != 429
}

const NOTICE: Lifetime = Lifetime::from_seconds(30 * 86_400);
const DAY: Lifetime = Lifetime::from_seconds(86_400);
