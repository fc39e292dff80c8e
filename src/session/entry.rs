//! The token cache entry: everything kept for one account and session, and the rules by which an access token is
//! found in it and saved to it.
//!
//! The entry is sealed with the record key that only that session's cookie holds, and bound to its storage key: a copy
//! of the store, even with all server keys, opens nothing, and no entry can be put in another's place.

mod stored;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::oidc::authorization::SIGN_IN_SCOPES;
use crate::secret::Secret;
use crate::session::seal::{NONCE_LENGTH, SealingKey};
use crate::session::storage_key::{EntryKey, SidKey};
use crate::time::{Lifetime, Timestamp};
use stored::StoredEntry;

/// The tokens and claims of one account and session.
#[derive(Clone)]
pub struct TokenCacheEntry {
    /// The issuer that signed the user in.
    pub issuer: String,
    /// The verified claims of the ID token, without those that only concern the protocol.
    pub claims: Map<String, Value>,
    /// The ID token as received, where sign-out sends it as `id_token_hint`.
    pub id_token: Option<Secret>,
    /// The refresh token, where the OP issued one.
    pub refresh_token: Option<Secret>,
    /// When the user signed in.
    pub created_at: Timestamp,
    /// The index entry that leads here.
    pub sid_key: Option<String>,
    /// Counts the changes, so that a stale copy from the store never replaces a newer one in memory.
    pub revision: u64,
    access_tokens: Vec<CachedAccessToken>,
}

/// An access token and what it is good for.
#[derive(Clone)]
pub struct CachedAccessToken {
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
}

/// What the entry holds for an API.
pub enum Lookup<'a> {
    /// A token outside its expiry window.
    Fresh(&'a CachedAccessToken),
    /// A token inside its expiry window: still good, should a refresh fail.
    Expiring(&'a CachedAccessToken),
    /// Nothing usable.
    Missing,
}

/// A stored value is not this session's entry, or was written by a version that this one cannot read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryDoesNotOpen;

/// What is stored beside the sealed entry for everyone who can read the store: nothing secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryMetadata {
    /// When the user signed in.
    pub created: Timestamp,
    /// When the session ends in any case.
    pub expires: Timestamp,
    /// A coarse device name.
    pub device: String,
    /// The key of the index entry that leads here, to be removed with it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sid: Option<String>,
}

impl TokenCacheEntry {
    /// A new entry without any access token.
    #[must_use]
    pub fn new(
        issuer: String,
        claims: Map<String, Value>,
        id_token: Option<Secret>,
        sid_key: Option<&SidKey>,
        created_at: Timestamp,
    ) -> Self {
        let sid_key = sid_key.map(|key| key.as_str().to_owned());
        Self {
            issuer,
            claims,
            id_token,
            refresh_token: None,
            created_at,
            sid_key,
            revision: 0,
            access_tokens: Vec::new(),
        }
    }

    /// Finds a token for `resource` whose scopes include all `scopes`; of several the one that lasts longest.
    #[must_use]
    pub fn lookup(&self, resource: Option<&str>, scopes: &[String], now: Timestamp) -> Lookup<'_> {
        let found = self
            .access_tokens
            .iter()
            .filter(|cached| cached.resource.as_deref() == resource && cached.covers(scopes) && cached.expires_at > now)
            .max_by_key(|cached| cached.expires_at);
        match found {
            None => Lookup::Missing,
            Some(cached) if cached.is_expiring(now) => Lookup::Expiring(cached),
            Some(cached) => Lookup::Fresh(cached),
        }
    }

    /// Saves a token; those for the same resource with any scope in common are dropped, as are expired ones.
    pub fn save(&mut self, token: CachedAccessToken, now: Timestamp) {
        self.access_tokens.retain(|cached| {
            let replaced = cached.resource == token.resource && cached.overlaps(&token.scopes);
            !replaced && cached.expires_at > now
        });
        self.access_tokens.push(token);
        self.revision += 1;
    }

    /// A claim that is text.
    #[must_use]
    pub fn claim(&self, name: &str) -> Option<&str> {
        self.claims.get(name).and_then(Value::as_str)
    }

    /// Seals the entry for its place in the store.
    #[must_use]
    pub fn seal(&self, record_key: &Secret<[u8; 32]>, key: &EntryKey, nonce: [u8; NONCE_LENGTH]) -> Vec<u8> {
        let plain = serde_json::to_vec(&StoredEntry::from(self)).unwrap_or_default();
        let mut stored = vec![ENTRY_VERSION];
        stored.extend_from_slice(&SealingKey::new(record_key).seal(key.as_str().as_bytes(), &plain, nonce));
        stored
    }

    /// Opens a stored entry.
    ///
    /// # Errors
    /// [`EntryDoesNotOpen`], whatever the reason.
    pub fn open(stored: &[u8], record_key: &Secret<[u8; 32]>, key: &EntryKey) -> Result<Self, EntryDoesNotOpen> {
        let (&version, sealed) = stored.split_first().ok_or(EntryDoesNotOpen)?;
        if version != ENTRY_VERSION {
            return Err(EntryDoesNotOpen);
        }
        let place = key.as_str().as_bytes();
        let plain = SealingKey::new(record_key).open(place, sealed).map_err(|_| EntryDoesNotOpen)?;
        let stored: StoredEntry = serde_json::from_slice(&plain).map_err(|_| EntryDoesNotOpen)?;
        Ok(stored.into())
    }
}

impl CachedAccessToken {
    /// Whether the token is within five minutes, or within the last half of its life, of its end (MSAL's window, but
    /// never longer than makes sense for a short life), or past the moment from which the OP would like it renewed.
    fn is_expiring(&self, now: Timestamp) -> bool {
        let window = EXPIRY_WINDOW.min(self.expires_at.since(self.issued_at).half());
        self.expires_at <= now + window || self.refresh_at.is_some_and(|refresh_at| refresh_at <= now)
    }

