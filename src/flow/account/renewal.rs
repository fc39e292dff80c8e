//! Renewing a token by refresh token (RFC 6749 §6): once for all who want the same, and kept before anybody has it.
//!
//! Inside an account's object one renewal of a session follows another, so that the OP never sees a refresh token that it
//! has replaced. On Workers KV alone two isolates can present the same one; the loser reads the entry once more.

use std::rc::Rc;

use super::super::log::{self, Event};
use super::super::token_endpoint::{self, Grant, Purpose, Refusal};
use super::super::verify_id_token::{Occasion, verify};
use super::super::{Context, claims, documents, token_cache, user_flow};
use super::cause::Cause;
use super::{failure, registry};
use crate::config::Api;
use crate::error::{Error, Failure, InteractionReason, OpFault, SessionEnd};
use crate::json::{members, named};
use crate::oidc::id_token::IdToken;
use crate::oidc::metadata::Metadata;
use crate::oidc::token::{TokenErrorCode, TokenParts};
use crate::runtime::{AccountStorage, Runtime};
use crate::session::account::AccountDigest;
use crate::session::entry::TokenCacheEntry;
use crate::session::session::Session;
use crate::time::Lifetime;

/// The entry with a token for the API that the cause does not rule out.
pub(super) async fn renew<R: Runtime>(
    context: &Context<'_, R>,
    session: &Session,
    api: &Api,
    cause: &Cause,
) -> Result<Rc<TokenCacheEntry>, Failure> {
    let Context { realm, runtime, trace, .. } = context;
    let _turn = match runtime.storage() {
        Some(storage) => Some(realm.memory.turns.take(session.id, storage.life()).await),
        None => None,
    };
    // The turn may have taken a while to come.
    let context = &Context { now: runtime.now(), trace: trace.clone(), ..*context };
    let entry = newest(context, session).await?;
    if cause.is_met(&entry, api, context.now) {
        return Ok(entry);
    }
    // Where the refresh token comes from, nobody else takes it.
    let user_flow = user_flow::of(&realm.provider, &entry);
    let context = &Context { user_flow, trace: trace.clone(), ..*context };
    let purpose = cause.purpose(api);
    if let Some(failure) = realm.memory.recent_failure(session.id, &purpose, context.now) {
        return Err(failure);
    }
    let renewal = Renewal { context, session, api, cause };
    let outcome = renewal.redeem_or_reread(&entry).await;
    if let Err(failure) = &outcome {
        log::happened(context, Event::TokenRefreshFailed, Some(session), log::failure(&api.name, failure));
        remember(context, session, &purpose, failure);
    }
    outcome
}

/// Remembers a failure of the OP for a moment: a crowd must not ask one by one, nor sooner than `Retry-After` says.
pub(super) fn remember<R: Runtime>(context: &Context<'_, R>, session: &Session, purpose: &str, failure: &Failure) {
    if failure.is_of_the_op() {
        let until = context.runtime.now() + Lifetime::from_seconds(failure.pause());
        context.realm.memory.failed(session.id, purpose, failure.clone(), until);
    }
}

async fn newest<R: Runtime>(context: &Context<'_, R>, session: &Session) -> Result<Rc<TokenCacheEntry>, Failure> {
    let memory = &context.realm.memory;
    let known = memory.stale_entry(session.id);
    let Some(storage) = context.runtime.storage() else {
        return match known {
            Some(entry) => Ok(entry),
            None => token_cache::read(context, session).await.map_err(failure),
        };
    };
    let current = registry::current(context, storage, session).await?;
    match known.filter(|known| known.revision == current.revision) {
        Some(known) => Ok(known),
        None => token_cache::opened(context, session, &current.entry).map_err(failure),
    }
}

/// One renewal under way.
struct Renewal<'a, R> {
    context: &'a Context<'a, R>,
    session: &'a Session,
    api: &'a Api,
    cause: &'a Cause,
}

