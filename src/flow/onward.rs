//! Where a browser goes that is back from the OP.

use super::login::{self, Wish};
use super::{Incoming, authenticate};
use crate::answer::Answer;
use crate::error::Error;
use crate::oidc::authorization::Departure;
use crate::oidc::op_error::Obstacle;
use crate::oidc::user_flow::UserFlow;
use crate::router;
use crate::runtime::Runtime;
use crate::session::login_attempt::LoginAttempt;
use crate::session::return_to::ReturnTo;

/// Back to where the browser wanted to go. A redirect would still be the OP's step, which calls no API (`Sec-Fetch-Site`
/// looks at all that led to a request); the step from a page of ours is ours.
pub(super) fn to<R: Runtime>(incoming: &Incoming<'_, R>, return_to: &ReturnTo) -> Answer {
    let config = &incoming.app.config;
    let url = incoming.public_url(return_to.as_str());
    if router::is_api(config, return_to.path()) { Answer::moving_on(&url) } else { Answer::redirect(303, url) }
}

/// The same for whoever left a user flow of Azure AD B2C: on to another one, or back to the page that they came from.
pub(super) async fn instead<R: Runtime>(
    incoming: &Incoming<'_, R>,
    attempt: LoginAttempt,
    departure: Departure,
) -> Result<Answer, Error> {
    let provider = &incoming.realm.provider;
    let is_sign_in = attempt.user_flow == UserFlow::SignIn;
    match departure {
        // Only from there: whatever the OP answers, nobody is sent round and round.
        Departure::PasswordForgotten if is_sign_in && provider.policy(UserFlow::ResetPassword).is_some() => {
            login::begin(&incoming.in_flow(UserFlow::ResetPassword), Wish::of_attempt(attempt)).await
        }
        // Whoever is signed in lost nothing by it.
        Departure::Cancelled if !is_sign_in && authenticate::opened(incoming).is_ok() => {
            Ok(to(incoming, &attempt.return_to))
        }
        Departure::Cancelled | Departure::PasswordForgotten => Err(Error::SignInRefused(Obstacle::Declined)),
    }
}
