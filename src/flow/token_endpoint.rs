//! Token requests (RFC 6749 §4.1.3, §4.4.2, §4.5, §6) and what their answers come to.

use url::Url;

use super::{Context, client_authentication, documents, log};
use crate::error::{Error, OpFault};
use crate::oidc::authorization::SIGN_IN_SCOPES;
use crate::oidc::claims_challenge::ClaimsChallenge;
use crate::oidc::claims_request::claims_request;
use crate::oidc::metadata::Metadata;
use crate::oidc::op_error::Obstacle;
use crate::oidc::pkce::CodeVerifier;
use crate::oidc::tenant;
use crate::oidc::token::{Remedy, Suberror, TokenError, TokenErrorCode, TokenParts};
use crate::oidc::token_exchange::TokenExchange;
use crate::runtime::{OpResponse, RETRY_AFTER, Runtime, TransportFault};
use crate::secret::Secret;
use crate::session::entry::CachedAccessToken;
use crate::time::{Lifetime, Timestamp};

/// What is exchanged for tokens. A code and a rotated refresh token are used up.
pub(super) enum Grant {
    /// The client's own credentials (RFC 6749 §4.4).
    ClientCredentials,
    /// A code, and the verifier that proves who asked for it (RFC 7636 §4.5).
    Code(String, CodeVerifier),
    /// An access token that a program presented, to be exchanged.
    Presented(TokenExchange, Secret),
    /// A refresh token.
    Refresh(String),
}

/// What the tokens are for.
pub(super) struct Purpose<'a> {
    /// The tenant of the Microsoft identity platform that issues them, where that is not the authority's own.
    pub(super) tenant: Option<&'a str>,
    /// The scopes; the reserved ones are added.
    pub(super) scopes: &'a [String],
    /// The resource (RFC 8707).
    pub(super) resource: Option<&'a str>,
    /// The claims that are demanded.
    pub(super) claims: Option<&'a ClaimsChallenge>,
}

/// Why there are no tokens.
pub(super) enum Refusal {
    /// The OP refuses this client, whoever the user is.
    Client(TokenErrorCode),
    /// Anything else.
    Error(Error),
    /// The grant is no good, or not without the user.
    Grant {
        /// Whether it is no good for any purpose.
        is_spent: bool,
        /// What stands in the way, as far as people can do something about it.
        obstacle: Option<Obstacle>,
        /// What the OP demands of the next sign-in.
        claims: Option<ClaimsChallenge>,
    },
}

/// Sends a token request. One that redeems a code is never repeated; others are, once, should the OP stumble.
pub(super) async fn exchange<R: Runtime>(
    context: &Context<'_, R>,
    metadata: &Metadata,
    grant: Grant,
    purpose: &Purpose<'_>,
) -> Result<TokenParts, Refusal> {
    let is_code = matches!(grant, Grant::Code(..));
    let endpoint = endpoint(context, metadata, purpose.tenant)?;
    let parameters = parameters(context, grant, purpose);
    let parameters: Vec<_> = parameters.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let response = match send(context, (metadata, &endpoint), &parameters).await {
        // Often gone a moment later. Not after a time-out: the request may be done.
        Err(Error::OpUnreachable(TransportFault::Failing(_))) if !is_code => {
            context.runtime.sleep(PAUSE).await;
            send(context, (metadata, &endpoint), &parameters).await
        }
        outcome => outcome,
    };
    accept(context, &response.map_err(Refusal::Error)?)
}

/// The token of a response as it is cached: with the scopes that were granted, or those asked for where it is silent
/// (RFC 6749 §5.1). The Microsoft identity platform's `.default` stands for what was granted, and is kept beside it.
pub(super) fn cached(response: &TokenParts, purpose: &Purpose<'_>, now: Timestamp) -> CachedAccessToken {
    let mut scopes = response.scope.clone().unwrap_or_else(|| purpose.scopes.to_vec());
    let defaults = purpose.scopes.iter().filter(|scope| scope.rsplit('/').next() == Some(".default"));
    scopes.extend(defaults.filter(|scope| !scopes.contains(scope)).cloned().collect::<Vec<_>>());
    CachedAccessToken {
        tenant: purpose.tenant.map(str::to_owned),
        resource: purpose.resource.map(str::to_owned),
        scopes,
        token: response.access_token.clone(),
        issued_at: now,
        expires_at: now + response.expires_in.unwrap_or(UNSTATED_LIFETIME),
        refresh_at: response.refresh_in.map(|refresh_in| now + refresh_in),
        claims: purpose.claims.map(ClaimsChallenge::name),
    }
}

