//! What the end-user of a session was asked for, so that nobody is asked for the same thing for ever.

use super::TokenCacheEntry;
use super::access_token::{has, is_reserved};
use crate::time::{Lifetime, Timestamp};

/// Scopes of one resource that the end-user was asked for at a sign-in of this session and did not visibly decline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    /// The resource (RFC 8707).
    pub resource: Option<String>,
    /// The scopes.
    pub scopes: Vec<String>,
}

/// A sign-in for one API that was just completed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The API's name.
    pub api: String,
    /// The how manyth in a row it was.
    pub count: u8,
    /// When it was completed.
    pub at: Timestamp,
}

/// Sign-ins for one API in a row, each in vain. A third would not help where two did not.
pub const MAX_INTERACTIONS: u8 = 2;

impl TokenCacheEntry {
    /// Records what the end-user consented to.
    pub fn consent(&mut self, consent: Consent) {
        let consents = self.consents.get_or_insert_default();
        let Some(known) = consents.iter_mut().find(|known| known.resource == consent.resource) else {
            consents.push(consent);
            return;
        };
        let new = consent.scopes.into_iter().filter(|scope| !has(&known.scopes, scope)).collect::<Vec<_>>();
        known.scopes.extend(new);
    }

    /// Takes back what was asked for and turned out not to be granted.
    pub fn declined(&mut self, resource: Option<&str>, asked: &[String], granted: &[String]) {
        for known in self.consents.iter_mut().flatten().filter(|known| known.resource.as_deref() == resource) {
            known.scopes.retain(|scope| !has(asked, scope) || has(granted, scope));
        }
    }

    /// Takes back what a sign-in asked for and the OP's list of what was granted lacks. The list may be about one resource
    /// only: it says something of another where it names some of its scopes.
    pub fn granted(&mut self, resource: Option<&str>, granted: &[String]) {
        for known in self.consents.iter_mut().flatten() {
            let is_listed =
                known.resource.as_deref() == resource || known.scopes.iter().any(|scope| has(granted, scope));
            known.scopes.retain(|scope| !is_listed || is_reserved(scope) || has(granted, scope));
        }
    }

    /// Whether the end-user was asked for all of it and declined none.
    #[must_use]
    pub fn is_consented(&self, resource: Option<&str>, scopes: &[String]) -> bool {
        let Some(consents) = &self.consents else { return true };
        let mut known = consents.iter().filter(|known| known.resource.as_deref() == resource);
        known.any(|known| scopes.iter().all(|scope| is_reserved(scope) || has(&known.scopes, scope)))
    }

    /// Everything that was consented to, if it was recorded.
    #[must_use]
    pub fn consents(&self) -> Option<&[Consent]> {
        self.consents.as_deref()
    }

    /// Records a completed sign-in for an API, after `round` others in a row.
    pub fn ask(&mut self, api: &str, round: u8, now: Timestamp) {
        self.asked.retain(|asked| asked.api != api && asked.counts(now));
        self.asked.push(Asked { api: api.to_owned(), count: round.saturating_add(1), at: now });
    }

    /// How many sign-ins for the API were just completed, in a row. If it needs another one so soon, they were in vain;
    /// later, it is another need.
    #[must_use]
    pub fn times_asked(&self, api: &str, now: Timestamp) -> u8 {
        self.asked.iter().find(|asked| asked.api == api && asked.counts(now)).map_or(0, |asked| asked.count)
    }
}

impl Asked {
    pub(super) fn counts(&self, now: Timestamp) -> bool {
        self.at + REMEMBERED > now
    }
}

/// A loop takes seconds; the shortest lives of tokens in the field are minutes.
const REMEMBERED: Lifetime = Lifetime::from_seconds(120);
