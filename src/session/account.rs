//! Accounts, and the prefix under which the store has their entries.
//!
//! An account is the home account id `uid.utid` at the Microsoft identity platform and (`iss`, `sub`) elsewhere. In
//! storage it appears only as a keyed hash, so that names in the store carry no personal data.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::json::Json;
use crate::oidc::client_info::ClientInfo;
use crate::session::keys::{KeyRing, PurposeKeys};

/// Which account: a digest of its identity. It stays inside sealed values; storage sees only names made from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AccountDigest([u8; 32]);

impl AccountDigest {
    /// The account of a subject; `sub` alone is unique only within its issuer (OIDC Core 2).
    #[must_use]
    pub fn from_subject(issuer: &str, subject: &str) -> Self {
        Self::over(&[b"subject", issuer.as_bytes(), subject.as_bytes()])
    }

    /// The home account of the Microsoft identity platform, from the token response's `client_info`.
    #[must_use]
    pub fn from_client_info(info: &ClientInfo) -> Self {
        Self::over(&[b"home account", info.uid.as_bytes(), info.utid.as_bytes()])
    }

    /// Restores a digest from a sealed value.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The digest, for a sealed value.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The prefixes of all entries of this account, one per key of the ring.
    pub fn prefixes(self, ring: &KeyRing) -> impl Iterator<Item = String> {
        ring.all().map(move |keys| self.prefix(keys))
    }

    /// The prefix of its entries under one key of the ring.
    #[must_use]
    pub fn prefix(self, keys: &PurposeKeys) -> String {
        format!("{ACCOUNT_PREFIX}{}/", URL_SAFE_NO_PAD.encode(keys.name(&[b"account", &self.0])))
    }

    /// The name of its object under one key of the ring.
    #[must_use]
    pub fn object_name(self, keys: &PurposeKeys) -> String {
        self.prefix(keys).trim_end_matches('/').to_owned()
    }

    fn over(parts: &[&[u8]]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Self(hash.finalize().into())
    }
}

impl Json for AccountDigest {
    fn to_json(&self) -> Value {
        URL_SAFE_NO_PAD.encode(self.0).into()
    }

    fn from_json(value: Value) -> Option<Self> {
        URL_SAFE_NO_PAD.decode(value.as_str()?).ok()?.try_into().ok().map(Self)
    }
}

/// What the keys of all entries begin with.
pub const ACCOUNT_PREFIX: &str = "account/";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SessionKeys;
    use crate::secret::Secret;

    #[test]
    fn an_account_is_found_under_every_key_of_the_ring() {
        let ring = KeyRing::new(&SessionKeys { current: Secret::new([1; 32]), previous: vec![Secret::new([2; 32])] });
        let account = AccountDigest::from_subject("https://op.example", "alice");
        let prefixes: Vec<_> = account.prefixes(&ring).collect();
        assert_eq!(prefixes.len(), 2);
        assert_ne!(prefixes[0], prefixes[1]);
    }

    #[test]
    fn the_same_subject_of_two_issuers_is_two_accounts() {
        assert_ne!(
            AccountDigest::from_subject("https://a.example", "alice"),
            AccountDigest::from_subject("https://b.example", "alice")
        );
        assert_ne!(AccountDigest::from_subject("ab", "c"), AccountDigest::from_subject("a", "bc"));
    }
}
