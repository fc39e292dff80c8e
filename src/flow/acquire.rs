//! Silent token acquisition: the access token for an API, from the cache or renewed, or the reason why only the end-user
//! can bring it.

use super::account::{self, Cause};
use super::authenticate::SignedIn;
use super::log::{self, Event};
use super::{Context, Incoming, app_token, interaction};
use crate::config::{Api, ApiToken};
use crate::error::{Error, Failure, InteractionReason};
use crate::runtime::{RETRY_AFTER, Runtime, Work};
use crate::secret::Secret;
use crate::session::entry::{CachedAccessToken, Lookup, TokenCacheEntry, digest_of};
use crate::session::session::Session;
use crate::time::{Lifetime, Timestamp};

/// What an API is called with.
pub(super) enum Credential {
    /// No token.
    None,
    /// An access token.
    Token {
        /// The token.
        token: Secret,
        /// When it was issued, to know it again.
        issued_at: Timestamp,
        /// Until when there is nothing to do about it.
        fresh_until: Timestamp,
    },
}

impl Credential {
    /// When the token was issued, if there is one.
    pub(super) const fn issued_at(&self) -> Option<Timestamp> {
        match self {
            Self::None => None,
            Self::Token { issued_at, .. } => Some(*issued_at),
        }
    }

    /// Until when the same credential would be taken.
    pub(super) const fn fresh_until(&self) -> Timestamp {
        match self {
            Self::None => Timestamp::MAX,
            Self::Token { fresh_until, .. } => *fresh_until,
        }
    }

    /// Names the token, if there is one, without telling it.
    pub(super) fn digest(&self) -> Option<String> {
        match self {
            Self::None => None,
            Self::Token { token, .. } => Some(digest_of(token.expose())),
        }
    }
}

impl From<&CachedAccessToken> for Credential {
    fn from(cached: &CachedAccessToken) -> Self {
        let (token, fresh_until) = (cached.token.clone(), cached.fresh_until());
        Self::Token { token, issued_at: cached.issued_at, fresh_until }
    }
}

/// What this isolate's memory has for a call that needs nothing else.
pub(super) fn at_once<R: Runtime>(context: &Context<'_, R>, signed_in: &SignedIn, api: &Api) -> Option<Credential> {
    match api.token {
        ApiToken::None => Some(Credential::None),
        ApiToken::App => app_token::at_once(context, api).as_ref().map(Credential::from),
        ApiToken::User => match lookup(&signed_in.entry, api, context.now) {
            Lookup::Fresh(cached) => Some(cached.into()),
            Lookup::Due(cached) => {
                renew_later(context, &signed_in.session, api);
                Some(cached.into())
            }
            Lookup::Expiring(_) | Lookup::Missing => None,
        },
    }
}

/// What to call an API with: cached, renewed when its window has come, and a still valid token if that fails.
pub(super) async fn credential<R: Runtime>(
    incoming: &Incoming<'_, R>,
    signed_in: &SignedIn,
    api: &Api,
) -> Result<Credential, Error> {
    if let Some(credential) = at_once(incoming, signed_in, api) {
        return Ok(credential);
    }
    if api.token == ApiToken::App {
        return app_token::acquire(incoming, api, &Cause::Missing).await.map(|cached| (&cached).into());
    }
    let failure = match renewed(incoming, &signed_in.session, api, &Cause::Missing).await {
        Ok(credential) => return Ok(credential),
        Err(failure) => failure,
    };
    match lookup(&signed_in.entry, api, incoming.now).valid() {
        Some(cached) if !matches!(failure, Failure::Ended(_)) => {
            let details = log::failure(&api.name, &failure);
            log::happened(incoming, Event::TokenStillUsed, Some(&signed_in.session), details);
            Ok(cached.into())
        }
        Some(_) | None => Err(interaction::error(incoming, signed_in, api, failure)),
    }
}

/// The token of an API after the API refused the one it was called with.
pub(super) async fn replacement<R: Runtime>(
    incoming: &Incoming<'_, R>,
    signed_in: &SignedIn,
    api: &Api,
    cause: &Cause,
) -> Result<Credential, Error> {
    if api.token == ApiToken::App {
        return app_token::acquire(incoming, api, cause).await.map(|cached| (&cached).into());
    }
    let renewed = renewed(incoming, &signed_in.session, api, cause).await;
    renewed.map_err(|failure| interaction::error(incoming, signed_in, api, failure))
}

/// Renews a token that is still good, after the answer.
pub(super) async fn renew_due<R: Runtime>(context: &Context<'_, R>, session: &Session, api: &str) {
    // What goes wrong is in the log, and the next request tries again.
    if let Some(api) = context.app.config.api(api) {
        let _ = account::renew_once(context, session, api, &Cause::Due).await;
    }
}

/// The same for the application's own token.
pub(super) async fn renew_app_token<R: Runtime>(context: &Context<'_, R>, api: &str) {
    if let Some(api) = context.app.config.api(api) {
        let _ = app_token::acquire(context, api, &Cause::Due).await;
    }
}

/// What the entry holds for an API.
pub(super) fn lookup<'a>(entry: &'a TokenCacheEntry, api: &Api, now: Timestamp) -> Lookup<'a> {
    entry.lookup(api.tenant.as_deref(), api.resource.as_deref(), &api.scopes, now)
}

async fn renewed<R: Runtime>(
    context: &Context<'_, R>,
    session: &Session,
    api: &Api,
    cause: &Cause,
) -> Result<Credential, Failure> {
    let entry = account::renew_once(context, session, api, cause).await?;
    match lookup(&entry, api, context.now).valid() {
        Some(cached) => Ok(cached.into()),
        None => Err(Failure::NeedsUser { reason: InteractionReason::ScopesNotGranted, claims: None }),
    }
}

fn renew_later<R: Runtime>(context: &Context<'_, R>, session: &Session, api: &Api) {
    if context.realm.memory.begins_renewal(session.id, &api.name, context.now, PAUSE) {
        context.later(Work::Renew { session: session.clone(), api: api.name.clone() });
    }
}

/// A renewal in the background is begun once in so many seconds, whatever comes of it.
const PAUSE: Lifetime = Lifetime::from_seconds(RETRY_AFTER);
