//! Everything that can go wrong, sorted by whose fault it is: precise for the log, vague on the wire.
//!
//! The four functions of [`Error`] have no catch-all arm, so a new variant does not compile until it has a fault, a
//! status, a stable code and a decision about the session. The codes are documented in the README and tested.

mod causes;
mod failure;
mod reason;
mod wire;

use crate::oidc::authorization::AuthorizationResponseFault;
use crate::oidc::jwt::JwtFault;
use crate::oidc::op_error::Obstacle;
use crate::request::HeadFault;
use crate::rules::StepUp;
use crate::runtime::{StoreFault, TransportFault};
use crate::session::login_attempt::{AttemptFault, Interaction};
use crate::session::login_request::LoginRequestFault;

pub use causes::{
    AccessTokenFault, CredentialFault, ExchangeFault, InteractionNeed, LogoutRequestFault, OpFault, OperatorFault,
    SessionEnd,
};
pub use failure::{Failure, InteractionReason};

/// Why a request was not served as asked.
#[derive(Debug)]
pub enum Error {
    /// The `Authorization` field names an access token and has none.
    AccessTokenMalformed,
    /// A route that is for access tokens got none.
    AccessTokenMissing,
    /// The access token failed a check.
    AccessTokenRejected(AccessTokenFault),
    /// Another account came back from the OP than the one that was sent there.
    AccountMismatch,
    /// A downstream API could not be reached, by its name.
    ApiUnreachable(String, TransportFault),
    /// The login attempt that the answer belongs to cannot be used.
    AttemptInvalid(AttemptFault),
    /// The OP's answer to the authorization request cannot be used.
    AuthorizationResponseInvalid(AuthorizationResponseFault),
    /// The request head itself is refused.
    BadRequest(HeadFault),
    /// We are wrong.
    Bug(&'static str),
    /// The token cache cannot be read or written at the moment.
    CacheUnavailable(StoreFault),
    /// The OP refused the code or the refresh token's grant at sign-in (`invalid_grant`).
    CodeRejected,
    /// A route rule, by its name, requires of whoever is signed in what their claims do not say.
    Forbidden {
        /// The rule.
        rule: String,
        /// Whether there seems to be nothing at all.
        hides: bool,
    },
    /// The ID token failed a check.
    IdTokenRejected(JwtFault),
    /// The end-user was asked for the same thing again and again, and an API, by its name, still does not get it.
    InteractionLoop(String),
    /// An API needs the signed-in end-user.
    InteractionRequired(Box<InteractionNeed>),
    /// The address of a sign-in was changed, or is too old.
    LoginRequestInvalid(LoginRequestFault),
    /// Somebody must sign in first.
    LoginRequired,
    /// A logout of the OP that is none.
    LogoutRequestInvalid(LogoutRequestFault),
    /// The answer to a sign-out does not belong to this browser.
    LogoutResponseInvalid,
    /// The logout token of a back-channel logout request failed a check. Anybody may have sent it.
    LogoutTokenRejected(JwtFault),
    /// A setting is wrong; the faults themselves were logged when the configuration was read, or used first.
    Misconfigured,
    /// No such path.
    NoSuchRoute,
    /// The access token of a program gets none for an API, by its name, further on.
    NotExchanged(String, ExchangeFault),
    /// The OP's answer breaks the protocol.
    OpMisbehaved(OpFault),
    /// The OP refused us, not the user: the registration or a setting is wrong. Carries the OAuth error code.
    OpRefused(String),
    /// The OP cannot be reached, or says that it cannot answer now.
    OpUnreachable(TransportFault),
    /// Whoever wants something as the operator has not the operator's key.
    OperatorRefused,
    /// A request of the operator that is none.
    OperatorRequestInvalid(OperatorFault),
    /// The origin could not be reached.
    OriginUnreachable(TransportFault),
    /// The access token does not have all scopes that a route rule, by its name, asks for.
    ScopeInsufficient {
        /// The rule.
        rule: String,
        /// All that it asks for.
        scopes: Vec<String>,
    },
    /// The browser's session is over.
    SessionEnded(SessionEnd),
    /// The OP did not sign the end-user in, for a reason that people can do something about.
    SignInRefused(Obstacle),
    /// The OP did not sign the end-user in as a route rule demands, though it was asked to.
    StepUpFailed(JwtFault),
    /// A route rule, by its name, demands a better or a more recent sign-in.
    StepUpRequired(String, StepUp),
    /// Whoever signed in is of a tenant, by its verified id, that the configuration does not list.
    TenantNotAllowed(Option<String>),
    /// A state-changing or API request, or a WebSocket handshake, that no page of ours sent.
    UntrustedOrigin,
    /// The path has nothing but WebSockets (RFC 9110 §15.5.22).
    UpgradeRequired,
    /// The path exists, for other methods.
    WrongMethod {
        /// The `Allow` header's value.
        allow: &'static str,
    },
}

/// Whose fault an error is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Whoever sent the request.
    Caller,
    /// The origin or a downstream API.
    Downstream,
    /// The OpenID Provider.
    OpenIdProvider,
    /// Whoever configured or registered this deployment.
    Operator,
    /// This software, or the platform under it.
    Us,
}

