//! Token introspection (RFC 7662): asking the OP about an access token that only it can read, and what to believe of
//! the answer. A signed answer (RFC 9701) is neither asked for nor understood.

use std::fmt;

use serde_json::{Map, Value};

use super::bearer_token::{Attested, BearerToken, expect_audience, expect_client};
use super::issuer::IssuerRule;
use super::jwt::{JwtFault, claims};
use crate::json;
use crate::time::{Lifetime, Timestamp};

/// The longest answer that is parsed.
pub const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// What the OP is asked (§2.1).
#[must_use]
pub const fn parameters(access_token: &str) -> [(&str, &str); 2] {
    [("token", access_token), ("token_type_hint", "access_token")]
}

/// An answer that has been taken apart and not yet believed.
pub struct UntrustedIntrospection {
    claims: Map<String, Value>,
}

/// What the token must fit: configuration alone.
pub struct ExpectedIntrospection<'a> {
    /// The issuer.
    pub issuer: &'a IssuerRule,
    /// What we are called in `aud`: one of these must be there. With none, no token is accepted.
    pub audiences: &'a [String],
    /// The time.
    pub now: Timestamp,
    /// How far the provider's clock may be off.
    pub skew: Lifetime,
}

impl UntrustedIntrospection {
    /// Takes an answer apart (§2.2).
    pub fn parse(answer: &[u8]) -> Result<Self, IntrospectionFault> {
        if answer.len() > MAX_ANSWER_BYTES {
            return Err(IntrospectionFault::TooLong);
        }
        let claims = json::object(answer).ok_or(IntrospectionFault::Malformed)?;
        // "true", 1 and an answer that is about something else must not pass for a yes.
        match claims.get("active").and_then(Value::as_bool) {
            Some(true) => Ok(Self { claims }),
            Some(false) => Err(IntrospectionFault::Inactive),
            None => Err(IntrospectionFault::Malformed),
        }
    }

    /// Believes the answer if everything fits. `active` alone says that the OP issued the token, not that it was issued
    /// for us: every resource of this OP would take the others' tokens (§4).
    pub fn accept(self, expected: &ExpectedIntrospection<'_>) -> Result<BearerToken, IntrospectionFault> {
        let token_type = claims::text(&self.claims, "token_type")?;
        if token_type.is_some_and(|name| !name.eq_ignore_ascii_case("Bearer")) {
            return Err(IntrospectionFault::TokenTypeRefused);
        }
        let issuer = self.issuer(expected.issuer)?;
        expect_audience(&self.claims, expected.audiences)?;
        let expires_at = claims::current(&self.claims, expected.now, expected.skew)?;
        claims::issued(&self.claims, expected.now, expected.skew)?;
        let client_id = expect_client(&self.claims, &["client_id"])?;
        // An answer about a client that acts for nobody may name the client alone; RFC 9068 §2.2 has that as `sub`.
        let subject = claims::subject(&self.claims)?.unwrap_or(&client_id).to_owned();
        let scopes = claims::words(&self.claims, "scope")?.unwrap_or_default();
        let has_end_user = subject != client_id;
        Ok(BearerToken::new(self.claims, Attested { issuer, subject, client_id, scopes, expires_at, has_end_user })?)
    }

    /// `iss` is optional: the endpoint that was asked is the issuer's. Of several tenants, that does not tell which.
    fn issuer(&self, expected: &IssuerRule) -> Result<String, JwtFault> {
        match (claims::issuer(&self.claims, expected)?, expected) {
            (Some(issuer), _) => Ok(issuer.to_owned()),
            (None, IssuerRule::Exact(issuer)) => Ok(issuer.clone()),
            (None, IssuerRule::Learned(_) | IssuerRule::Tenanted(_)) => Err(JwtFault::IssuerMissing),
        }
    }
}

/// Why an answer, or the token that it is about, was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IntrospectionFault {
    /// The token does not fit: its caller's fault.
    Claims(JwtFault),
    /// The token is not active: expired, revoked, or never issued. Its caller's fault.
    Inactive,
    /// No JSON object with unique names and a boolean `active`: the OP's fault.
    Malformed,
    /// The token is no bearer token: its caller's fault.
    TokenTypeRefused,
    /// Longer than [`MAX_ANSWER_BYTES`]: the OP's fault.
    TooLong,
}

impl From<JwtFault> for IntrospectionFault {
    fn from(fault: JwtFault) -> Self {
        Self::Claims(fault)
    }
}

impl fmt::Display for IntrospectionFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Claims(fault) => return fault.fmt(f),
            Self::Inactive => "the token is not active",
            Self::Malformed => "the introspection answer is malformed",
            Self::TokenTypeRefused => "the token is no bearer token",
            Self::TooLong => "the introspection answer is too long",
        })
    }
}

impl std::error::Error for IntrospectionFault {}
