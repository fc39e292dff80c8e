//! The application's own access tokens (client credentials, RFC 6749 §4.4): cached apart from any user's.
//!
//! With the `ACCOUNTS` binding an object of its own for each API asks the OP, once for all isolates. Without it each
//! isolate does, with a copy in Workers KV between them: these tokens come without a refresh token, so asking twice costs
//! a request and nothing else.

use serde_json::Map;

use super::account::{self, Ask, Cause, Reply};
use super::log::{self, Event};
use super::token_endpoint::{self, Grant, Purpose, Refusal};
use super::under_way::{Patience, begin_or_wait};
use super::{Context, documents, token_cache};
use crate::config::Api;
use crate::error::{Error, Failure};
use crate::json;
use crate::memory::PurposeKey;
use crate::oidc::tenant;
use crate::runtime::{AccountStorage, RETRY_AFTER, Runtime, StoreFault, StoredSession, Work};
use crate::session::entry::{CachedAccessToken, Lookup, TokenCacheEntry};
use crate::session::keys::Purpose as SealedFor;
use crate::session::session::SessionId;
use crate::session::storage_key::AppTokenKey;
use crate::time::{Lifetime, Timestamp};

/// The token in this isolate's memory. Where the OP would like it renewed by now, that is begun.
pub(super) fn at_once<R: Runtime>(context: &Context<'_, R>, api: &Api) -> Option<CachedAccessToken> {
    let cached = context.realm.memory.app_token(&api.name)?;
    match cached.lookup_at(context.now) {
        Lookup::Fresh(_) => Some(cached),
        Lookup::Due(_) => {
            let session = key(context, api).session();
            if context.realm.memory.begins_renewal(session, &api.name, context.now, PAUSE) {
                context.later(Work::RenewAppToken { api: api.name.clone() });
            }
            Some(cached)
        }
        Lookup::Expiring(_) | Lookup::Missing => None,
    }
}

/// The token from wherever it is kept, or a new one; one that is still valid if there is no other to be had.
pub(super) async fn acquire<R: Runtime>(
    context: &Context<'_, R>,
    api: &Api,
    cause: &Cause,
) -> Result<CachedAccessToken, Error> {
    let memory = &context.realm.memory;
    let key = PurposeKey::of_session(key(context, api).session(), &cause.purpose(api));
    let begun = begin_or_wait(context, key, Patience::FOR_THE_OP).await;
    let remembered = memory.app_token(&api.name);
    let is_met = |cached: &CachedAccessToken| cause.is_met_by(&cached.lookup_at(context.runtime.now()));
    // If another request's brought nothing, each asks for itself.
    if let (None, Some(cached)) = (&begun, remembered.as_ref().filter(|cached| is_met(cached))) {
        return Ok(cached.clone());
    }
    let outcome = if account::is_elsewhere(context) {
        from_object(context, api, cause).await
    } else {
        from_store(context, api, cause).await
    };
    match outcome {
        Ok(cached) => {
            memory.remember_app_token(&api.name, cached.clone());
            Ok(cached)
        }
        Err(failure) => {
            let still = remembered.filter(|cached| still_serves(cached, cause, context.now));
            still.ok_or_else(|| error(failure))
        }
    }
}

/// Inside the API's object: the sealed token that the cause does not rule out.
pub(super) async fn in_object<R: Runtime>(
    context: &Context<'_, R>,
    storage: &R::Storage,
    api: &Api,
    cause: &Cause,
) -> Result<Vec<u8>, Failure> {
    let key = key(context, api);
    let session = key.session();
    let _turn = context.realm.memory.turns.take(session, storage.life()).await;
    let now = context.runtime.now();
    let stored = storage.session(session).map_err(Failure::Store)?.and_then(|stored| stored.entry);
    let kept = stored.and_then(|sealed| Some((opened(context, &key, &sealed)?, sealed)));
    if let Some((cached, sealed)) = &kept
        && cause.is_met_by(&cached.lookup_at(now))
    {
        return Ok(sealed.clone());
    }
    let cached = match request(context, session, api, cause).await {
        Ok(cached) => cached,
        Err(failure) => {
            let still = kept.filter(|(cached, _)| still_serves(cached, cause, now));
            return still.map(|(_, sealed)| sealed).ok_or(failure);
        }
    };
    let sealed = sealed(context, &key, cached.clone());
    let stored = StoredSession {
        issued_at: now,
        expires_at: cached.expires_at,
        revision: 0,
        entry: Some(sealed.clone()),
        metadata: "{}".to_owned(),
    };
    let written = storage.put_session(session, &stored).and_then(|()| storage.wake_at(cached.expires_at));
    written.map_err(Failure::Store)?;
    Ok(sealed)
}

async fn from_object<R: Runtime>(
    context: &Context<'_, R>,
    api: &Api,
    cause: &Cause,
) -> Result<CachedAccessToken, Failure> {
    let key = key(context, api);
    let ask = Ask::AppToken { api: api.name.clone(), cause: cause.clone() };
    let fault = match account::ask(context, key.as_str(), ask).await {
        Ok(Reply::Entry(sealed)) => {
            return opened(context, &key, &sealed).ok_or(Failure::Store(StoreFault::Account));
        }
        Ok(Reply::Failed(Failure::Store(fault))) | Err(Error::CacheUnavailable(fault)) => fault,
        Ok(Reply::Failed(failure)) => return Err(failure),
        Ok(_) | Err(_) => StoreFault::Account,
    };
    // Nobody's session depends on who asks.
    token_cache::failed(context, "app token", fault);
    request(context, key.session(), api, cause).await
}

