//! Signatures of our own, as the platform makes them: real ones, by `p256`, from the key as the platform gets it.

use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey as EcdsaKey};
use p256::pkcs8::DecodePrivateKey;
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
