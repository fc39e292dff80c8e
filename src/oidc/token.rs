//! The token response (OIDC Core 3.1.3.3, RFC 6749 §5.1) and the error response, as the type parameters of
//! `oauth2::Client`, which makes the token request. Tokens are not verified here, and no time is kept: lifetimes
//! count from when the answer came.

mod error;

use std::fmt;
use std::time::Duration;

use oauth2::{AccessToken, RefreshToken, Scope};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::secret::Secret;
use crate::time::Lifetime;

pub use error::{Remedy, Suberror, TokenError, TokenErrorCode};

/// What the token endpoint gave. Its `Debug` shows no value and its `Serialize`, which `oauth2` demands, always fails:
/// tokens leave through [`TokenResponse::into_parts`] or an accessor, and nowhere else.
#[derive(Deserialize)]
pub struct TokenResponse {
    #[serde(deserialize_with = "header_safe")]
    access_token: AccessToken,
    token_type: Bearer,
    #[serde(default, deserialize_with = "seconds")]
    expires_in: Option<Lifetime>,
    #[serde(default, deserialize_with = "seconds")]
    refresh_in: Option<Lifetime>,
    #[serde(default, deserialize_with = "present")]
    refresh_token: Option<RefreshToken>,
    #[serde(default, deserialize_with = "present")]
    id_token: Option<Secret>,
    #[serde(default, deserialize_with = "scopes")]
    scope: Option<Vec<Scope>>,
    #[serde(default)]
    client_info: Option<String>,
}

/// A token response taken apart, for whoever keeps the tokens.
#[derive(Debug)]
pub struct TokenParts {
    /// The access token.
    pub access_token: Secret,
    /// The refresh token. Where the provider omits it at a refresh, the old one goes on (RFC 6749 §6).
    pub refresh_token: Option<Secret>,
    /// The ID token, unverified.
    pub id_token: Option<Secret>,
    /// How long the access token lives.
    pub expires_in: Option<Lifetime>,
    /// After how long the Microsoft identity platform wants it refreshed.
    pub refresh_in: Option<Lifetime>,
    /// The scopes granted; those requested where absent (RFC 6749 §5.1).
    pub scope: Option<Vec<String>>,
    /// The unparsed `client_info`.
    pub client_info: Option<String>,
}

impl TokenResponse {
    /// The access token; non-empty and safe in a header.
    #[must_use]
    pub const fn access_token(&self) -> &AccessToken {
        &self.access_token
    }

    /// The ID token, unverified.
    #[must_use]
    pub fn id_token(&self) -> Option<&str> {
        self.id_token.as_ref().map(|token| token.expose().as_str())
    }

    /// The refresh token.
    #[must_use]
    pub const fn refresh_token(&self) -> Option<&RefreshToken> {
        self.refresh_token.as_ref()
    }

    /// How long the access token lives.
    #[must_use]
    pub const fn expires_in(&self) -> Option<Lifetime> {
        self.expires_in
    }

    /// After how long the Microsoft identity platform wants the access token refreshed.
    #[must_use]
    pub const fn refresh_in(&self) -> Option<Lifetime> {
        self.refresh_in
    }

    /// The scopes granted; those requested where absent (RFC 6749 §5.1).
    #[must_use]
    pub fn scope(&self) -> Option<Vec<String>> {
        self.scope.as_ref().map(|scopes| scopes.iter().map(|scope| scope.to_string()).collect())
    }

    /// The unparsed `client_info`.
    #[must_use]
    pub fn client_info(&self) -> Option<&str> {
        self.client_info.as_deref()
    }

    /// Takes the response apart.
    #[must_use]
    pub fn into_parts(self) -> TokenParts {
        TokenParts {
            scope: self.scope(),
            access_token: Secret::new(self.access_token.into_secret()),
            refresh_token: self.refresh_token.map(|token| Secret::new(token.into_secret())),
            id_token: self.id_token,
            expires_in: self.expires_in,
            refresh_in: self.refresh_in,
            client_info: self.client_info,
        }
    }
}

impl oauth2::TokenResponse for TokenResponse {
    type TokenType = Bearer;

    fn access_token(&self) -> &AccessToken {
        &self.access_token
    }

    fn token_type(&self) -> &Bearer {
        &self.token_type
    }

    fn expires_in(&self) -> Option<Duration> {
        self.expires_in.map(|lifetime| Duration::from_secs(lifetime.as_seconds()))
    }

    fn refresh_token(&self) -> Option<&RefreshToken> {
        self.refresh_token.as_ref()
    }

    fn scopes(&self) -> Option<&Vec<Scope>> {
        self.scope.as_ref()
    }
}

impl fmt::Debug for TokenResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenResponse([secret])")
    }
}

impl Serialize for TokenResponse {
    fn serialize<S: Serializer>(&self, _serializer: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("a token response is never serialised"))
    }
}

/// The only token type (RFC 6750 §6.1.1); its letter case does not matter (RFC 6749 §5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Bearer;

impl oauth2::TokenType for Bearer {}

impl<'de> Deserialize<'de> for Bearer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        if name.eq_ignore_ascii_case("bearer") { Ok(Self) } else { Err(serde::de::Error::custom("not a bearer token")) }
    }
}

/// The access token becomes a header value, so no control character, space or line break may be in it.
fn header_safe<'de, D: Deserializer<'de>>(deserializer: D) -> Result<AccessToken, D::Error> {
    let token = String::deserialize(deserializer)?;
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(serde::de::Error::custom("not an access token"));
    }
    Ok(AccessToken::new(token))
}

/// An empty token is no token: it would be stored and sent later, and take the old one's place.
fn present<'de, D: Deserializer<'de>, T: FromText>(deserializer: D) -> Result<Option<T>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.filter(|text| !text.is_empty()).map(T::from_text))
}

trait FromText {
    fn from_text(text: String) -> Self;
}

impl FromText for RefreshToken {
    fn from_text(text: String) -> Self {
        Self::new(text)
    }
}

impl FromText for Secret {
    fn from_text(text: String) -> Self {
        Self::new(text)
    }
}

/// A blank `scope` counts as absent, like a missing one.
fn scopes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<Scope>>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?.unwrap_or_default();
    let scopes: Vec<Scope> = text.split_ascii_whitespace().map(|scope| Scope::new(scope.to_owned())).collect();
    Ok(Some(scopes).filter(|scopes| !scopes.is_empty()))
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RawSeconds {
    Number(u64),
    Text(String),
}

/// RFC 6749 §5.1 says a number; the Microsoft identity platform's v1 endpoints send a decimal string.
fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Lifetime>, D::Error> {
    let seconds = match Option::<RawSeconds>::deserialize(deserializer)? {
        None => return Ok(None),
        Some(RawSeconds::Number(seconds)) => Some(seconds),
        Some(RawSeconds::Text(text)) if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok(),
        Some(RawSeconds::Text(_)) => None,
    };
    seconds.map(|seconds| Some(Lifetime::from_seconds(seconds))).ok_or(serde::de::Error::custom("not a lifetime"))
}
