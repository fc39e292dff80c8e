//! Why a token is to be renewed, which decides what will do instead.

use serde_json::Value;

use crate::config::Api;
use crate::json::{Json, Members, members, name_and_value, named};
use crate::oidc::claims_challenge::ClaimsChallenge;
use crate::session::entry::{CachedAccessToken, Lookup, TokenCacheEntry};
use crate::time::Timestamp;

/// Why a token is to be renewed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The OP would like it renewed by now (`refresh_in`).
    Due,
    /// There is none, or only one in its expiry window.
    Missing,
    /// The API refused it.
    Rejected {
        /// The digest of the token.
        token: String,
        /// The claims that the API demands.
        claims: Option<ClaimsChallenge>,
    },
}

impl Cause {
    /// Whether the entry has what is wanted by now, since somebody else was first.
    pub(super) fn is_met(&self, entry: &TokenCacheEntry, api: &Api, now: Timestamp) -> bool {
        let found = entry.lookup(api.tenant.as_deref(), api.resource.as_deref(), &api.scopes, now);
        self.is_met_by(&found)
    }

    /// The same for what was found.
    pub(crate) fn is_met_by(&self, found: &Lookup<'_>) -> bool {
        match (self, found) {
            (Self::Due, Lookup::Fresh(_)) | (Self::Missing, Lookup::Fresh(_) | Lookup::Due(_)) => true,
            (Self::Rejected { token, claims }, Lookup::Fresh(cached) | Lookup::Due(cached)) => {
                cached.digest() != *token && answers(cached, claims.as_ref())
            }
            (_, Lookup::Expiring(_) | Lookup::Missing) | (Self::Due, Lookup::Due(_)) => false,
        }
    }

    /// The claims to ask the OP for.
    pub(crate) const fn claims(&self) -> Option<&ClaimsChallenge> {
        match self {
            Self::Rejected { claims, .. } => claims.as_ref(),
            Self::Due | Self::Missing => None,
        }
    }

    /// Names what is wanted: whoever wants the same gets the same answer.
    pub(crate) fn purpose(&self, api: &Api) -> String {
        match self {
            Self::Due | Self::Missing => api.name.clone(),
            Self::Rejected { token, claims } => {
                format!("{} {token} {}", api.name, claims.as_ref().map(ClaimsChallenge::name).unwrap_or_default())
            }
        }
    }
}

/// A token that was made without the claims does not carry them.
fn answers(cached: &CachedAccessToken, claims: Option<&ClaimsChallenge>) -> bool {
    claims.is_none_or(|claims| cached.claims == Some(claims.name()))
}

impl Json for Cause {
    fn to_json(&self) -> Value {
        match self {
            Self::Due => "Due".into(),
            Self::Missing => "Missing".into(),
            Self::Rejected { token, claims } => {
                named("Rejected", members([("token", token.to_json()), ("claims", claims.to_json())]))
            }
        }
    }

    fn from_json(value: Value) -> Option<Self> {
        let (name, value) = name_and_value(value)?;
        Some(match name.as_str() {
            "Due" => Self::Due,
            "Missing" => Self::Missing,
            "Rejected" => {
                let mut rejected = Members::of(value)?;
                Self::Rejected { token: rejected.take("token")?, claims: rejected.take("claims")? }
            }
            _ => return None,
        })
    }
}
