//! The OpenID Provider's public signing keys (RFC 7517, RFC 7518 §6, RFC 8037 §2). Which key may verify which algorithm
//! is decided here, by the key; the verification itself and the fetching are not done here.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::algorithm::Algorithm;
use super::issuer::{IssuerRule, TENANT_PLACEHOLDER};
use crate::json::Members;

/// The longest document that is parsed. Those of large providers, certificates included, have 5 to 20 KiB.
pub const MAX_DOCUMENT_BYTES: usize = 64 * 1024;

/// The most keys that a document may list.
pub const MAX_KEYS: usize = 64;

/// The most keys that are tried for one token, so that no token can ask for more than a few verifications.
pub const MAX_CANDIDATES: usize = 8;

/// The keys of a document that can verify a signature.
#[derive(Clone, Debug)]
pub struct Jwks {
    keys: Vec<Jwk>,
}

/// One public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jwk {
    /// The key's name.
    pub kid: Option<String>,
    /// The issuer, or issuer template, that the key may sign for: a member of the Microsoft identity platform's keys.
    pub issuer: Option<String>,
    /// The key itself.
    pub material: KeyMaterial,
    alg: Option<Algorithm>,
}

/// The members that make the key, as base64url as they stand in the document; their lengths are right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyMaterial {
    /// An RSA key of 2048 to 8192 bits.
    Rsa {
        /// The modulus.
        n: String,
        /// The exponent.
        e: String,
    },
    /// A point on P-256. Whether it lies on the curve is found at import.
    P256 {
        /// Its first coordinate.
        x: String,
        /// Its second coordinate.
        y: String,
    },
    /// An Ed25519 key.
    Ed25519 {
        /// The encoded point.
        x: String,
    },
}

impl Jwks {
    /// Parses the document. Keys that cannot be used are passed over: providers publish encryption keys and keys for
    /// algorithms of the future beside those that sign.
    pub fn parse(document: &[u8]) -> Result<Self, JwksFault> {
        if document.len() > MAX_DOCUMENT_BYTES {
            return Err(JwksFault::TooLong);
        }
        let keys = Members::parse(document).and_then(|mut set| set.take::<Vec<Value>>("keys"));
        let keys = keys.ok_or(JwksFault::Malformed)?;
        if keys.len() > MAX_KEYS {
            return Err(JwksFault::TooManyKeys);
        }
        let keys: Vec<Jwk> = keys.into_iter().filter_map(Jwk::parse).collect();
        if keys.is_empty() { Err(JwksFault::NoUsableKey) } else { Ok(Self { keys }) }
    }

    /// The keys that may have made a signature with `algorithm`: the one the token names or, where it names none, every
    /// key that fits, up to [`MAX_CANDIDATES`].
    #[must_use]
    pub fn candidates(&self, kid: Option<&str>, algorithm: Algorithm) -> Vec<&Jwk> {
        let is_named = |key: &&Jwk| kid.is_none() || key.kid.as_deref() == kid;
        self.keys.iter().filter(is_named).filter(|key| key.fits(algorithm)).take(MAX_CANDIDATES).collect()
    }
}

impl Jwk {
    /// Whether the key may verify `algorithm`. The type of the key decides, and its `alg` where it has one; a token
    /// that names an algorithm of another family finds no key at all (RFC 8725 §3.1).
    #[must_use]
    pub fn fits(&self, algorithm: Algorithm) -> bool {
        self.alg.is_none_or(|alg| alg == algorithm) && self.material.fits(algorithm)
    }

    /// Whether the key may sign for `issuer`. A key without `issuer` may sign for any; a template is filled with the
    /// token's `tid`.
    #[must_use]
    pub fn may_sign_for(&self, issuer: &str, tenant: Option<&str>) -> bool {
        match &self.issuer {
            None => true,
            Some(own) if own.contains(TENANT_PLACEHOLDER) => IssuerRule::Tenanted(own.clone()).accepts(issuer, tenant),
            Some(own) => own == issuer,
        }
    }

