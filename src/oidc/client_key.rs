//! A private key with which this client signs its assertions, with its certificate where it has one: as PEM, as a JWK
//! (RFC 7517), or out of a PFX file that the platform opened. Only its form is looked at; the platform signs with it.

mod fault;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::algorithm::Algorithm;
use super::certificate::{Certificate, chain};
use super::pem;
use super::public_key::PublicKey;
use crate::json;
use crate::secret::Secret;
use crate::time::Timestamp;

pub use fault::ClientKeyFault;

/// What an OP wants of a key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyUse {
    /// `SigningAlgorithm`; by default PS256 at the Microsoft identity platform, and elsewhere what fits the key.
    pub algorithm: Option<Algorithm>,
    /// `KeyId`: the `kid` of assertions.
    pub key_id: Option<String>,
    /// Whether the OP is the Microsoft identity platform, which takes PS256 alone and knows keys by their certificates.
    pub is_entra: bool,
    /// Whether assertions carry the certificates (`SendX5C`).
    pub sends_x5c: bool,
}

/// A key that can sign.
#[derive(Clone, Debug)]
pub struct ClientKey {
    material: KeyMaterial,
    algorithm: Algorithm,
    key_id: Option<String>,
    chain: Vec<Certificate>,
    sends_x5c: bool,
}

/// A private key in one of the forms that WebCrypto imports.
#[derive(Clone, Debug)]
pub enum KeyMaterial {
    /// A JWK with the members of the key alone.
    Jwk(Secret),
    /// PKCS#8, in DER.
    Pkcs8(Secret<Vec<u8>>),
}

impl ClientKey {
    /// Reads PEM: one private key (PKCS#8), and certificates in any order.
    ///
    /// # Errors
    /// Says what is wrong with the text.
    pub fn from_pem(text: &str, wanted: &KeyUse) -> Result<Self, ClientKeyFault> {
        let mut keys = Vec::new();
        let mut certificates = Vec::new();
        for block in pem::blocks(text).ok_or(ClientKeyFault::PemMalformed)? {
            match block.label {
                "PRIVATE KEY" => keys.push(block.der),
                "CERTIFICATE" => certificates.push(block.der),
                "ENCRYPTED PRIVATE KEY" => return Err(ClientKeyFault::KeyEncrypted),
                "RSA PRIVATE KEY" | "EC PRIVATE KEY" => return Err(ClientKeyFault::KeyOfOldFormat),
                // Parameters and public keys, which openssl writes beside them.
                _ => {}
            }
        }
        let mut keys = keys.into_iter();
        match (keys.next(), keys.next()) {
            (Some(key), None) => Self::from_der(Secret::new(key), certificates, wanted),
            (Some(_), Some(_)) => Err(ClientKeyFault::KeyNotAlone),
            (None, _) => Err(ClientKeyFault::KeyMissing),
        }
    }

    /// Takes a key in DER (PKCS#8), and its certificates in any order.
    ///
    /// # Errors
    /// Says what is wrong with them.
    pub fn from_der(
        pkcs8: Secret<Vec<u8>>,
        certificates: Vec<Vec<u8>>,
        wanted: &KeyUse,
    ) -> Result<Self, ClientKeyFault> {
        let public = PublicKey::of_private(pkcs8.expose()).ok_or(ClientKeyFault::KeyOfOtherKind)?;
        Self::new(KeyMaterial::Pkcs8(pkcs8), &public, certificates, wanted)
    }

    /// Reads a private JWK; `kid`, `alg` and `x5c` are heeded (RFC 7517 §4).
    ///
    /// # Errors
    /// Says what is wrong with the text.
    pub fn from_jwk(text: &str, wanted: &KeyUse) -> Result<Self, ClientKeyFault> {
        let members = json::object(text.as_bytes()).ok_or(ClientKeyFault::JwkMalformed)?;
        let member = |name: &str| members.get(name).and_then(Value::as_str);
        let (public, names): (_, &[&str]) = match (member("kty"), member("crv")) {
            (Some("RSA"), _) => (PublicKey::of_modulus(member("n").unwrap_or_default()), &RSA_MEMBERS),
            (Some("EC"), Some("P-256")) => {
                let [x, y] = ["x", "y"].map(|name| member(name).unwrap_or_default());
                (PublicKey::of_coordinates(x, y), &P256_MEMBERS)
            }
            _ => return Err(ClientKeyFault::KeyOfOtherKind),
        };
        let public = public.ok_or(ClientKeyFault::JwkMalformed)?;
        // `use`, `key_ops` and the like would have WebCrypto refuse what we mean to do.
        if names.iter().any(|name| member(name).is_none()) {
            return Err(ClientKeyFault::KeyMissing);
        }
        let kept = json::collected(&mut names.iter().filter_map(|name| Some((*name, member(name)?.into()))));
        let mut wanted = wanted.clone();
        wanted.key_id = wanted.key_id.or_else(|| member("kid").map(str::to_owned));
        if let Some(name) = member("alg") {
            let algorithm = Algorithm::parse(name).ok_or(ClientKeyFault::AlgorithmUnfit)?;
            if *wanted.algorithm.get_or_insert(algorithm) != algorithm {
                return Err(ClientKeyFault::AlgorithmUnfit);
            }
        }
        let certificates = members.get("x5c").map_or(Some(Vec::new()), of_x5c);
        let certificates = certificates.ok_or(ClientKeyFault::CertificateMalformed)?;
        Self::new(KeyMaterial::Jwk(Secret::new(Value::Object(kept).to_string())), &public, certificates, &wanted)
    }

