//! Token requests (RFC 6749 §4.1.3, §4.4.2, §6), built and parsed by the `oauth2` crate and sent by the runtime.

use oauth2::basic::{BasicRevocationErrorResponse, BasicTokenIntrospectionResponse};
use oauth2::{
    AuthType, AuthorizationCode, Client, ClientId, ClientSecret, PkceCodeVerifier, RedirectUrl, RefreshToken,
    RequestTokenError, Scope, StandardRevocableToken, TokenUrl,
};

use super::{Context, documents};
use crate::config::ClientCredential;
use crate::error::{Error, OpFault};
use crate::oidc::authorization::SIGN_IN_SCOPES;
use crate::oidc::claims_challenge::ClaimsChallenge;
use crate::oidc::claims_request::claims_request;
use crate::oidc::metadata::Metadata;
use crate::oidc::pkce::CodeVerifier;
use crate::oidc::token::{Remedy, TokenError, TokenErrorCode, TokenParts, TokenResponse};
use crate::runtime::{OpRequest, OpResponse, RETRY_AFTER, Runtime, TransportFault};
use crate::session::entry::CachedAccessToken;
use crate::time::{Lifetime, Timestamp};

/// What is exchanged for tokens. A code and a rotated refresh token are used up.
pub(super) enum Grant {
    /// The client's own credentials (RFC 6749 §4.4).
    ClientCredentials,
    /// A code, and the verifier that proves who asked for it (RFC 7636 §4.5).
    Code(String, CodeVerifier),
    /// A refresh token.
    Refresh(String),
}

/// What the tokens are for.
pub(super) struct Purpose<'a> {
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
        /// What the OP demands of the next sign-in.
        claims: Option<ClaimsChallenge>,
    },
}

type TokenClient = Client<
    TokenError,
    TokenResponse,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    oauth2::EndpointNotSet,
    oauth2::EndpointNotSet,
    oauth2::EndpointNotSet,
    oauth2::EndpointNotSet,
    oauth2::EndpointSet,
>;

/// Sends a token request. One that redeems a code is never repeated; others are, once, should the OP stumble.
pub(super) async fn exchange<R: Runtime>(
    context: &Context<'_, R>,
    metadata: &Metadata,
    grant: Grant,
    purpose: &Purpose<'_>,
) -> Result<TokenParts, Refusal> {
    let client = client(context, metadata)?;
    let claims = claims_request(&context.realm.provider.client_capabilities, purpose.claims);
    let extra = extra_parameters(context, purpose, claims.as_deref());
    let answer = match grant {
        Grant::ClientCredentials => {
            let request = client.exchange_client_credentials().add_scope(Scope::new(purpose.scopes.join(" ")));
            let request = extra.iter().fold(request, |request, (name, value)| request.add_extra_param(*name, *value));
            request.request_async(&async |request| send_twice(context, request).await).await
        }
        Grant::Code(code, verifier) => {
            let verifier = PkceCodeVerifier::new(verifier.expose().to_owned());
            let request = client.exchange_code(AuthorizationCode::new(code)).set_pkce_verifier(verifier);
            // The Microsoft identity platform wants the one resource of a token request named by its scopes here too.
            let scope = context.realm.provider.is_entra.then(|| ("scope", scopes(purpose)));
            let request = extra.iter().fold(request, |request, (name, value)| request.add_extra_param(*name, *value));
            let request =
                scope.into_iter().fold(request, |request, (name, value)| request.add_extra_param(name, value));
            request.request_async(&async |request| send(context, request).await).await
        }
        Grant::Refresh(token) => {
            let token = RefreshToken::new(token);
            let request = client.exchange_refresh_token(&token).add_scope(Scope::new(scopes(purpose)));
            let request = extra.iter().fold(request, |request, (name, value)| request.add_extra_param(*name, *value));
            request.request_async(&async |request| send_twice(context, request).await).await
        }
    };
    answer.map(TokenResponse::into_parts).map_err(refusal)
}

