//! A key of ours that signs, on the curve P-256 (ES256, RFC 7518 §3.4). It is derived, so there is no other secret to
//! keep; the platform signs with it and computes its public half.

use crate::secret::Secret;

/// The private key and its name.
pub struct SigningKey {
    kid: String,
    scalar: Secret<[u8; 32]>,
}

/// The public half: the coordinates in base64url.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicPoint {
    /// The first coordinate.
    pub x: String,
    /// The second coordinate.
    pub y: String,
}

impl SigningKey {
    /// The first of the candidates that is a private key: not 0, and below the order of the group (FIPS 186-5 A.2.2).
    /// All but one in 2^32 are.
    pub(crate) fn derive(kid: String, candidate: impl Fn(u8) -> Secret<[u8; 32]>) -> Self {
        let scalar = (0..u8::MAX).map(&candidate).find(is_private_key);
        Self { kid, scalar: scalar.unwrap_or_else(|| candidate(u8::MAX)) }
    }

    /// Names the key, in the header of what it signed and in the published key set; says nothing about it.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The private key as PKCS#8 (RFC 5958) has it, around the `ECPrivateKey` of RFC 5915 without its public half.
    #[must_use]
    pub fn pkcs8(&self) -> Secret<Vec<u8>> {
        Secret::new([PKCS8_HEAD, self.scalar.expose()].concat())
    }
}

fn is_private_key(scalar: &Secret<[u8; 32]>) -> bool {
    *scalar.expose() != [0; 32] && *scalar.expose() < ORDER
}

/// The order of the group (FIPS 186-4 D.1.2.3), big-endian.
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa,
    0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

/// Everything before the key itself: version 0, `id-ecPublicKey` with `prime256v1`, and the octet string with version 1.
const PKCS8_HEAD: &[u8] = &[
    0x30, 0x41, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x04, 0x27, 0x30, 0x25, 0x02, 0x01, 0x01, 0x04, 0x20,
];

#[cfg(test)]
mod tests {
    use super::*;

    /// The key is the first candidate of these that may be one.
    fn chosen(candidates: &[[u8; 32]]) -> Vec<u8> {
        let key = SigningKey::derive(String::new(), |counter| Secret::new(candidates[usize::from(counter)]));
        key.pkcs8().into_exposed()[PKCS8_HEAD.len()..].to_vec()
    }

    #[test]
    fn zero_and_whatever_reaches_the_order_are_no_keys() {
        let (mut one, mut greatest, mut beyond) = ([0; 32], ORDER, ORDER);
        one[31] = 1;
        greatest[31] -= 1;
        beyond[0..16].fill(0xff);
        assert_eq!(chosen(&[[0; 32], ORDER, beyond, [0xff; 32], one, greatest]), one);
        assert_eq!(chosen(&[ORDER, greatest, one]), greatest);
    }

    #[test]
    fn the_lengths_within_add_up() {
        let key = SigningKey::derive(String::new(), |_| Secret::new([7; 32]));
        let der = key.pkcs8().into_exposed();
        assert_eq!((der.len(), usize::from(der[1])), (67, 65));
        assert_eq!((usize::from(der[27]), usize::from(der[29]), usize::from(der[34])), (67 - 28, 67 - 30, 32));
    }
}
