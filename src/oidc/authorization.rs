//! The authorization request (OIDC Core 3.1.2.1) and the types of what comes back.
//!
//! Only the code flow exists here: `response_type=code`, PKCE S256, `state` and `nonce` cannot be left out. The
//! response mode is the default of that flow, `query`. Request objects and pushed requests are not made.

mod error_code;
mod response;

use url::Url;

use super::endpoint::with_parameters;
use crate::time::Lifetime;

pub use error_code::AuthorizationErrorCode;
pub use response::{
    AuthorizationCode, AuthorizationResponseFault, Departure, ExpectedResponse, MAX_RESPONSE_BYTES,
    UntrustedAuthorizationResponse,
};

/// Names that extra parameters must not have: this module sets them, or they would replace or leak the request itself.
/// Configuration refuses them; a request skips them, whatever their letter case. `login_hint`, `domain_hint` and
/// `acr_values` are not among them: an extra one is sent where the request sets none.
pub const RESERVED_PARAMETERS: &[&str] = &[
    "claims",
    "client_id",
    "client_info",
    "client_secret",
    "code_challenge",
    "code_challenge_method",
    "id_token_hint",
    "max_age",
    "nonce",
    "prompt",
    "redirect_uri",
    "registration",
    "request",
    "request_uri",
    "resource",
    "response_mode",
    "response_type",
    "scope",
    "state",
];

/// Asked for at every sign-in, in this order, before the scopes of the downstream API. They say something about the
/// sign-in and nothing about any API.
pub const SIGN_IN_SCOPES: [&str; 3] = ["openid", "profile", "offline_access"];

/// What the browser takes to the `authorization_endpoint`.
pub struct AuthorizationRequest<'a> {
    /// Our client identifier.
    pub client_id: &'a str,
    /// Where the response goes; always the configured one.
    pub redirect_uri: &'a str,
    /// The scopes of the downstream API. Those of the sign-in are added.
    pub scopes: &'a [String],
    /// The resource indicators (RFC 8707 §2).
    pub resources: &'a [String],
    /// Ties the response to the login attempt.
    pub state: &'a str,
    /// Ties the ID token to the login attempt.
    pub nonce: &'a str,
    /// The S256 challenge of the login attempt's verifier.
    pub code_challenge: &'a str,
    /// `none`, `login`, `consent`, `select_account` or `create`.
    pub prompt: Option<&'a str>,
    /// Who is about to sign in.
    pub login_hint: Option<&'a str>,
    /// The Microsoft identity platform's hint at the home of the account.
    pub domain_hint: Option<&'a str>,
    /// How long ago the end-user may have authenticated.
    pub max_age: Option<Lifetime>,
    /// The authentication context classes wished for.
    pub acr_values: Option<&'a str>,
    /// The claims request as JSON (OIDC Core 5.5), such as a claims challenge passed on.
    pub claims: Option<&'a str>,
    /// Whether to ask the Microsoft identity platform for `client_info`.
    pub client_info: bool,
    /// Further parameters from configuration. None of them overrides one above.
    pub extra: &'a [(String, String)],
}

impl AuthorizationRequest<'_> {
    /// The request as a URL.
    #[must_use]
    pub fn url(&self, endpoint: &Url) -> Url {
        let scope = self.scope();
        let max_age = self.max_age.map(|age| age.as_seconds().to_string());
        let mut parameters = vec![
            ("client_id", self.client_id),
            ("response_type", "code"),
            ("redirect_uri", self.redirect_uri),
            ("scope", &scope),
            ("state", self.state),
            ("nonce", self.nonce),
            ("code_challenge", self.code_challenge),
            ("code_challenge_method", "S256"),
        ];
        parameters.extend(self.resources.iter().map(|resource| ("resource", resource.as_str())));
        let optional = [
            ("prompt", self.prompt),
            ("login_hint", self.login_hint),
            ("domain_hint", self.domain_hint),
            ("max_age", max_age.as_deref()),
            ("acr_values", self.acr_values),
            ("claims", self.claims),
            ("client_info", self.client_info.then_some("1")),
        ];
        parameters.extend(optional.into_iter().filter_map(|(name, value)| value.map(|value| (name, value))));
        for (name, value) in self.extra {
            if !is_reserved(name) && !parameters.iter().any(|(set, _)| set.eq_ignore_ascii_case(name)) {
                parameters.push((name, value));
            }
        }
        with_parameters(endpoint, &parameters)
    }

    fn scope(&self) -> String {
        let mut scopes = SIGN_IN_SCOPES.to_vec();
        for scope in self.scopes.iter().flat_map(|scopes| scopes.split_ascii_whitespace()) {
            if !scopes.contains(&scope) {
                scopes.push(scope);
            }
        }
        scopes.join(" ")
    }
}

fn is_reserved(name: &str) -> bool {
    RESERVED_PARAMETERS.iter().any(|reserved| reserved.eq_ignore_ascii_case(name))
}
