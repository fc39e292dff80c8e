//! Keys of the client in every form in which operators have them, and what is wrong with those that cannot be used.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use proptest::prelude::*;
use ring::rsa::PublicKeyComponents;
use ring::signature::RsaKeyPair;
use serde_json::{Value, json};
use vestibule::oidc::algorithm::Algorithm;
use vestibule::oidc::client_assertion::{ClientAssertion, compact};
use vestibule::oidc::client_key::{ClientKey, ClientKeyFault, KeyMaterial, KeyUse};
use vestibule::secret::Secret;
use vestibule::time::Timestamp;

const RSA: &[u8] = include_bytes!("../keys/rsa-2048.pk8");
const OTHER: &[u8] = include_bytes!("../keys/rsa-2048-other.pk8");
const P256: &[u8] = include_bytes!("../keys/p256.pk8");
const LEAF: &[u8] = include_bytes!("../keys/rsa-2048.crt");
const P256_LEAF: &[u8] = include_bytes!("../keys/p256.crt");
const INTERMEDIATE: &[u8] = include_bytes!("../keys/intermediate.crt");
const ROOT: &[u8] = include_bytes!("../keys/root.crt");

fn pem(blocks: &[(&str, &[u8])]) -> String {
    let block = |(label, der): &(&str, &[u8])| {
        format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der))
    };
    blocks.iter().map(block).collect()
}

fn key(der: &'static [u8]) -> (&'static str, &'static [u8]) {
    ("PRIVATE KEY", der)
}

fn certificate(der: &'static [u8]) -> (&'static str, &'static [u8]) {
    ("CERTIFICATE", der)
}

fn wanted(is_entra: bool) -> KeyUse {
    KeyUse { is_entra, ..KeyUse::default() }
}

fn jwk(change: &Value) -> String {
    let n = PublicKeyComponents::<Vec<u8>>::from(RsaKeyPair::from_pkcs8(RSA).unwrap().public()).n;
    let mut jwk = json!({"kty": "RSA", "n": URL_SAFE_NO_PAD.encode(n), "e": "AQAB"});
    for name in ["d", "p", "q", "dp", "dq", "qi"] {
        jwk[name] = json!("AQ");
    }
    for (name, value) in change.as_object().unwrap() {
        jwk[name] = value.clone();
    }
    jwk.to_string()
}

fn header(key: &ClientKey) -> Value {
    decoded(&assertion(key)[0])
}

fn assertion(key: &ClientKey) -> Vec<String> {
    let now = Timestamp::from_unix(1000);
    let assertion =
        ClientAssertion { client_id: "client!+\"ID", audience: "https://op.example/?a&b", now, id: [7; 16] };
    compact(assertion.signing_input(key), b"signature").split('.').map(str::to_owned).collect()
}

