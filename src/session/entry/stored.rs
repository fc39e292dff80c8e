//! The storage format of a token cache entry: JSON, whose field names are a promise to the next version.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{CachedAccessToken, TokenCacheEntry};
use crate::secret::Secret;
use crate::time::Timestamp;

/// The entry as it is stored, inside the seal. Field names are part of the storage format.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredEntry {
    issuer: String,
    claims: Map<String, Value>,
    id_token: Option<String>,
    refresh_token: Option<String>,
    created_at: Timestamp,
    sid_key: Option<String>,
    revision: u64,
    access_tokens: Vec<StoredAccessToken>,
}

#[derive(Serialize, Deserialize)]
struct StoredAccessToken {
    resource: Option<String>,
    scopes: Vec<String>,
    token: String,
    issued_at: Timestamp,
    expires_at: Timestamp,
    refresh_at: Option<Timestamp>,
}

impl From<&TokenCacheEntry> for StoredEntry {
    fn from(entry: &TokenCacheEntry) -> Self {
        let access_tokens = entry.access_tokens.iter().map(|cached| StoredAccessToken {
            resource: cached.resource.clone(),
            scopes: cached.scopes.clone(),
            token: cached.token.expose().clone(),
            issued_at: cached.issued_at,
            expires_at: cached.expires_at,
            refresh_at: cached.refresh_at,
        });
        Self {
            issuer: entry.issuer.clone(),
            claims: entry.claims.clone(),
            id_token: entry.id_token.as_ref().map(|token| token.expose().clone()),
            refresh_token: entry.refresh_token.as_ref().map(|token| token.expose().clone()),
            created_at: entry.created_at,
            sid_key: entry.sid_key.clone(),
            revision: entry.revision,
            access_tokens: access_tokens.collect(),
        }
    }
}

impl From<StoredEntry> for TokenCacheEntry {
    fn from(stored: StoredEntry) -> Self {
        let access_tokens = stored.access_tokens.into_iter().map(|cached| CachedAccessToken {
            resource: cached.resource,
            scopes: cached.scopes,
            token: Secret::new(cached.token),
            issued_at: cached.issued_at,
            expires_at: cached.expires_at,
            refresh_at: cached.refresh_at,
        });
        Self {
            issuer: stored.issuer,
            claims: stored.claims,
            id_token: stored.id_token.map(Secret::new),
            refresh_token: stored.refresh_token.map(Secret::new),
            created_at: stored.created_at,
            sid_key: stored.sid_key,
            revision: stored.revision,
            access_tokens: access_tokens.collect(),
        }
    }
}
