//! The OP's signing keys, and the verification that the platform does: real signatures, made and checked by `ring`.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{self, Ed25519KeyPair, KeyPair, RsaKeyPair};
use serde_json::{Value, json};
use vestibule::oidc::algorithm::Algorithm;
use vestibule::oidc::jwks::{Jwk, KeyMaterial};

/// The public half of a key by its name: `rsa`, `rsa_other`, or any other name for an Ed25519 key of that name.
pub(crate) fn jwk(name: &str) -> Value {
    match rsa(name) {
        Some(pair) => {
            let public = PublicKeyComponents::<Vec<u8>>::from(pair.public());
            json!({"kty": "RSA", "use": "sig", "kid": name, "n": encode(public.n), "e": encode(public.e)})
        }
        None => {
            let x = encode(ed25519(name).public_key());
            json!({"kty": "OKP", "crv": "Ed25519", "use": "sig", "kid": name, "x": x})
        }
    }
}

/// What the key called `name` signs with.
pub(crate) fn algorithm(name: &str) -> &'static str {
    if name.starts_with("rsa") {
        "RS256"
    } else if name.starts_with("hmac") {
        "HS256"
    } else {
        "EdDSA"
    }
}

pub(crate) fn compact(key: &str, header: &Value, claims: &Value) -> String {
    let message = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
    let signature = sign(key, &message);
    format!("{message}.{}", encode(signature))
}

/// As the platform verifies.
pub(crate) fn verifies(key: &Jwk, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
    match (&key.material, algorithm) {
        (KeyMaterial::Rsa { n, e }, Algorithm::Rs256) => {
            let public = PublicKeyComponents { n: decode(n), e: decode(e) };
            public.verify(&signature::RSA_PKCS1_2048_8192_SHA256, message, signature).is_ok()
        }
        (KeyMaterial::Ed25519 { x }, Algorithm::EdDsa) => {
            signature::UnparsedPublicKey::new(&signature::ED25519, decode(x)).verify(message, signature).is_ok()
        }
        (KeyMaterial::Rsa { .. } | KeyMaterial::P256 { .. } | KeyMaterial::Ed25519 { .. }, _) => false,
    }
}

pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn decode(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

fn sign(key: &str, message: &str) -> Vec<u8> {
    match key {
        "nothing" => Vec::new(),
        // The classic confusion: the public key, which everyone has, as the secret of a MAC.
        "hmac_of_public_key" => hmac(jwk("rsa")["n"].as_str().unwrap().as_bytes(), message),
        "hmac_of_client_secret" => hmac(crate::deployment::CLIENT_SECRET.as_bytes(), message),
        name => match rsa(name) {
            Some(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                let padding = &signature::RSA_PKCS1_SHA256;
                pair.sign(padding, &SystemRandom::new(), message.as_bytes(), &mut signature).unwrap();
                signature
            }
            None => ed25519(name).sign(message.as_bytes()).as_ref().to_vec(),
        },
    }
}

fn rsa(name: &str) -> Option<RsaKeyPair> {
    match name {
        "rsa" => RsaKeyPair::from_pkcs8(include_bytes!("../../keys/rsa-2048.pk8")).ok(),
        "rsa_other" => RsaKeyPair::from_pkcs8(include_bytes!("../../keys/rsa-2048-other.pk8")).ok(),
        _ => None,
    }
}

fn ed25519(name: &str) -> Ed25519KeyPair {
    let seed = ring::digest::digest(&ring::digest::SHA256, name.as_bytes());
    Ed25519KeyPair::from_seed_unchecked(seed.as_ref()).unwrap()
}

fn hmac(secret: &[u8], message: &str) -> Vec<u8> {
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret);
    ring::hmac::sign(&key, message.as_bytes()).as_ref().to_vec()
}