fn decoded(part: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[test]
fn an_assertion_says_who_for_whom_and_until_when_in_numbers() {
    let key = ClientKey::from_pem(&pem(&[key(P256)]), &wanted(false)).unwrap();
    let [header, claims, signature] = &assertion(&key)[..] else { panic!() };
    assert_eq!(decoded(header), json!({"alg": "ES256", "typ": "JWT"}));
    let expected = json!({
        "iss": "client!+\"ID", "sub": "client!+\"ID", "aud": "https://op.example/?a&b", "iat": 1000, "nbf": 1000,
        "exp": 1600, "jti": "BwcHBwcHBwcHBwcHBwcHBw",
    });
    assert_eq!(decoded(claims), expected);
    assert_eq!(URL_SAFE_NO_PAD.decode(signature).unwrap(), b"signature");
}

#[test]
fn the_thumbprint_is_that_of_the_keys_own_certificate() {
    let text = pem(&[certificate(ROOT), certificate(LEAF), key(RSA), certificate(INTERMEDIATE)]);
    let key = ClientKey::from_pem(&text, &wanted(true)).unwrap();
    // openssl x509 -in rsa-2048.crt -noout -fingerprint -sha256
    let fingerprint = "968978e3b961812ee13ac96a14d4116da30b563c074b27ad46aaa17ef450cc4d";
    let octets: Vec<u8> = (0..32).map(|at| u8::from_str_radix(&fingerprint[2 * at..2 * at + 2], 16).unwrap()).collect();
    let thumbprint = URL_SAFE_NO_PAD.encode(octets);
    assert_eq!(header(&key), json!({"alg": "PS256", "typ": "JWT", "x5t#S256": thumbprint}));
    assert_eq!(key.not_after().unwrap().to_utc(), "2125-06-21 19:08 UTC");
}

#[test]
fn the_chain_is_in_its_order_and_without_strangers() {
    for (certificates, expected) in [
        (vec![ROOT, INTERMEDIATE, LEAF], vec![LEAF, INTERMEDIATE, ROOT]),
        (vec![LEAF, ROOT, P256_LEAF], vec![LEAF]),
        (vec![INTERMEDIATE, P256_LEAF, LEAF], vec![LEAF, INTERMEDIATE]),
    ] {
        let mut blocks = vec![key(RSA)];
        blocks.extend(certificates.into_iter().map(certificate));
        let wanted = KeyUse { sends_x5c: true, ..wanted(false) };
        let key = ClientKey::from_pem(&pem(&blocks), &wanted).unwrap();
        let expected: Vec<_> = expected.into_iter().map(|der| STANDARD.encode(der)).collect();
        assert_eq!(header(&key)["x5c"], json!(expected));
    }
}

#[test]
fn the_algorithm_is_what_fits_the_key_or_what_is_named() {
    let rsa = pem(&[key(RSA), certificate(LEAF)]);
    let p256 = pem(&[key(P256), certificate(P256_LEAF)]);
    for (text, is_entra, named, expected) in [
        (&rsa, true, None, Ok(Algorithm::Ps256)),
        (&rsa, false, None, Ok(Algorithm::Rs256)),
        (&rsa, false, Some(Algorithm::Ps256), Ok(Algorithm::Ps256)),
        (&rsa, false, Some(Algorithm::Rs256), Ok(Algorithm::Rs256)),
        (&rsa, true, Some(Algorithm::Rs256), Err(ClientKeyFault::AlgorithmUnfit)),
        (&rsa, false, Some(Algorithm::Es256), Err(ClientKeyFault::AlgorithmUnfit)),
        (&rsa, false, Some(Algorithm::EdDsa), Err(ClientKeyFault::AlgorithmUnfit)),
        (&p256, false, None, Ok(Algorithm::Es256)),
        (&p256, false, Some(Algorithm::Es256), Ok(Algorithm::Es256)),
        (&p256, false, Some(Algorithm::Ps256), Err(ClientKeyFault::AlgorithmUnfit)),
        (&p256, true, None, Err(ClientKeyFault::KeyOfOtherKind)),
    ] {
        let wanted = KeyUse { algorithm: named, ..wanted(is_entra) };
        assert_eq!(ClientKey::from_pem(text, &wanted).map(|key| key.algorithm()), expected);
    }
}

#[test]
fn a_text_that_is_no_usable_key_has_its_fault() {
    use ClientKeyFault as Fault;

    let short: &[u8] = &[
        &[0x30, 0x1e, 0x02, 1, 0, 0x30, 0x0d, 0x06, 0x09][..],
        &RSA_OID,
        &[5, 0, 4, 10, 0x30, 8, 2, 1, 0, 2, 3, 0, 0xc3, 1],
    ]
    .concat();
    let ed25519: &[u8] = &[0x30, 0x2e, 0x02, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
    for (text, fault) in [
        (String::new(), Fault::KeyMissing),
        ("hunter2".to_owned(), Fault::KeyMissing),
        (pem(&[certificate(LEAF)]), Fault::KeyMissing),
        (pem(&[key(RSA), key(OTHER), certificate(LEAF)]), Fault::KeyNotAlone),
        (pem(&[("ENCRYPTED PRIVATE KEY", RSA)]), Fault::KeyEncrypted),
        (pem(&[("RSA PRIVATE KEY", RSA)]), Fault::KeyOfOldFormat),
        (pem(&[("EC PRIVATE KEY", RSA)]), Fault::KeyOfOldFormat),
        (pem(&[("PRIVATE KEY", ed25519)]), Fault::KeyOfOtherKind),
        (pem(&[("PRIVATE KEY", b"not der")]), Fault::KeyOfOtherKind),
        (pem(&[("PRIVATE KEY", short)]), Fault::KeyShort),
        (pem(&[key(RSA)]), Fault::CertificateMissing),
        (pem(&[key(RSA), certificate(ROOT)]), Fault::CertificateOfOtherKey),
        (pem(&[key(RSA), certificate(P256_LEAF)]), Fault::CertificateOfOtherKey),
        (pem(&[key(OTHER), certificate(LEAF)]), Fault::CertificateOfOtherKey),
        (pem(&[key(RSA), ("CERTIFICATE", b"x")]), Fault::CertificateMalformed),
        (pem(&[key(RSA)]).replace("END", "END OF"), Fault::PemMalformed),
    ] {
        assert_eq!(ClientKey::from_pem(&text, &wanted(true)).err(), Some(fault), "{text}");
        assert!(!fault.to_string().contains("hunter2"));
    }
    assert!(ClientKey::from_pem(&pem(&[key(RSA)]), &wanted(false)).is_ok(), "others know keys by their kid");
    let wanted = KeyUse { sends_x5c: true, ..wanted(false) };
    assert_eq!(ClientKey::from_pem(&pem(&[key(RSA)]), &wanted).err(), Some(Fault::CertificateMissing));
}

#[test]
fn a_jwk_is_read_by_its_members_and_only_the_key_is_kept() {
    let text = jwk(&json!({"kid": "k1", "alg": "PS256", "use": "sig", "key_ops": ["sign"], "ext": false}));
    let key = ClientKey::from_jwk(&text, &wanted(false)).unwrap();
    assert_eq!(header(&key), json!({"alg": "PS256", "kid": "k1", "typ": "JWT"}));
    let KeyMaterial::Jwk(kept) = key.material() else { panic!() };
    let kept: Value = serde_json::from_str(kept.expose()).unwrap();
    let names: Vec<_> = kept.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, ["d", "dp", "dq", "e", "kty", "n", "p", "q", "qi"]);
    let own = jwk(&json!({"x5c": [STANDARD.encode(LEAF)]}));
    let key = ClientKey::from_jwk(&own, &wanted(true)).unwrap();
    assert_eq!(key.algorithm(), Algorithm::Ps256);
    assert!(header(&key)["x5t#S256"].is_string() && header(&key).get("kid").is_none());
}

#[test]
fn a_jwk_that_is_no_usable_key_has_its_fault() {
    use ClientKeyFault as Fault;

    for (change, fault) in [
        (json!({"d": null}), Fault::KeyMissing),
        (json!({"qi": 1}), Fault::KeyMissing),
        (json!({"n": "?"}), Fault::JwkMalformed),
        (json!({"n": null}), Fault::JwkMalformed),
        (json!({"n": "AQAB"}), Fault::KeyShort),
        (json!({"kty": "oct"}), Fault::KeyOfOtherKind),
        (json!({"kty": "EC", "crv": "P-384"}), Fault::KeyOfOtherKind),
        (json!({"kty": "EC", "crv": "P-256", "x": "AQ", "y": "AQ"}), Fault::JwkMalformed),
        (json!({"alg": "ES256"}), Fault::AlgorithmUnfit),
        (json!({"alg": "HS256"}), Fault::AlgorithmUnfit),
        (json!({"x5c": "x"}), Fault::CertificateMalformed),
        (json!({"x5c": [URL_SAFE_NO_PAD.encode(b"\xff\xff")]}), Fault::CertificateMalformed),
        (json!({"x5c": [STANDARD.encode(ROOT)]}), Fault::CertificateOfOtherKey),
    ] {
        assert_eq!(ClientKey::from_jwk(&jwk(&change), &wanted(false)).err(), Some(fault), "{change}");
    }
    assert_eq!(ClientKey::from_jwk(&jwk(&json!({})), &wanted(true)).err(), Some(Fault::CertificateMissing));
    assert_eq!(ClientKey::from_jwk("hunter2", &wanted(false)).err(), Some(Fault::JwkMalformed));
    let named = KeyUse { algorithm: Some(Algorithm::Rs256), ..wanted(false) };
    assert_eq!(ClientKey::from_jwk(&jwk(&json!({"alg": "PS256"})), &named).err(), Some(Fault::AlgorithmUnfit));
}

#[test]
fn a_key_prints_nothing_of_itself() {
    let keys = [
        ClientKey::from_pem(&pem(&[key(RSA)]), &wanted(false)).unwrap(),
        ClientKey::from_jwk(&jwk(&json!({"d": "SECRETd"})), &wanted(false)).unwrap(),
    ];
    for key in keys {
        let text = format!("{key:?}");
        assert!(text.contains("[secret]") && !text.contains("SECRETd") && !text.contains("48, 130"), "{text}");
    }
}

proptest! {
    #[test]
    fn no_bytes_and_no_damage_make_it_panic(noise in proptest::collection::vec(any::<u8>(), 0..80), at in 0_usize..1200, byte: u8) {
        let parse = |key: &[u8], certificate: &[u8]| {
            let secret = Secret::new(key.to_vec());
            let _ = ClientKey::from_der(secret, vec![certificate.to_vec()], &wanted(true));
        };
        parse(&noise, &noise);
        let damaged = |whole: &[u8]| {
            let mut damaged = whole.to_vec();
            if let Some(target) = damaged.get_mut(at) {
                *target = byte;
            }
            damaged
        };
        parse(&damaged(RSA), LEAF);
        parse(RSA, &damaged(LEAF));
        parse(P256, &damaged(P256_LEAF));
        parse(RSA, LEAF.get(..at).unwrap_or(LEAF));
        let _ = ClientKey::from_pem(&String::from_utf8_lossy(&noise), &wanted(false));
        let _ = ClientKey::from_jwk(&String::from_utf8_lossy(&noise), &wanted(false));
    }
}

const RSA_OID: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
