//! A cached access token: what it is good for, and when it is time for another one.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::oidc::authorization::SIGN_IN_SCOPES;
use crate::secret::Secret;
use crate::time::{Lifetime, Timestamp};

/// An access token and what it is good for.
#[derive(Clone)]
pub struct CachedAccessToken {
    /// The tenant it was asked for, where that is not the end-user's own.
    pub tenant: Option<String>,
    /// The resource it was asked for (RFC 8707).
    pub resource: Option<String>,
    /// The scopes that were granted.
    pub scopes: Vec<String>,
    /// The token.
    pub token: Secret,
    /// When it was received.
    pub issued_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// From when on the OP would like it renewed (`refresh_in`).
    pub refresh_at: Option<Timestamp>,
    /// Names the claims challenge that it answers.
    pub claims: Option<String>,
}

/// What the entry holds for an API.
pub enum Lookup<'a> {
    /// A token to use.
    Fresh(&'a CachedAccessToken),
    /// A token to use, though the OP would like it renewed by now.
    Due(&'a CachedAccessToken),
    /// A token inside its expiry window: still good, should a refresh fail.
    Expiring(&'a CachedAccessToken),
    /// Nothing usable.
    Missing,
}

impl CachedAccessToken {
    /// Names the token without telling it.
    #[must_use]
    pub fn digest(&self) -> String {
        digest_of(self.token.expose())
    }

    /// How good the token is.
    #[must_use]
    pub fn lookup_at(&self, now: Timestamp) -> Lookup<'_> {
        if self.expires_at <= now { Lookup::Missing } else { self.at(now) }
    }

    /// How good the token is at a moment before its end.
    pub(super) fn at(&self, now: Timestamp) -> Lookup<'_> {
        if self.window_begins_at() <= now {
            Lookup::Expiring(self)
        } else if self.refresh_at.is_some_and(|refresh_at| refresh_at <= now) {
            Lookup::Due(self)
        } else {
            Lookup::Fresh(self)
        }
    }

    /// Until when there is nothing to do about it.
    #[must_use]
    pub fn fresh_until(&self) -> Timestamp {
        self.refresh_at.map_or(Timestamp::MAX, |refresh_at| refresh_at).min(self.window_begins_at())
    }

    /// MSAL's window before the end, but never longer than makes sense for a short life.
    fn window_begins_at(&self) -> Timestamp {
        self.expires_at.before(EXPIRY_WINDOW.min(self.expires_at.since(self.issued_at).half()))
    }

    /// Whether both are tokens of one tenant for one resource.
    pub(super) fn is_beside(&self, other: &Self) -> bool {
        self.tenant == other.tenant && self.resource == other.resource
    }

    pub(super) fn covers(&self, wanted: &[String]) -> bool {
        wanted.iter().filter(|scope| !is_reserved(scope)).all(|scope| has(&self.scopes, scope))
    }

    pub(super) fn overlaps(&self, other: &[String]) -> bool {
        // A token without scopes can only be told apart by its resource.
        let shares = |scope: &String| !is_reserved(scope) && has(&self.scopes, scope);
        other.is_empty() || self.scopes.is_empty() || other.iter().any(shares)
    }
}

impl<'a> Lookup<'a> {
    /// The token, if it may be used as it is.
    #[must_use]
    pub const fn usable(self) -> Option<&'a CachedAccessToken> {
        match self {
            Self::Fresh(cached) | Self::Due(cached) => Some(cached),
            Self::Expiring(_) | Self::Missing => None,
        }
    }

    /// The token, however near its end.
    #[must_use]
    pub const fn valid(self) -> Option<&'a CachedAccessToken> {
        match self {
            Self::Fresh(cached) | Self::Due(cached) | Self::Expiring(cached) => Some(cached),
            Self::Missing => None,
        }
    }
}

/// Names a token without telling it.
#[must_use]
pub fn digest_of(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(token))
}

/// Whether `scopes` include `scope`, whatever its case (RFC 6749 §3.3 says case-sensitive; the Microsoft identity platform
/// does not keep the case of what was asked for).
pub(super) fn has(scopes: &[String], scope: &str) -> bool {
    scopes.iter().any(|granted| granted.eq_ignore_ascii_case(scope))
}

/// Scopes of the sign-in say nothing about any API.
pub(super) fn is_reserved(scope: &str) -> bool {
    SIGN_IN_SCOPES.iter().any(|reserved| scope.eq_ignore_ascii_case(reserved))
}

const EXPIRY_WINDOW: Lifetime = Lifetime::from_seconds(300);
