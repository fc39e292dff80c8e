//! The token cache entry: everything kept for one account and session, and the rules by which an access token is
//! found in it and saved to it.
//!
//! The entry is sealed with the record key that only that session's cookie holds, and bound to its storage key: a copy
//! of the store, even with all server keys, opens nothing, and no entry can be put in another's place.

mod access_token;
mod consent;
mod stored;

use serde_json::{Map, Value};

use crate::json::{Json, Members, members};
use crate::secret::Secret;
use crate::session::seal::{NONCE_LENGTH, SealingKey};
use crate::session::session::Session;
use crate::session::storage_key::EntryKey;
use crate::time::Timestamp;

pub use access_token::{CachedAccessToken, Lookup, digest_of};
pub use consent::{Asked, Consent, MAX_INTERACTIONS};

/// The tokens and claims of one account and session.
#[derive(Clone)]
pub struct TokenCacheEntry {
    /// The issuer that signed the user in.
    pub issuer: String,
    /// The verified claims of the ID token, without those that only concern the protocol.
    pub claims: Map<String, Value>,
    /// The names of those claims that only UserInfo had: no refresh brings them again.
    pub user_info: Vec<String>,
    /// The ID token as received, where sign-out sends it as `id_token_hint`.
    pub id_token: Option<Secret>,
    /// The refresh token, where the OP issued one.
    pub refresh_token: Option<Secret>,
    /// When the user signed in.
    pub created_at: Timestamp,
    /// The index entry that leads here.
    pub sid_key: Option<String>,
    /// A coarse name of the browser.
    pub device: String,
    /// The country that the sign-in came from.
    pub country: Option<String>,
    /// Counts the changes, so that a stale copy from the store never replaces a newer one in memory.
    pub revision: u64,
    access_tokens: Vec<CachedAccessToken>,
    /// None in an entry of a version that did not record them: then everything was asked for.
    consents: Option<Vec<Consent>>,
    asked: Vec<Asked>,
}

/// A stored value is not this session's entry, or was written by a version that this one cannot read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryDoesNotOpen;

/// What is stored beside the sealed entry for everyone who can read the store: nothing secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryMetadata {
    /// When the user signed in.
    pub created: Timestamp,
    /// When the session ends in any case.
    pub expires: Timestamp,
    /// A coarse device name.
    pub device: String,
    /// The country that the sign-in came from, as Cloudflare names it (ISO 3166-1 alpha-2, or `T1` for Tor).
    pub country: Option<String>,
    /// The key of the index entry that leads here, to be removed with it.
    pub sid: Option<String>,
}

impl EntryMetadata {
    /// Reads what is stored; `None` for anything else.
    #[must_use]
    pub fn parse(metadata: &str) -> Option<Self> {
        Self::from_members(Members::parse(metadata.as_bytes())?)
    }

    fn from_members(mut members: Members) -> Option<Self> {
        Some(Self {
            created: members.take("created")?,
            expires: members.take("expires")?,
            device: members.take("device")?,
            country: members.take("country")?,
            sid: members.take("sid")?,
        })
    }
}

impl Json for EntryMetadata {
    fn to_json(&self) -> Value {
        members([
            ("created", self.created.to_json()),
            ("expires", self.expires.to_json()),
            ("device", self.device.to_json()),
            ("country", self.country.to_json()),
            ("sid", self.sid.to_json()),
        ])
    }

    fn from_json(value: Value) -> Option<Self> {
        Members::of(value).and_then(Self::from_members)
    }
}

impl TokenCacheEntry {
    /// A new entry without any token.
    #[must_use]
    pub const fn new(issuer: String, claims: Map<String, Value>, created_at: Timestamp) -> Self {
        Self {
            issuer,
            claims,
            user_info: Vec::new(),
            id_token: None,
            refresh_token: None,
            created_at,
            sid_key: None,
            device: String::new(),
            country: None,
            revision: 0,
            access_tokens: Vec::new(),
            consents: Some(Vec::new()),
            asked: Vec::new(),
        }
    }