    fn new(
        material: KeyMaterial,
        public: &PublicKey,
        certificates: Vec<Vec<u8>>,
        wanted: &KeyUse,
    ) -> Result<Self, ClientKeyFault> {
        if !public.is_strong() {
            return Err(ClientKeyFault::KeyShort);
        }
        let algorithm = algorithm(public, wanted)?;
        let certificates: Option<Vec<_>> = certificates.into_iter().map(Certificate::parse).collect();
        let certificates = certificates.ok_or(ClientKeyFault::CertificateMalformed)?;
        let chain = match (certificates.is_empty(), public) {
            (true, _) if wanted.is_entra || wanted.sends_x5c => return Err(ClientKeyFault::CertificateMissing),
            (true, _) => Vec::new(),
            // Nothing to compare with: the first is meant.
            (false, PublicKey::P256(None)) => certificates,
            (false, _) => chain(certificates, public).ok_or(ClientKeyFault::CertificateOfOtherKey)?,
        };
        Ok(Self { material, algorithm, key_id: wanted.key_id.clone(), chain, sends_x5c: wanted.sends_x5c })
    }

    /// The key itself.
    #[must_use]
    pub const fn material(&self) -> &KeyMaterial {
        &self.material
    }

    /// What it signs with.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// When the certificate ends, if there is one.
    #[must_use]
    pub fn not_after(&self) -> Option<Timestamp> {
        self.chain.first().map(|certificate| certificate.not_after)
    }

    /// What the header of an assertion says of the key (RFC 7515 §4.1).
    pub(super) fn describe(&self, header: &mut Map<String, Value>) {
        header.insert("alg".to_owned(), self.algorithm.name().into());
        if let Some(key_id) = &self.key_id {
            header.insert("kid".to_owned(), key_id.as_str().into());
        }
        if let Some(leaf) = self.chain.first() {
            header.insert("x5t#S256".to_owned(), URL_SAFE_NO_PAD.encode(Sha256::digest(&leaf.der)).into());
        }
        if self.sends_x5c {
            let certificates = self.chain.iter().map(|certificate| STANDARD.encode(&certificate.der).into());
            header.insert("x5c".to_owned(), Value::Array(certificates.collect()));
        }
    }
}

fn algorithm(public: &PublicKey, wanted: &KeyUse) -> Result<Algorithm, ClientKeyFault> {
    let default = match public {
        PublicKey::Rsa(_) if wanted.is_entra => Algorithm::Ps256,
        PublicKey::Rsa(_) => Algorithm::Rs256,
        PublicKey::P256(_) if wanted.is_entra => return Err(ClientKeyFault::KeyOfOtherKind),
        PublicKey::P256(_) => Algorithm::Es256,
    };
    match (public, wanted.algorithm) {
        (_, None) => Ok(default),
        (_, Some(algorithm)) if algorithm == default => Ok(algorithm),
        (PublicKey::Rsa(_), Some(algorithm @ Algorithm::Ps256)) => Ok(algorithm),
        (PublicKey::Rsa(_) | PublicKey::P256(_), Some(_)) => Err(ClientKeyFault::AlgorithmUnfit),
    }
}

/// Each certificate is in base64, not base64url (RFC 7517 §4.7).
fn of_x5c(value: &Value) -> Option<Vec<Vec<u8>>> {
    value.as_array()?.iter().map(|item| STANDARD.decode(item.as_str()?).ok()).collect()
}

/// RFC 7518 §6.3; WebCrypto wants the factors as well.
const RSA_MEMBERS: [&str; 9] = ["kty", "n", "e", "d", "p", "q", "dp", "dq", "qi"];
/// RFC 7518 §6.2.
const P256_MEMBERS: [&str; 5] = ["kty", "crv", "x", "y", "d"];