    fn parse(value: Value) -> Option<Self> {
        let mut raw = Members::of(value)?;
        // A symmetric key has `k`; a private one, which everyone has read by now, has `d`.
        if raw.has("k") || raw.has("d") {
            return None;
        }
        if raw.take::<Option<String>>("use")?.is_some_and(|usage| usage != "sig") {
            return None;
        }
        let operations: Option<Vec<String>> = raw.take("key_ops")?;
        if operations.is_some_and(|operations| !operations.iter().any(|operation| operation == "verify")) {
            return None;
        }
        let alg = match raw.take::<Option<String>>("alg")? {
            None => None,
            Some(name) => Some(Algorithm::parse(&name)?),
        };
        let curve: Option<String> = raw.take("crv")?;
        let material = match (raw.take::<String>("kty")?.as_str(), curve.as_deref()) {
            ("RSA", None) => KeyMaterial::rsa(raw.take("n")?, raw.take("e")?),
            ("EC", Some("P-256")) => KeyMaterial::p256(raw.take("x")?, raw.take("y")?),
            ("OKP", Some("Ed25519")) => KeyMaterial::ed25519(raw.take("x")?),
            _ => None,
        }?;
        let (kid, issuer) = (raw.take("kid")?, raw.take("issuer")?);
        alg.is_none_or(|alg| material.fits(alg)).then_some(Self { kid, issuer, material, alg })
    }
}

impl KeyMaterial {
    /// RFC 7518 §3.3 and §3.5: an RSA key has at least 2048 bits. An exponent of 1 would make every text its own
    /// signature, an even one is no exponent.
    fn rsa(n: String, e: String) -> Option<Self> {
        let modulus = integer(&n)?;
        let bits = modulus.len() * 8 - modulus.first()?.leading_zeros() as usize;
        let exponent = integer(&e)?;
        let is_exponent = exponent.len() <= 8 && exponent.last()? % 2 == 1 && exponent != [1];
        ((2048..=8192).contains(&bits) && is_exponent).then_some(Self::Rsa { n, e })
    }

    fn p256(x: String, y: String) -> Option<Self> {
        (decode(&x)?.len() == 32 && decode(&y)?.len() == 32).then_some(Self::P256 { x, y })
    }

    fn ed25519(x: String) -> Option<Self> {
        (decode(&x)?.len() == 32).then_some(Self::Ed25519 { x })
    }

    const fn fits(&self, algorithm: Algorithm) -> bool {
        match self {
            Self::Rsa { .. } => matches!(algorithm, Algorithm::Rs256 | Algorithm::Ps256),
            Self::P256 { .. } => matches!(algorithm, Algorithm::Es256),
            Self::Ed25519 { .. } => matches!(algorithm, Algorithm::EdDsa),
        }
    }
}

/// Why a key document was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JwksFault {
    /// Not a JSON object with a list of keys.
    Malformed,
    /// No listed key can verify an accepted algorithm.
    NoUsableKey,
    /// Longer than [`MAX_DOCUMENT_BYTES`].
    TooLong,
    /// More than [`MAX_KEYS`] keys.
    TooManyKeys,
}

impl fmt::Display for JwksFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "the key document is malformed",
            Self::NoUsableKey => "the key document has no usable key",
            Self::TooLong => "the key document is too long",
            Self::TooManyKeys => "the key document has too many keys",
        })
    }
}

impl std::error::Error for JwksFault {}

/// An unsigned integer without its leading zero octets, which RFC 7518 §6.3.1.1 forbids and some providers send. They
/// must not count, or a short modulus would pass for a long one and an exponent of 1 for another.
fn integer(text: &str) -> Option<Vec<u8>> {
    Some(decode(text)?.into_iter().skip_while(|octet| *octet == 0).collect())
}

fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}
