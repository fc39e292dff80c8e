//! The `Authorization` field of a request with an access token (RFC 6750 §2.1) and the `WWW-Authenticate` field of the
//! answer that refuses it (RFC 6750 §3, RFC 9470 §3, RFC 9728 §5.1).
//!
//! A token in the query or in a form (RFC 6750 §2.2, §2.3) is not looked for: both end up in logs.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::challenge::{is_token68, split_token};
use super::claims_challenge::ClaimsChallenge;
use crate::json;
use crate::secret::Secret;
use crate::time::Lifetime;

/// The longest token that is taken. Those with many groups have about 8 KiB.
pub const MAX_CREDENTIAL_BYTES: usize = 16 * 1024;

/// The access token that a request brings. Nothing about it is verified.
pub struct BearerCredential(Secret);

/// The field names the scheme, and what follows is no access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CredentialMalformed;

impl BearerCredential {
    /// Reads the field: `None` where it is absent or of another scheme.
    ///
    /// Several fields arrive as one, joined by commas. No token has a comma, so they are malformed, and nobody has to
    /// guess which of them another server would read.
    ///
    /// # Errors
    /// What follows the scheme is not spaces and one token of at most [`MAX_CREDENTIAL_BYTES`].
    pub fn parse(field: Option<&str>) -> Result<Option<Self>, CredentialMalformed> {
        let (scheme, rest) = split_token(field.unwrap_or_default());
        if !scheme.eq_ignore_ascii_case("Bearer") {
            return Ok(None);
        }
        let token = rest.trim_start_matches(' ');
        let is_separate = token.len() < rest.len();
        if !is_separate || token.len() > MAX_CREDENTIAL_BYTES || !is_token68(token) {
            return Err(CredentialMalformed);
        }
        Ok(Some(Self(Secret::new(token.to_owned()))))
    }

    /// The token.
    #[must_use]
    pub const fn secret(&self) -> &Secret {
        &self.0
    }

    /// Whether the token means to be a JWT (RFC 7515 §7.1, RFC 7516 §7.1), so that it can be judged without the OP. All
    /// others are opaque.
    #[must_use]
    pub fn is_jwt(&self) -> bool {
        let token = self.0.expose();
        let header = token.split('.').next().and_then(|header| URL_SAFE_NO_PAD.decode(header).ok());
        matches!(token.split('.').count(), 3 | 5) && header.is_some_and(|header| json::object(&header).is_some())
    }
}

/// Why a request is refused, as its client is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BearerRefusal<'a> {
    /// The token's end-user has not authenticated well or recently enough (RFC 9470 §3).
    AuthenticationInsufficient {
        /// The `acr` values one of which is needed; none if any will do.
        acr_values: &'a [String],
        /// How long ago the end-user may have authenticated.
        max_age: Option<Lifetime>,
    },
    /// The token was not asked for with these claims, without which an API further on is out of its reach (Microsoft
    /// identity platform, claims challenges).
    ClaimsInsufficient {
        /// The claims.
        claims: &'a ClaimsChallenge,
        /// Where the client can send its end-user, if that is known.
        authorization_uri: Option<&'a str>,
    },
    /// The field is malformed.
    RequestMalformed,
    /// The token does not have all these scopes.
    ScopeInsufficient(&'a [String]),
    /// The token is refused, for whatever reason.
    TokenInvalid,
    /// There is no token. No error is named, for the client may not know that it needs one (RFC 6750 §3.1).
    TokenMissing,
}

impl BearerRefusal<'_> {
    /// The status of the answer.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::RequestMalformed => 400,
            Self::AuthenticationInsufficient { .. }
            | Self::ClaimsInsufficient { .. }
            | Self::TokenInvalid
            | Self::TokenMissing => 401,
            Self::ScopeInsufficient(_) => 403,
        }
    }

    /// The `error`.
    #[must_use]
    pub const fn error(&self) -> Option<&'static str> {
        match self {
            Self::AuthenticationInsufficient { .. } => Some("insufficient_user_authentication"),
            Self::ClaimsInsufficient { .. } => Some("insufficient_claims"),
            Self::RequestMalformed => Some("invalid_request"),
            Self::ScopeInsufficient(_) => Some("insufficient_scope"),
            Self::TokenInvalid => Some("invalid_token"),
            Self::TokenMissing => None,
        }
    }

    /// The `WWW-Authenticate` field. `metadata_url` is where the resource's metadata are (RFC 9728 §5.1). Nothing of the
    /// request is in it.
    #[must_use]
    pub fn to_field(&self, metadata_url: &str) -> String {
        let mut field = Field(String::from("Bearer"));
        if let Some(error) = self.error() {
            field.add("error", error);
        }
        match self {
            Self::AuthenticationInsufficient { acr_values, max_age } => {
                if !acr_values.is_empty() {
                    field.add("acr_values", &acr_values.join(" "));
                }
                if let Some(max_age) = max_age {
                    field.add("max_age", &max_age.as_seconds().to_string());
                }
            }
            Self::ClaimsInsufficient { claims, authorization_uri } => {
                // The alphabet with padding is the one that every client library decodes.
                field.add("claims", &STANDARD.encode(claims.as_str()));
                if let Some(uri) = authorization_uri {
                    field.add("authorization_uri", uri);
                }
            }
            Self::ScopeInsufficient(scopes) => field.add("scope", &scopes.join(" ")),
            Self::RequestMalformed | Self::TokenInvalid | Self::TokenMissing => (),
        }
        field.add("resource_metadata", metadata_url);
        field.0
    }
}

/// A challenge while its parameters come in.
struct Field(String);

impl Field {
    /// Adds a parameter as a quoted string (RFC 9110 §5.6.4). What cannot stand in one is left out; no URL, scope or
    /// `acr` that was configured in good faith has it.
    fn add(&mut self, name: &str, value: &str) {
        self.0.push_str(if self.0.contains('=') { ", " } else { " " });
        self.0.push_str(name);
        self.0.push_str("=\"");
        for character in value.chars().filter(|character| matches!(character, ' '..='~')) {
            if matches!(character, '"' | '\\') {
                self.0.push('\\');
            }
            self.0.push(character);
        }
        self.0.push('"');
    }
}