impl<R: Runtime> Renewal<'_, R> {
    async fn redeem_or_reread(&self, entry: &Rc<TokenCacheEntry>) -> Result<Rc<TokenCacheEntry>, Failure> {
        let outcome = self.redeem(entry).await;
        let is_refused = matches!(&outcome, Err(Failure::NeedsUser { reason: InteractionReason::OpWantsUser, .. }));
        if !is_refused || self.context.runtime.storage().is_some() {
            return outcome;
        }
        // Another isolate may have used this refresh token first; then the store has its successor.
        let newer = token_cache::read(self.context, self.session).await.map_err(failure)?;
        if newer.revision <= entry.revision {
            return outcome;
        }
        if self.cause.is_met(&newer, self.api, self.context.now) {
            return Ok(newer);
        }
        self.redeem(&newer).await
    }

    async fn redeem(&self, entry: &Rc<TokenCacheEntry>) -> Result<Rc<TokenCacheEntry>, Failure> {
        let needs_user = |reason| Failure::NeedsUser { reason, claims: self.cause.claims().cloned() };
        let Some(refresh_token) = entry.refresh_token.as_ref() else {
            return Err(needs_user(InteractionReason::NoRefreshToken));
        };
        // Not even tried: an OP may rotate the refresh token first and refuse then, and its successor would be lost.
        if !self.context.realm.provider.is_entra && !entry.is_consented(self.api.resource.as_deref(), &self.api.scopes)
        {
            return Err(needs_user(InteractionReason::ScopesNotGranted));
        }
        let metadata = documents::metadata(self.context).await.map_err(failure)?;
        let api = self.api;
        let purpose = Purpose {
            tenant: api.tenant.as_deref(),
            scopes: &api.scopes,
            resource: api.resource.as_deref(),
            claims: self.cause.claims(),
        };
        let grant = Grant::Refresh(refresh_token.expose().clone());
        match token_endpoint::exchange(self.context, &metadata, grant, &purpose).await {
            Ok(response) => self.accept(entry, &metadata, &purpose, response).await,
            Err(refusal) => Err(self.refused(entry, refusal).await?),
        }
    }

    async fn accept(
        &self,
        entry: &Rc<TokenCacheEntry>,
        metadata: &Metadata,
        purpose: &Purpose<'_>,
        response: TokenParts,
    ) -> Result<Rc<TokenCacheEntry>, Failure> {
        let now = &self.context.now;
        let mut renewed = TokenCacheEntry::clone(entry);
        // Kept when the OP omits a new one: RFC 6749 §6 lets it go on using the old one.
        let is_rotated = response.refresh_token.as_ref().is_some_and(|rotated| renewed.rotate(rotated));
        match self.verify(entry, metadata, &response).await {
            Ok(None) => {}
            Ok(Some(id_token)) => renewed.claims = claims::refreshed(entry, &id_token),
            Err(error) => {
                self.rejected(&error);
                let failure = failure(error);
                // The OP's keys could not be had: the access token is not used, but its predecessor is spent all the same.
                if is_rotated && failure != Failure::Untrusted {
                    self.keep(renewed).await?;
                }
                return Err(failure);
            }
        }
        let cached = token_endpoint::cached(&response, purpose, *now);
        renewed.declined(purpose.resource, purpose.scopes, &cached.scopes);
        renewed.save(cached, *now);
        let renewed = self.keep(renewed).await?;
        log::happened(
            self.context,
            Event::TokenRefreshed,
            Some(self.session),
            named("api", self.api.name.as_str().into()),
        );
        let found = renewed.lookup(purpose.tenant, purpose.resource, purpose.scopes, *now);
        if found.valid().is_some() {
            return Ok(renewed);
        }
        let claims = self.cause.claims().cloned();
        Err(Failure::NeedsUser { reason: InteractionReason::ScopesNotGranted, claims })
    }

    /// The OP's word on whose tokens these are: the same subject (OIDC Core 12.2), and the same home account.
    async fn verify(
        &self,
        entry: &TokenCacheEntry,
        metadata: &Metadata,
        response: &TokenParts,
    ) -> Result<Option<IdToken>, Error> {
        let occasion = Occasion::Refresh { issuer: &entry.issuer, subject: entry.claim("sub") };
        // Another tenant's calls the end-user by other names; the home account is the same everywhere.
        let id_token = match response.id_token.as_ref().filter(|_| self.api.tenant.is_none()) {
            Some(id_token) => Some(verify(self.context, metadata, id_token.expose(), &occasion).await?),
            None => None,
        };
        if !self.context.realm.provider.is_entra {
            return Ok(id_token);
        }
        match response.client_info.as_deref().map(|info| user_flow::client_info(self.context, info)) {
            None if self.api.tenant.is_none() => Ok(id_token),
            Some(Some(info)) if AccountDigest::from_client_info(&info) == self.session.account => Ok(id_token),
            Some(Some(_)) => Err(Error::OpMisbehaved(OpFault::AccountMismatch)),
            Some(None) | None => Err(Error::OpMisbehaved(OpFault::ClientInfo)),
        }
    }

    /// Logs the precise error, of which a [`Failure`] keeps little.
    fn rejected(&self, error: &Error) {
        let details = members([
            ("api", self.api.name.as_str().into()),
            ("code", error.code().into()),
            ("reason", error.to_string().into()),
        ]);
        log::happened(self.context, Event::TokenResponseRejected, Some(self.session), details);
    }

    async fn keep(&self, renewed: TokenCacheEntry) -> Result<Rc<TokenCacheEntry>, Failure> {
        let memory = &self.context.realm.memory;
        let Some(storage) = self.context.runtime.storage() else {
            let renewed = token_cache::keep(self.context, self.session, renewed).await;
            return renewed.ok_or(Failure::Ended(SessionEnd::SignedOut));
        };
        registry::keep(self.context, storage, self.session, &renewed).await?;
        Ok(memory.remember(self.session.id, renewed, self.context.now))
    }

    /// What a refusal means for this token. A refresh token that is spent for every purpose is given up where that is
    /// certain: in the object, which alone presents it.
    async fn refused(&self, entry: &TokenCacheEntry, refusal: Refusal) -> Result<Failure, Failure> {
        // In another tenant nobody could be asked.
        let is_elsewhere = self.api.tenant.is_some();
        let known = is_elsewhere || entry.is_consented(self.api.resource.as_deref(), &self.api.scopes);
        match refusal {
            Refusal::Grant { is_spent, claims, .. } => {
                if is_spent && self.context.runtime.storage().is_some() {
                    let mut without = entry.clone();
                    without.spend_refresh_token();
                    self.keep(without).await?;
                }
                let claims = claims.or_else(|| self.cause.claims().cloned());
                Ok(Failure::NeedsUser { reason: InteractionReason::OpWantsUser, claims })
            }
            // A refresh brings no scope or resource that the end-user was not asked for (RFC 6749 §6, RFC 8707 §2.2).
            Refusal::Client(
                TokenErrorCode::InvalidScope | TokenErrorCode::InvalidTarget | TokenErrorCode::InvalidResource,
            ) if !known => {
                let claims = self.cause.claims().cloned();
                Ok(Failure::NeedsUser { reason: InteractionReason::ScopesNotGranted, claims })
            }
            Refusal::Client(code) => Ok(Failure::OpRefused(code.name().to_owned())),
            Refusal::Error(error) => {
                self.rejected(&error);
                Ok(failure(error))
            }
        }
    }
}
