//! The callback: the OP's answer becomes a session, or nothing at all.
//!
//! Every check that needs no token comes before the token request, every check of the ID token before anything is
//! written, and the cookie after the entry it leads to. The login attempt ends with any outcome (RFC 9700 §4.7).

use super::establish::SignIn;
use super::late_callback::{Arrived, Remedy};
use super::log::{self, Event};
use super::token_endpoint::{Grant, Purpose, Refusal, exchange};
use super::verify_id_token::{Occasion, verify};
use super::{Incoming, apart, authenticate, documents, establish, login, onward, refusal};
use crate::answer::Answer;
use crate::error::{Error, OpFault};
use crate::json::{Json, members};
use crate::oidc::authorization::{
    AuthorizationCode, AuthorizationErrorCode, AuthorizationResponseFault, ExpectedResponse,
    UntrustedAuthorizationResponse,
};
use crate::oidc::metadata::Metadata;
use crate::oidc::op_error::Obstacle;
use crate::oidc::user_flow::UserFlow;
use crate::request::Method;
use crate::runtime::{RETRY_AFTER, Runtime, TransportFault};
use crate::session::cookie::{CookieName, Cookies};
use crate::session::login_attempt::{AttemptFault, LoginAttempt, id_of};

/// Answers the callback. The cookie of the attempt that it names is cleared whatever comes of it.
pub(super) async fn finish<R: Runtime>(incoming: &Incoming<'_, R>) -> Answer {
    let response = UntrustedAuthorizationResponse::parse(incoming.head.target.query().unwrap_or(""));
    let state = response.as_ref().ok().and_then(|response| response.state()).filter(|state| id_of(state).is_some());
    let attempt_id = state.and_then(id_of).map(str::to_owned);
    let attempt = attempt(incoming, attempt_id.as_deref());
    let has_code = response.as_ref().is_ok_and(UntrustedAuthorizationResponse::has_code);
    let arrived = Arrived::new(state, has_code, attempt.as_ref().ok());
    let outcome = match response {
        Err(fault) => Err(Error::AuthorizationResponseInvalid(fault)),
        Ok(response) => signed_in(incoming, response, attempt).await,
    };
    let answer = match outcome {
        Ok(answer) => answer,
        Err(error) => apart(failed(incoming, &arrived, &error)).await,
    };
    match attempt_id {
        Some(id) => answer.with("set-cookie", CookieName::LoginAttempt(incoming.realm.ring.label(), &id).expire()),
        None => answer,
    }
}

/// What a sign-in that failed is answered: by accident alone, with another try.
async fn failed<R: Runtime>(incoming: &Incoming<'_, R>, arrived: &Arrived, error: &Error) -> Answer {
    incoming.refused(error);
    let again = match arrived.remedy(incoming, error).await {
        Remedy::None => return refusal::sign_in_failed(incoming, error, arrived.return_to.as_ref()),
        Remedy::GoOn(return_to) => return onward::to(incoming, &return_to),
        Remedy::SignInAgain(return_to) => login::begin(incoming, login::Wish::another(return_to)).await,
    };
    again.unwrap_or_else(|error| {
        incoming.refused(&error);
        refusal::sign_in_failed(incoming, &error, None)
    })
}

