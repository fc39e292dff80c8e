//! Why a token could not be renewed: as much of it as an account's object tells the Worker and an isolate remembers for a
//! moment. The precise reason is in the log by then.

use serde_json::Value;

use super::{Error, OpFault, SessionEnd};
use crate::json::{Json, Members, members, name_and_value, named};
use crate::oidc::claims_challenge::ClaimsChallenge;
use crate::runtime::{RETRY_AFTER, StoreFault, TransportFault};
use crate::time::Lifetime;

/// What stands in the way of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
            // Nothing that the client could say who it is by; the log has the reason.
            Error::Misconfigured => Some(Self::OpRefused("no_client_credential".to_owned())),
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
            | Error::Forbidden { .. }
            | Error::InteractionLoop(_)
            | Error::InteractionRequired(_)
            | Error::LoginRequestInvalid(_)
            | Error::LoginRequired
            | Error::LogoutRequestInvalid(_)
            | Error::LogoutResponseInvalid
            | Error::LogoutTokenRejected(_)
            | Error::NoSuchRoute
            | Error::NotExchanged(..)
            | Error::OperatorRefused
            | Error::OperatorRequestInvalid(_)
            | Error::OriginUnreachable(_)
            | Error::ScopeInsufficient { .. }
            | Error::SignInRefused(_)
            | Error::StepUpFailed(_)
            | Error::StepUpRequired(..)
            | Error::TenantNotAllowed(_)
            | Error::UntrustedOrigin
            | Error::UpgradeRequired
            | Error::WrongMethod { .. } => None,
        }
    }
}

impl InteractionReason {
    /// Every reason.
    const ALL: [Self; 4] = [Self::ClaimsDemanded, Self::NoRefreshToken, Self::OpWantsUser, Self::ScopesNotGranted];

    const fn name(self) -> &'static str {
        match self {
            Self::ClaimsDemanded => "ClaimsDemanded",
            Self::NoRefreshToken => "NoRefreshToken",
            Self::OpWantsUser => "OpWantsUser",
            Self::ScopesNotGranted => "ScopesNotGranted",
        }
    }
}

impl Json for InteractionReason {
    fn to_json(&self) -> Value {
        self.name().into()
    }

    fn from_json(value: Value) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| value == reason.name())
    }
}

impl Json for Failure {
    fn to_json(&self) -> Value {
        match self {
            Self::Ended(end) => named("Ended", end.to_json()),
            Self::NeedsUser { reason, claims } => {
                named("NeedsUser", members([("reason", reason.to_json()), ("claims", claims.to_json())]))
            }
            Self::OpRefused(code) => named("OpRefused", code.to_json()),
            Self::OpUnreachable(fault) => named("OpUnreachable", fault.to_json()),
            Self::Store(fault) => named("Store", fault.to_json()),
            Self::Untrusted => "Untrusted".into(),
        }
    }

    fn from_json(value: Value) -> Option<Self> {
        let (name, value) = name_and_value(value)?;
        Some(match name.as_str() {
            "Ended" => Self::Ended(Json::from_json(value)?),
            "NeedsUser" => {
                let mut need = Members::of(value)?;
                Self::NeedsUser { reason: need.take("reason")?, claims: need.take("claims")? }
            }
            "OpRefused" => Self::OpRefused(Json::from_json(value)?),
            "OpUnreachable" => Self::OpUnreachable(Json::from_json(value)?),
            "Store" => Self::Store(Json::from_json(value)?),
            "Untrusted" => Self::Untrusted,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::session::SessionFault;

    #[test]
    fn every_failure_is_written_as_earlier_versions_read_it_and_comes_back() {
        let claims = ClaimsChallenge::parse(r#"{"a":1}"#);
        let busy = TransportFault::Busy { retry_after: 7 };
        let cookie = |fault| Failure::Ended(SessionEnd::Cookie(fault));
        let needs_user = |reason, claims| Failure::NeedsUser { reason, claims };
        for (failure, text) in [
            (cookie(SessionFault::DoesNotOpen), r#"{"Ended":{"Cookie":"DoesNotOpen"}}"#),
            (cookie(SessionFault::Expired), r#"{"Ended":{"Cookie":"Expired"}}"#),
            (Failure::Ended(SessionEnd::EntryDoesNotOpen), r#"{"Ended":"EntryDoesNotOpen"}"#),
            (Failure::Ended(SessionEnd::EntryMissing), r#"{"Ended":"EntryMissing"}"#),
            (Failure::Ended(SessionEnd::SignedOut), r#"{"Ended":"SignedOut"}"#),
            (Failure::Ended(SessionEnd::TenantNotAllowed), r#"{"Ended":"TenantNotAllowed"}"#),
            (
                needs_user(InteractionReason::ClaimsDemanded, claims),
                r#"{"NeedsUser":{"claims":"{\"a\":1}","reason":"ClaimsDemanded"}}"#,
            ),
            (needs_user(InteractionReason::NoRefreshToken, None), r#"{"NeedsUser":{"reason":"NoRefreshToken"}}"#),
            (needs_user(InteractionReason::OpWantsUser, None), r#"{"NeedsUser":{"reason":"OpWantsUser"}}"#),
            (needs_user(InteractionReason::ScopesNotGranted, None), r#"{"NeedsUser":{"reason":"ScopesNotGranted"}}"#),
            (Failure::OpRefused("invalid_client".to_owned()), r#"{"OpRefused":"invalid_client"}"#),
            (Failure::OpUnreachable(busy), r#"{"OpUnreachable":{"Busy":{"retry_after":7}}}"#),
            (Failure::OpUnreachable(TransportFault::Failing(502)), r#"{"OpUnreachable":{"Failing":502}}"#),
            (Failure::OpUnreachable(TransportFault::NoConnection), r#"{"OpUnreachable":"NoConnection"}"#),
            (Failure::OpUnreachable(TransportFault::TooLarge), r#"{"OpUnreachable":"TooLarge"}"#),
            (Failure::OpUnreachable(TransportFault::TimedOut), r#"{"OpUnreachable":"TimedOut"}"#),
            (Failure::Store(StoreFault::Account), r#"{"Store":"Account"}"#),
            (Failure::Store(StoreFault::Delete), r#"{"Store":"Delete"}"#),
            (Failure::Store(StoreFault::Get), r#"{"Store":"Get"}"#),
            (Failure::Store(StoreFault::List), r#"{"Store":"List"}"#),
            (Failure::Store(StoreFault::Put), r#"{"Store":"Put"}"#),
            (Failure::Untrusted, r#""Untrusted""#),
        ] {
            assert_eq!(failure.to_json().to_string(), text);
            assert_eq!(Failure::from_json(serde_json::from_str(text).unwrap()), Some(failure));
        }
        for other in [r#"{"Odd":1}"#, r#""Ended""#, r#"{"Store":"Odd"}"#, r#"{"OpUnreachable":{"Failing":70000}}"#] {
            assert_eq!(Failure::from_json(serde_json::from_str(other).unwrap()), None, "{other}");
        }
    }
}
