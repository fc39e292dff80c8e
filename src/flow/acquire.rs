//! Silent token acquisition: the access token for an API, from the cache or by refresh token (RFC 6749 §6).

use std::rc::Rc;

use serde_json::json;

use super::authenticate::SignedIn;
use super::log::{self, Event};
use super::token_endpoint::{self, Grant, Purpose, Refusal};
use super::verify_id_token::{Occasion, verify};
use super::{Context, documents, token_cache};
use crate::config::Api;
use crate::error::{Error, LoginReason};
use crate::oidc::token::TokenParts;
use crate::runtime::Runtime;
use crate::secret::Secret;
use crate::session::entry::{CachedAccessToken, Lookup, TokenCacheEntry};
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

async fn refresh<R: Runtime>(context: &Context<'_, R>, signed_in: &SignedIn, api: &Api) -> Result<Secret, Error> {
    let refused = match redeem(context, signed_in, &signed_in.entry, api).await {
        Ok(token) => return Ok(token),
        Err(Refusal::Error(error)) => return Err(error),
        Err(Refusal::Grant) => Error::LoginRequired(LoginReason::OpWantsUser),
    };
    // Another isolate may have used this refresh token first; then the store has its successor.
    let newer = token_cache::read(context, &signed_in.session).await?;
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
    token_cache::keep(context, &signed_in.session, renewed).await;
    log::happened(context.runtime, &context.trace, Event::TokenRefreshed, json!({ "api": api.name }));
    Ok(token)
}

/// A token whose life the OP does not state is used briefly.
const UNSTATED_LIFETIME: Lifetime = Lifetime::from_seconds(300);
