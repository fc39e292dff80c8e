//! A client that authenticates by a key: every request to every endpoint has an assertion of its own, which the OP
//! verifies for real.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use p256::pkcs8::DecodePrivateKey;
use ring::signature::{KeyPair, RsaKeyPair};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::api::served;
use crate::app_tokens::REPORTS;
use crate::bearer::send;
use crate::browser::Browser;
use crate::crowd::ORDERS;
use crate::deployment::{self, CLIENT_ID};
use crate::op::{ADA, Endpoint, Instead, Proof};
use crate::world::{NOW, World};

pub(crate) const RSA: &[u8] = include_bytes!("../keys/rsa-2048.pk8");
pub(crate) const LEAF: &[u8] = include_bytes!("../keys/rsa-2048.crt");
pub(crate) const SOON: &[u8] = include_bytes!("../keys/rsa-2048-soon.crt");
pub(crate) const INTERMEDIATE: &[u8] = include_bytes!("../keys/intermediate.crt");
pub(crate) const ROOT: &[u8] = include_bytes!("../keys/root.crt");
const P256: &[u8] = include_bytes!("../keys/p256.pk8");
const ISSUER: &str = "https://op.example";
const TOKEN_ENDPOINT: &str = "https://op.example/token?tenant=a%20b";

pub(crate) fn pem(blocks: &[(&str, &[u8])]) -> String {
    let block = |(label, der): &(&str, &[u8])| {
        format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der))
    };
    blocks.iter().map(block).collect()
}

pub(crate) fn rsa_pem() -> String {
    pem(&[("CERTIFICATE", ROOT), ("PRIVATE KEY", RSA), ("CERTIFICATE", INTERMEDIATE), ("CERTIFICATE", LEAF)])
}

/// What the OP knows of the key.
pub(crate) fn rsa(algorithm: &'static str) -> Proof {
    Proof::Key(algorithm, RsaKeyPair::from_pkcs8(RSA).unwrap().public_key().as_ref().to_vec())
}

fn p256() -> Proof {
    let key = p256::ecdsa::SigningKey::from_pkcs8_der(P256).unwrap();
    Proof::Key("ES256", key.verifying_key().to_encoded_point(false).as_bytes().to_vec())
}

/// A deployment whose only credentials these are, with their secrets.
pub(crate) fn environment(entries: &Value, secrets: &[(&str, &str)]) -> Value {
    let mut vars = json!({
        "OpenIdConnect": { "ClientCredentials": entries }, "OpenIdConnect__ClientSecret": null,
        "DownstreamApis": { "Reports": { "BaseUrl": REPORTS, "Scopes": "reports.all", "RequestAppToken": true } },
    });
    for (name, secret) in secrets {
        vars[format!("OpenIdConnect__ClientCredentials__{name}")] = (*secret).into();
    }
    deployment::changed(deployment::environment(), &vars)
}

pub(crate) fn world(entries: &Value, secrets: &[(&str, &str)], proof: &Proof) -> World {
    world_of(environment(entries, secrets), proof, ISSUER)
}

fn world_of(environment: Value, proof: &Proof, audience: &str) -> World {
    let world = World::of(environment);
    world.op.assertions.proofs.borrow_mut().push(proof.clone());
    *world.op.assertions.audience.borrow_mut() = audience.to_owned();
    world
}

fn headers(world: &World) -> Vec<Value> {
    world.op.assertions.headers.borrow().clone()
}

