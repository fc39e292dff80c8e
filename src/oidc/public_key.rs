//! The public half of a client's key, as far as it tells keys apart, out of each of the forms that a key comes in.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::der::{BIT_STRING, Elements, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE};

/// A public key of one of the two kinds that sign client assertions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PublicKey {
    /// RSA: the modulus, without zeros in front.
    Rsa(Vec<u8>),
    /// On the curve P-256: both coordinates. `None` where a private key comes without its public half (RFC 5915 §3).
    P256(Option<Vec<u8>>),
}

impl PublicKey {
    /// From `SubjectPublicKeyInfo` (RFC 5280 §4.1.2.7).
    pub(super) fn of_certificate(info: &mut Elements<'_>) -> Option<Self> {
        let kind = kind(info)?;
        // The first octet counts unused bits; there are none.
        let (_, key) = info.read(BIT_STRING)?.split_first()?;
        match kind {
            Kind::Rsa => rsa(Elements::of(key).enter(SEQUENCE)?.read(INTEGER)?),
            Kind::P256 => Some(Self::P256(Some(point(key)?))),
        }
    }

    /// From `PrivateKeyInfo` (PKCS#8, RFC 5958).
    pub(super) fn of_private(pkcs8: &[u8]) -> Option<Self> {
        let mut info = Elements::of(pkcs8).enter(SEQUENCE)?;
        info.read(INTEGER)?;
        let kind = kind(&mut info)?;
        let mut key = Elements::of(info.read(OCTET_STRING)?).enter(SEQUENCE)?;
        key.read(INTEGER)?;
        match kind {
            Kind::Rsa => rsa(key.read(INTEGER)?),
            Kind::P256 => {
                key.read(OCTET_STRING)?;
                let public = key.find(|element| element.tag == 0xa1);
                let public = public.and_then(|public| Elements::of(public.contents).read(BIT_STRING));
                Some(Self::P256(public.and_then(|bits| point(bits.get(1..)?))))
            }
        }
    }

    /// From members of a JWK (RFC 7518 §6.3.1).
    pub(super) fn of_modulus(n: &str) -> Option<Self> {
        rsa(&URL_SAFE_NO_PAD.decode(n).ok()?)
    }

    /// From members of a JWK (RFC 7518 §6.2.1).
    pub(super) fn of_coordinates(x: &str, y: &str) -> Option<Self> {
        let [x, y] = [x, y].map(|coordinate| URL_SAFE_NO_PAD.decode(coordinate).ok());
        let point = [x?, y?].concat();
        (point.len() == 64).then_some(Self::P256(Some(point)))
    }

    /// Whether it may sign: RFC 7518 §3.3 and §3.5 want 2048 bits of an RSA key.
    pub(super) fn is_strong(&self) -> bool {
        match self {
            Self::Rsa(modulus) => modulus.len() >= 256,
            Self::P256(_) => true,
        }
    }
}

enum Kind {
    P256,
    Rsa,
}

/// Of an `AlgorithmIdentifier` (RFC 3279 §2.3.1, RFC 5480 §2.1).
fn kind(info: &mut Elements<'_>) -> Option<Kind> {
    let mut algorithm = info.enter(SEQUENCE)?;
    match algorithm.read(OBJECT_IDENTIFIER)? {
        RSA_ENCRYPTION => Some(Kind::Rsa),
        EC_PUBLIC_KEY if algorithm.read(OBJECT_IDENTIFIER)? == PRIME256V1 => Some(Kind::P256),
        _ => None,
    }
}

fn rsa(modulus: &[u8]) -> Option<PublicKey> {
    let start = modulus.iter().position(|octet| *octet != 0)?;
    Some(PublicKey::Rsa(modulus.get(start..)?.to_vec()))
}

/// The coordinates of an uncompressed point (SEC 1 §2.3.3).
fn point(octets: &[u8]) -> Option<Vec<u8>> {
    octets.strip_prefix(&[4]).filter(|point| point.len() == 64).map(<[u8]>::to_vec)
}

const RSA_ENCRYPTION: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const PRIME256V1: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
