//! Who calls an API: a signed-in browser with its session, or a program with an access token of its own.

use super::account::Cause;
use super::acquire::{self, Credential};
use super::authenticate::{self, SignedIn};
use super::bearer::{self, Presented};
use super::{Incoming, forward, guard, interaction, on_behalf_of};
use crate::config::{Api, ApiToken};
use crate::error::{Error, ExchangeFault, InteractionReason};
use crate::forwarding::Carried;
use crate::oidc::claims_challenge::ClaimsChallenge;
use crate::rules::{Access, Rule};
use crate::runtime::Runtime;
use crate::time::Timestamp;

/// Whoever calls an API.
pub(super) enum Caller {
    /// A program, by its access token.
    Program(Presented),
    /// A signed-in browser.
    User(SignedIn),
}

impl Caller {
    /// The caller whom the rule lets pass, if this isolate's memory vouches for it.
    pub(super) fn at_once<R: Runtime>(incoming: &Incoming<'_, R>, rule: &Rule) -> Option<Self> {
        let caller = if rule.access == Access::Bearer {
            Self::Program(bearer::at_once(incoming)?)
        } else {
            Self::User(authenticate::at_once_for(incoming, rule)?)
        };
        caller.judged(incoming, rule).ok()
    }

    /// The caller whom the rule lets pass.
    pub(super) async fn authenticated<R: Runtime>(incoming: &Incoming<'_, R>, rule: &Rule) -> Result<Self, Error> {
        let caller = if rule.access == Access::Bearer {
            Self::Program(bearer::authenticated(incoming).await?)
        } else {
            Self::User(authenticate::signed_in_for(incoming, rule).await?)
        };
        caller.judged(incoming, rule)
    }

    /// The caller of a request that the rule let pass a moment ago.
    pub(super) async fn again<R: Runtime>(incoming: &Incoming<'_, R>, rule: &Rule) -> Result<Self, Error> {
        if rule.access == Access::Bearer {
            bearer::authenticated(incoming).await.map(Self::Program)
        } else {
            authenticate::signed_in(incoming).await.map(Self::User)
        }
    }

    /// What this isolate's memory has for a call that needs nothing else.
    pub(super) fn credential_at_once<R: Runtime>(&self, incoming: &Incoming<'_, R>, api: &Api) -> Option<Credential> {
        match self {
            Self::Program(presented) => on_behalf_of::at_once(incoming, presented, api),
            Self::User(signed_in) => acquire::at_once(incoming, signed_in, api),
        }
    }

    /// What to call an API with.
    pub(super) async fn credential<R: Runtime>(
        &self,
        incoming: &Incoming<'_, R>,
        api: &Api,
    ) -> Result<Credential, Error> {
        match self {
            Self::Program(presented) => on_behalf_of::credential(incoming, presented, api).await,
            Self::User(signed_in) => acquire::credential(incoming, signed_in, api).await,
        }
    }

    /// What to call an API with after it refused another token; none where a further one would be refused as well.
    pub(super) async fn replacement<R: Runtime>(
        &self,
        incoming: &Incoming<'_, R>,
        api: &Api,
        cause: &Cause,
    ) -> Result<Option<Credential>, Error> {
        match self {
            Self::Program(presented) => on_behalf_of::replacement(incoming, presented, api, cause).await,
            Self::User(signed_in) => acquire::replacement(incoming, signed_in, api, cause).await.map(Some),
        }
    }

    /// The error of a call whose API demands claims that no token of ours brought.
    pub(super) fn demanded<R: Runtime>(&self, incoming: &Incoming<'_, R>, api: &Api, claims: ClaimsChallenge) -> Error {
        match self {
            Self::Program(_) => Error::NotExchanged(api.name.clone(), ExchangeFault::ClaimsDemanded(claims)),
            Self::User(signed_in) => {
                interaction::required(incoming, signed_in, api, InteractionReason::ClaimsDemanded, Some(claims))
            }
        }
    }

    /// Names the token of an API that was issued at that moment, if it is the one that memory has.
    pub(super) fn digest_of<R: Runtime>(
        &self,
        incoming: &Incoming<'_, R>,
        api: &Api,
        issued_at: Timestamp,
    ) -> Option<String> {
        let known = match self {
            _ if api.token == ApiToken::App => {
                incoming.realm.memory.app_token(&api.name).map(|cached| (cached.issued_at, cached.digest()))
            }
            Self::Program(presented) => on_behalf_of::cached(incoming, presented, api, incoming.now)
                .map(|cached| (cached.issued_at, cached.digest())),
            Self::User(signed_in) => acquire::lookup(&signed_in.entry, api, incoming.now)
                .valid()
                .map(|cached| (cached.issued_at, cached.digest())),
        };
        known.filter(|(moment, _)| *moment == issued_at).map(|(_, digest)| digest)
    }

    /// For whom a WebSocket is carried that the request opens.
    pub(super) fn carried<R: Runtime>(&self, incoming: &Incoming<'_, R>) -> Result<Option<Carried>, Error> {
        match self {
            Self::Program(presented) => Ok(bearer::carried(incoming, &presented.token)),
            Self::User(signed_in) => forward::carried(incoming, signed_in),
        }
    }

    /// A session cookie to send along, where it is time for a new one.
    pub(super) fn rolled<R: Runtime>(&self, incoming: &Incoming<'_, R>) -> Vec<String> {
        match self {
            Self::Program(_) => Vec::new(),
            Self::User(signed_in) => forward::rolled(incoming, signed_in),
        }
    }

    fn judged<R: Runtime>(self, incoming: &Incoming<'_, R>, rule: &Rule) -> Result<Self, Error> {
        match &self {
            Self::Program(presented) => bearer::judged(incoming, rule, &presented.token)?,
            Self::User(signed_in) => guard::user(incoming, rule, &signed_in.entry.claims)?,
        }
        Ok(self)
    }
}
