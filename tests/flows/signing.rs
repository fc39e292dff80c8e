//! Signatures of our own, as the platform makes them: real ones, by `p256`, from the key as the platform gets it.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey as EcdsaKey};
use p256::pkcs8::DecodePrivateKey;
use ring::rand::SystemRandom;
use ring::rsa::{KeyPairComponents, PublicKeyComponents};
use ring::signature::{RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaKeyPair};
use serde_json::Value;
use vestibule::oidc::algorithm::Algorithm;
use vestibule::oidc::client_key::{ClientKey, KeyMaterial};
use vestibule::oidc::pfx::{OpenedPfx, Pfx, PfxFault};
use vestibule::secret::Secret;
use vestibule::session::signing_key::{PublicPoint, SigningKey};

use crate::op::keys::encode;

pub(crate) fn sign(key: &SigningKey, data: &[u8]) -> Vec<u8> {
    let signature: Signature = private(key).sign(data);
    signature.to_bytes().to_vec()
}

pub(crate) fn public_point(key: &SigningKey) -> PublicPoint {
    let point = private(key).verifying_key().to_encoded_point(false);
    PublicPoint { x: encode(point.x().unwrap()), y: encode(point.y().unwrap()) }
}

fn private(key: &SigningKey) -> EcdsaKey {
    EcdsaKey::from_pkcs8_der(key.pkcs8().expose()).unwrap()
}

/// With the key as WebCrypto would import it.
pub(crate) fn sign_as_client(key: &ClientKey, data: &[u8]) -> Vec<u8> {
    match (key.material(), key.algorithm()) {
        (KeyMaterial::Pkcs8(der), Algorithm::Es256) => p256(&EcdsaKey::from_pkcs8_der(der.expose()).unwrap(), data),
        (KeyMaterial::Pkcs8(der), algorithm) => rsa(&RsaKeyPair::from_pkcs8(der.expose()).unwrap(), algorithm, data),
        (KeyMaterial::Jwk(text), algorithm) => {
            let jwk: Value = serde_json::from_str(text.expose()).unwrap();
            let octets = |name: &str| URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap();
            if algorithm == Algorithm::Es256 {
                return p256(&EcdsaKey::from_slice(&octets("d")).unwrap(), data);
            }
            let [n, e, d, p, q] = ["n", "e", "d", "p", "q"].map(octets);
            let [dp, dq, qi] = ["dp", "dq", "qi"].map(octets);
            let public_key = PublicKeyComponents { n, e };
            let parts = KeyPairComponents { public_key, d, p, q, dP: dp, dQ: dq, qInv: qi };
            rsa(&RsaKeyPair::from_components(&parts).unwrap(), algorithm, data)
        }
    }
}

/// What stands for a PFX file here, JSON with everything in base64. Real ones are opened by the platform alone, and tested
/// there.
pub(crate) fn open_pfx(pfx: &Pfx) -> Result<OpenedPfx, PfxFault> {
    let file: Value = serde_json::from_slice(pfx.contents.expose()).map_err(|_| PfxFault::Malformed)?;
    if file["password"] != pfx.password.expose().as_str() {
        return Err(PfxFault::Password);
    }
    let octets = |value: &Value| STANDARD.decode(value.as_str().unwrap()).unwrap();
    let certificates = file["certificates"].as_array().unwrap().iter().map(octets).collect();
    Ok(OpenedPfx { pkcs8: Secret::new(octets(&file["key"])), certificates })
}

fn p256(key: &EcdsaKey, data: &[u8]) -> Vec<u8> {
    let signature: Signature = key.sign(data);
    signature.to_bytes().to_vec()
}

fn rsa(key: &RsaKeyPair, algorithm: Algorithm, data: &[u8]) -> Vec<u8> {
    let mut signature = vec![0; key.public().modulus_len()];
    let random = SystemRandom::new();
    match algorithm {
        Algorithm::Rs256 => key.sign(&RSA_PKCS1_SHA256, &random, data, &mut signature).unwrap(),
        Algorithm::Ps256 => key.sign(&RSA_PSS_SHA256, &random, data, &mut signature).unwrap(),
        Algorithm::Es256 | Algorithm::EdDsa => panic!("not with an RSA key: {algorithm}"),
    }
    signature
}
