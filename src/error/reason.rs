//! What an error says in the log.

use std::fmt;

use super::{AccessTokenFault, CredentialFault, Error};

/// For the log: lower case, one line, nothing secret.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AccessTokenMalformed => f.write_str("access token malformed"),
            Self::AccessTokenMissing => f.write_str("no access token"),
            Self::AccessTokenRejected(fault) => write!(f, "access token rejected: {fault}"),
            Self::AccountMismatch => f.write_str("another account came back than the one that was sent to the OP"),
            Self::ApiUnreachable(name, fault) => write!(f, "downstream API {name} unreachable: {fault:?}"),
            Self::AttemptInvalid(fault) => write!(f, "login attempt: {fault:?}"),
            Self::AuthorizationResponseInvalid(fault) => write!(f, "authorization response: {fault:?}"),
            Self::BadRequest(fault) => write!(f, "request refused: {fault:?}"),
            Self::Bug(what) => write!(f, "bug: {what}"),
            Self::CacheUnavailable(fault) => write!(f, "token cache: {fault:?}"),
            Self::CodeRejected => f.write_str("the OP rejected the authorization code (invalid_grant)"),
            Self::Forbidden { rule, .. } => write!(f, "rule {rule} requires other claims"),
            Self::IdTokenRejected(fault) => write!(f, "ID token rejected: {fault}"),
            Self::InteractionLoop(api) => write!(f, "API {api} still refuses after several sign-ins for it"),
            Self::InteractionRequired(need) => {
                write!(f, "API {} needs the end-user: {:?}", need.interaction.api, need.reason)
            }
            Self::LoginRequestInvalid(fault) => write!(f, "login request: {fault:?}"),
            Self::LoginRequired => f.write_str("login required: there is no session cookie"),
            Self::LogoutRequestInvalid(fault) => write!(f, "logout request: {fault:?}"),
            Self::LogoutResponseInvalid => f.write_str("logout response: state does not match"),
            Self::LogoutTokenRejected(fault) => write!(f, "logout token rejected: {fault}"),
            Self::Misconfigured => f.write_str("the configuration has faults"),
            Self::NoSuchRoute => f.write_str("no such route"),
            Self::NotExchanged(api, fault) => write!(f, "no token for API {api} on behalf of the caller: {fault:?}"),
            Self::OpMisbehaved(fault) => write!(f, "OP misbehaved: {fault:?}"),
            Self::OpRefused(code) => write!(f, "the OP refused this client: {code}"),
            Self::OpUnreachable(fault) => write!(f, "OP unreachable: {fault:?}"),
            Self::OperatorRefused => f.write_str("the operator's key is missing or wrong"),
            Self::OperatorRequestInvalid(fault) => write!(f, "operator request: {fault:?}"),
            Self::OriginUnreachable(fault) => write!(f, "origin unreachable: {fault:?}"),
            Self::ScopeInsufficient { rule, .. } => {
                write!(f, "rule {rule} requires scopes that the access token lacks")
            }
            Self::SessionEnded(end) => write!(f, "session ended: {end:?}"),
            Self::SignInRefused(obstacle) => write!(f, "the OP signed nobody in: {obstacle:?}"),
            Self::StepUpFailed(fault) => write!(f, "step-up: ID token rejected: {fault}"),
            Self::StepUpRequired(rule, _) => write!(f, "rule {rule} demands a better or more recent sign-in"),
            Self::TenantNotAllowed(tenant) => {
                write!(f, "tenant {} is not in AllowedTenants", tenant.as_deref().unwrap_or("unknown"))
            }
            Self::UntrustedOrigin => f.write_str("not sent by a page of this origin"),
            Self::UpgradeRequired => f.write_str("not a WebSocket handshake"),
            Self::WrongMethod { allow } => write!(f, "wrong method, allowed: {allow}"),
        }
    }
}

impl fmt::Display for AccessTokenFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Introspection(fault) => fault.fmt(f),
            Self::Jwt(fault) => fault.fmt(f),
            Self::Opaque => f.write_str("it is no JWT, and introspection is off"),
            Self::TenantNotAllowed => f.write_str("its tenant is not in AllowedTenants"),
            Self::RefusedBefore => f.write_str("the OP refused it a moment ago"),
        }
    }
}

impl fmt::Display for CredentialFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Assertion(fault) => fault.fmt(f),
            Self::KnownUnusable => f.write_str("it cannot be used"),
            Self::NotSigned => f.write_str("the platform does not sign with the key: it is damaged"),
            Self::Pfx(fault) => fault.fmt(f),
            Self::Status(status) => write!(f, "the source of signed assertions answered with status {status}"),
            Self::Transport(fault) => write!(f, "the source of signed assertions: {fault}"),
        }
    }
}
