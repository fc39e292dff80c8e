//! On behalf of an end-user whom a program acts for: its access token for us is exchanged for one of an API, at the OP
//! (`oidc::token_exchange`). What the program sent never reaches the API.
//!
//! The tokens are remembered in this isolate alone: an exchange costs one request of the OP, and nothing of a program's is
//! ever written to a store.

use std::rc::Rc;

use super::account::{self, Cause};
use super::acquire::Credential;
use super::bearer::Presented;
use super::log::{self, Event};
use super::token_endpoint::{self, Grant, Purpose, Refusal};
use super::under_way::{Patience, begin_or_wait};
use super::{Context, app_token, documents};
use crate::config::{Api, ApiToken};
use crate::error::{Error, ExchangeFault, Failure};
use crate::json::{members, named};
use crate::memory::{ExchangeFailure, PurposeKey};
use crate::oidc::token_exchange::TokenExchange;
use crate::runtime::{RETRY_AFTER, Runtime, StoreFault};
use crate::session::entry::CachedAccessToken;
use crate::time::{Lifetime, Timestamp};

/// What this isolate's memory has for a call that needs nothing else.
pub(super) fn at_once<R: Runtime>(context: &Context<'_, R>, presented: &Presented, api: &Api) -> Option<Credential> {
    match api.token {
        ApiToken::None => Some(Credential::None),
        ApiToken::App => app_token::at_once(context, api).as_ref().map(Credential::from),
        ApiToken::User => {
            let cached = cached(context, presented, api, context.now)?;
            cached.lookup_at(context.now).usable().map(Credential::from)
        }
    }
}

/// What to call an API with.
pub(super) async fn credential<R: Runtime>(
    context: &Context<'_, R>,
    presented: &Presented,
    api: &Api,
) -> Result<Credential, Error> {
    if let Some(credential) = at_once(context, presented, api) {
        return Ok(credential);
    }
    acquire(context, presented, api, &Cause::Missing).await
}

/// The token of an API after the API refused the one it was called with; none where another would be refused as well.
pub(super) async fn replacement<R: Runtime>(
    context: &Context<'_, R>,
    presented: &Presented,
    api: &Api,
    cause: &Cause,
) -> Result<Option<Credential>, Error> {
    if api.token == ApiToken::User
        && let Cause::Rejected { token, claims } = cause
        && let Some(cached) = cached(context, presented, api, context.now).filter(|cached| cached.digest() == *token)
    {
        match claims {
            // The end-user is needed: the OP has heard of these claims.
            Some(claims) if cached.claims == Some(claims.name()) => {
                return Err(Error::NotExchanged(api.name.clone(), ExchangeFault::ClaimsDemanded(claims.clone())));
            }
            // Whatever is wrong with a token as new as that, an API that refuses all makes nobody ask the OP every time.
            None if cached.issued_at + PAUSE > context.runtime.now() => return Ok(None),
            Some(_) | None => {}
        }
    }
    acquire(context, presented, api, cause).await.map(Some)
}

/// The token that an API was called with, as far as it is remembered.
pub(super) fn cached<R: Runtime>(
    context: &Context<'_, R>,
    presented: &Presented,
    api: &Api,
    now: Timestamp,
) -> Option<Rc<CachedAccessToken>> {
    context.realm.memory.exchanges.find(PurposeKey::of_token(presented.key, &api.name), now)
}

async fn acquire<R: Runtime>(
    context: &Context<'_, R>,
    presented: &Presented,
    api: &Api,
    cause: &Cause,
) -> Result<Credential, Error> {
    if api.token == ApiToken::App {
        return app_token::acquire(context, api, cause).await.map(|cached| (&cached).into());
    }
    if !presented.token.has_end_user() {
        return Err(Error::NotExchanged(api.name.clone(), ExchangeFault::NoEndUser));
    }
    let exchanges = &context.realm.memory.exchanges;
    let key = PurposeKey::of_token(presented.key, &cause.purpose(api));
    let _begun = begin_or_wait(context, key, Patience::FOR_THE_OP).await;
    if let Some(outcome) = settled(context, presented, (api, cause), key) {
        return outcome;
    }
    let outcome = exchange(context, presented, api, cause).await;
    let now = context.runtime.now();
    match outcome {
        Ok(cached) => {
            log::happened(context, Event::TokenExchanged, None, named("api", api.name.as_str().into()));
            let until = presented.token.expires_at().unwrap_or(cached.expires_at);
            let key = PurposeKey::of_token(presented.key, &api.name);
            Ok(exchanges.remember(key, cached, until).as_ref().into())
        }
        Err(failure) => {
            log_failure(context, Event::TokenExchangeFailed, api, &failure);
            exchanges.failed(key, failure.clone(), now);
            still(context, presented, (api, cause), &failure).ok_or_else(|| error(api, failure))
        }
    }
}

