//! Why an ID token, a logout token or an access token was refused. Precise, for the log only: no value of the token is
//! in it, and the wire gets one code.

use std::fmt;

/// The check that a token failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JwtFault {
    /// `at_hash` belongs to another access token.
    AccessTokenHashMismatch,
    /// `acr` is none of those that were asked for, or missing.
    AcrRefused,
    /// The algorithm is `none`, a MAC, unknown, not configured, or not one for the key.
    AlgorithmRefused,
    /// `aud` does not list this client or, in an access token, any of the configured audiences.
    AudienceMismatch,
    /// There is no `aud`.
    AudienceMissing,
    /// `max_age` was asked for, and there is no `auth_time`.
    AuthTimeMissing,
    /// The end-user authenticated longer ago than `max_age`.
    AuthTimeTooOld,
    /// `azp` is another client.
    AuthorizedPartyMismatch,
    /// There are other audiences, and no `azp`.
    AuthorizedPartyMissing,
    /// A claim that is checked has the wrong type.
    ClaimWrongType,
    /// The client that an access token was issued to has an empty or overlong name.
    ClientIdMalformed,
    /// An access token does not say which client it was issued to.
    ClientIdMissing,
    /// The header demands an extension (`crit`).
    CriticalHeader,
    /// The token is encrypted.
    Encrypted,
    /// `events` does not say that the token is a logout token.
    EventMissing,
    /// `exp` has passed.
    Expired,
    /// There is no `exp`.
    ExpiryMissing,
    /// An ID token, presented as an access token.
    IdTokenPresented,
    /// There is no `iat`.
    IssuedAtMissing,
    /// `iat` lies in the future.
    IssuedInFuture,
    /// `iss` is not the expected issuer, or not that of the token's tenant.
    IssuerMismatch,
    /// There is no `iss`.
    IssuerMissing,
    /// The access token is bound to a key of its client (`cnf`), which a bearer cannot prove to have.
    KeyBound,
    /// The key may not sign for this issuer.
    KeyIssuerMismatch,
    /// Not a compact JWS with a JSON object as claims.
    Malformed,
    /// `nonce` is not that of the login attempt.
    NonceMismatch,
    /// There is no `nonce`.
    NonceMissing,
    /// There is a `nonce`, which a logout token must not have.
    NoncePresent,
    /// `nbf` lies in the future.
    NotYetValid,
    /// An access token of the Microsoft identity platform grants nothing: neither `scp` nor `roles`.
    PermissionMissing,
    /// `tfp`, or `acr` in its place, is not the policy of Azure AD B2C that was asked for.
    PolicyMismatch,
    /// `sid` is empty or overlong.
    SessionIdMalformed,
    /// No key of the provider verifies the signature.
    SignatureInvalid,
    /// There is neither `sub` nor `sid`.
    SubjectAndSessionIdMissing,
    /// `sub` is blank, overlong or not ASCII.
    SubjectMalformed,
    /// `sub` is not that of the session.
    SubjectMismatch,
    /// There is no `sub`.
    SubjectMissing,
    /// `jti` is empty or overlong.
    TokenIdMalformed,
    /// There is no `jti`.
    TokenIdMissing,
    /// The token is longer than is parsed.
    TooLong,
    /// There is no `typ`, which an access token must have.
    TypeMissing,
    /// `typ` names another kind of token.
    TypeRefused,
}

impl JwtFault {
    /// Whether the end-user signed in, but not in the way that was asked for.
    #[must_use]
    pub const fn is_about_step_up(self) -> bool {
        matches!(self, Self::AcrRefused | Self::AuthTimeMissing | Self::AuthTimeTooOld)
    }
}

impl fmt::Display for JwtFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AccessTokenHashMismatch => "at_hash belongs to another access token",
            Self::AcrRefused => "acr is none of those asked for",
            Self::AlgorithmRefused => "the algorithm is refused",
            Self::AudienceMismatch => "aud does not list us",
            Self::AudienceMissing => "aud is missing",
            Self::AuthTimeMissing => "auth_time is missing",
            Self::AuthTimeTooOld => "auth_time is older than max_age",
            Self::AuthorizedPartyMismatch => "azp is another client",
            Self::AuthorizedPartyMissing => "azp is missing beside several audiences",
            Self::ClaimWrongType => "a claim has the wrong type",
            Self::ClientIdMalformed => "the client id is empty or overlong",
            Self::ClientIdMissing => "the client id is missing",
            Self::CriticalHeader => "the header has crit",
            Self::Encrypted => "the token is encrypted",
            Self::EventMissing => "events lacks the logout event",
            Self::Expired => "exp has passed",
            Self::ExpiryMissing => "exp is missing",
            Self::IdTokenPresented => "the token is an id token",
            Self::IssuedAtMissing => "iat is missing",
            Self::IssuedInFuture => "iat lies in the future",
            Self::IssuerMismatch => "iss is another issuer",
            Self::IssuerMissing => "iss is missing",
            Self::KeyBound => "the token is bound to a key",
            Self::KeyIssuerMismatch => "the key may not sign for this issuer",
            Self::Malformed => "the token is malformed",
            Self::NonceMismatch => "nonce is another login attempt's",
            Self::NonceMissing => "nonce is missing",
            Self::NoncePresent => "nonce is present in a logout token",
            Self::NotYetValid => "nbf lies in the future",
            Self::PermissionMissing => "scp and roles are missing",
            Self::PolicyMismatch => "tfp or acr is another policy",
            Self::SessionIdMalformed => "sid is empty or overlong",
            Self::SignatureInvalid => "no key verifies the signature",
            Self::SubjectAndSessionIdMissing => "sub and sid are missing",
            Self::SubjectMalformed => "sub is blank, overlong or not ascii",
            Self::SubjectMismatch => "sub is not that of the session",
            Self::SubjectMissing => "sub is missing",
            Self::TokenIdMalformed => "jti is empty or overlong",
            Self::TokenIdMissing => "jti is missing",
            Self::TooLong => "the token is too long",
            Self::TypeMissing => "typ is missing",
            Self::TypeRefused => "typ names another kind of token",
        })
    }
}

impl std::error::Error for JwtFault {}