impl Error {
    /// Whose fault it is.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        match self {
            Self::AccessTokenMalformed
            | Self::AccessTokenMissing
            | Self::AccessTokenRejected(_)
            | Self::AccountMismatch
            | Self::AttemptInvalid(_)
            | Self::AuthorizationResponseInvalid(_)
            | Self::BadRequest(_)
            | Self::CodeRejected
            | Self::Forbidden { .. }
            | Self::InteractionRequired(_)
            | Self::LoginRequestInvalid(_)
            | Self::LoginRequired
            | Self::LogoutRequestInvalid(_)
            | Self::LogoutResponseInvalid
            | Self::LogoutTokenRejected(_)
            | Self::NoSuchRoute
            | Self::NotExchanged(..)
            | Self::OperatorRefused
            | Self::OperatorRequestInvalid(_)
            | Self::ScopeInsufficient { .. }
            | Self::SessionEnded(_)
            | Self::SignInRefused(_)
            | Self::StepUpFailed(_)
            | Self::StepUpRequired(..)
            | Self::TenantNotAllowed(_)
            | Self::UntrustedOrigin
            | Self::UpgradeRequired
            | Self::WrongMethod { .. } => Fault::Caller,
            Self::ApiUnreachable(..) | Self::OriginUnreachable(_) => Fault::Downstream,
            Self::IdTokenRejected(_) | Self::OpMisbehaved(_) | Self::OpUnreachable(_) => Fault::OpenIdProvider,
            Self::InteractionLoop(_) | Self::Misconfigured | Self::OpRefused(_) => Fault::Operator,
            Self::Bug(_) | Self::CacheUnavailable(_) => Fault::Us,
        }
    }

    /// Whether the browser's session cookie is expired with the answer. Only what proves that the session is over does.
    #[must_use]
    pub const fn ends_session(&self) -> bool {
        match self {
            Self::SessionEnded(_) => true,
            Self::AccessTokenMalformed
            | Self::AccessTokenMissing
            | Self::AccessTokenRejected(_)
            | Self::AccountMismatch
            | Self::ApiUnreachable(..)
            | Self::AttemptInvalid(_)
            | Self::AuthorizationResponseInvalid(_)
            | Self::BadRequest(_)
            | Self::Bug(_)
            | Self::CacheUnavailable(_)
            | Self::CodeRejected
            | Self::Forbidden { .. }
            | Self::IdTokenRejected(_)
            | Self::InteractionLoop(_)
            | Self::InteractionRequired(_)
            | Self::LoginRequestInvalid(_)
            | Self::LoginRequired
            | Self::LogoutRequestInvalid(_)
            | Self::LogoutResponseInvalid
            | Self::LogoutTokenRejected(_)
            | Self::Misconfigured
            | Self::NoSuchRoute
            | Self::NotExchanged(..)
            | Self::OpMisbehaved(_)
            | Self::OpRefused(_)
            | Self::OpUnreachable(_)
            | Self::OperatorRefused
            | Self::OperatorRequestInvalid(_)
            | Self::OriginUnreachable(_)
            | Self::ScopeInsufficient { .. }
            | Self::SignInRefused(_)
            | Self::StepUpFailed(_)
            | Self::StepUpRequired(..)
            | Self::TenantNotAllowed(_)
            | Self::UntrustedOrigin
            | Self::UpgradeRequired
            | Self::WrongMethod { .. } => false,
        }
    }

    /// What an API needs the end-user for.
    #[must_use]
    pub fn interaction(&self) -> Option<&Interaction> {
        if let Self::InteractionRequired(need) = self { Some(&need.interaction) } else { None }
    }

    /// How the end-user must sign in for a route rule.
    #[must_use]
    pub const fn step_up(&self) -> Option<&StepUp> {
        if let Self::StepUpRequired(_, step_up) = self { Some(step_up) } else { None }
    }

    /// What an error of the ID token is at a sign-in: the end-user may have signed in, only not as a rule demands.
    #[must_use]
    pub fn at_sign_in(self) -> Self {
        if let Self::IdTokenRejected(fault) = &self
            && fault.is_about_step_up()
        {
            return Self::StepUpFailed(*fault);
        }
        self
    }
}

impl std::error::Error for Error {}