    /// Finds a token of `tenant` for `resource` whose scopes include all `scopes`; of several the one that lasts longest.
    #[must_use]
    pub fn lookup(
        &self,
        tenant: Option<&str>,
        resource: Option<&str>,
        scopes: &[String],
        now: Timestamp,
    ) -> Lookup<'_> {
        let is_for = |cached: &&CachedAccessToken| {
            cached.resource.as_deref() == resource && cached.tenant.as_deref() == tenant && cached.covers(scopes)
        };
        let found = self
            .access_tokens
            .iter()
            .filter(|cached| is_for(cached) && cached.expires_at > now)
            .max_by_key(|cached| cached.expires_at);
        found.map_or(Lookup::Missing, |cached| cached.at(now))
    }

    /// Saves a token; those of the same tenant for the same resource with any scope in common are dropped, as are expired ones.
    pub fn save(&mut self, token: CachedAccessToken, now: Timestamp) {
        self.access_tokens.retain(|cached| {
            let replaced = cached.is_beside(&token) && cached.overlaps(&token.scopes);
            !replaced && cached.expires_at > now
        });
        self.access_tokens.push(token);
        self.revision += 1;
    }

    /// Replaces the refresh token by its successor; tells whether that is another one.
    pub fn rotate(&mut self, successor: &Secret) -> bool {
        let is_other = self.refresh_token.as_ref().is_none_or(|known| !known.matches(successor.expose().as_bytes()));
        self.refresh_token = Some(successor.clone());
        self.revision += u64::from(is_other);
        is_other
    }

    /// Gives up the refresh token, which the OP will never take again.
    pub fn spend_refresh_token(&mut self) {
        self.refresh_token = None;
        self.revision += 1;
    }

    /// Takes over what an earlier entry of the same account has and this one does not: tokens for other purposes and how
    /// often the end-user was asked. The refresh token as well, if the OP sent none: some do at the first consent only.
    pub fn inherit(&mut self, earlier: &Self, now: Timestamp) {
        self.refresh_token = self.refresh_token.take().or_else(|| earlier.refresh_token.clone());
        for cached in &earlier.access_tokens {
            let has_own = |own: &CachedAccessToken| own.is_beside(cached) && own.overlaps(&cached.scopes);
            if cached.expires_at > now && !self.access_tokens.iter().any(has_own) {
                self.access_tokens.push(cached.clone());
            }
        }
        self.asked.extend(earlier.asked.iter().filter(|asked| asked.counts(now)).cloned());
    }

    /// The token of an entry that was made for one.
    #[must_use]
    pub fn into_only_token(mut self) -> Option<CachedAccessToken> {
        self.access_tokens.pop()
    }

    /// A claim that is text.
    #[must_use]
    pub fn claim(&self, name: &str) -> Option<&str> {
        self.claims.get(name).and_then(Value::as_str)
    }

    /// What is stored beside the entry.
    #[must_use]
    pub fn metadata(&self, session: &Session) -> EntryMetadata {
        EntryMetadata {
            // As every comparison has it: within the second of a sign-out, that is a moment later.
            created: session.issued_at,
            expires: session.absolute_expires_at,
            device: self.device.clone(),
            country: self.country.clone(),
            sid: self.sid_key.clone(),
        }
    }

    /// Seals the entry for its place in the store.
    #[must_use]
    pub fn seal(&self, record_key: &Secret<[u8; 32]>, key: &EntryKey, nonce: [u8; NONCE_LENGTH]) -> Vec<u8> {
        let mut stored = vec![ENTRY_VERSION];
        stored.extend_from_slice(&SealingKey::new(record_key).seal(key.as_str().as_bytes(), &self.to_json(), nonce));
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
        Self::from_json(&plain)
    }

    /// The entry in the storage format. It holds every token in clear: for sealing only.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        stored::written(self).to_string().into_bytes()
    }

    /// Reads the storage format.
    ///
    /// # Errors
    /// [`EntryDoesNotOpen`].
    pub fn from_json(plain: &[u8]) -> Result<Self, EntryDoesNotOpen> {
        Members::parse(plain).and_then(stored::read).ok_or(EntryDoesNotOpen)
    }
}

