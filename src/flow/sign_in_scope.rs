//! What a sign-in asks for: the scopes and resources of the authorization request, and the part of them that the code is
//! redeemed for. A token request names one resource only; the refresh token serves the others.

use crate::config::{Api, ApiToken, Config, Provider};
use crate::session::entry::{Consent, TokenCacheEntry};
use crate::session::login_attempt::Interaction;

/// The aim of one sign-in.
pub(super) struct SignInScope<'a> {
    provider: &'a Provider,
    /// What to ask for, the first thing first.
    consents: Vec<Consent>,
    /// Whether it is for one API.
    is_interaction: bool,
}

impl<'a> SignInScope<'a> {
    /// A first sign-in asks for every API that does not wait until it is called. One for an API asks for what it lacks;
    /// outside the Microsoft identity platform also for what the session has already, since there a refresh token is good
    /// for the scopes of its own authorization request only (RFC 6749 §6), and the end-user is not asked again for those.
    pub(super) fn of(
        config: &Config,
        provider: &'a Provider,
        interaction: Option<&Interaction>,
        entry: Option<&TokenCacheEntry>,
    ) -> Self {
        // What an API of another tenant needs can be consented to there only; a sign-in here brings a new refresh token.
        let api = interaction.and_then(|interaction| config.api(&interaction.api));
        let Some(api) = api.filter(|api| api.tenant.is_none()) else {
            return Self { provider, consents: at_first(config, provider), is_interaction: false };
        };
        let mut consents = vec![consent(api)];
        if !provider.is_entra {
            let known = entry
                .and_then(TokenCacheEntry::consents)
                .map_or_else(|| at_first(config, provider), <[Consent]>::to_vec);
            consents.extend(known);
        }
        Self { provider, consents, is_interaction: true }
    }

    /// What the code is redeemed for: UserInfo, which takes no token made for an API, where it is called; else the first
    /// API.
    pub(super) fn redeemed_for(&self) -> (Option<String>, Vec<String>) {
        let scopes = self.provider.scopes.as_slice();
        let calls_user_info = self.provider.user_info && !self.is_interaction;
        self.consents.first().filter(|_| !calls_user_info).map_or_else(
            || (None, self.never_empty(scopes.to_vec())),
            |consent| (consent.resource.clone(), [scopes, consent.scopes.as_slice()].concat()),
        )
    }

    /// What the user is asked to consent to.
    pub(super) fn consented_to(&self) -> (Vec<String>, Vec<String>) {
        let mut scopes = self.provider.scopes.clone();
        let mut resources: Vec<String> = Vec::new();
        for Consent { resource, scopes: more } in &self.consents {
            scopes.extend_from_slice(more);
            resources
                .extend(resource.iter().filter(|resource| !resources.contains(resource)).cloned().collect::<Vec<_>>());
        }
        (self.never_empty(scopes), resources)
    }

    /// Azure AD B2C issues no access token, which a token response must have, unless one is asked for: at least the one
    /// for the client itself, whose scope is its id.
    fn never_empty(&self, scopes: Vec<String>) -> Vec<String> {
        let lacks_any = scopes.is_empty() && self.provider.user_flows.is_some();
        if lacks_any { vec![self.provider.client_id.clone()] } else { scopes }
    }

    /// The same, for the token cache entry.
    pub(super) fn into_consents(self) -> Vec<Consent> {
        self.consents
    }
}

/// Azure AD B2C takes scopes of one resource only: those of the first API, and of the others when they are called.
///
/// The Microsoft identity platform refuses `.default` beside any other scope, so an API that uses it comes alone if it is
/// the first, and otherwise when it is called.
fn at_first(config: &Config, provider: &Provider) -> Vec<Consent> {
    let mut apis = config.apis_of(&provider.name).filter(|api| is_asked_for_at_first(api)).peekable();
    let is_alone = provider.user_flows.is_some() || apis.peek().is_some_and(|first| stands_alone(provider, first));
    apis.enumerate()
        .filter(|(position, api)| if is_alone { *position == 0 } else { !stands_alone(provider, api) })
        .map(|(_, api)| consent(api))
        .collect()
}

fn is_asked_for_at_first(api: &Api) -> bool {
    api.token == ApiToken::User && !api.incremental_consent && api.tenant.is_none()
}

fn stands_alone(provider: &Provider, api: &Api) -> bool {
    provider.is_entra && api.scopes.iter().any(|scope| scope.to_ascii_lowercase().ends_with(".default"))
}

fn consent(api: &Api) -> Consent {
    Consent { resource: api.resource.clone(), scopes: api.scopes.clone() }
}
