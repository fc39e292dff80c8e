//! The authorization response (OIDC Core 3.1.2.5 to 3.1.2.7, RFC 9207): untrusted until [`accept`] has held it against
//! the login attempt. The token request is not made here; a code that was not accepted cannot reach one.
//!
//! [`accept`]: UntrustedAuthorizationResponse::accept

use std::fmt;

use subtle::ConstantTimeEq;
use url::form_urlencoded;

use super::error_code::AuthorizationErrorCode;
use crate::oidc::issuer::{IssuerRule, tenant_in};
use crate::oidc::op_error::OpErrorDetails;
use crate::order;
use crate::secret::Secret;

/// The longest query that is parsed. The Microsoft identity platform's codes have about 1.5 KiB.
pub const MAX_RESPONSE_BYTES: usize = 16 * 1024;

/// What arrived at the redirect URI. Anyone can have written it.
pub struct UntrustedAuthorizationResponse {
    code: Option<Secret>,
    departure: Option<Departure>,
    error: Option<String>,
    details: OpErrorDetails,
    iss: Option<String>,
    session_state: Option<String>,
    state: Option<String>,
}

/// What a response must fit: the login attempt and the provider's metadata.
pub struct ExpectedResponse<'a> {
    /// The `state` of the login attempt.
    pub state: &'a str,
    /// The issuer that the login attempt was sent to.
    pub issuer: &'a IssuerRule,
    /// The only tenant to accept from a tenanted issuer; any where `None`.
    pub tenant: Option<&'a str>,
    /// Whether the provider announced that it sends `iss`.
    pub issuer_required: bool,
}

/// A code that belongs to the login attempt. Redeemed once, so there is no `Clone`.
#[derive(Debug)]
pub struct AuthorizationCode(Secret);

impl AuthorizationCode {
    /// Gives the code up to the token request.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0.into_exposed()
    }
}

impl UntrustedAuthorizationResponse {
    /// Parses the query (or form body) without its `?`. A parameter that occurs twice is refused even if it is unknown,
    /// and one without a value counts as absent (RFC 6749 §3.1).
    pub fn parse(query: &str) -> Result<Self, AuthorizationResponseFault> {
        if query.len() > MAX_RESPONSE_BYTES {
            return Err(AuthorizationResponseFault::TooLong);
        }
        let mut pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        order::sort(&mut pairs);
        if pairs.windows(2).any(|pair| matches!(pair, [(first, _), (second, _)] if first == second)) {
            return Err(AuthorizationResponseFault::Duplicate);
        }
        // Read for what stands in fixed places alone, so its other characters do no harm.
        let description = pairs.iter().find(|(name, _)| name == "error_description");
        let details = description.map(|(_, text)| OpErrorDetails::of_description(text)).unwrap_or_default();
        Ok(Self {
            departure: description.and_then(|(_, description)| Departure::parse(description)),
            details,
            code: take(&mut pairs, "code")?.map(Secret::new),
            error: take(&mut pairs, "error")?,
            iss: take(&mut pairs, "iss")?,
            session_state: take(&mut pairs, "session_state")?,
            state: take(&mut pairs, "state")?,
        })
    }

    /// The unverified `state`, to find the login attempt by.
    #[must_use]
    pub fn state(&self) -> Option<&str> {
        self.state.as_deref()
    }

    /// The unverified `session_state`: the `sid` of a later front-channel logout where the ID token carries none.
    #[must_use]
    pub fn session_state(&self) -> Option<&str> {
        self.session_state.as_deref()
    }

    /// The unverified way in which the end-user left a user flow of Azure AD B2C, beside the error `access_denied`.
    #[must_use]
    pub const fn departure(&self) -> Option<Departure> {
        self.departure
    }

    /// What the provider says of its error; unverified until [`Self::accept`] has said that there is one.
    #[must_use]
    pub const fn details(&self) -> &OpErrorDetails {
        &self.details
    }

    /// Whether there is a code, whatever it is worth.
    #[must_use]
    pub const fn has_code(&self) -> bool {
        self.code.is_some() && self.error.is_none()
    }

