//! Sealing: XChaCha20-Poly1305 with a fresh random nonce, the associated data naming what is sealed and where it is kept.
//!
//! The 24-byte nonce makes random choice safe for any number of seals under one key. A sealed value opens only under
//! the key, the purpose and the place it was sealed for: moving it elsewhere is the same as forging it.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};

use crate::secret::Secret;

/// Bytes of a nonce.
pub const NONCE_LENGTH: usize = 24;

/// A key that seals for one purpose.
#[derive(Clone)]
pub struct SealingKey(XChaCha20Poly1305);

/// The value was not sealed by this key for this place, or was changed since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DoesNotOpen;

impl SealingKey {
    /// A key from 32 secret bytes.
    #[must_use]
    pub fn new(key: &Secret<[u8; 32]>) -> Self {
        Self(XChaCha20Poly1305::new(Key::from_slice(key.expose())))
    }

    /// Seals `plaintext` for `place`. The nonce must be random and never used before; it leads the result.
    #[must_use]
    pub fn seal(&self, place: &[u8], plaintext: &[u8], nonce: [u8; NONCE_LENGTH]) -> Vec<u8> {
        let payload = Payload { msg: plaintext, aad: place };
        // The cipher refuses only messages of 256 GiB and more; an empty result opens nowhere.
        let ciphertext = self.0.encrypt(XNonce::from_slice(&nonce), payload).unwrap_or_default();
        let mut sealed = Vec::with_capacity(NONCE_LENGTH + ciphertext.len());
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&ciphertext);
        sealed
    }

    /// Opens what [`SealingKey::seal`] made for the same `place`.
    ///
    /// # Errors
    /// [`DoesNotOpen`] for everything else, without saying why.
    pub fn open(&self, place: &[u8], sealed: &[u8]) -> Result<Vec<u8>, DoesNotOpen> {
        let (nonce, ciphertext) = sealed.split_at_checked(NONCE_LENGTH).ok_or(DoesNotOpen)?;
        let payload = Payload { msg: ciphertext, aad: place };
        self.0.decrypt(XNonce::from_slice(nonce), payload).map_err(|_| DoesNotOpen)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(byte: u8) -> SealingKey {
        SealingKey::new(&Secret::new([byte; 32]))
    }

    #[test]
    fn opens_only_with_the_same_key_and_place() {
        let sealed = key(1).seal(b"here", b"text", [7; NONCE_LENGTH]);
        assert_eq!(key(1).open(b"here", &sealed).unwrap(), b"text");
        assert_eq!(key(2).open(b"here", &sealed), Err(DoesNotOpen));
        assert_eq!(key(1).open(b"there", &sealed), Err(DoesNotOpen));
        assert_eq!(key(1).open(b"here", b"short"), Err(DoesNotOpen));
    }

    proptest! {
        #[test]
        fn any_flipped_bit_keeps_it_shut(text in proptest::collection::vec(any::<u8>(), 0..200), bit in any::<prop::sample::Index>()) {
            let mut sealed = key(1).seal(b"here", &text, [9; NONCE_LENGTH]);
            let bit = bit.index(sealed.len() * 8);
            sealed[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(key(1).open(b"here", &sealed), Err(DoesNotOpen));
        }
    }
}
