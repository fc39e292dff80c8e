//! The callback: the OP's answer becomes a session, or nothing at all.
//!
//! Every check that needs no token comes before the token request, every check of the ID token before anything is
//! written, and the cookie after the entry it leads to. The login attempt ends with any outcome (RFC 9700 §4.7).

use serde_json::json;

use super::establish::SignIn;
use super::log::{self, Event};
use super::token_endpoint::{Grant, Purpose, Refusal, exchange};
use super::verify_id_token::{Occasion, verify};
use super::{Incoming, authenticate, documents, establish, onward, refusal};
use crate::answer::Answer;
use crate::error::{Error, OpFault};
use crate::oidc::authorization::{
    AuthorizationCode, AuthorizationErrorCode, AuthorizationResponseFault, ExpectedResponse,
    UntrustedAuthorizationResponse,
};
use crate::oidc::metadata::Metadata;
use crate::oidc::user_flow::UserFlow;
use crate::request::Method;
use crate::runtime::{RETRY_AFTER, Runtime, TransportFault};
use crate::session::cookie::{CookieName, Cookies};
use crate::session::login_attempt::{AttemptFault, LoginAttempt, id_of};

/// Answers the callback. The cookie of the attempt that it names is cleared whatever comes of it.
pub(super) async fn finish<R: Runtime>(incoming: &Incoming<'_, R>) -> Answer {
    let response = UntrustedAuthorizationResponse::parse(incoming.head.target.query().unwrap_or(""));
    let attempt_id = response.as_ref().ok().and_then(|response| response.state()).and_then(id_of).map(str::to_owned);
    let outcome = match response {
        Err(fault) => Err(Error::AuthorizationResponseInvalid(fault)),
        Ok(response) => signed_in(incoming, response, attempt_id.as_deref()).await,
    };
    let answer = outcome.unwrap_or_else(|error| {
        incoming.refused(&error);
        refusal::sign_in_failed(incoming, &error)
    });
    match attempt_id {
        Some(id) => answer.with("set-cookie", CookieName::LoginAttempt(incoming.realm.ring.label(), &id).expire()),
        None => answer,
    }
}

async fn signed_in<R: Runtime>(
    incoming: &Incoming<'_, R>,
    response: UntrustedAuthorizationResponse,
    attempt_id: Option<&str>,
) -> Result<Answer, Error> {
    incoming.only(&[Method::Get], "GET")?;
    let attempt = attempt(incoming, attempt_id)?;
    let incoming = &incoming.in_flow(attempt.user_flow);
    let metadata = documents::metadata(incoming).await?;
    let session_state = response.session_state().map(str::to_owned);
    let departure = response.departure();
    let code = match (accept(response, &attempt, &metadata), departure) {
        (Ok(code), _) => code,
        (Err(Error::Denied), Some(departure)) => return onward::instead(incoming, attempt, departure).await,
        (Err(error), _) => return Err(error),
    };
    let LoginAttempt { nonce, verifier, return_to, resource, scopes, interaction, step_up, created_at, .. } = attempt;

    let claims = interaction.as_ref().and_then(|interaction| interaction.claims.as_ref());
    let purpose = Purpose { tenant: None, scopes: &scopes, resource: resource.as_deref(), claims };
    let grant = Grant::Code(code.into_string(), verifier);
    let tokens = exchange(incoming, &metadata, grant, &purpose).await.map_err(|refusal| match refusal {
        Refusal::Client(code) => Error::OpRefused(code.name().to_owned()),
        Refusal::Error(error) => error,
        Refusal::Grant { .. } => Error::CodeRejected,
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
    let session = establish::session(incoming, &metadata, sign_in).await?;
    establish::end_previous(incoming, &session).await;
    documents::store(incoming).await;
    let details = json!({ "attempt": attempt_id, "seconds": incoming.now.since(created_at) });
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
        .and_then(|attempt| if ours(&attempt) { Ok(attempt) } else { Err(AttemptFault::Missing) })
        .map_err(Error::AttemptInvalid)
}

fn accept(
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
    response.accept(&expected).map_err(|fault| {
        let AuthorizationResponseFault::OpError(code) = fault else {
            return Error::AuthorizationResponseInvalid(fault);
        };
        match code {
            AuthorizationErrorCode::AccessDenied => Error::Denied,
            AuthorizationErrorCode::InvalidRequest
            | AuthorizationErrorCode::InvalidScope
            | AuthorizationErrorCode::UnauthorizedClient
            | AuthorizationErrorCode::UnsupportedResponseType => Error::OpRefused(code.name().to_owned()),
            AuthorizationErrorCode::ServerError | AuthorizationErrorCode::TemporarilyUnavailable => {
                Error::OpUnreachable(TransportFault::Busy { retry_after: RETRY_AFTER })
            }
            AuthorizationErrorCode::AccountSelectionRequired
            | AuthorizationErrorCode::ConsentRequired
            | AuthorizationErrorCode::InteractionRequired
            | AuthorizationErrorCode::LoginRequired
            | AuthorizationErrorCode::Other => Error::AuthorizationResponseInvalid(fault),
        }
    })
}