async fn signed_in<R: Runtime>(
    incoming: &Incoming<'_, R>,
    response: UntrustedAuthorizationResponse,
    attempt: Result<LoginAttempt, Error>,
) -> Result<Answer, Error> {
    incoming.only(&[Method::Get], "GET")?;
    let attempt = attempt?;
    let incoming = &incoming.in_flow(attempt.user_flow);
    let metadata = documents::metadata(incoming).await?;
    let session_state = response.session_state().map(str::to_owned);
    let departure = response.departure();
    let code = match (accept(incoming, response, &attempt, &metadata), departure) {
        (Ok(code), _) => code,
        (Err(Error::SignInRefused(Obstacle::Declined)), Some(departure)) => {
            return apart(onward::instead(incoming, attempt, departure)).await;
        }
        (Err(error), _) => return Err(error),
    };
    let attempt_id = attempt.id().to_owned();
    let LoginAttempt { nonce, verifier, return_to, resource, scopes, interaction, step_up, created_at, .. } = attempt;

    let claims = interaction.as_ref().and_then(|interaction| interaction.claims.as_ref());
    let purpose = Purpose { tenant: None, scopes: &scopes, resource: resource.as_deref(), claims };
    let grant = Grant::Code(code.into_string(), verifier);
    let tokens = exchange(incoming, &metadata, grant, &purpose).await.map_err(|refusal| match refusal {
        Refusal::Client(code) => Error::OpRefused(code.name().to_owned()),
        Refusal::Error(error) => error,
        Refusal::Grant { obstacle: Some(obstacle), .. } => Error::SignInRefused(obstacle),
        Refusal::Grant { is_spent: true, .. } => Error::CodeRejected,
        Refusal::Grant { is_spent: false, .. } => Error::SignInRefused(Obstacle::Incomplete),
    })?;
    let compact = tokens.id_token.as_ref().ok_or(Error::OpMisbehaved(OpFault::IdTokenMissing))?;
    let access_token = tokens.access_token.expose();
    let occasion = Occasion::SignIn { nonce: &nonce, access_token, step_up: step_up.as_ref() };
    let id_token = verify(incoming, &metadata, compact.expose(), &occasion).await.map_err(Error::at_sign_in)?;
    if !incoming.realm.provider.admits(id_token.tenant()) {
        return Err(Error::TenantNotAllowed(id_token.tenant().map(str::to_owned)));
    }
    let previous = authenticate::signed_in(incoming).await.ok();
    let sign_in = SignIn {
        id_token,
        purpose,
        session_state,
        tokens,
        interaction: interaction.as_ref(),
        previous: previous.as_ref(),
        begun_at: created_at,
    };
    let session = apart(establish::session(incoming, &metadata, sign_in)).await?;
    apart(establish::end_previous(incoming, &session)).await;
    apart(documents::store(incoming)).await;
    let details = members([("attempt", attempt_id.into()), ("seconds", incoming.now.since(created_at).to_json())]);
    log::happened(incoming, Event::LoginCompleted, Some(&session), details);
    let cookie = session.cookie(&incoming.realm.ring, incoming.runtime.random(), incoming.now);
    Ok(onward::to(incoming, &return_to).with("set-cookie", cookie))
}

fn attempt<R: Runtime>(incoming: &Incoming<'_, R>, id: Option<&str>) -> Result<LoginAttempt, Error> {
    let id = id.ok_or(Error::AttemptInvalid(AttemptFault::Missing))?;
    let sealed = Cookies::parse(incoming.head.header("cookie")).login_attempt(incoming.realm.ring.label(), id);
    let lifetime = incoming.app.config.session.login_attempt;
    let attempt = LoginAttempt::open(id, sealed.as_deref(), &incoming.realm.ring, incoming.now, lifetime);
    // An attempt at another provider must not end here (RFC 9700 §4.4).
    let provider = &incoming.realm.provider;
    let ours = |attempt: &LoginAttempt| {
        let is_known = attempt.user_flow == UserFlow::SignIn || provider.policy(attempt.user_flow).is_some();
        attempt.provider == provider.name && is_known
    };
    attempt
        .and_then(|attempt| if ours(&attempt) { Ok(attempt) } else { Err(AttemptFault::OtherProvider) })
        .map_err(Error::AttemptInvalid)
}

fn accept<R: Runtime>(
    incoming: &Incoming<'_, R>,
    response: UntrustedAuthorizationResponse,
    attempt: &LoginAttempt,
    metadata: &Metadata,
) -> Result<AuthorizationCode, Error> {
    let expected = ExpectedResponse {
        state: &attempt.state,
        issuer: &metadata.issuer,
        tenant: None,
        issuer_required: metadata.sends_issuer_parameter,
    };
    let details = response.details().clone();
    response.accept(&expected).map_err(|fault| {
        let AuthorizationResponseFault::OpError(code) = fault else {
            return Error::AuthorizationResponseInvalid(fault);
        };
        log::op_error(incoming, code.name(), None, &details);
        if let Some(obstacle) = details.obstacle() {
            return Error::SignInRefused(obstacle);
        }
        match code {
            AuthorizationErrorCode::AccessDenied => Error::SignInRefused(Obstacle::Declined),
            // Nobody was told not to ask the end-user, so only somebody else can consent.
            AuthorizationErrorCode::ConsentRequired => Error::SignInRefused(Obstacle::AdminConsent),
            AuthorizationErrorCode::InvalidRequest
            | AuthorizationErrorCode::InvalidScope
            | AuthorizationErrorCode::UnauthorizedClient
            | AuthorizationErrorCode::UnsupportedResponseType => Error::OpRefused(code.name().to_owned()),
            AuthorizationErrorCode::ServerError | AuthorizationErrorCode::TemporarilyUnavailable => {
                Error::OpUnreachable(TransportFault::Busy { retry_after: RETRY_AFTER })
            }
            AuthorizationErrorCode::AccountSelectionRequired
            | AuthorizationErrorCode::InteractionRequired
            | AuthorizationErrorCode::LoginRequired => Error::SignInRefused(Obstacle::Incomplete),
            AuthorizationErrorCode::Other => Error::AuthorizationResponseInvalid(fault),
        }
    })
}