/// What is known already, since somebody else was first.
fn settled<R: Runtime>(
    context: &Context<'_, R>,
    presented: &Presented,
    (api, cause): (&Api, &Cause),
    key: PurposeKey,
) -> Option<Result<Credential, Error>> {
    let now = context.runtime.now();
    let cached = cached(context, presented, api, now);
    if let Some(cached) = cached.filter(|cached| cause.is_met_by(&cached.lookup_at(now))) {
        return Some(Ok(cached.as_ref().into()));
    }
    let failure = context.realm.memory.exchanges.recent_failure(key, now)?;
    Some(still(context, presented, (api, cause), &failure).ok_or_else(|| error(api, failure)))
}

/// A token in its expiry window, which no API refused, while the OP cannot give another.
fn still<R: Runtime>(
    context: &Context<'_, R>,
    presented: &Presented,
    (api, cause): (&Api, &Cause),
    failure: &ExchangeFailure,
) -> Option<Credential> {
    if !matches!((failure, cause), (ExchangeFailure::Op(_), Cause::Missing)) {
        return None;
    }
    let cached = cached(context, presented, api, context.runtime.now())?;
    log_failure(context, Event::TokenStillUsed, api, failure);
    Some(cached.as_ref().into())
}

async fn exchange<R: Runtime>(
    context: &Context<'_, R>,
    presented: &Presented,
    api: &Api,
    cause: &Cause,
) -> Result<CachedAccessToken, ExchangeFailure> {
    let provider = &context.realm.provider;
    let metadata = documents::metadata(context).await.map_err(|error| of_op(&error))?;
    // Whoever is a guest elsewhere is known to the tenant that issued the token, and `common` is none.
    let tenant = api.tenant.as_deref().or_else(|| provider.issuer.tenant_of(presented.token.issuer()));
    let exchange = if provider.is_entra { TokenExchange::OnBehalfOf } else { TokenExchange::Rfc8693 };
    let grant = Grant::Presented(exchange, presented.credential.secret().clone());
    let purpose = Purpose { tenant, scopes: &api.scopes, resource: api.resource.as_deref(), claims: cause.claims() };
    let response = token_endpoint::exchange(context, &metadata, grant, &purpose).await;
    match response {
        // A refresh token, should there be one, is dropped: the presented token bounds what may come of it.
        Ok(response) if exchange.is_access_token(response.issued_token_type.as_deref()) => {
            let cached = token_endpoint::cached(&response, &purpose, context.runtime.now());
            Ok(CachedAccessToken { scopes: api.scopes.clone(), ..cached })
        }
        Ok(_) => Err(of_op(&Error::OpMisbehaved(crate::error::OpFault::TokenResponse))),
        Err(Refusal::Client(code)) if exchange.blames_token(code) => {
            Err(ExchangeFailure::Token(ExchangeFault::TokenRefused))
        }
        Err(Refusal::Client(code)) => Err(ExchangeFailure::Op(Failure::OpRefused(code.name().to_owned()))),
        Err(Refusal::Grant { claims: Some(claims), .. }) => {
            Err(ExchangeFailure::Token(ExchangeFault::ClaimsDemanded(claims)))
        }
        Err(Refusal::Grant { is_spent: true, .. }) => Err(ExchangeFailure::Token(ExchangeFault::TokenRefused)),
        Err(Refusal::Grant { is_spent: false, .. }) => Err(ExchangeFailure::Token(ExchangeFault::ConsentMissing)),
        Err(Refusal::Error(error)) => Err(of_op(&error)),
    }
}

fn of_op(error: &Error) -> ExchangeFailure {
    ExchangeFailure::Op(Failure::of(error).unwrap_or(Failure::Store(StoreFault::Account)))
}

fn error(api: &Api, failure: ExchangeFailure) -> Error {
    match failure {
        ExchangeFailure::Op(failure) => account::error(failure),
        ExchangeFailure::Token(fault) => Error::NotExchanged(api.name.clone(), fault),
    }
}

fn log_failure<R: Runtime>(context: &Context<'_, R>, event: Event, api: &Api, failure: &ExchangeFailure) {
    let details = match failure {
        ExchangeFailure::Op(failure) => log::failure(&api.name, failure),
        ExchangeFailure::Token(fault) => {
            let error = Error::NotExchanged(api.name.clone(), fault.clone());
            members([
                ("api", api.name.as_str().into()),
                ("code", error.code().into()),
                ("reason", format!("{fault:?}").into()),
            ])
        }
    };
    log::happened(context, event, None, details);
}

/// A token that was refused though it is no older than this is not worth another.
const PAUSE: Lifetime = Lifetime::from_seconds(RETRY_AFTER);
