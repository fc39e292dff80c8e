//! Silent token acquisition: the access token for an API, from the cache or by refresh token (RFC 6749 §6).

use std::rc::Rc;

use serde_json::json;

use super::authenticate::{self, SignedIn};
use super::log::{self, Event};
use super::token_endpoint::{self, Grant, Purpose, Refusal};
use super::verify_id_token::{Occasion, verify};
use super::{Context, documents};
use crate::config::Api;
use crate::error::{Error, LoginReason};
use crate::oidc::token::TokenParts;
use crate::runtime::Runtime;
use crate::secret::Secret;
use crate::session::account::EntryKey;
use crate::session::entry::{CachedAccessToken, EntryMetadata, Lookup, TokenCacheEntry};
use crate::session::session::Session;
use crate::time::{Lifetime, Timestamp};

/// The access token for an API: cached, refreshed when its window has come, and a still valid one if that fails.
pub(super) async fn access_token<R: Runtime>(
    context: &Context<'_, R>,
    signed_in: &SignedIn,
    api: &Api,
) -> Result<Secret, Error> {
    match lookup(&signed_in.entry, api, context.now) {
        Lookup::Fresh(cached) => Ok(cached.token.clone()),
        Lookup::Missing => refresh(context, signed_in, api).await,
        Lookup::Expiring(cached) => match refresh(context, signed_in, api).await {
            Err(error) if !error.ends_session() => {
                let details = json!({ "api": api.name, "reason": error.to_string() });
                log::happened(context.runtime, &context.trace, Event::TokenRefreshFailed, details);
                Ok(cached.token.clone())
            }
            outcome => outcome,
        },
    }
}

/// What the entry holds for an API.
pub(super) fn lookup<'a>(entry: &'a TokenCacheEntry, api: &Api, now: Timestamp) -> Lookup<'a> {
    entry.lookup(api.resource.as_deref(), &api.scopes, now)
}

/// The token of a response as it is cached: with the scopes that were granted, or those asked for where it is silent
/// (RFC 6749 §5.1).
pub(super) fn cached(response: &TokenParts, purpose: &Purpose<'_>, now: Timestamp) -> CachedAccessToken {
    CachedAccessToken {
        resource: purpose.resource.map(str::to_owned),
        scopes: response.scope.clone().unwrap_or_else(|| purpose.scopes.to_vec()),
        token: response.access_token.clone(),
        issued_at: now,
        expires_at: now + response.expires_in.unwrap_or(UNSTATED_LIFETIME),
        refresh_at: response.refresh_in.map(|refresh_in| now + refresh_in),
    }
}

/// Writes an entry to the store, where it ends with its session.
pub(super) async fn store<R: Runtime>(
    context: &Context<'_, R>,
    session: &Session,
    key: &EntryKey,
    entry: &TokenCacheEntry,
    device: String,
) -> Result<(), Error> {
    let metadata = EntryMetadata {
        created: entry.created_at,
        expires: session.absolute_expires_at,
        device,
        sid: entry.sid_key.clone(),
    };
    let metadata = serde_json::to_string(&metadata).map_err(|_| Error::Bug("metadata is no JSON"))?;
    let sealed = entry.seal(&session.record_key, key, context.runtime.random());
    let lifetime = session.storage_lifetime(context.now).max(SHORTEST_STORED_LIFETIME);
    context.runtime.kv_put(key.as_str(), &sealed, &metadata, lifetime).await.map_err(Error::CacheUnavailable)
}

async fn refresh<R: Runtime>(context: &Context<'_, R>, signed_in: &SignedIn, api: &Api) -> Result<Secret, Error> {
    let refused = match redeem(context, signed_in, &signed_in.entry, api).await {
        Ok(token) => return Ok(token),
        Err(Refusal::Error(error)) => return Err(error),
        Err(Refusal::Grant) => Error::LoginRequired(LoginReason::OpWantsUser),
    };
    // Another isolate may have used this refresh token first; then the store has its successor.
    let newer = authenticate::read(context, &signed_in.session, &signed_in.key).await?;
    if newer.revision <= signed_in.entry.revision {
        return Err(refused);
    }
    if let Lookup::Fresh(cached) = lookup(&newer, api, context.now) {
        return Ok(cached.token.clone());
    }
    redeem(context, signed_in, &newer, api).await.map_err(|refusal| match refusal {
        Refusal::Grant => refused,
        Refusal::Error(error) => error,
    })
}

async fn redeem<R: Runtime>(
    context: &Context<'_, R>,
    signed_in: &SignedIn,
    entry: &Rc<TokenCacheEntry>,
    api: &Api,
) -> Result<Secret, Refusal> {
    let missing = || Refusal::Error(Error::LoginRequired(LoginReason::NoRefreshToken));
    let refresh_token = entry.refresh_token.as_ref().ok_or_else(missing)?;
    let metadata = documents::metadata(context).await.map_err(Refusal::Error)?;
    let purpose = Purpose { scopes: &api.scopes, resource: api.resource.as_deref() };
    let grant = Grant::Refresh(refresh_token.expose().clone());
    let response = token_endpoint::exchange(context, &metadata, grant, &purpose).await?;
    if let Some(id_token) = &response.id_token {
        let occasion = Occasion::Refresh { issuer: &entry.issuer, subject: entry.claim("sub") };
        verify(context, &metadata, id_token.expose(), &occasion).await.map_err(Refusal::Error)?;
    }
    let mut renewed = TokenCacheEntry::clone(entry);
    // Kept when the OP omits a new one: RFC 6749 §6 lets it go on using the old one.
    if let Some(rotated) = &response.refresh_token {
        renewed.refresh_token = Some(rotated.clone());
    }
    let cached = cached(&response, &purpose, context.now);
    let token = cached.token.clone();
    renewed.save(cached, context.now);
    keep(context, signed_in, renewed).await;
    log::happened(context.runtime, &context.trace, Event::TokenRefreshed, json!({ "api": api.name }));
    Ok(token)
}

/// Keeps a renewed entry, unless the account signed out while the OP was answering: nothing may bring it back.
async fn keep<R: Runtime>(context: &Context<'_, R>, signed_in: &SignedIn, renewed: TokenCacheEntry) {
    let session = &signed_in.session;
    let memory = &context.app.memory;
    if memory.is_signed_out(session.account, session.issued_at) {
        return;
    }
    // Before the store: a request that lost the race for the refresh token looks for its successor while we write.
    let renewed = memory.remember(session.id, renewed, context.now);
    let device = crate::session::device::describe(context.head.header("user-agent"));
    // A store that fails now leaves the old copy there: this isolate goes on with the new one.
    let mut outcome = store(context, session, &signed_in.key, &renewed, device).await;
    // A sign-out may have looked for the entry while it was on its way to the store.
    if memory.is_signed_out(session.account, session.issued_at) {
        memory.forget(session.id);
        outcome = context.runtime.kv_delete(signed_in.key.as_str()).await.map_err(Error::CacheUnavailable);
    }
    if let Err(error) = outcome {
        let details = json!({ "what": "entry", "reason": error.to_string() });
        log::happened(context.runtime, &context.trace, Event::StoreFailed, details);
    }
}

/// A token whose life the OP does not state is used briefly.
const UNSTATED_LIFETIME: Lifetime = Lifetime::from_seconds(300);
/// Workers KV refuses less.
const SHORTEST_STORED_LIFETIME: Lifetime = Lifetime::from_seconds(60);
