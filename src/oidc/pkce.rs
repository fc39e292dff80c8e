//! Proof Key for Code Exchange (RFC 7636), method S256 only. The random bytes are an argument.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::secret::Secret;

/// The secret that ties a code to the browser that asked for it; redeemed once, so there is no `Clone`.
#[derive(Debug)]
pub struct CodeVerifier(Secret);

impl CodeVerifier {
    /// Makes the verifier of RFC 7636 §4.1 from 256 random bits.
    #[must_use]
    pub fn from_random(bytes: [u8; 32]) -> Self {
        Self(Secret::new(URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// Takes back a stored verifier: 43 to 128 unreserved characters (RFC 7636 §4.1).
    #[must_use]
    pub fn parse(text: String) -> Option<Self> {
        let is_verifier = (43..=128).contains(&text.len()) && text.bytes().all(is_unreserved);
        is_verifier.then(|| Self(Secret::new(text)))
    }

    /// The verifier itself, for the token request and the sealed login attempt.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// The S256 challenge for the authorization request (RFC 7636 §4.2).
    #[must_use]
    pub fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(self.expose()))
    }
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7636 appendix B.
    const OCTETS: [u8; 32] = [
        116, 24, 223, 180, 151, 153, 224, 37, 79, 250, 96, 125, 216, 173, 187, 186, 22, 212, 37, 77, 105, 214, 191,
        240, 91, 88, 5, 88, 83, 132, 141, 121,
    ];

    #[test]
    fn the_example_of_rfc_7636_appendix_b_comes_out() {
        let verifier = CodeVerifier::from_random(OCTETS);
        assert_eq!(verifier.expose(), "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(verifier.challenge(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn a_stored_verifier_has_43_to_128_unreserved_characters() {
        assert!(CodeVerifier::parse("a".repeat(42)).is_none());
        assert!(CodeVerifier::parse("-._~".repeat(11)).is_some());
        assert!(CodeVerifier::parse("a".repeat(128)).is_some());
        assert!(CodeVerifier::parse("a".repeat(129)).is_none());
        for hostile in ["+", "/", "=", " ", "%", "\n", "é"] {
            assert!(CodeVerifier::parse("a".repeat(50) + hostile).is_none(), "{hostile:?}");
        }
    }

    #[test]
    fn debug_output_hides_the_verifier() {
        assert_eq!(format!("{:?}", CodeVerifier::from_random(OCTETS)), "CodeVerifier([secret])");
    }
}