#[test]
fn a_key_signs_what_its_kind_and_the_settings_say() {
    let p256_pem = pem(&[("PRIVATE KEY", P256)]);
    let key = p256::ecdsa::SigningKey::from_pkcs8_der(P256).unwrap();
    let point = key.verifying_key().to_encoded_point(false);
    let encode = |octets: &[u8]| URL_SAFE_NO_PAD.encode(octets);
    let p256_jwk = json!({
        "kty": "EC", "crv": "P-256", "x": encode(point.x().unwrap()), "y": encode(point.y().unwrap()),
        "d": encode(&key.to_bytes()), "kid": "own", "use": "sig", "alg": "ES256", "key_ops": ["verify"],
    });
    let p256_jwk = p256_jwk.to_string();
    let thumbprint = URL_SAFE_NO_PAD.encode(Sha256::digest(LEAF));
    for (entry, secret, proof, expected) in [
        (json!({ "SourceType": "Pem" }), ("0__Pem", rsa_pem()), rsa("RS256"), json!({ "x5t#S256": thumbprint })),
        (
            json!({ "SourceType": "Pem", "SigningAlgorithm": "PS256", "KeyId": "k/1" }),
            ("0__Pem", pem(&[("PRIVATE KEY", RSA)])),
            rsa("PS256"),
            json!({ "kid": "k/1" }),
        ),
        (json!({ "SourceType": "Pem" }), ("0__Pem", p256_pem.clone()), p256(), json!({})),
        (
            json!({ "SourceType": "Pem", "SigningAlgorithm": "ES256" }),
            ("0__Pem", p256_pem.replace('\n', "\\n")),
            p256(),
            json!({}),
        ),
        (json!({ "SourceType": "Jwk" }), ("0__Jwk", p256_jwk.clone()), p256(), json!({ "kid": "own" })),
        (json!({ "SourceType": "Jwk", "KeyId": "other" }), ("0__Jwk", p256_jwk), p256(), json!({ "kid": "other" })),
    ] {
        let world = world(&json!([entry]), &[(secret.0, &secret.1)], &proof);
        let browser = Browser::signed_in(&world, &ADA);
        served(&browser.fetch(ORDERS));
        for header in headers(&world) {
            let mut expected = expected.clone();
            expected["alg"] = header["alg"].clone();
            expected["typ"] = "JWT".into();
            assert_eq!(header, expected, "{entry}");
        }
        assert_eq!(headers(&world).len(), 2);
    }
}

#[test]
fn every_endpoint_gets_an_assertion_of_its_own() {
    let environment = deployment::changed(
        environment(&json!([{ "SourceType": "Pem" }]), &[("0__Pem", &rsa_pem())]),
        &json!({
            "Bearer": { "Audiences": deployment::PUBLIC, "Introspection": "Opaque" },
            "Gateway": { "Routes": [{ "Path": "/machine/**", "Access": "Bearer" }] },
        }),
    );
    let world = world_of(environment, &rsa("RS256"), ISSUER);
    let browser = Browser::signed_in(&world, &ADA);
    served(&browser.fetch(ORDERS));
    served(&browser.fetch("/api/Reports/x"));
    served(&send(&world, "/machine/a", &world.op.opaque(NOW, &json!({}))));
    assert_eq!(browser.post("/.auth/logout").status, 303);
    assert_eq!((world.op.count(Endpoint::Introspection), world.op.revoked()), (1, 1));
    // Code, refresh, client credentials, introspection, revocation.
    assert_eq!(world.op.assertions.ids.borrow().len(), 5);
    for endpoint in [Endpoint::Token, Endpoint::Introspection, Endpoint::Revocation] {
        for form in world.op.forms(endpoint) {
            assert!(!form.iter().any(|(name, _)| name == "client_secret"), "{form:?}");
            assert!(form.iter().any(|(name, value)| name == "client_id" && value == CLIENT_ID), "{form:?}");
        }
    }
}

#[test]
fn what_is_sent_again_is_signed_again() {
    let world = world(&json!([{ "SourceType": "Pem" }]), &[("0__Pem", &rsa_pem())], &rsa("RS256"));
    let browser = Browser::signed_in(&world, &ADA);
    // The OP takes the first assertion and stumbles over the rest.
    world.op.instead_once(Endpoint::Token, Instead::Says(500, vec![], String::new()));
    served(&browser.fetch(ORDERS));
    let forms = world.op.forms(Endpoint::Token);
    let assertions: Vec<_> = forms.iter().flatten().filter(|(name, _)| name == "client_assertion").collect();
    assert_eq!(assertions.len(), 3);
    assert!(assertions[1] != assertions[2]);
}

