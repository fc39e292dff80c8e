//! The log: one JSON object a line, with stable names in `event`. Sessions appear as a keyed hash; tokens, codes,
//! cookies and subjects never do.

use serde_json::{Value, json};

use crate::config::ConfigFault;
use crate::error::Error;
use crate::runtime::Runtime;

/// Something that happened.
#[derive(Clone, Copy, Debug)]
pub(super) enum Event {
    /// The application got a token of its own.
    AppTokenAcquired,
    /// What the origin would be told of a user was left out because it is too long.
    IdentityLeftOut,
    /// The OP is not asked about access tokens for a while: too many were none.
    IntrospectionPaused,
    /// A sign-in was completed.
    LoginCompleted,
    /// A browser was sent to the OP.
    LoginStarted,
    /// The OP said in a logout token that sessions are over.
    LogoutByBackChannel,
    /// The OP had a browser load the front-channel logout.
    LogoutByFrontChannel,
    /// An account or session was removed because its user signed out.
    LogoutCompleted,
    /// A browser came back from the OP after a sign-out.
    LogoutReturned,
    /// A user ended another session.
    SessionEnded,
    /// An operator ended sessions.
    SessionsEndedByOperator,
    /// The store failed, and the request was served without it.
    StoreFailed,
    /// Writing to the store was given up after several failures.
    StoreGivenUp,
    /// A token was refreshed.
    TokenRefreshed,
    /// A refresh failed.
    TokenRefreshFailed,
    /// The OP did not revoke a refresh token.
    TokenRevocationFailed,
    /// The OP revoked a refresh token.
    TokenRevoked,
    /// A refresh failed, and a token that is still valid was used.
    TokenStillUsed,
}

impl Event {
    const fn name(self) -> &'static str {
        match self {
            Self::AppTokenAcquired => "app_token.acquired",
            Self::IdentityLeftOut => "identity.left_out",
            Self::IntrospectionPaused => "introspection.paused",
            Self::LoginCompleted => "login.completed",
            Self::LoginStarted => "login.started",
            Self::LogoutByBackChannel => "logout.back_channel",
            Self::LogoutByFrontChannel => "logout.front_channel",
            Self::LogoutCompleted => "logout.completed",
            Self::LogoutReturned => "logout.returned",
            Self::SessionEnded => "session.ended",
            Self::SessionsEndedByOperator => "sessions.ended_by_operator",
            Self::StoreFailed => "store.failed",
            Self::StoreGivenUp => "store.given_up",
            Self::TokenRefreshed => "token.refreshed",
            Self::TokenRefreshFailed => "token.refresh_failed",
            Self::TokenRevocationFailed => "token.revocation_failed",
            Self::TokenRevoked => "token.revoked",
            Self::TokenStillUsed => "token.still_used",
        }
    }
}

/// Logs what happened; `details` is an object.
pub(super) fn happened<R: Runtime>(runtime: &R, trace: &str, event: Event, details: Value) {
    let mut line = json!({ "event": event.name(), "trace": trace });
    if let (Some(line), Value::Object(details)) = (line.as_object_mut(), details) {
        line.extend(details);
    }
    runtime.log(&line.to_string());
}

/// Logs why a request was refused, and by which route rule, if one held.
pub(super) fn refused<R: Runtime>(runtime: &R, trace: &str, error: &Error, rule: Option<&str>) {
    let line = json!({
        "event": "request.refused",
        "trace": trace,
        "code": error.code(),
        "status": error.status(),
        "fault": format!("{:?}", error.fault()),
        "reason": error.to_string(),
        "rule": rule,
    });
    runtime.log(&line.to_string());
}

/// Logs every fault of the configuration at once.
pub fn misconfigured<R: Runtime>(runtime: &R, faults: &[ConfigFault]) {
    let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
    runtime.log(&json!({ "event": "config.invalid", "faults": faults }).to_string());
}
