//! The token endpoint's error response (RFC 6749 §5.2) and what can be done about it.
//!
//! Only `error` and `suberror` decide. `error_description` is prose that may change and is not kept, so that nothing can
//! come to depend on it, log it or show it; the number and ids in it are, for the log.

use std::fmt;

use serde_json::Value;

use crate::json;
use crate::oidc::op_error::OpErrorDetails;

/// An error response.
pub struct TokenError {
    /// What went wrong.
    pub code: TokenErrorCode,
    /// The Microsoft identity platform's refinement of it.
    pub suberror: Option<Suberror>,
    /// A claims challenge, which the next authorization request must carry. Never logged.
    pub claims: Option<String>,
    /// What else the Microsoft identity platform says of it.
    pub details: OpErrorDetails,
}

/// Who can make the next attempt succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Remedy {
    /// The end-user, by signing in again.
    NeedsUser,
    /// The operator only: configuration or registration is wrong, or a policy forbids it.
    Permanent,
    /// Time. Nothing is known against the session.
    Transient,
}

impl TokenError {
    /// Reads the body of a response that is not 200; `None` for one that is no error response. Anything odd in the
    /// others must not hide the error itself, so they are read only where they are what they should be.
    #[must_use]
    pub fn parse(body: &[u8]) -> Option<Self> {
        let members = json::object(body)?;
        let text = |name: &str| members.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        Some(Self {
            code: TokenErrorCode::parse(members.get("error")?.as_str()?),
            suberror: text("suberror").map(Suberror::parse),
            claims: text("claims").map(str::to_owned),
            details: OpErrorDetails::of_token_response(&members),
        })
    }

    /// Who can help. A code that is not known counts as transient: no unknown word may sign anyone out.
    #[must_use]
    pub const fn remedy(&self) -> Remedy {
        match self.code {
            TokenErrorCode::InvalidGrant => match self.suberror {
                Some(Suberror::ClientMismatch | Suberror::ProtectionPolicyRequired) => Remedy::Permanent,
                Some(Suberror::BadToken | Suberror::Other | Suberror::TokenExpired) | None => Remedy::NeedsUser,
            },
            TokenErrorCode::BadToken
            | TokenErrorCode::ConsentRequired
            | TokenErrorCode::InteractionRequired
            | TokenErrorCode::LoginRequired => Remedy::NeedsUser,
            TokenErrorCode::InvalidClient
            | TokenErrorCode::InvalidRequest
            | TokenErrorCode::InvalidResource
            | TokenErrorCode::InvalidScope
            | TokenErrorCode::InvalidTarget
            | TokenErrorCode::UnauthorizedClient
            | TokenErrorCode::UnsupportedGrantType => Remedy::Permanent,
            TokenErrorCode::Other | TokenErrorCode::ServerError | TokenErrorCode::TemporarilyUnavailable => {
                Remedy::Transient
            }
        }
    }

    /// Whether the refresh token itself is spent, for every scope: `invalid_grant` without a finer word, or one that
    /// names the token. With any other suberror it may still serve another resource.
    #[must_use]
    pub const fn spends_refresh_token(&self) -> bool {
        match self.code {
            TokenErrorCode::BadToken => true,
            TokenErrorCode::InvalidGrant => {
                matches!(self.suberror, None | Some(Suberror::BadToken | Suberror::TokenExpired))
            }
            TokenErrorCode::ConsentRequired
            | TokenErrorCode::InteractionRequired
            | TokenErrorCode::InvalidClient
            | TokenErrorCode::InvalidRequest
            | TokenErrorCode::InvalidResource
            | TokenErrorCode::InvalidScope
            | TokenErrorCode::InvalidTarget
            | TokenErrorCode::LoginRequired
            | TokenErrorCode::Other
            | TokenErrorCode::ServerError
            | TokenErrorCode::TemporarilyUnavailable
            | TokenErrorCode::UnauthorizedClient
            | TokenErrorCode::UnsupportedGrantType => false,
        }
    }
}

