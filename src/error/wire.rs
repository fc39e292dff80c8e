//! What the wire gets of an error: vague, stable and documented in the README.

use super::{Error, ExchangeFault};
use crate::oidc::op_error::Obstacle;
use crate::runtime::{RETRY_AFTER, TransportFault};

impl Error {
    /// The HTTP status of the answer.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::AccessTokenMalformed
            | Self::AttemptInvalid(_)
            | Self::AuthorizationResponseInvalid(_)
            | Self::BadRequest(_)
            | Self::CodeRejected
            | Self::LoginRequestInvalid(_)
            | Self::LogoutRequestInvalid(_)
            | Self::LogoutResponseInvalid
            | Self::LogoutTokenRejected(_)
            | Self::OperatorRequestInvalid(_) => 400,
            Self::AccessTokenMissing
            | Self::AccessTokenRejected(_)
            | Self::InteractionRequired(_)
            | Self::LoginRequired
            | Self::NotExchanged(_, ExchangeFault::ClaimsDemanded(_) | ExchangeFault::TokenRefused)
            | Self::OperatorRefused
            | Self::SessionEnded(_)
            | Self::StepUpRequired(..) => 401,
            Self::AccountMismatch
            | Self::Forbidden { hides: false, .. }
            | Self::InteractionLoop(_)
            | Self::NotExchanged(_, ExchangeFault::ConsentMissing | ExchangeFault::NoEndUser)
            | Self::ScopeInsufficient { .. }
            | Self::StepUpFailed(_)
            | Self::TenantNotAllowed(_)
            | Self::UntrustedOrigin => 403,
            Self::SignInRefused(obstacle) => match obstacle {
                Obstacle::AdminConsent
                | Obstacle::Blocked
                | Obstacle::Declined
                | Obstacle::Incomplete
                | Obstacle::NotAssigned
                | Obstacle::WrongAccount => 403,
                Obstacle::Loop => 429,
            },
            Self::Forbidden { hides: true, .. } | Self::NoSuchRoute => 404,
            Self::WrongMethod { .. } => 405,
            Self::UpgradeRequired => 426,
            Self::Bug(_) | Self::Misconfigured | Self::OpRefused(_) => 500,
            Self::ApiUnreachable(..)
            | Self::IdTokenRejected(_)
            | Self::OpMisbehaved(_)
            | Self::OriginUnreachable(_) => 502,
            Self::CacheUnavailable(_) | Self::OpUnreachable(_) => 503,
        }
    }

    /// The stable code on the wire and in the log.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::AccessTokenMalformed => "access_token_malformed",
            Self::AccessTokenMissing => "access_token_required",
            Self::AccessTokenRejected(_) | Self::NotExchanged(_, ExchangeFault::TokenRefused) => "access_token_invalid",
            Self::AccountMismatch => "account_mismatch",
            Self::ApiUnreachable(..) => "api_unreachable",
            Self::AttemptInvalid(_) | Self::AuthorizationResponseInvalid(_) | Self::CodeRejected => {
                "login_attempt_invalid"
            }
            Self::BadRequest(_) => "bad_request",
            Self::Bug(_) => "internal",
            Self::CacheUnavailable(_) => "cache_unavailable",
            Self::Forbidden { hides: false, .. } => "forbidden",
            Self::IdTokenRejected(_) | Self::OpMisbehaved(_) => "op_error",
            Self::InteractionLoop(_) => "interaction_loop",
            Self::InteractionRequired(_) => "interaction_required",
            Self::LoginRequestInvalid(_) => "login_request_invalid",
            Self::LoginRequired => "login_required",
            Self::LogoutRequestInvalid(_) => "logout_request_invalid",
            Self::LogoutResponseInvalid => "logout_response_invalid",
            Self::LogoutTokenRejected(_) => "logout_token_invalid",
            Self::Misconfigured | Self::OpRefused(_) => "misconfigured",
            Self::Forbidden { hides: true, .. } | Self::NoSuchRoute => "not_found",
            Self::NotExchanged(_, ExchangeFault::ClaimsDemanded(_)) => "insufficient_claims",
            Self::NotExchanged(_, ExchangeFault::ConsentMissing) => "consent_required",
            Self::NotExchanged(_, ExchangeFault::NoEndUser) => "end_user_required",
            Self::OpUnreachable(_) => "op_unreachable",
            Self::OperatorRefused => "operator_refused",
            Self::OperatorRequestInvalid(_) => "operator_request_invalid",
            Self::OriginUnreachable(_) => "origin_unreachable",
            Self::ScopeInsufficient { .. } => "insufficient_scope",
            Self::SessionEnded(_) => "session_expired",
            Self::SignInRefused(obstacle) => match obstacle {
                Obstacle::AdminConsent => "admin_consent_required",
                Obstacle::Blocked => "sign_in_blocked",
                Obstacle::Declined => "access_denied",
                Obstacle::Incomplete => "sign_in_incomplete",
                Obstacle::Loop => "sign_in_loop",
                Obstacle::NotAssigned => "not_assigned",
                Obstacle::WrongAccount => "wrong_account",
            },
            Self::StepUpFailed(_) => "step_up_failed",
            Self::StepUpRequired(..) => "step_up_required",
            Self::TenantNotAllowed(_) => "tenant_not_allowed",
            Self::UntrustedOrigin => "csrf_rejected",
            Self::UpgradeRequired => "upgrade_required",
            Self::WrongMethod { .. } => "method_not_allowed",
        }
    }

    /// Seconds after which it makes sense to try again.
    #[must_use]
    pub const fn retry_after(&self) -> Option<u64> {
        if let Self::OpUnreachable(TransportFault::Busy { retry_after }) = self {
            return Some(*retry_after);
        }
        if self.status() == 503 { Some(RETRY_AFTER) } else { None }
    }

    /// The methods that would be allowed.
    #[must_use]
    pub const fn allow(&self) -> Option<&'static str> {
        if let Self::WrongMethod { allow } = self { Some(allow) } else { None }
    }
}
