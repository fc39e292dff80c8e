//! An OpenID Provider's keys: signs like one with `ring`, and verifies from the published JWK like a runtime.
//!
//! The keys in `tests/keys` were made for these tests with `openssl genpkey | openssl pkcs8 -topk8 -nocrypt -outform DER`
//! and protect nothing.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RsaKeyPair};
use serde_json::{Value, json};
use vestibule::oidc::algorithm::Algorithm;
use vestibule::oidc::jwks::{Jwk, Jwks, KeyMaterial};
use vestibule::oidc::jwt::UntrustedJwt;

pub(crate) struct Provider {
    rsa: RsaKeyPair,
    rsa_other: RsaKeyPair,
    p256: EcdsaKeyPair,
    ed25519: Ed25519KeyPair,
}

impl Provider {
    pub(crate) fn new() -> Self {
        let p256 = include_bytes!("../keys/p256.pk8");
        Self {
            rsa: RsaKeyPair::from_pkcs8(include_bytes!("../keys/rsa-2048.pk8")).unwrap(),
            rsa_other: RsaKeyPair::from_pkcs8(include_bytes!("../keys/rsa-2048-other.pk8")).unwrap(),
            p256: EcdsaKeyPair::from_pkcs8(&signature::ECDSA_P256_SHA256_FIXED_SIGNING, p256, &SystemRandom::new())
                .unwrap(),
            ed25519: Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap(),
        }
    }

    /// The public half of a key, without `kid` and `alg`.
    pub(crate) fn jwk(&self, key: &str) -> Value {
        match key {
            "rsa" => rsa_jwk(&self.rsa),
            "rsa_other" => rsa_jwk(&self.rsa_other),
            "p256" => {
                let point = self.p256.public_key().as_ref();
                let (x, y) = (encode(&point[1..33]), encode(&point[33..]));
                json!({"kty": "EC", "crv": "P-256", "use": "sig", "x": x, "y": y})
            }
            "ed25519" => json!({"kty": "OKP", "crv": "Ed25519", "use": "sig", "x": encode(self.ed25519.public_key())}),
            _ => panic!("no such key: {key}"),
        }
    }

    /// Signs with `key` as the algorithm `alg` would, if the two go together; otherwise as the key can.
    pub(crate) fn sign(&self, key: &str, alg: &str, message: &str) -> Vec<u8> {
        let random = SystemRandom::new();
        let rsa = |pair: &RsaKeyPair| {
            let padding: &dyn signature::RsaEncoding =
                if alg == "PS256" { &signature::RSA_PSS_SHA256 } else { &signature::RSA_PKCS1_SHA256 };
            let mut signature = vec![0; pair.public().modulus_len()];
            pair.sign(padding, &random, message.as_bytes(), &mut signature).unwrap();
            signature
        };
        match key {
            "rsa" => rsa(&self.rsa),
            "rsa_other" => rsa(&self.rsa_other),
            "p256" => self.p256.sign(&random, message.as_bytes()).unwrap().as_ref().to_vec(),
            "ed25519" => self.ed25519.sign(message.as_bytes()).as_ref().to_vec(),
            // The classic confusion: the public key, which everyone has, as the secret of a MAC.
            "hmac_of_rsa_key" => hmac(self.rsa.public().as_ref(), message),
            "hmac_of_rsa_modulus" => hmac(self.jwk("rsa")["n"].as_str().unwrap().as_bytes(), message),
            "hmac_of_client_secret" => hmac(b"SECRET?%Gclient", message),
            "hmac_of_nothing" => hmac(b"", message),
            "nothing" => Vec::new(),
            _ => panic!("no such key: {key}"),
        }
    }

    pub(crate) fn compact(&self, key: &str, header: &Value, claims: &str) -> String {
        let alg = header["alg"].as_str().unwrap_or_default();
        let message = format!("{}.{}", encode(header.to_string()), encode(claims));
        let signature = self.sign(key, alg, &message);
        format!("{message}.{}", encode(signature))
    }
}

/// The candidate that verifies the token, as the runtime would find it.
pub(crate) fn signer<'a>(token: &UntrustedJwt, jwks: &'a Jwks) -> Option<&'a Jwk> {
    let candidates = jwks.candidates(token.kid(), token.algorithm());
    candidates.into_iter().find(|key| verifies(key, token.algorithm(), token.signed_data(), token.signature()))
}

fn verifies(key: &Jwk, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
    let public = |algorithm: &'static dyn signature::VerificationAlgorithm, bytes: &[u8]| {
        signature::UnparsedPublicKey::new(algorithm, bytes).verify(message, signature).is_ok()
    };
    match &key.material {
        KeyMaterial::Rsa { n, e } => {
            let parameters = match algorithm {
                Algorithm::Rs256 => &signature::RSA_PKCS1_2048_8192_SHA256,
                Algorithm::Ps256 => &signature::RSA_PSS_2048_8192_SHA256,
                Algorithm::Es256 | Algorithm::EdDsa => return false,
            };
            PublicKeyComponents { n: decode(n), e: decode(e) }.verify(parameters, message, signature).is_ok()
        }
        KeyMaterial::P256 { x, y } => {
            public(&signature::ECDSA_P256_SHA256_FIXED, &[vec![4], decode(x), decode(y)].concat())
        }
        KeyMaterial::Ed25519 { x } => public(&signature::ED25519, &decode(x)),
    }
}

pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn decode(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

fn rsa_jwk(pair: &RsaKeyPair) -> Value {
    let public = PublicKeyComponents::<Vec<u8>>::from(pair.public());
    json!({"kty": "RSA", "use": "sig", "n": encode(public.n), "e": encode(public.e)})
}

fn hmac(secret: &[u8], message: &str) -> Vec<u8> {
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret);
    ring::hmac::sign(&key, message.as_bytes()).as_ref().to_vec()
}