    /// Gives the code up if the response belongs to the login attempt. `iss` is looked at before `error`, since an
    /// error from another provider says nothing about this one (RFC 9207 §2.4).
    pub fn accept(self, expected: &ExpectedResponse<'_>) -> Result<AuthorizationCode, AuthorizationResponseFault> {
        let state = self.state.as_deref().ok_or(AuthorizationResponseFault::StateMissing)?;
        if !bool::from(state.as_bytes().ct_eq(expected.state.as_bytes())) {
            return Err(AuthorizationResponseFault::StateMismatch);
        }
        match self.iss.as_deref() {
            Some(iss) if !is_issuer(iss, expected) => return Err(AuthorizationResponseFault::IssuerMismatch),
            None if expected.issuer_required => return Err(AuthorizationResponseFault::IssuerMissing),
            Some(_) | None => {}
        }
        if let Some(error) = self.error {
            return Err(AuthorizationResponseFault::OpError(AuthorizationErrorCode::parse(&error)));
        }
        self.code.map(AuthorizationCode).ok_or(AuthorizationResponseFault::CodeMissing)
    }
}

/// How an end-user leaves a user flow of Azure AD B2C without an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Departure {
    /// They went back.
    Cancelled,
    /// They want another password first.
    PasswordForgotten,
}

impl Departure {
    /// Reads the number that the description begins with, the only sign that there is: `AADB2C90118: …`.
    #[must_use]
    pub fn parse(description: &str) -> Option<Self> {
        let (number, _) = description.strip_prefix("AADB2C")?.split_once(':')?;
        match number {
            "90091" => Some(Self::Cancelled),
            "90118" => Some(Self::PasswordForgotten),
            _ => None,
        }
    }
}

/// Why an authorization response was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AuthorizationResponseFault {
    /// There is neither a code nor an error.
    CodeMissing,
    /// A parameter occurs twice.
    Duplicate,
    /// `iss` names another provider: a mix-up (RFC 9207 §2.4).
    IssuerMismatch,
    /// The provider announced `iss`, and it is absent.
    IssuerMissing,
    /// A parameter has a character that RFC 6749 appendix A does not allow in it.
    Malformed,
    /// The provider refused the request.
    OpError(AuthorizationErrorCode),
    /// `state` is not that of the login attempt.
    StateMismatch,
    /// There is no `state`.
    StateMissing,
    /// Longer than [`MAX_RESPONSE_BYTES`].
    TooLong,
}

impl fmt::Display for AuthorizationResponseFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CodeMissing => "the authorization response has no code",
            Self::Duplicate => "the authorization response repeats a parameter",
            Self::IssuerMismatch => "the authorization response comes from another issuer",
            Self::IssuerMissing => "the authorization response lacks the announced issuer",
            Self::Malformed => "the authorization response is malformed",
            Self::OpError(code) => return write!(f, "the provider answered {}", code.name()),
            Self::StateMismatch => "the authorization response has another state",
            Self::StateMissing => "the authorization response has no state",
            Self::TooLong => "the authorization response is too long",
        })
    }
}

impl std::error::Error for AuthorizationResponseFault {}

fn take(pairs: &mut [(String, String)], name: &str) -> Result<Option<String>, AuthorizationResponseFault> {
    let Some((_, value)) = pairs.iter_mut().find(|(candidate, _)| candidate == name) else {
        return Ok(None);
    };
    // VSCHAR of RFC 6749 appendix A; it leaves out what percent-decoding could not read, too.
    if !value.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return Err(AuthorizationResponseFault::Malformed);
    }
    Ok(Some(std::mem::take(value)).filter(|value| !value.is_empty()))
}

/// Under a tenanted rule the tenant is read from `iss` itself, for the response carries no `tid`: what stands in the
/// template's gap must be a GUID, and the expected tenant where there is one. Which tenant signed in is decided by the
/// ID token alone. All tenants of one template share its endpoints, so no code can be sent to a wrong one by this.
fn is_issuer(iss: &str, expected: &ExpectedResponse<'_>) -> bool {
    match expected.issuer {
        IssuerRule::Exact(_) | IssuerRule::Learned(_) => expected.issuer.accepts(iss, None),
        IssuerRule::Tenanted(template) => tenant_in(iss, template)
            .filter(|tenant| expected.tenant.is_none_or(|only| only.eq_ignore_ascii_case(tenant)))
            .is_some_and(|tenant| expected.issuer.accepts(iss, Some(tenant))),
    }
}
