//! Token requests (RFC 6749 §4.1.3, §6), built and parsed by the `oauth2` crate and sent by the runtime.

use oauth2::basic::{BasicRevocationErrorResponse, BasicTokenIntrospectionResponse};
use oauth2::{
    AuthType, AuthorizationCode, Client, ClientId, ClientSecret, PkceCodeVerifier, RedirectUrl, RefreshToken,
    RequestTokenError, Scope, StandardRevocableToken, TokenUrl,
};

use super::{Context, documents};
use crate::config::ClientCredential;
use crate::error::{Error, OpFault};
use crate::oidc::authorization::SIGN_IN_SCOPES;
use crate::oidc::metadata::Metadata;
use crate::oidc::pkce::CodeVerifier;
use crate::oidc::token::{Remedy, TokenError, TokenParts, TokenResponse};
use crate::runtime::{RETRY_AFTER, Runtime, TransportFault};

/// What is exchanged for tokens. Both are used up.
pub(super) enum Grant {
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
}

/// Why there are no tokens.
pub(super) enum Refusal {
    /// The grant is no good, or not without the user.
    Grant,
    /// Anything else.
    Error(Error),
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

/// Sends one token request. It is never repeated: a code or a rotated refresh token works once.
pub(super) async fn exchange<R: Runtime>(
    context: &Context<'_, R>,
    metadata: &Metadata,
    grant: Grant,
    purpose: &Purpose<'_>,
) -> Result<TokenParts, Refusal> {
    let client = client(context, metadata)?;
    let timeout = context.app.config.provider.timeout;
    let send = async |request| {
        let response = context.runtime.call_op(request, timeout).await?;
        documents::outage(&response).map_or(Ok(response), Err)
    };
    let scope = scopes(purpose);
    let extra = extra_parameters(context, purpose);
    let answer = match grant {
        Grant::Code(code, verifier) => {
            let verifier = PkceCodeVerifier::new(verifier.expose().to_owned());
            let request = client.exchange_code(AuthorizationCode::new(code)).set_pkce_verifier(verifier);
            // The Microsoft identity platform wants the one resource of a token request named by its scopes here too.
            let scope = context.app.config.provider.is_entra.then_some(("scope", scope.as_str()));
            let extra = extra.into_iter().chain(scope);
            let request = extra.fold(request, |request, (name, value)| request.add_extra_param(name, value));
            request.request_async(&send).await
        }
        Grant::Refresh(token) => {
            let token = RefreshToken::new(token);
            let request = client.exchange_refresh_token(&token).add_scope(Scope::new(scope.clone()));
            let request =
                extra.into_iter().fold(request, |request, (name, value)| request.add_extra_param(name, value));
            request.request_async(&send).await
        }
    };
    answer.map(TokenResponse::into_parts).map_err(refusal)
}

fn client<R: Runtime>(context: &Context<'_, R>, metadata: &Metadata) -> Result<TokenClient, Refusal> {
    let config = &context.app.config;
    let provider = &config.provider;
    let (auth_type, secret) = match &provider.credential {
        ClientCredential::SecretBasic(secret) => (AuthType::BasicAuth, secret),
        ClientCredential::SecretPost(secret) => (AuthType::RequestBody, secret),
    };
    let client = Client::new(ClientId::new(provider.client_id.clone()))
        .set_client_secret(ClientSecret::new(secret.expose().clone()))
        .set_auth_type(auth_type)
        .set_token_uri(TokenUrl::from_url(metadata.token_endpoint.clone()));
    let redirect_url = RedirectUrl::new(config.public_url(&config.paths.callback));
    let redirect_url = redirect_url.map_err(|_| Refusal::Error(Error::Bug("the callback URL is no URL")))?;
    Ok(client.set_redirect_uri(redirect_url))
}

fn extra_parameters<'a, R: Runtime>(context: &Context<'_, R>, purpose: &Purpose<'a>) -> Vec<(&'static str, &'a str)> {
    let client_info = context.app.config.provider.is_entra.then_some(("client_info", "1"));
    purpose.resource.map(|resource| ("resource", resource)).into_iter().chain(client_info).collect()
}

fn scopes(purpose: &Purpose<'_>) -> String {
    let mut scopes = SIGN_IN_SCOPES.to_vec();
    scopes.extend(purpose.scopes.iter().map(String::as_str));
    scopes.join(" ")
}

fn refusal(error: RequestTokenError<TransportFault, TokenError>) -> Refusal {
    match error {
        RequestTokenError::ServerResponse(error) => match error.remedy() {
            Remedy::NeedsUser => Refusal::Grant,
            Remedy::Permanent => Refusal::Error(Error::OpRefused(error.code.name().to_owned())),
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