/// The `error` of a token endpoint (RFC 6749 §5.2, RFC 8707 §2, OIDC Core 3.1.2.6, Microsoft identity platform).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenErrorCode {
    /// The refresh token is damaged.
    BadToken,
    /// The end-user or an administrator must consent.
    ConsentRequired,
    /// The end-user must do something.
    InteractionRequired,
    /// The client credentials are wrong.
    InvalidClient,
    /// The code or refresh token is invalid, expired, revoked or another client's.
    InvalidGrant,
    /// The request is malformed.
    InvalidRequest,
    /// The Microsoft identity platform does not know the resource.
    InvalidResource,
    /// A scope is unknown.
    InvalidScope,
    /// The resource indicator is refused (RFC 8707 §2).
    InvalidTarget,
    /// The end-user must sign in.
    LoginRequired,
    /// Any other code.
    Other,
    /// The provider failed.
    ServerError,
    /// The provider is overloaded.
    TemporarilyUnavailable,
    /// This client may not use the grant.
    UnauthorizedClient,
    /// The provider does not know the grant.
    UnsupportedGrantType,
}

impl TokenErrorCode {
    /// Every code, `Other` included.
    pub const ALL: [Self; 15] = [
        Self::BadToken,
        Self::ConsentRequired,
        Self::InteractionRequired,
        Self::InvalidClient,
        Self::InvalidGrant,
        Self::InvalidRequest,
        Self::InvalidResource,
        Self::InvalidScope,
        Self::InvalidTarget,
        Self::LoginRequired,
        Self::Other,
        Self::ServerError,
        Self::TemporarilyUnavailable,
        Self::UnauthorizedClient,
        Self::UnsupportedGrantType,
    ];

    /// Parses the `error` value; what is not known is `Other`, so that no text of the sender is kept.
    #[must_use]
    pub fn parse(name: &str) -> Self {
        Self::ALL.into_iter().find(|code| code.name() == name).unwrap_or(Self::Other)
    }

    /// The `error` value; `other` for those that are not known.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::BadToken => "bad_token",
            Self::ConsentRequired => "consent_required",
            Self::InteractionRequired => "interaction_required",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::InvalidRequest => "invalid_request",
            Self::InvalidResource => "invalid_resource",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            Self::LoginRequired => "login_required",
            Self::Other => "other",
            Self::ServerError => "server_error",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
        }
    }
}

/// The suberrors of the Microsoft identity platform that change what is done; the others mean "the user must act".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Suberror {
    /// The refresh token is damaged.
    BadToken,
    /// The refresh token belongs to another client.
    ClientMismatch,
    /// Any other suberror, such as `basic_action` or `consent_required`.
    Other,
    /// A policy asks for a protected device or app, which a gateway can never be.
    ProtectionPolicyRequired,
    /// The refresh token has expired.
    TokenExpired,
}

impl Suberror {
    /// Parses the `suberror` value.
    #[must_use]
    pub fn parse(name: &str) -> Self {
        match name {
            "bad_token" => Self::BadToken,
            "client_mismatch" => Self::ClientMismatch,
            "protection_policy_required" => Self::ProtectionPolicyRequired,
            "token_expired" => Self::TokenExpired,
            _ => Self::Other,
        }
    }

    /// The `suberror` value; `other` for those that change nothing.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::BadToken => "bad_token",
            Self::ClientMismatch => "client_mismatch",
            Self::Other => "other",
            Self::ProtectionPolicyRequired => "protection_policy_required",
            Self::TokenExpired => "token_expired",
        }
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code.name())
    }
}

impl fmt::Debug for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields = (self.code, self.suberror, self.claims.as_ref().map(|_| "[secret]"));
        f.debug_tuple("TokenError").field(&fields.0).field(&fields.1).field(&fields.2).finish()
    }
}
