//! A callback whose sign-in is over already: reloaded, sent twice, gone back to, or too late. People do that by accident,
//! and none of it is theirs to mend.

use super::Incoming;
use super::authenticate;
use crate::error::Error;
use crate::request::Method;
use crate::runtime::Runtime;
use crate::session::login_attempt::{AttemptFault, LoginAttempt, is_another};
use crate::session::return_to::ReturnTo;
use crate::time::Timestamp;

/// What is known of a callback before anything comes of it.
pub(super) struct Arrived {
    /// Whether it brings a code, and a `state` that could be ours.
    is_whole: bool,
    /// Whether its attempt took the place of another one.
    is_another: bool,
    /// Where the browser wanted to go.
    pub(super) return_to: Option<ReturnTo>,
    began_at: Option<Timestamp>,
}

/// What is done for whoever sent it.
pub(super) enum Remedy {
    /// Nothing: they are told.
    None,
    /// Somebody is signed in: on to where the sign-in was to lead.
    GoOn(ReturnTo),
    /// Nobody is: to the OP once more, and not again.
    SignInAgain(ReturnTo),
}

impl Arrived {
    /// By the unverified `state`, if it could be ours; `attempt` is what the browser has of it.
    pub(super) fn new(state: Option<&str>, has_code: bool, attempt: Option<&LoginAttempt>) -> Self {
        Self {
            is_whole: has_code && state.is_some(),
            is_another: state.is_some_and(is_another),
            return_to: attempt.map(|attempt| attempt.return_to.clone()),
            began_at: attempt.map(|attempt| attempt.created_at),
        }
    }

    /// What helps against an error.
    pub(super) async fn remedy<R: Runtime>(&self, incoming: &Incoming<'_, R>, error: &Error) -> Remedy {
        let is_page = incoming.head.is_navigation() && incoming.head.method == Method::Get;
        if !self.is_whole || !is_page || !is_late(error) {
            return Remedy::None;
        }
        let page = || self.return_to.clone().unwrap_or_else(ReturnTo::root);
        match authenticate::signed_in(incoming).await {
            // A session from before the attempt is not what the attempt was for: to go on would lead to the OP again.
            Ok(known) if self.began_at.is_none_or(|began| known.session.issued_at >= began) => Remedy::GoOn(page()),
            Ok(_) => Remedy::None,
            Err(_) if self.is_another => Remedy::None,
            Err(_) => Remedy::SignInAgain(page()),
        }
    }
}

/// Whether the attempt, or its code, has been used or has expired. Whatever was forged or mixed up is none of these.
const fn is_late(error: &Error) -> bool {
    matches!(
        error,
        Error::AttemptInvalid(AttemptFault::DoesNotOpen | AttemptFault::Expired | AttemptFault::Missing)
            | Error::CodeRejected
    )
}
