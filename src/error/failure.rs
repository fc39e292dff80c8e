//! Why a token could not be renewed: as much of it as an account's object tells the Worker and an isolate remembers for a
//! moment. The precise reason is in the log by then.

use serde::{Deserialize, Serialize};

use super::{Error, OpFault, SessionEnd};
use crate::oidc::claims_challenge::ClaimsChallenge;
use crate::runtime::{RETRY_AFTER, StoreFault, TransportFault};
use crate::time::Lifetime;

/// What stands in the way of a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Failure {
    /// The session is over.
    Ended(SessionEnd),
    /// Only the end-user can help.
    NeedsUser {
        /// Why.
        reason: InteractionReason,
        /// What the OP demands of the next sign-in.
        claims: Option<ClaimsChallenge>,
    },
    /// Only the operator can help: the OP refused this client. Carries the OAuth error code.
    OpRefused(String),
    /// Time helps: the OP cannot answer now, or answered nonsense.
    OpUnreachable(TransportFault),
    /// Time helps: the store failed.
    Store(StoreFault),
    /// The OP's answer is about somebody else, or not signed by the OP.
    Untrusted,
}

/// Why a token needs the end-user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum InteractionReason {
    /// The API demands claims that no refresh could bring.
    ClaimsDemanded,
    /// There is no refresh token to get an access token with.
    NoRefreshToken,
    /// The OP wants the user to act before it issues this token.
    OpWantsUser,
    /// The scopes of the API were not granted.
    ScopesNotGranted,
}

impl Failure {
    /// The stable code of the refusal that it comes to ([`Error::code`]).
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Ended(_) => "session_expired",
            Self::NeedsUser { .. } => "interaction_required",
            Self::OpRefused(_) => "misconfigured",
            Self::OpUnreachable(_) => "op_unreachable",
            Self::Store(_) => "cache_unavailable",
            Self::Untrusted => "op_error",
        }
    }

    /// Seconds for which asking again makes no sense.
    #[must_use]
    pub const fn pause(&self) -> u64 {
        match self {
            Self::OpUnreachable(TransportFault::Busy { retry_after }) => *retry_after,
            Self::Ended(_)
            | Self::NeedsUser { .. }
            | Self::OpRefused(_)
            | Self::OpUnreachable(_)
            | Self::Store(_)
            | Self::Untrusted => RETRY_AFTER,
        }
    }

    /// The same after a part of the pause is over.
    #[must_use]
    pub fn with_pause(self, left: Lifetime) -> Self {
        match self {
            Self::OpUnreachable(TransportFault::Busy { .. }) => {
                Self::OpUnreachable(TransportFault::Busy { retry_after: left.as_seconds() })
            }
            other @ (Self::Ended(_)
            | Self::NeedsUser { .. }
            | Self::OpRefused(_)
            | Self::OpUnreachable(_)
            | Self::Store(_)
            | Self::Untrusted) => other,
        }
    }

    /// Whether it is about the OP, and so the same for everybody who asks for the same token now.
    #[must_use]
    pub const fn is_of_the_op(&self) -> bool {
        match self {
            Self::NeedsUser { .. } | Self::OpRefused(_) | Self::OpUnreachable(_) | Self::Untrusted => true,
            Self::Ended(_) | Self::Store(_) => false,
        }
    }

    /// What an error comes to; `None` for those that have nothing to do with a renewal.
    #[must_use]
    pub fn of(error: &Error) -> Option<Self> {
        match error {
            Error::CacheUnavailable(fault) => Some(Self::Store(*fault)),
            Error::IdTokenRejected(_) => Some(Self::Untrusted),
            // Garbage passes, as an outage does; a token that names somebody else does not.
            Error::OpMisbehaved(OpFault::AccountMismatch) => Some(Self::Untrusted),
            Error::OpMisbehaved(_) => Some(Self::OpUnreachable(TransportFault::Busy { retry_after: RETRY_AFTER })),
            Error::OpRefused(code) => Some(Self::OpRefused(code.clone())),
            Error::OpUnreachable(fault) => Some(Self::OpUnreachable(*fault)),
            Error::SessionEnded(end) => Some(Self::Ended(*end)),
            Error::AccessTokenMalformed
            | Error::AccessTokenMissing
            | Error::AccessTokenRejected(_)
            | Error::AccountMismatch
            | Error::ApiUnreachable(..)
            | Error::AttemptInvalid(_)
            | Error::AuthorizationResponseInvalid(_)
            | Error::BadRequest(_)
            | Error::Bug(_)
            | Error::CodeRejected
            | Error::Denied
            | Error::Forbidden { .. }
            | Error::InteractionLoop(_)
            | Error::InteractionRequired(_)
            | Error::LoginRequestInvalid(_)
            | Error::LoginRequired
            | Error::LogoutRequestInvalid(_)
            | Error::LogoutResponseInvalid
            | Error::LogoutTokenRejected(_)
            | Error::Misconfigured
            | Error::NoSuchRoute
            | Error::OperatorRefused
            | Error::OperatorRequestInvalid(_)
            | Error::OriginUnreachable(_)
            | Error::ScopeInsufficient { .. }
            | Error::StepUpFailed(_)
            | Error::StepUpRequired(..)
            | Error::UntrustedOrigin
            | Error::UpgradeRequired
            | Error::WrongMethod { .. } => None,
        }
    }
}
