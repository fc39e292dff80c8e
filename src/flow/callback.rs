//! The callback: the OP's answer becomes a session, or nothing at all.
//!
//! Every check that needs no token comes before the token request, every check of the ID token before anything is
//! written, and the cookie after the entry it leads to. The login attempt ends with any outcome (RFC 9700 §4.7).

use serde_json::{Map, Value, json};

use super::acquire::{cached, store};
use super::log::{self, Event};
use super::token_endpoint::{Grant, Purpose, Refusal, exchange};
use super::verify_id_token::{Occasion, verify};
use super::{Context, authenticate, documents, refusal};
use crate::answer::Answer;
use crate::error::{Error, OpFault};
use crate::oidc::authorization::{
    AuthorizationCode, AuthorizationErrorCode, AuthorizationResponseFault, ExpectedResponse,
    UntrustedAuthorizationResponse,
};
use crate::oidc::client_info::ClientInfo;
use crate::oidc::id_token::IdToken;
use crate::oidc::metadata::Metadata;
use crate::oidc::token::TokenParts;
use crate::oidc::user_info::UserInfo;
use crate::request::Method;
use crate::runtime::{Runtime, TransportFault};
use crate::secret::Secret;
use crate::session::account::{AccountDigest, EntryKey, SidKey};
use crate::session::cookie::{CookieName, Cookies};
use crate::session::device;
use crate::session::entry::TokenCacheEntry;
use crate::session::login_attempt::{AttemptFault, LoginAttempt, id_of};
use crate::session::session::Session;

/// Answers the callback. The attempt's cookie is cleared whatever comes of it.
pub(super) async fn finish<R: Runtime>(context: &Context<'_, R>) -> Answer {
    let response = UntrustedAuthorizationResponse::parse(context.head.target.query().unwrap_or(""));
    let attempt_id = response.as_ref().ok().and_then(|response| response.state()).and_then(id_of).map(str::to_owned);
    let outcome = match response {
        Err(fault) => Err(Error::AuthorizationResponseInvalid(fault)),
        Ok(response) => signed_in(context, response, attempt_id.as_deref()).await,
    };
    let answer = outcome.unwrap_or_else(|error| {
        log::refused(context.runtime, &context.trace, &error);
        refusal::shown(context, &error)
    });
    match attempt_id {
        Some(id) => answer.with("set-cookie", CookieName::LoginAttempt(&id).expire()),
        None => answer,
    }
}

async fn signed_in<R: Runtime>(
    context: &Context<'_, R>,
    response: UntrustedAuthorizationResponse,
    attempt_id: Option<&str>,
) -> Result<Answer, Error> {
    context.only(&[Method::Get], "GET")?;
    let attempt = attempt(context, attempt_id)?;
    let metadata = documents::metadata(context).await?;
    let session_state = response.session_state().map(str::to_owned);
    let code = accept(context, response, &attempt, &metadata)?;
    let LoginAttempt { nonce, verifier, return_to, resource, scopes, .. } = attempt;

    let purpose = Purpose { scopes: &scopes, resource: resource.as_deref() };
    let grant = Grant::Code(code.into_string(), verifier);
    let tokens = exchange(context, &metadata, grant, &purpose).await.map_err(|refusal| match refusal {
        Refusal::Grant => Error::CodeRejected,
        Refusal::Error(error) => error,
    })?;
    let compact = tokens.id_token.as_ref().ok_or(Error::OpMisbehaved(OpFault::IdTokenMissing))?;
    let access_token = tokens.access_token.expose();
    let id_token =
        verify(context, &metadata, compact.expose(), &Occasion::SignIn { nonce: &nonce, access_token }).await?;
    let account = account(context, &id_token, &tokens)?;
    let claims = claims(context, &metadata, &id_token, &tokens).await?;

    let sid = id_token.session_id().map(str::to_owned).or(session_state);
    let begun = begin(context, account, &id_token, claims, sid.as_deref(), compact, &tokens, &purpose).await?;
    end_previous(context).await;
    documents::store(context).await;
    let event = json!({ "attempt": attempt_id });
    log::happened(context.runtime, &context.trace, Event::LoginCompleted, event);
    let lifetime = begun.expires_at().since(context.now);
    let cookie = CookieName::Session.set(&begun.seal(&context.app.ring, context.runtime.random()), lifetime);
    Ok(Answer::redirect(303, context.app.config.public_url(return_to.as_str())).with("set-cookie", cookie))
}

fn attempt<R: Runtime>(context: &Context<'_, R>, id: Option<&str>) -> Result<LoginAttempt, Error> {
    let id = id.ok_or(Error::AttemptInvalid(AttemptFault::Missing))?;
    let sealed = Cookies::parse(context.head.header("cookie")).login_attempt(id);
    let lifetime = context.app.config.session.login_attempt;
    let attempt = LoginAttempt::open(id, sealed.as_deref(), &context.app.ring, context.now, lifetime);
    // An attempt at another provider must not end here (RFC 9700 §4.4).
    let ours = |attempt: &LoginAttempt| attempt.provider == context.app.config.provider.name;
    attempt
        .and_then(|attempt| if ours(&attempt) { Ok(attempt) } else { Err(AttemptFault::Missing) })
        .map_err(Error::AttemptInvalid)
}

