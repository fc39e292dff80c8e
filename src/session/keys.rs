//! The key ring: one set of keys per configured `Session__Key`, each derived for one purpose by HKDF-SHA256 (RFC 5869).
//!
//! Everything is sealed under the current key and opens under any key of the ring, named by a short id, so that a
//! rotation signs nobody out. An account has one name per ring key: whoever must find *all* of its entries asks
//! [`KeyRing::all`], so a rotation hides no entry from a sign-out either.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::config::SessionKeys;
use crate::secret::Secret;
use crate::session::seal::{DoesNotOpen, NONCE_LENGTH, SealingKey};
use crate::session::signing_key::SigningKey;

/// Names a key of the ring in what it sealed; says nothing about the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyId([u8; KEY_ID_LENGTH]);

/// What a key seals. Each has its own key, so that one kind of value can never be taken for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The application's own access tokens, in the store.
    AppTokens,
    /// The login attempt cookie.
    LoginAttempt,
    /// The sign-in that a page is told to send its user to.
    LoginRequest,
    /// The cookie that holds the state of a sign-out on its way through the OpenID Provider.
    LogoutState,
    /// The session cookie.
    Session,
}

/// The keys derived from one `Session__Key`.
pub struct PurposeKeys {
    id: KeyId,
    session: SealingKey,
    app_tokens: SealingKey,
    login_attempt: SealingKey,
    login_request: SealingKey,
    logout_state: SealingKey,
    names: Secret<[u8; 32]>,
    assertions: SigningKey,
}

/// The current key and the previous ones that still open.
pub struct KeyRing {
    label: Option<String>,
    current: PurposeKeys,
    previous: Vec<PurposeKeys>,
}

impl KeyRing {
    /// Derives all keys.
    #[must_use]
    pub fn new(keys: &SessionKeys) -> Self {
        Self::of(keys, None)
    }

    /// Derives all keys of one provider among several. Under another label, other keys come of the same ones.
    #[must_use]
    pub fn of(keys: &SessionKeys, label: Option<&str>) -> Self {
        let derive = |master| PurposeKeys::derive(master, label);
        Self {
            label: label.map(str::to_owned),
            current: derive(&keys.current),
            previous: keys.previous.iter().map(derive).collect(),
        }
    }

    /// The provider whose keys these are, where it has a name of its own; cookies carry it, too.
    #[must_use]
    pub fn label(&self) -> Option<&str> {
        self.label.as_deref()
    }

    /// The key that seals.
    #[must_use]
    pub const fn current(&self) -> &PurposeKeys {
        &self.current
    }

    /// Every key that opens, the current one first.
    pub fn all(&self) -> impl Iterator<Item = &PurposeKeys> {
        std::iter::once(&self.current).chain(&self.previous)
    }

    /// The key of that id.
    #[must_use]
    pub fn find(&self, id: KeyId) -> Option<&PurposeKeys> {
        self.all().find(|keys| keys.id == id)
    }

    /// Seals under the current key. The result is `version, key id, nonce, ciphertext`.
    #[must_use]
    pub fn seal(&self, purpose: Purpose, place: &str, plaintext: &[u8], nonce: [u8; NONCE_LENGTH]) -> Vec<u8> {
        let mut sealed = vec![SEAL_VERSION];
        sealed.extend_from_slice(&self.current.id.0);
        sealed.extend_from_slice(&self.current.sealing(purpose).seal(place.as_bytes(), plaintext, nonce));
        sealed
    }

    /// Opens what any key of the ring sealed for the same purpose and place; tells which key did.
    ///
    /// # Errors
    /// [`DoesNotOpen`], whatever the reason.
    pub fn open(&self, purpose: Purpose, place: &str, sealed: &[u8]) -> Result<(KeyId, Vec<u8>), DoesNotOpen> {
        let (&version, rest) = sealed.split_first().ok_or(DoesNotOpen)?;
        let (&id, rest) = rest.split_first_chunk::<KEY_ID_LENGTH>().ok_or(DoesNotOpen)?;
        if version != SEAL_VERSION {
            return Err(DoesNotOpen);
        }
        let keys = self.find(KeyId(id)).ok_or(DoesNotOpen)?;
        Ok((keys.id, keys.sealing(purpose).open(place.as_bytes(), rest)?))
    }
}

