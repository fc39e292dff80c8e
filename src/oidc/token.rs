//! The token response (OIDC Core 3.1.3.3, RFC 6749 §5.1) and the error response. Tokens are not verified here, and no
//! time is kept: lifetimes count from when the answer came.

mod error;

use serde_json::{Map, Value};

use crate::json;
use crate::secret::Secret;
use crate::time::Lifetime;

pub use error::{Remedy, Suberror, TokenError, TokenErrorCode};

/// What the token endpoint gave.
#[derive(Debug)]
pub struct TokenParts {
    /// The access token; non-empty and safe in a header.
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
    /// What kind of token an exchange brought (RFC 8693 §2.2.1).
    pub issued_token_type: Option<String>,
}

/// A body that is no token response of a bearer token. What is wrong with it is not kept: it may hold tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenResponseMalformed;

impl TokenParts {
    /// Reads the body of a 200.
    ///
    /// # Errors
    /// For a body without an access token that a header can carry, with another token type than Bearer (RFC 6750 §6.1.1),
    /// or with a member of another type than the specification gives it.
    pub fn parse(body: &[u8]) -> Result<Self, TokenResponseMalformed> {
        let members = json::object(body).ok_or(TokenResponseMalformed)?;
        // Letter case does not matter (RFC 6749 §5.1).
        if !text(&members, "token_type")?.is_some_and(|name| name.eq_ignore_ascii_case("bearer")) {
            return Err(TokenResponseMalformed);
        }
        let secret = |name| text(&members, name).map(|token| token.map(|token| Secret::new(token.to_owned())));
        let access_token = secret("access_token")?.ok_or(TokenResponseMalformed)?;
        // It becomes a header value, so no control character, space or line break may be in it.
        if !access_token.expose().bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(TokenResponseMalformed);
        }
        let scope = text(&members, "scope")?.unwrap_or_default();
        let scope: Vec<_> = scope.split_ascii_whitespace().map(str::to_owned).collect();
        Ok(Self {
            access_token,
            refresh_token: secret("refresh_token")?,
            id_token: secret("id_token")?,
            expires_in: seconds(&members, "expires_in")?,
            refresh_in: seconds(&members, "refresh_in")?,
            // A blank `scope` counts as absent, like a missing one.
            scope: (!scope.is_empty()).then_some(scope),
            client_info: text(&members, "client_info")?.map(str::to_owned),
            issued_token_type: text(&members, "issued_token_type")?.map(str::to_owned),
        })
    }
}

/// A string. An empty one counts as absent: it would be stored and sent later, and take the old token's place.
fn text<'a>(members: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, TokenResponseMalformed> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
        Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => Err(TokenResponseMalformed),
    }
}

/// RFC 6749 §5.1 says a number; the Microsoft identity platform's v1 endpoints send a decimal string.
fn seconds(members: &Map<String, Value>, name: &str) -> Result<Option<Lifetime>, TokenResponseMalformed> {
    let seconds = match members.get(name) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Number(number)) => number.as_u64(),
        Some(Value::String(text)) if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok(),
        Some(Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_)) => None,
    };
    seconds.map(|seconds| Some(Lifetime::from_seconds(seconds))).ok_or(TokenResponseMalformed)
}