/// The token of a response as it is cached: with the scopes that were granted, or those asked for where it is silent
/// (RFC 6749 §5.1). The Microsoft identity platform's `.default` stands for what was granted, and is kept beside it.
pub(super) fn cached(response: &TokenParts, purpose: &Purpose<'_>, now: Timestamp) -> CachedAccessToken {
    let mut scopes = response.scope.clone().unwrap_or_else(|| purpose.scopes.to_vec());
    let defaults = purpose.scopes.iter().filter(|scope| scope.rsplit('/').next() == Some(".default"));
    scopes.extend(defaults.filter(|scope| !scopes.contains(scope)).cloned().collect::<Vec<_>>());
    CachedAccessToken {
        resource: purpose.resource.map(str::to_owned),
        scopes,
        token: response.access_token.clone(),
        issued_at: now,
        expires_at: now + response.expires_in.unwrap_or(UNSTATED_LIFETIME),
        refresh_at: response.refresh_in.map(|refresh_in| now + refresh_in),
        claims: purpose.claims.map(ClaimsChallenge::name),
    }
}

async fn send<R: Runtime>(context: &Context<'_, R>, request: OpRequest) -> Result<OpResponse, TransportFault> {
    let response = context.call_op(request).await?;
    documents::outage(&response, context.runtime.now()).map_or(Ok(response), Err)
}

/// After a failure of the OP itself, which is often gone a moment later. Not after a time-out: the request may be done.
async fn send_twice<R: Runtime>(context: &Context<'_, R>, request: OpRequest) -> Result<OpResponse, TransportFault> {
    let again = request.clone();
    match send(context, request).await {
        Err(TransportFault::Failing(_)) => {
            context.runtime.sleep(PAUSE).await;
            send(context, again).await
        }
        outcome => outcome,
    }
}

fn client<R: Runtime>(context: &Context<'_, R>, metadata: &Metadata) -> Result<TokenClient, Refusal> {
    let provider = &context.realm.provider;
    let (auth_type, secret) = match &provider.credential {
        ClientCredential::SecretBasic(secret) => (AuthType::BasicAuth, secret),
        ClientCredential::SecretPost(secret) => (AuthType::RequestBody, secret),
    };
    let client = Client::new(ClientId::new(provider.client_id.clone()))
        .set_client_secret(ClientSecret::new(secret.expose().clone()))
        .set_auth_type(auth_type)
        .set_token_uri(TokenUrl::from_url(metadata.token_endpoint.clone()));
    let redirect_url = RedirectUrl::new(context.public_url(&provider.paths.callback));
    let redirect_url = redirect_url.map_err(|_| Refusal::Error(Error::Bug("the callback URL is no URL")))?;
    Ok(client.set_redirect_uri(redirect_url))
}

fn extra_parameters<'a, R: Runtime>(
    context: &Context<'_, R>,
    purpose: &Purpose<'a>,
    claims: Option<&'a str>,
) -> Vec<(&'static str, &'a str)> {
    let client_info = context.realm.provider.is_entra.then_some("1");
    let parameters = [("resource", purpose.resource), ("claims", claims), ("client_info", client_info)];
    parameters.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

fn scopes(purpose: &Purpose<'_>) -> String {
    let mut scopes = SIGN_IN_SCOPES.to_vec();
    scopes.extend(purpose.scopes.iter().map(String::as_str));
    scopes.join(" ")
}

fn refusal(error: RequestTokenError<TransportFault, TokenError>) -> Refusal {
    match error {
        RequestTokenError::ServerResponse(error) => match error.remedy() {
            Remedy::NeedsUser => Refusal::Grant {
                is_spent: error.spends_refresh_token(),
                claims: error.claims.as_deref().and_then(ClaimsChallenge::parse),
            },
            Remedy::Permanent => Refusal::Client(error.code),
            Remedy::Transient => {
                Refusal::Error(Error::OpUnreachable(TransportFault::Busy { retry_after: RETRY_AFTER }))
            }
        },
        RequestTokenError::Request(fault) => Refusal::Error(Error::OpUnreachable(fault)),
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
            Refusal::Error(Error::OpMisbehaved(OpFault::TokenResponse))
        }
    }
}

/// A token whose life the OP does not state is used briefly.
const UNSTATED_LIFETIME: Lifetime = Lifetime::from_seconds(300);
/// Before the second try.
const PAUSE: Lifetime = Lifetime::from_seconds(1);