fn accept<R: Runtime>(
    context: &Context<'_, R>,
    response: UntrustedAuthorizationResponse,
    attempt: &LoginAttempt,
    metadata: &Metadata,
) -> Result<AuthorizationCode, Error> {
    let expected = ExpectedResponse {
        state: &attempt.state,
        issuer: &context.app.config.provider.issuer,
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
                Error::OpUnreachable(TransportFault::Busy { retry_after: 5 })
            }
            AuthorizationErrorCode::AccountSelectionRequired
            | AuthorizationErrorCode::ConsentRequired
            | AuthorizationErrorCode::InteractionRequired
            | AuthorizationErrorCode::LoginRequired
            | AuthorizationErrorCode::Other => Error::AuthorizationResponseInvalid(fault),
        }
    })
}

/// The home account at the Microsoft identity platform, from the token response only: what the browser carries back
/// can be edited by its user.
fn account<R: Runtime>(
    context: &Context<'_, R>,
    id_token: &IdToken,
    tokens: &TokenParts,
) -> Result<AccountDigest, Error> {
    if !context.app.config.provider.is_entra {
        return Ok(AccountDigest::from_subject(id_token.issuer(), id_token.subject()));
    }
    let info =
        tokens.client_info.as_deref().and_then(ClientInfo::parse).ok_or(Error::OpMisbehaved(OpFault::ClientInfo))?;
    Ok(AccountDigest::from_client_info(&info))
}

/// The claims to keep: the ID token's and, where configured, UserInfo's.
async fn claims<R: Runtime>(
    context: &Context<'_, R>,
    metadata: &Metadata,
    id_token: &IdToken,
    tokens: &TokenParts,
) -> Result<Map<String, Value>, Error> {
    let mut claims = id_token.claims().clone();
    if let (true, Some(endpoint)) = (context.app.config.provider.user_info, &metadata.userinfo_endpoint) {
        let request = http::Request::get(endpoint.as_str())
            .header("accept", "application/json")
            .header("authorization", format!("Bearer {}", tokens.access_token.expose()))
            .body(Vec::new())
            .map_err(|_| Error::Bug("a token is no header value"))?;
        let timeout = context.app.config.provider.timeout;
        let response = context.runtime.call_op(request, timeout).await.map_err(Error::OpUnreachable)?;
        let body = documents::succeeded("userinfo", &response)?;
        let more =
            UserInfo::parse(body, id_token.subject()).map_err(|fault| Error::OpMisbehaved(OpFault::UserInfo(fault)))?;
        for (name, value) in more.into_claims() {
            claims.entry(name).or_insert(value);
        }
    }
    claims.retain(|name, _| !PROTOCOL_CLAIMS.contains(&name.as_str()));
    Ok(claims)
}

/// Writes the entry, then the index that leads to it. Only then is there a session.
#[allow(clippy::too_many_arguments, reason = "everything that a session is made of")]
async fn begin<R: Runtime>(
    context: &Context<'_, R>,
    account: AccountDigest,
    id_token: &IdToken,
    claims: Map<String, Value>,
    sid: Option<&str>,
    compact: &Secret,
    tokens: &TokenParts,
    purpose: &Purpose<'_>,
) -> Result<Session, Error> {
    let app = context.app;
    let keys = app.ring.current();
    let record_key = Secret::new(context.runtime.random());
    let settings = &app.config.session;
    let session = Session::begin(account, context.runtime.random(), record_key, keys.id(), context.now, settings);
    let key = EntryKey::new(account, session.id, keys);
    let sid_key = sid.map(|sid| SidKey::new(id_token.issuer(), sid, keys));
    let hint = app.config.provider.sends_id_token_hint.then(|| compact.clone());
    let mut entry = TokenCacheEntry::new(id_token.issuer().to_owned(), claims, hint, sid_key.as_ref(), context.now);
    entry.refresh_token = tokens.refresh_token.clone();
    entry.save(cached(tokens, purpose, context.now), context.now);
    let device = device::describe(context.head.header("user-agent"));
    store(context, &session, &key, &entry, device).await?;
    if let Some(sid_key) = sid_key {
        let lifetime = session.storage_lifetime(context.now);
        let put = context.runtime.kv_put(sid_key.as_str(), key.as_str().as_bytes(), "{}", lifetime);
        put.await.map_err(Error::CacheUnavailable)?;
    }
    app.memory.remember(session.id, entry, context.now);
    Ok(session)
}

/// The session that this browser had before is over: its tokens must not outlive its cookie.
async fn end_previous<R: Runtime>(context: &Context<'_, R>) {
    let Ok(previous) = authenticate::session(context) else { return };
    context.app.memory.forget(previous.id);
    let Some(key) = previous.entry_key(&context.app.ring) else { return };
    if let Err(fault) = context.runtime.kv_delete(key.as_str()).await {
        let details = json!({ "what": "previous entry", "reason": format!("{fault:?}") });
        log::happened(context.runtime, &context.trace, Event::StoreFailed, details);
    }
}

/// Claims that only concern the protocol run that carried them.
const PROTOCOL_CLAIMS: &[&str] =
    &["aio", "at_hash", "aud", "azp", "c_hash", "exp", "iat", "nbf", "nonce", "rh", "uti", "ver"];
