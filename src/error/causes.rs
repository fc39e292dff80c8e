//! What stands behind some errors: details for the log, and what an answer needs to say.

use serde_json::Value;

use super::InteractionReason;
use crate::json::{Json, name_and_value, named};
use crate::oidc::claims_challenge::ClaimsChallenge;
use crate::oidc::introspection::IntrospectionFault;
use crate::oidc::jwks::JwksFault;
use crate::oidc::jwt::JwtFault;
use crate::oidc::metadata::MetadataFault;
use crate::oidc::pfx::PfxFault;
use crate::oidc::signed_assertion::SignedAssertionFault;
use crate::oidc::user_info::UserInfoFault;
use crate::runtime::TransportFault;
use crate::session::login_attempt::Interaction;
use crate::session::session::SessionFault;

/// Why an access token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessTokenFault {
    /// By what the OP says of it.
    Introspection(IntrospectionFault),
    /// By its own checks.
    Jwt(JwtFault),
    /// It is no JWT, and the OP is not asked about others.
    Opaque,
    /// The OP said no a moment ago.
    RefusedBefore,
    /// Its tenant is not among those allowed.
    TenantNotAllowed,
}

/// Why a credential of this client cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialFault {
    /// What should be an assertion is none.
    Assertion(SignedAssertionFault),
    /// It was found out before.
    KnownUnusable,
    /// The platform does not sign with the key.
    NotSigned,
    /// The file with the key does not open.
    Pfx(PfxFault),
    /// An HTTP status instead of an assertion.
    Status(u16),
    /// No answer instead of an assertion.
    Transport(TransportFault),
}

impl CredentialFault {
    /// Whether it is gone by itself.
    #[must_use]
    pub const fn outage(self) -> Option<TransportFault> {
        match self {
            Self::Transport(fault) => Some(fault),
            Self::Status(status @ (429 | 500..)) => Some(TransportFault::Failing(status)),
            Self::Assertion(_) | Self::KnownUnusable | Self::NotSigned | Self::Pfx(_) | Self::Status(_) => None,
        }
    }
}

/// What an API needs the end-user for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InteractionNeed {
    /// What the sign-in is for.
    pub interaction: Interaction,
    /// The scopes that the API needs.
    pub scopes: Vec<String>,
    /// Why no refresh will do.
    pub reason: InteractionReason,
}

/// Why a program's access token is not exchanged for one of an API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExchangeFault {
    /// The OP, or the API, demands an end-user who signed in with these claims.
    ClaimsDemanded(ClaimsChallenge),
    /// The OP wants the end-user or an administrator to act first, such as to consent.
    ConsentMissing,
    /// The token stands for no end-user.
    NoEndUser,
    /// The OP does not take the token, or not any more.
    TokenRefused,
}

/// How a session came to be over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionEnd {
    /// The cookie is no session, or not any more.
    Cookie(SessionFault),
    /// The token cache entry does not open with the session's key.
    EntryDoesNotOpen,
    /// The token cache entry is gone: signed out elsewhere, or expired.
    EntryMissing,
    /// The account signed out after this session began.
    SignedOut,
    /// The account's tenant is not among those allowed, or not any more.
    TenantNotAllowed,
}

/// What the OP got wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpFault {
    /// A refresh brought tokens of another account.
    AccountMismatch,
    /// `client_info` is missing or malformed where the Microsoft identity platform must send it.
    ClientInfo,
    /// `client_info` and the ID token of one answer name two people.
    ClientInfoMismatch,
    /// The token response has no ID token.
    IdTokenMissing,
    /// The introspection answer.
    Introspection(IntrospectionFault),
    /// The JWKS document.
    Jwks(JwksFault),
    /// A refreshed ID token names a key that the OP does not publish, or not yet.
    KeyUnknown,
    /// The metadata document.
    Metadata(MetadataFault),
    /// It is to be asked about access tokens, and its metadata name no endpoint for that.
    NoIntrospection,
    /// What a refresh brought cannot be trusted; the log has the reason.
    Renewal,
    /// An HTTP status that the protocol does not know, of the endpoint named.
    Status(&'static str, u16),
    /// The token response is not one.
    TokenResponse,
    /// The UserInfo answer.
    UserInfo(UserInfoFault),
}

/// Why a logout of the OP is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogoutRequestFault {
    /// A parameter occurs twice.
    Duplicate,
    /// `iss` is not the OP's.
    Issuer,
    /// Not a form, longer than any, or it broke off.
    NoForm,
    /// The logout token was used before.
    Replayed,
    /// Neither a session nor an account that could be known is named.
    SessionMissing,
    /// There is no `logout_token`.
    TokenMissing,
}

/// Why a request of the operator is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperatorFault {
    /// Accounts are not named like that at this OP.
    Account,
    /// A parameter occurs twice, or two of them name whose sessions are to end.
    Duplicate,
    /// Nobody is named whose sessions are to end.
    Missing,
    /// `before` is not in seconds since the epoch, or lies in the future.
    Moment,
    /// Not a form, longer than any, or it broke off.
    NoForm,
    /// The provider of the account is not named, or is none.
    Provider,
    /// A parameter that means nothing here.
    Unknown,
}

impl Json for SessionEnd {
    fn to_json(&self) -> Value {
        match self {
            Self::Cookie(fault) => named("Cookie", fault.to_json()),
            Self::EntryDoesNotOpen => "EntryDoesNotOpen".into(),
            Self::EntryMissing => "EntryMissing".into(),
            Self::SignedOut => "SignedOut".into(),
            Self::TenantNotAllowed => "TenantNotAllowed".into(),
        }
    }

    fn from_json(value: Value) -> Option<Self> {
        let (name, value) = name_and_value(value)?;
        Some(match name.as_str() {
            "Cookie" => Self::Cookie(Json::from_json(value)?),
            "EntryDoesNotOpen" => Self::EntryDoesNotOpen,
            "EntryMissing" => Self::EntryMissing,
            "SignedOut" => Self::SignedOut,
            "TenantNotAllowed" => Self::TenantNotAllowed,
            _ => return None,
        })
    }
}
