//! The keys under which the store has what belongs to a session. They are keyed hashes: no personal data is in them.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::session::account::{ACCOUNT_PREFIX, AccountDigest};
use crate::session::keys::{KeyRing, PurposeKeys};
use crate::session::session::{Session, SessionId};

/// A key of the token cache: `account/<account>/<session>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryKey(String);

/// A key of the index from an OpenID Provider's session to ours: `sid/<hash(iss, sid)>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SidKey(String);

/// The key of an access token of the application itself: `app/<hash of everything that it depends on>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppTokenKey {
    name: String,
    session: SessionId,
}

impl EntryKey {
    /// The key of a session's entry. `None` once the ring key that named it is gone.
    #[must_use]
    pub fn of(session: &Session, ring: &KeyRing) -> Option<Self> {
        ring.find(session.named_by).map(|keys| Self::new(session.account, session.id, keys))
    }

    /// The key of a session's entry among those whose keys begin with `prefix`: see [`AccountDigest::prefix`].
    #[must_use]
    pub fn under(prefix: &str, session: SessionId) -> Self {
        Self(format!("{prefix}{}", session.to_text()))
    }

    /// Reads a key back from the index or a listing.
    #[must_use]
    pub fn parse(key: &str) -> Option<Self> {
        let (account, session) = key.strip_prefix(ACCOUNT_PREFIX)?.split_once('/')?;
        (!account.is_empty() && SessionId::parse(session).is_some()).then(|| Self(key.to_owned()))
    }

    /// What the keys of all entries of its account begin with.
    #[must_use]
    pub fn prefix(&self) -> &str {
        self.0.rfind('/').and_then(|slash| self.0.get(..=slash)).unwrap_or(&self.0)
    }

    /// The session's id.
    #[must_use]
    pub fn session(&self) -> Option<SessionId> {
        SessionId::parse(self.0.rsplit('/').next()?)
    }

    fn new(account: AccountDigest, session: SessionId, keys: &PurposeKeys) -> Self {
        Self::under(&account.prefix(keys), session)
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl SidKey {
    /// The index key for the OP's session `sid`, under one key of the ring. `issuer` is as the OP's metadata has it: at a
    /// multi-tenant provider a logout may name the session and no tenant.
    #[must_use]
    pub fn new(issuer: &str, sid: &str, keys: &PurposeKeys) -> Self {
        let hash = keys.name(&[b"sid", issuer.as_bytes(), sid.as_bytes()]);
        Self(format!("{SID_PREFIX}{}", URL_SAFE_NO_PAD.encode(hash)))
    }

    /// Reads a key back from the metadata of a token cache entry.
    #[must_use]
    pub fn parse(key: &str) -> Option<Self> {
        key.starts_with(SID_PREFIX).then(|| Self(key.to_owned()))
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl AppTokenKey {
    /// The key of the application's own token for the same resource and scopes, under one key of the ring.
    #[must_use]
    pub fn new(
        authority: &str,
        client_id: &str,
        resource: Option<&str>,
        scopes: &[String],
        keys: &PurposeKeys,
    ) -> Self {
        let mut parts: Vec<&[u8]> = vec![b"app token", authority.as_bytes(), client_id.as_bytes()];
        parts.extend(resource.map(str::as_bytes).map_or([b"".as_slice(), b"".as_slice()], |text| [b"resource", text]));
        parts.extend(scopes.iter().map(String::as_bytes));
        let hash = keys.name(&parts);
        let mut session = [0; 16];
        session.copy_from_slice(hash.first_chunk::<16>().unwrap_or(&[0; 16]));
        Self { name: format!("{APP_PREFIX}{}", URL_SAFE_NO_PAD.encode(hash)), session: SessionId::from_bytes(session) }
    }

    /// The key as text; also the name of the object that keeps the token.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// Stands for a session in an object that keeps sessions.
    #[must_use]
    pub const fn session(&self) -> SessionId {
        self.session
    }
}

const APP_PREFIX: &str = "app/";
const SID_PREFIX: &str = "sid/";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SessionKeys;
    use crate::secret::Secret;

    #[test]
    fn an_entry_lies_under_its_account_and_within_the_stores_limit() {
        let ring = KeyRing::new(&SessionKeys { current: Secret::new([1; 32]), previous: vec![Secret::new([2; 32])] });
        let account = AccountDigest::from_subject("https://op.example", "alice");
        for (keys, prefix) in ring.all().zip(account.prefixes(&ring)) {
            let key = EntryKey::new(account, SessionId::from_bytes([5; 16]), keys);
            assert!(key.as_str().starts_with(&prefix));
            assert!(key.as_str().len() < 512);
        }
    }

    #[test]
    fn an_entry_key_is_taken_apart_only_if_it_is_one() {
        let id = SessionId::from_bytes([5; 16]);
        let key = EntryKey::parse(EntryKey::under("account/a_-9/", id).as_str()).unwrap();
        assert_eq!((key.prefix(), key.session()), ("account/a_-9/", Some(id)));
        for other in ["", "account/", "account//AAAA", "account/a/", "account/a/AAAA", "sid/a", "account/a/b/c"] {
            assert_eq!(EntryKey::parse(other), None, "{other}");
        }
    }

    #[test]
    fn a_sid_key_is_read_back_only_as_what_it_is() {
        let ring = KeyRing::new(&SessionKeys { current: Secret::new([1; 32]), previous: vec![] });
        let key = SidKey::new("https://op.example", "s1", ring.current());
        assert_eq!(SidKey::parse(key.as_str()), Some(key));
        assert_eq!(SidKey::parse("account/a/b"), None);
    }
}