async fn from_store<R: Runtime>(
    context: &Context<'_, R>,
    api: &Api,
    cause: &Cause,
) -> Result<CachedAccessToken, Failure> {
    let key = key(context, api);
    let kept = match context.runtime.kv_get(key.as_str()).await {
        Ok(stored) => stored.and_then(|sealed| opened(context, &key, &sealed)),
        Err(fault) => {
            token_cache::failed(context, "app token", fault);
            None
        }
    };
    if let Some(cached) = &kept
        && cause.is_met_by(&cached.lookup_at(context.now))
    {
        return Ok(cached.clone());
    }
    let cached = match request(context, key.session(), api, cause).await {
        Ok(cached) => cached,
        Err(failure) => return kept.filter(|cached| still_serves(cached, cause, context.now)).ok_or(failure),
    };
    let sealed = sealed(context, &key, cached.clone());
    let lifetime = cached.expires_at.since(context.now).max(Lifetime::from_seconds(60));
    if let Err(fault) = context.runtime.kv_put(key.as_str(), &sealed, "{}", lifetime).await {
        token_cache::failed(context, "app token", fault);
    }
    Ok(cached)
}

async fn request<R: Runtime>(
    context: &Context<'_, R>,
    session: SessionId,
    api: &Api,
    cause: &Cause,
) -> Result<CachedAccessToken, Failure> {
    let memory = &context.realm.memory;
    let now = context.runtime.now();
    let named = cause.purpose(api);
    if let Some(failure) = memory.recent_failure(session, &named, now) {
        return Err(failure);
    }
    let outcome = exchange(context, api, cause, now).await;
    match &outcome {
        Ok(_) => log::happened(context, Event::AppTokenAcquired, None, json::named("api", api.name.as_str().into())),
        Err(failure) => {
            log::happened(context, Event::TokenRefreshFailed, None, log::failure(&api.name, failure));
            memory.failed(session, &named, failure.clone(), now + Lifetime::from_seconds(failure.pause()));
        }
    }
    outcome
}

async fn exchange<R: Runtime>(
    context: &Context<'_, R>,
    api: &Api,
    cause: &Cause,
    now: Timestamp,
) -> Result<CachedAccessToken, Failure> {
    let failure = |error: &Error| Failure::of(error).unwrap_or(Failure::Store(StoreFault::Account));
    let metadata = documents::metadata(context).await.map_err(|error| failure(&error))?;
    let purpose = Purpose {
        tenant: tenant_of(context, api),
        scopes: &api.scopes,
        resource: api.resource.as_deref(),
        claims: cause.claims(),
    };
    let response = token_endpoint::exchange(context, &metadata, Grant::ClientCredentials, &purpose).await;
    match response {
        // The whole token is for this API, whatever scopes it names: `.default` stands for all that were assigned.
        Ok(response) => {
            Ok(CachedAccessToken { scopes: api.scopes.clone(), ..token_endpoint::cached(&response, &purpose, now) })
        }
        Err(Refusal::Client(code)) => Err(Failure::OpRefused(code.name().to_owned())),
        // No end-user can help an application.
        Err(Refusal::Grant { .. }) => Err(Failure::OpRefused("invalid_grant".to_owned())),
        Err(Refusal::Error(error)) => Err(failure(&error)),
    }
}

/// Whether a token will do for want of another: one that no API refused, until it ends.
fn still_serves(cached: &CachedAccessToken, cause: &Cause, now: Timestamp) -> bool {
    matches!(cause, Cause::Missing) && cached.expires_at > now
}

/// Where the application is to get the token, if not in the authority's own tenant.
fn tenant_of<'a, R: Runtime>(context: &Context<'a, R>, api: &'a Api) -> Option<&'a str> {
    api.tenant.as_deref().or(context.realm.provider.app_tenant.as_deref())
}

fn key<R: Runtime>(context: &Context<'_, R>, api: &Api) -> AppTokenKey {
    let provider = &context.realm.provider;
    let endpoint = tenant_of(context, api).and_then(|tenant| tenant::token_endpoint(provider.authority(), tenant));
    let authority = endpoint.as_ref().unwrap_or(&provider.metadata_url).as_str();
    AppTokenKey::new(authority, &provider.client_id, api.resource.as_deref(), &api.scopes, context.realm.ring.current())
}

fn sealed<R: Runtime>(context: &Context<'_, R>, key: &AppTokenKey, cached: CachedAccessToken) -> Vec<u8> {
    let mut entry = TokenCacheEntry::new(String::new(), Map::new(), cached.issued_at);
    let now = cached.issued_at;
    entry.save(cached, now);
    context.realm.ring.seal(SealedFor::AppTokens, key.as_str(), &entry.to_json(), context.runtime.random())
}

fn opened<R: Runtime>(context: &Context<'_, R>, key: &AppTokenKey, sealed: &[u8]) -> Option<CachedAccessToken> {
    let (_, plain) = context.realm.ring.open(SealedFor::AppTokens, key.as_str(), sealed).ok()?;
    TokenCacheEntry::from_json(&plain).ok()?.into_only_token()
}

fn error(failure: Failure) -> Error {
    match failure {
        Failure::NeedsUser { .. } => Error::OpRefused("interaction_required".to_owned()),
        failure @ (Failure::Ended(_)
        | Failure::OpRefused(_)
        | Failure::OpUnreachable(_)
        | Failure::Store(_)
        | Failure::Untrusted) => account::error(failure),
    }
}

/// A renewal in the background is begun once in so many seconds, whatever comes of it.
const PAUSE: Lifetime = Lifetime::from_seconds(RETRY_AFTER);
