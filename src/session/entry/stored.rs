//! The storage format of a token cache entry: JSON, whose field names are a promise to the next version. A field that is
//! added has a default, so that entries of earlier versions open; one that is not known is skipped, so that entries of
//! later versions open, too.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Asked, CachedAccessToken, Consent, TokenCacheEntry};
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
    #[serde(default)]
    device: String,
    #[serde(default)]
    country: Option<String>,
    revision: u64,
    access_tokens: Vec<StoredAccessToken>,
    #[serde(default)]
    consents: Option<Vec<Consent>>,
    #[serde(default)]
    asked: Vec<Asked>,
    #[serde(default)]
    user_info: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct StoredAccessToken {
    resource: Option<String>,
    scopes: Vec<String>,
    token: String,
    issued_at: Timestamp,
    expires_at: Timestamp,
    refresh_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    claims: Option<String>,
}

impl From<&TokenCacheEntry> for StoredEntry {
    fn from(entry: &TokenCacheEntry) -> Self {
        let exposed = |token: &Secret| token.expose().clone();
        Self {
            issuer: entry.issuer.clone(),
            claims: entry.claims.clone(),
            id_token: entry.id_token.as_ref().map(exposed),
            refresh_token: entry.refresh_token.as_ref().map(exposed),
            created_at: entry.created_at,
            sid_key: entry.sid_key.clone(),
            device: entry.device.clone(),
            country: entry.country.clone(),
            revision: entry.revision,
            access_tokens: entry.access_tokens.iter().map(StoredAccessToken::from).collect(),
            consents: entry.consents.clone(),
            asked: entry.asked.clone(),
            user_info: entry.user_info.clone(),
        }
    }
}

impl From<StoredEntry> for TokenCacheEntry {
    fn from(stored: StoredEntry) -> Self {
        Self {
            issuer: stored.issuer,
            claims: stored.claims,
            id_token: stored.id_token.map(Secret::new),
            refresh_token: stored.refresh_token.map(Secret::new),
            created_at: stored.created_at,
            sid_key: stored.sid_key,
            device: stored.device,
            country: stored.country,
            revision: stored.revision,
            access_tokens: stored.access_tokens.into_iter().map(CachedAccessToken::from).collect(),
            consents: stored.consents,
            asked: stored.asked,
            user_info: stored.user_info,
        }
    }
}

impl From<&CachedAccessToken> for StoredAccessToken {
    fn from(cached: &CachedAccessToken) -> Self {
        Self {
            resource: cached.resource.clone(),
            scopes: cached.scopes.clone(),
            token: cached.token.expose().clone(),
            issued_at: cached.issued_at,
            expires_at: cached.expires_at,
            refresh_at: cached.refresh_at,
            claims: cached.claims.clone(),
        }
    }
}

impl From<StoredAccessToken> for CachedAccessToken {
    fn from(stored: StoredAccessToken) -> Self {
        Self {
            resource: stored.resource,
            scopes: stored.scopes,
            token: Secret::new(stored.token),
            issued_at: stored.issued_at,
            expires_at: stored.expires_at,
            refresh_at: stored.refresh_at,
            claims: stored.claims,
        }
    }
}