impl PurposeKeys {
    fn derive(master: &Secret<[u8; 32]>, label: Option<&str>) -> Self {
        let hkdf = Hkdf::<Sha256>::new(None, master.expose());
        let named = |info: &str| label.map_or_else(|| info.to_owned(), |label| format!("{info} of {label}"));
        let sealing = |info: &str| SealingKey::new(&Secret::new(expand::<32>(&hkdf, &named(info))));
        // What vouches for the gateway is the same whoever signed the user in.
        let vouching: [u8; KEY_ID_LENGTH] = expand(&hkdf, "vestibule key id v1");
        let scalar = |counter| Secret::new(expand(&hkdf, &format!("vestibule origin assertion {counter} v1")));
        Self {
            id: KeyId(expand(&hkdf, &named("vestibule key id v1"))),
            assertions: SigningKey::derive(URL_SAFE_NO_PAD.encode(vouching), scalar),
            session: sealing("vestibule session cookie v1"),
            app_tokens: sealing("vestibule app tokens v1"),
            login_attempt: sealing("vestibule login attempt v1"),
            login_request: sealing("vestibule login request v1"),
            logout_state: sealing("vestibule logout state v1"),
            names: Secret::new(expand(&hkdf, &named("vestibule storage names v1"))),
        }
    }

    /// This key's id.
    #[must_use]
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// The key that signs assertions to the origin.
    #[must_use]
    pub const fn assertions(&self) -> &SigningKey {
        &self.assertions
    }

    /// A name for storage that only the holder of the key can compute: HMAC-SHA256 over length-prefixed `parts`.
    #[must_use]
    pub fn name(&self, parts: &[&[u8]]) -> [u8; 32] {
        let Ok(mut mac) = <Hmac<Sha256> as Mac>::new_from_slice(self.names.expose()) else {
            // HMAC takes keys of any length.
            return [0; 32];
        };
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    const fn sealing(&self, purpose: Purpose) -> &SealingKey {
        match purpose {
            Purpose::AppTokens => &self.app_tokens,
            Purpose::LoginAttempt => &self.login_attempt,
            Purpose::LoginRequest => &self.login_request,
            Purpose::LogoutState => &self.logout_state,
            Purpose::Session => &self.session,
        }
    }
}

impl KeyId {
    /// The id as stored.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; KEY_ID_LENGTH] {
        &self.0
    }
}

fn expand<const N: usize>(hkdf: &Hkdf<Sha256>, info: &str) -> [u8; N] {
    let mut key = [0; N];
    // HKDF refuses only outputs longer than 255 hashes; all of ours are at most one.
    let _ = hkdf.expand(info.as_bytes(), &mut key);
    key
}

const KEY_ID_LENGTH: usize = 4;
const SEAL_VERSION: u8 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(current: u8, previous: &[u8]) -> KeyRing {
        KeyRing::new(&SessionKeys {
            current: Secret::new([current; 32]),
            previous: previous.iter().map(|byte| Secret::new([*byte; 32])).collect(),
        })
    }

    #[test]
    fn a_rotated_key_still_opens_and_a_dropped_one_does_not() {
        let sealed = ring(1, &[]).seal(Purpose::Session, "here", b"text", [3; NONCE_LENGTH]);
        assert_eq!(ring(2, &[1]).open(Purpose::Session, "here", &sealed).unwrap().1, b"text");
        assert!(ring(2, &[]).open(Purpose::Session, "here", &sealed).is_err());
    }

    #[test]
    fn one_purpose_never_opens_for_another() {
        let sealed = ring(1, &[]).seal(Purpose::LoginAttempt, "here", b"text", [3; NONCE_LENGTH]);
        assert!(ring(1, &[]).open(Purpose::Session, "here", &sealed).is_err());
        assert!(ring(1, &[]).open(Purpose::LogoutState, "here", &sealed).is_err());
    }

    #[test]
    fn names_do_not_depend_on_where_one_part_ends() {
        let ring = ring(1, &[]);
        assert_ne!(ring.current().name(&[b"ab", b"c"]), ring.current().name(&[b"a", b"bc"]));
    }
}