/// The answer, unless it only says that the OP cannot answer now.
async fn send<R: Runtime>(
    context: &Context<'_, R>,
    (metadata, endpoint): (&Metadata, &Url),
    parameters: &[(&str, &str)],
) -> Result<OpResponse, Error> {
    let response = client_authentication::post(context, metadata, endpoint, parameters).await?;
    match documents::outage(&response, context.runtime.now()) {
        None => Ok(response),
        Some(fault) => Err(Error::OpUnreachable(fault)),
    }
}

fn endpoint<R: Runtime>(context: &Context<'_, R>, metadata: &Metadata, tenant: Option<&str>) -> Result<Url, Refusal> {
    let Some(tenant) = tenant else { return Ok(metadata.token_endpoint.clone()) };
    let endpoint = tenant::token_endpoint(context.realm.provider.authority(), tenant);
    endpoint.ok_or(Refusal::Error(Error::Bug("the authority has no path")))
}

fn parameters<R: Runtime>(
    context: &Context<'_, R>,
    grant: Grant,
    purpose: &Purpose<'_>,
) -> Vec<(&'static str, String)> {
    let provider = &context.realm.provider;
    let has_account = !matches!(grant, Grant::Presented(..));
    let mut parameters = match grant {
        Grant::ClientCredentials => {
            vec![("grant_type", "client_credentials".to_owned()), ("scope", purpose.scopes.join(" "))]
        }
        Grant::Code(code, verifier) => {
            let mut parameters = vec![
                ("grant_type", "authorization_code".to_owned()),
                ("code", code),
                ("code_verifier", verifier.expose().to_owned()),
                ("redirect_uri", context.public_url(&provider.paths.callback)),
            ];
            // The Microsoft identity platform wants the one resource of a token request named by its scopes here too.
            if provider.is_entra {
                parameters.push(("scope", scopes(purpose)));
            }
            parameters
        }
        Grant::Presented(exchange, token) => {
            let mut parameters = exchange.parameters(token.expose());
            // Neither a refresh token nor an account is wanted, so nothing of a sign-in is asked for.
            let scopes = purpose.scopes.iter().map(String::as_str).filter(|scope| !SIGN_IN_SCOPES.contains(scope));
            let scopes = scopes.collect::<Vec<_>>().join(" ");
            parameters.extend(Some(("scope", scopes)).filter(|(_, scopes)| !scopes.is_empty()));
            parameters
        }
        Grant::Refresh(token) => {
            let grant_type = "refresh_token".to_owned();
            vec![("grant_type", grant_type), ("refresh_token", token), ("scope", scopes(purpose))]
        }
    };
    parameters.extend(purpose.resource.map(|resource| ("resource", resource.to_owned())));
    parameters.extend(claims_request(&provider.client_capabilities, purpose.claims).map(|claims| ("claims", claims)));
    parameters.extend((has_account && provider.is_entra).then(|| ("client_info", "1".to_owned())));
    parameters
}

fn scopes(purpose: &Purpose<'_>) -> String {
    let mut scopes = SIGN_IN_SCOPES.to_vec();
    scopes.extend(purpose.scopes.iter().map(String::as_str));
    scopes.join(" ")
}

/// What the answer comes to (RFC 6749 §5).
fn accept<R: Runtime>(context: &Context<'_, R>, response: &OpResponse) -> Result<TokenParts, Refusal> {
    const NONE: Refusal = Refusal::Error(Error::OpMisbehaved(OpFault::TokenResponse));

    if response.status == 200 {
        let is_json = |name: &String| name.to_ascii_lowercase().starts_with("application/json");
        let is_json = response.content_type.as_ref().is_none_or(is_json);
        let parts = TokenParts::parse(&response.body).ok().filter(|_| is_json);
        return parts.ok_or(NONE);
    }
    let error = TokenError::parse(&response.body).ok_or(NONE)?;
    log::op_error(context, error.code.name(), error.suberror.map(Suberror::name), &error.details);
    Err(match error.remedy() {
        Remedy::NeedsUser => Refusal::Grant {
            is_spent: error.spends_refresh_token(),
            obstacle: error.details.obstacle(),
            claims: error.claims.as_deref().and_then(ClaimsChallenge::parse),
        },
        Remedy::Permanent => Refusal::Client(error.code),
        Remedy::Transient => Refusal::Error(Error::OpUnreachable(TransportFault::Busy { retry_after: RETRY_AFTER })),
    })
}

/// A token whose life the OP does not state is used briefly.
const UNSTATED_LIFETIME: Lifetime = Lifetime::from_seconds(300);
/// Before the second try.
const PAUSE: Lifetime = Lifetime::from_seconds(1);