    fn covers(&self, wanted: &[String]) -> bool {
        wanted.iter().filter(|scope| !is_reserved(scope)).all(|scope| self.has(scope))
    }

    fn overlaps(&self, other: &[String]) -> bool {
        // A token without scopes can only be told apart by its resource.
        other.is_empty() || self.scopes.is_empty() || other.iter().any(|scope| !is_reserved(scope) && self.has(scope))
    }

    fn has(&self, scope: &str) -> bool {
        self.scopes.iter().any(|granted| granted.eq_ignore_ascii_case(scope))
    }
}

fn is_reserved(scope: &str) -> bool {
    SIGN_IN_SCOPES.iter().any(|reserved| scope.eq_ignore_ascii_case(reserved))
}

const ENTRY_VERSION: u8 = 1;
const EXPIRY_WINDOW: Lifetime = Lifetime::from_seconds(300);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SessionKeys;
    use crate::session::account::AccountDigest;
    use crate::session::keys::KeyRing;
    use crate::session::session::{Session, SessionId};

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_unix(seconds)
    }

    fn token(name: &str, scopes: &str, expires: u64) -> CachedAccessToken {
        CachedAccessToken {
            resource: Some("https://api.example".to_owned()),
            scopes: scopes.split(' ').map(str::to_owned).collect(),
            token: Secret::new(name.to_owned()),
            issued_at: at(0),
            expires_at: at(expires),
            refresh_at: None,
        }
    }

    fn entry() -> TokenCacheEntry {
        TokenCacheEntry::new("https://op.example".to_owned(), Map::new(), None, None, at(0))
    }

    fn found(entry: &TokenCacheEntry, scopes: &str, now: u64) -> String {
        let scopes: Vec<_> = scopes.split(' ').map(str::to_owned).collect();
        match entry.lookup(Some("https://api.example"), &scopes, at(now)) {
            Lookup::Fresh(cached) => format!("fresh {}", cached.token.expose()),
            Lookup::Expiring(cached) => format!("expiring {}", cached.token.expose()),
            Lookup::Missing => "missing".to_owned(),
        }
    }

    #[test]
    fn scopes_match_as_subsets_whatever_their_case() {
        let mut entry = entry();
        entry.save(token("a", "Orders.Read Orders.Write", 3600), at(0));
        assert_eq!(found(&entry, "orders.read", 10), "fresh a");
        assert_eq!(found(&entry, "openid profile offline_access ORDERS.WRITE", 10), "fresh a");
        assert_eq!(found(&entry, "orders.read users.read", 10), "missing");
    }

    #[test]
    fn overlapping_tokens_are_dropped_and_the_latest_expiry_wins() {
        let mut entry = entry();
        entry.save(token("old", "a b", 3600), at(0));
        entry.save(token("other", "c", 3600), at(0));
        entry.save(token("new", "b", 3700), at(0));
        assert_eq!(found(&entry, "a", 10), "missing");
        assert_eq!(found(&entry, "b", 10), "fresh new");
        assert_eq!(found(&entry, "c", 10), "fresh other");
    }

    #[test]
    fn the_expiry_window_is_five_minutes_or_half_the_life() {
        let mut entry = entry();
        entry.save(token("long", "a", 3600), at(0));
        assert_eq!(found(&entry, "a", 3299), "fresh long");
        assert_eq!(found(&entry, "a", 3300), "expiring long");
        assert_eq!(found(&entry, "a", 3600), "missing");
        entry.save(token("short", "a", 120), at(0));
        assert_eq!(found(&entry, "a", 59), "fresh short");
        assert_eq!(found(&entry, "a", 60), "expiring short");
    }

    #[test]
    fn a_token_past_its_refresh_moment_is_expiring() {
        let mut entry = entry();
        entry.save(CachedAccessToken { refresh_at: Some(at(1800)), ..token("t", "a", 3600) }, at(0));
        assert_eq!(found(&entry, "a", 1799), "fresh t");
        assert_eq!(found(&entry, "a", 1800), "expiring t");
    }

    fn key_of(account: AccountDigest, id: u8, ring: &KeyRing) -> EntryKey {
        let session = Session {
            id: SessionId::from_bytes([id; 16]),
            account,
            issued_at: at(0),
            idle_expires_at: at(1),
            absolute_expires_at: at(1),
            record_key: Secret::new([0; 32]),
            named_by: ring.current().id(),
        };
        EntryKey::of(&session, ring).unwrap()
    }

    #[test]
    fn an_entry_opens_only_with_its_record_key_and_in_its_place() {
        let ring = KeyRing::new(&SessionKeys { current: Secret::new([1; 32]), previous: vec![] });
        let account = AccountDigest::from_subject("https://op.example", "alice");
        let (here, there) = (key_of(account, 1, &ring), key_of(account, 2, &ring));
        let mut entry = entry();
        entry.save(token("secret-token", "a", 3600), at(0));
        let stored = entry.seal(&Secret::new([9; 32]), &here, [4; NONCE_LENGTH]);
        assert!(!stored.windows(12).any(|window| window == b"secret-token"));
        let opened = TokenCacheEntry::open(&stored, &Secret::new([9; 32]), &here).unwrap();
        assert_eq!(found(&opened, "a", 10), "fresh secret-token");
        assert!(TokenCacheEntry::open(&stored, &Secret::new([9; 32]), &there).is_err());
        assert!(TokenCacheEntry::open(&stored, &Secret::new([8; 32]), &here).is_err());
    }
}