const ENTRY_VERSION: u8 = 1;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SessionKeys;
    use crate::session::account::AccountDigest;
    use crate::session::keys::KeyRing;
    use crate::session::session::SessionId;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_unix(seconds)
    }

    fn token(name: &str, scopes: &str, expires: u64) -> CachedAccessToken {
        CachedAccessToken {
            tenant: None,
            resource: Some("https://api.example".to_owned()),
            scopes: scopes.split(' ').map(str::to_owned).collect(),
            token: Secret::new(name.to_owned()),
            issued_at: at(0),
            expires_at: at(expires),
            refresh_at: None,
            claims: None,
        }
    }

    fn entry() -> TokenCacheEntry {
        TokenCacheEntry::new("https://op.example".to_owned(), Map::new(), at(0))
    }

    fn found(entry: &TokenCacheEntry, scopes: &str, now: u64) -> String {
        let scopes: Vec<_> = scopes.split(' ').map(str::to_owned).collect();
        match entry.lookup(None, Some("https://api.example"), &scopes, at(now)) {
            Lookup::Fresh(cached) => format!("fresh {}", cached.token.expose()),
            Lookup::Due(cached) => format!("due {}", cached.token.expose()),
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
    fn a_token_past_its_refresh_moment_is_due_until_its_window_begins() {
        let mut entry = entry();
        entry.save(CachedAccessToken { refresh_at: Some(at(1800)), ..token("t", "a", 3600) }, at(0));
        assert_eq!(found(&entry, "a", 1799), "fresh t");
        assert_eq!(found(&entry, "a", 1800), "due t");
        assert_eq!(found(&entry, "a", 3300), "expiring t");
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

    #[test]
    fn a_new_sign_in_keeps_what_the_earlier_one_had_for_other_purposes() {
        let (mut earlier, mut later) = (entry(), entry());
        earlier.save(token("old a", "a", 3600), at(0));
        earlier.save(token("b", "b", 3600), at(0));
        earlier.save(token("over", "c", 60), at(0));
        earlier.ask("Orders", 0, at(0));
        later.save(token("new a", "a", 3600), at(60));
        later.inherit(&earlier, at(60));
        assert_eq!(found(&later, "a", 70), "fresh new a");
        assert_eq!(found(&later, "b", 70), "fresh b");
        assert_eq!(found(&later, "c", 59), "missing");
        assert_eq!(later.times_asked("Orders", at(60)), 1);
    }

    #[test]
    fn what_was_declined_is_not_consented_to() {
        let scopes = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let mut entry = entry();
        entry.consent(Consent { resource: None, scopes: scopes("a b") });
        entry.consent(Consent { resource: None, scopes: scopes("C B") });
        entry.consent(Consent { resource: Some("urn:r".to_owned()), scopes: scopes("a") });
        assert!(entry.is_consented(None, &scopes("openid A c")));
        assert!(!entry.is_consented(Some("urn:r"), &scopes("a b")));
        entry.declined(None, &scopes("a b"), &scopes("a"));
        assert!(entry.is_consented(None, &scopes("a c")) && !entry.is_consented(None, &scopes("b")));
        assert!(entry.is_consented(Some("urn:r"), &scopes("a")));
    }

    #[test]
    fn what_a_list_of_grants_lacks_is_not_consented_to_unless_it_is_about_another_resource() {
        let scopes = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let mut entry = entry();
        entry.consent(Consent { resource: None, scopes: scopes("openid a b") });
        entry.consent(Consent { resource: Some("urn:r".to_owned()), scopes: scopes("c d") });
        entry.granted(None, &scopes("A"));
        assert!(entry.is_consented(None, &scopes("openid a")) && !entry.is_consented(None, &scopes("b")));
        assert!(entry.is_consented(Some("urn:r"), &scopes("c d")));
        entry.granted(None, &scopes("a d"));
        assert!(entry.is_consented(Some("urn:r"), &scopes("d")) && !entry.is_consented(Some("urn:r"), &scopes("c")));
    }

    #[test]
    fn a_sign_in_for_an_api_counts_as_in_vain_for_two_minutes() {
        let mut entry = entry();
        entry.ask("Orders", 0, at(0));
        entry.ask("Orders", 1, at(300));
        assert_eq!(entry.times_asked("Orders", at(419)), 2);
        assert_eq!(entry.times_asked("Orders", at(420)), 0);
        assert_eq!(entry.times_asked("other", at(300)), 0);
    }

    /// What the first version wrote, and what a later one may write.
    #[test]
    fn entries_of_other_versions_open() {
        let first = r#"{"issuer":"https://op.example","claims":{"sub":"s"},"id_token":null,"refresh_token":"rt",
            "created_at":5,"sid_key":null,"revision":7,"access_tokens":[{"resource":"https://api.example",
            "scopes":["a"],"token":"t","issued_at":0,"expires_at":3600,"refresh_at":null}]}"#;
        let later =
            first.replacen('{', r#"{"new":{"x":[1]},"device":"Firefox","#, 1).replace(r#""token""#, r#""n":1,"token""#);
        for stored in [first, &later] {
            let entry = TokenCacheEntry::from_json(stored.as_bytes()).unwrap();
            assert_eq!((found(&entry, "a", 10).as_str(), entry.revision), ("fresh t", 7));
            assert!(entry.is_consented(Some("urn:any"), &["x".to_owned()]), "it was asked for everything");
            let again = TokenCacheEntry::from_json(&entry.to_json()).unwrap();
            assert_eq!(again.to_json(), entry.to_json());
        }
    }
}
