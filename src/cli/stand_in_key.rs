//! Keys with certificates that have the right form and no other use: the configuration is checked with them where those of
//! the deployment are not known.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;

/// The key under a name of the settings; `None` for other names.
pub(super) fn named(name: &str) -> Option<String> {
    match name {
        "Jwk" => Some(jwk()),
        "Pem" => Some([block("PRIVATE KEY", &pkcs8()), block("CERTIFICATE", &certificate())].concat()),
        _ => None,
    }
}

fn jwk() -> String {
    json!({
        "kty": "RSA", "n": URL_SAFE_NO_PAD.encode(MODULUS), "e": "AQAB", "d": "AQ", "p": "AQ", "q": "AQ", "dp": "AQ",
        "dq": "AQ", "qi": "AQ", "x5c": [STANDARD.encode(certificate())],
    })
    .to_string()
}

fn block(label: &str, der: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der))
}

fn pkcs8() -> Vec<u8> {
    let key = sequence(&[integer(&[0]), modulus(), integer(&EXPONENT)]);
    sequence(&[integer(&[0]), algorithm(), element(0x04, &key)])
}

/// It never ends.
fn certificate() -> Vec<u8> {
    let validity = sequence(&[element(0x17, b"000101000000Z"), element(0x18, b"99991231235959Z")]);
    let key = [&[0], sequence(&[modulus(), integer(&EXPONENT)]).as_slice()].concat();
    let public_key = sequence(&[algorithm(), element(0x03, &key)]);
    let name = || sequence(&[]);
    let to_be_signed = sequence(&[integer(&[1]), algorithm(), name(), validity, name(), public_key]);
    sequence(&[to_be_signed, algorithm(), element(0x03, &[0])])
}

fn algorithm() -> Vec<u8> {
    sequence(&[element(0x06, &RSA_ENCRYPTION), element(0x05, &[])])
}

fn modulus() -> Vec<u8> {
    integer(&[&[0], MODULUS.as_slice()].concat())
}

fn integer(octets: &[u8]) -> Vec<u8> {
    element(0x02, octets)
}

fn sequence(elements: &[Vec<u8>]) -> Vec<u8> {
    element(0x30, &elements.concat())
}

fn element(tag: u8, contents: &[u8]) -> Vec<u8> {
    let [.., high, low] = contents.len().to_be_bytes();
    let length = if contents.len() < 0x80 { vec![low] } else { vec![0x82, high, low] };
    [&[tag], length.as_slice(), contents].concat()
}

const MODULUS: [u8; 256] = [0xc3; 256];
const EXPONENT: [u8; 3] = [1, 0, 1];
const RSA_ENCRYPTION: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oidc::client_key::{ClientKey, KeyUse};

    #[test]
    fn they_have_the_form_of_keys_with_certificates() {
        let wanted = KeyUse { is_entra: true, sends_x5c: true, ..KeyUse::default() };
        assert!(ClientKey::from_pem(&named("Pem").unwrap(), &wanted).is_ok());
        assert!(ClientKey::from_jwk(&named("Jwk").unwrap(), &wanted).is_ok());
        assert!(named("ClientSecret").is_none());
    }
}