#[test]
fn the_audience_is_the_issuer_unless_the_token_endpoint_is_meant() {
    let entries = json!([{ "SourceType": "Pem" }]);
    for (setting, audience) in [("Issuer", ISSUER), ("TokenEndpoint", TOKEN_ENDPOINT)] {
        let change = json!({ "OpenIdConnect": { "ClientAssertionAudience": setting } });
        let environment = deployment::changed(environment(&entries, &[("0__Pem", &rsa_pem())]), &change);
        let world = world_of(environment, &rsa("RS256"), audience);
        Browser::signed_in(&world, &ADA);
        assert_eq!(headers(&world).len(), 1);
    }
}

#[test]
fn the_microsoft_identity_platform_gets_ps256_the_thumbprint_and_its_token_endpoint() {
    for sends_x5c in [false, true] {
        let environment = deployment::changed(
            deployment::microsoft(),
            &json!({
                "AzureAd": { "ClientCredentials": [{ "SourceType": "Pem" }], "SendX5C": sends_x5c },
                "AzureAd__ClientSecret": null, "AzureAd__ClientCredentials__0__Pem": rsa_pem(),
            }),
        );
        let endpoint = "https://login.microsoftonline.com/common/token?tenant=a%20b";
        let world = world_of(environment, &rsa("PS256"), endpoint);
        world.op.is_microsoft.set(true);
        *world.op.signing_key.borrow_mut() = "rsa".to_owned();
        *world.op.issuer.borrow_mut() =
            format!("https://login.microsoftonline.com/{}/v2.0", "72f988bf-86f1-41af-91ab-2d7cd011db47");
        Browser::signed_in(&world, &ADA);
        let mut expected =
            json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": URL_SAFE_NO_PAD.encode(Sha256::digest(LEAF)) });
        if sends_x5c {
            // Each certifies the one before it, whatever their order in the secret.
            expected["x5c"] = json!([LEAF, INTERMEDIATE, ROOT].map(|der| STANDARD.encode(der)));
        }
        assert_eq!(headers(&world), [expected]);
    }
}

/// As the fake platform opens it.
pub(crate) fn file(password: &str) -> String {
    let encode = |der: &[u8]| STANDARD.encode(der);
    let file = json!({ "password": password, "key": encode(RSA), "certificates": [encode(ROOT), encode(LEAF)] });
    STANDARD.encode(file.to_string())
}

#[test]
fn a_file_is_opened_once_in_an_isolate() {
    let entries = json!([{ "SourceType": "Base64Encoded" }]);
    let contents = file("p\u{e4}ss");
    let secrets = [("0__Base64EncodedValue", contents.as_str()), ("0__CertificatePassword", "p\u{e4}ss")];
    let world = world(&entries, &secrets, &rsa("RS256"));
    for _ in 0..2 {
        let browser = Browser::signed_in(&world, &ADA);
        served(&browser.fetch("/api/Reports/x"));
        served(&browser.fetch("/api/Reports/x"));
    }
    // Where accounts have objects, those have a memory of their own.
    assert!(world.files_opened.get() <= if crate::WITH_ACCOUNTS { 3 } else { 1 }, "{}", world.files_opened.get());
    assert!(headers(&world).iter().all(|header| header["x5t#S256"].is_string()));
}

#[test]
fn a_certificate_that_ends_soon_is_announced_once_a_day() {
    let day = 86_400;
    for (certificate, warned) in [(SOON, true), (LEAF, false)] {
        let text = pem(&[("PRIVATE KEY", RSA), ("CERTIFICATE", certificate)]);
        let world = world(&json!([{ "SourceType": "Pem" }]), &[("0__Pem", &text)], &rsa("RS256"));
        let warnings = || world.log().iter().filter(|line| line["event"] == "client_certificate.expires").count();
        for _ in 0..3 {
            Browser::signed_in(&world, &ADA);
        }
        assert_eq!(warnings(), usize::from(warned));
        if warned {
            let warning = world.logged("client_certificate.expires");
            assert_eq!((&warning["credential"], &warning["expires_at"]), (&json!(0), &json!("2027-01-27 19:08 UTC")));
        }
        world.advance(day);
        Browser::signed_in(&world, &ADA);
        assert_eq!(warnings(), if warned { 2 } else { 0 });
    }
}
