//! What the end-user of a session was asked for, so that nobody is asked for the same thing for ever.

use serde::{Deserialize, Serialize};

use super::TokenCacheEntry;
use super::access_token::{has, is_reserved};
use crate::session::login_attempt::Interaction;
use crate::time::{Lifetime, Timestamp};

/// Scopes of one resource that the end-user was asked for at a sign-in of this session and did not visibly decline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// The resource (RFC 8707).
    pub resource: Option<String>,
    /// The scopes.
    pub scopes: Vec<String>,
}

/// How often the end-user was asked for one thing lately.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// What for: an API and the claims it demands.
    pub purpose: String,
    /// How often.
    pub count: u8,
    /// When last.
    pub at: Timestamp,
}

/// Interactions for one purpose within ten minutes. One may be interrupted; a third would not help where two did not.
const MAX_INTERACTIONS: u8 = 2;
/// Interactions for one API within ten minutes, whatever it demands: it may demand something else every time.
const MAX_INTERACTIONS_FOR_API: u8 = 6;

impl TokenCacheEntry {
    /// Records what the end-user consented to.
    pub fn consent(&mut self, consent: Consent) {
        let Some(known) = self.consents.iter_mut().find(|known| known.resource == consent.resource) else {
            self.consents.push(consent);
            return;
        };
        let new = consent.scopes.into_iter().filter(|scope| !has(&known.scopes, scope)).collect::<Vec<_>>();
        known.scopes.extend(new);
    }

    /// Takes back what was asked for and turned out not to be granted.
    pub fn declined(&mut self, resource: Option<&str>, asked: &[String], granted: &[String]) {
        for known in self.consents.iter_mut().filter(|known| known.resource.as_deref() == resource) {
            known.scopes.retain(|scope| !has(asked, scope) || has(granted, scope));
        }
    }

    /// Takes back what a sign-in asked for and the OP's list of what was granted lacks. The list may be about one resource
    /// only: it says something of another where it names some of its scopes.
    pub fn granted(&mut self, resource: Option<&str>, granted: &[String]) {
        for known in &mut self.consents {
            let is_listed =
                known.resource.as_deref() == resource || known.scopes.iter().any(|scope| has(granted, scope));
            known.scopes.retain(|scope| !is_listed || is_reserved(scope) || has(granted, scope));
        }
    }

    /// Whether the end-user was asked for all of it and declined none.
    #[must_use]
    pub fn is_consented(&self, resource: Option<&str>, scopes: &[String]) -> bool {
        let mut known = self.consents.iter().filter(|known| known.resource.as_deref() == resource);
        known.any(|known| scopes.iter().all(|scope| is_reserved(scope) || has(&known.scopes, scope)))
    }

    /// Everything that was consented to.
    #[must_use]
    pub fn consents(&self) -> &[Consent] {
        &self.consents
    }

    /// Counts an interaction.
    pub fn ask(&mut self, purpose: &str, now: Timestamp) {
        let count = self.times_asked(purpose, now).saturating_add(1);
        self.asked.retain(|asked| asked.purpose != purpose && asked.counts(now));
        self.asked.push(Asked { purpose: purpose.to_owned(), count, at: now });
    }

    /// How often the end-user was asked lately.
    #[must_use]
    pub fn times_asked(&self, purpose: &str, now: Timestamp) -> u8 {
        self.asked.iter().find(|asked| asked.purpose == purpose && asked.counts(now)).map_or(0, |asked| asked.count)
    }

    /// Whether asking the end-user once more would be no use: they were asked for the same, or for the same API, often
    /// enough.
    #[must_use]
    pub fn is_asked_in_vain(&self, interaction: &Interaction, now: Timestamp) -> bool {
        let purpose = interaction.purpose();
        let is_for_api = |asked: &&Asked| asked.purpose.split(' ').next() == Some(&interaction.api);
        let lately = self.asked.iter().filter(|asked| asked.counts(now));
        let for_api = lately.filter(is_for_api).fold(0_u8, |sum, asked| sum.saturating_add(asked.count));
        self.times_asked(&purpose, now) >= MAX_INTERACTIONS || for_api >= MAX_INTERACTIONS_FOR_API
    }
}

impl Asked {
    pub(super) fn counts(&self, now: Timestamp) -> bool {
        self.at + REMEMBERED > now
    }
}

const REMEMBERED: Lifetime = Lifetime::from_seconds(600);
