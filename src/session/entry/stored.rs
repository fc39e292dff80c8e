//! The storage format of a token cache entry: JSON, whose field names are a promise to the next version. A field that is
//! added has a default, so that entries of earlier versions open; one that is not known is skipped, so that entries of
//! later versions open, too.

use serde_json::Value;

use super::{Asked, CachedAccessToken, Consent, TokenCacheEntry};
use crate::json::{Json, Members, members};
use crate::secret::Secret;

/// The entry as it is stored, inside the seal.
pub(super) fn written(entry: &TokenCacheEntry) -> Value {
    members([
        ("issuer", entry.issuer.to_json()),
        ("claims", Value::Object(entry.claims.clone())),
        ("id_token", exposed(entry.id_token.as_ref())),
        ("refresh_token", exposed(entry.refresh_token.as_ref())),
        ("created_at", entry.created_at.to_json()),
        ("sid_key", entry.sid_key.to_json()),
        ("device", entry.device.to_json()),
        ("country", entry.country.to_json()),
        ("revision", entry.revision.to_json()),
        ("access_tokens", entry.access_tokens.to_json()),
        ("consents", entry.consents.to_json()),
        ("asked", entry.asked.to_json()),
        ("user_info", entry.user_info.to_json()),
    ])
}

/// Reads it back.
pub(super) fn read(mut stored: Members) -> Option<TokenCacheEntry> {
    Some(TokenCacheEntry {
        issuer: stored.take("issuer")?,
        claims: stored.take::<Members>("claims")?.into_map(),
        id_token: stored.take::<Option<String>>("id_token")?.map(Secret::new),
        refresh_token: stored.take::<Option<String>>("refresh_token")?.map(Secret::new),
        created_at: stored.take("created_at")?,
        sid_key: stored.take("sid_key")?,
        device: stored.take::<Option<String>>("device")?.unwrap_or_default(),
        country: stored.take("country")?,
        revision: stored.take("revision")?,
        access_tokens: stored.take("access_tokens")?,
        consents: stored.take("consents")?,
        asked: stored.take::<Option<_>>("asked")?.unwrap_or_default(),
        user_info: stored.take::<Option<_>>("user_info")?.unwrap_or_default(),
    })
}

fn exposed(token: Option<&Secret>) -> Value {
    token.map(|token| token.expose().as_str()).into()
}

/// The token in clear: inside the entry only.
impl Json for CachedAccessToken {
    fn to_json(&self) -> Value {
        members([
            ("tenant", self.tenant.to_json()),
            ("resource", self.resource.to_json()),
            ("scopes", self.scopes.to_json()),
            ("token", exposed(Some(&self.token))),
            ("issued_at", self.issued_at.to_json()),
            ("expires_at", self.expires_at.to_json()),
            ("refresh_at", self.refresh_at.to_json()),
            ("claims", self.claims.to_json()),
        ])
    }

    fn from_json(value: Value) -> Option<Self> {
        let mut stored = Members::of(value)?;
        Some(Self {
            tenant: stored.take("tenant")?,
            resource: stored.take("resource")?,
            scopes: stored.take("scopes")?,
            token: Secret::new(stored.take("token")?),
            issued_at: stored.take("issued_at")?,
            expires_at: stored.take("expires_at")?,
            refresh_at: stored.take("refresh_at")?,
            claims: stored.take("claims")?,
        })
    }
}

impl Json for Consent {
    fn to_json(&self) -> Value {
        members([("resource", self.resource.to_json()), ("scopes", self.scopes.to_json())])
    }

    fn from_json(value: Value) -> Option<Self> {
        let mut stored = Members::of(value)?;
        Some(Self { resource: stored.take("resource")?, scopes: stored.take("scopes")? })
    }
}

impl Json for Asked {
    fn to_json(&self) -> Value {
        members([("api", self.api.to_json()), ("count", self.count.to_json()), ("at", self.at.to_json())])
    }

    fn from_json(value: Value) -> Option<Self> {
        let mut stored = Members::of(value)?;
        Some(Self { api: stored.take("api")?, count: stored.take("count")?, at: stored.take("at")? })
    }
}
