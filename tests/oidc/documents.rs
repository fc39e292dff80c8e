//! The documents of a provider: metadata, keys, UserInfo answers.

use serde_json::{Value, json};
use vestibule::oidc::algorithm::Algorithm;
use vestibule::oidc::issuer::IssuerRule;
use vestibule::oidc::jwks::{Jwks, MAX_CANDIDATES};
use vestibule::oidc::metadata::Metadata;
use vestibule::oidc::user_info::UserInfo;

use crate::provider::{Provider, encode};
use crate::vectors;

#[test]
fn every_metadata_vector_has_its_outcome() {
    vectors::run(include_str!("../vectors/metadata.json"), |vector| vectors::outcome(metadata(vector)));
}

#[test]
fn metadata_tells_what_the_provider_offers() {
    let metadata = metadata(&json!({"document": {
        "authorization_response_iss_parameter_supported": true, "code_challenge_methods_supported": ["plain", "S256"],
        "end_session_endpoint": "https://op.example/logout?p=a", "introspection_endpoint": "https://op.example/i?p=a",
    }}))
    .unwrap();
    assert!(metadata.sends_issuer_parameter && metadata.advertises_s256);
    assert_eq!(metadata.issuer, IssuerRule::Exact("https://op.example".to_owned()));
    assert_eq!(metadata.end_session_endpoint.unwrap().as_str(), "https://op.example/logout?p=a");
    assert_eq!(metadata.introspection_endpoint.unwrap().as_str(), "https://op.example/i?p=a");
    assert_eq!((metadata.userinfo_endpoint, metadata.revocation_endpoint), (None, None));
}

#[test]
fn metadata_that_promises_nothing_is_taken_at_its_word() {
    let metadata = metadata(&json!({"document": {"code_challenge_methods_supported": ["plain"]}})).unwrap();
    assert!(!metadata.sends_issuer_parameter && !metadata.advertises_s256);
    assert_eq!(metadata.introspection_endpoint, None);
}

#[test]
fn every_jwks_vector_has_its_outcome() {
    let provider = Provider::new();
    vectors::run(include_str!("../vectors/jwks.json"), |vector| {
        let document = match vector.get("keys") {
            Some(keys) => serde_json::to_vec(&json!({"keys": listed(&provider, keys)})).unwrap(),
            None => vectors::document(vector),
        };
        vectors::outcome(Jwks::parse(&document))
    });
}

#[test]
fn a_key_serves_only_the_algorithms_of_its_type() {
    let provider = Provider::new();
    for (key, served) in [
        ("rsa", vec![Algorithm::Rs256, Algorithm::Ps256]),
        ("p256", vec![Algorithm::Es256]),
        ("ed25519", vec![Algorithm::EdDsa]),
    ] {
        let jwks = parse(&json!([provider.jwk(key)]));
        for algorithm in Algorithm::ALL {
            assert_eq!(jwks.candidates(None, algorithm).len(), usize::from(served.contains(&algorithm)), "{algorithm}");
        }
    }
}

#[test]
fn a_named_key_is_the_only_candidate_and_an_unnamed_one_bounds_them() {
    let provider = Provider::new();
    let keys: Vec<Value> = (0..20)
        .map(|number| {
            let mut key = provider.jwk("rsa");
            key["kid"] = json!(format!("k{number}"));
            key
        })
        .collect();
    let jwks = parse(&Value::Array(keys));
    let named = jwks.candidates(Some("k19"), Algorithm::Rs256);
    assert_eq!(named.iter().map(|key| key.kid.as_deref()).collect::<Vec<_>>(), [Some("k19")]);
    assert!(jwks.candidates(Some("K19"), Algorithm::Rs256).is_empty());
    assert_eq!(jwks.candidates(None, Algorithm::Rs256).len(), MAX_CANDIDATES);
}

#[test]
fn every_user_info_vector_has_its_outcome() {
    vectors::run(include_str!("../vectors/user_info.json"), |vector| {
        vectors::outcome(UserInfo::parse(&vectors::document(vector), "user+1"))
    });
}

#[test]
fn a_user_info_answer_keeps_every_claim() {
    let answer = br#"{"sub":"user+1","email":"a@example.com"}"#;
    let info = UserInfo::parse(answer, "user+1").unwrap();
    assert_eq!(info.claims().len(), 2);
    assert_eq!(info.into_claims()["email"], "a@example.com");
}

fn parse(keys: &Value) -> Jwks {
    Jwks::parse(&serde_json::to_vec(&json!({"keys": keys})).unwrap()).unwrap()
}

/// A vector changes a good document: `document` is merged into it, `without` is taken out.
fn metadata(vector: &Value) -> Result<Metadata, vestibule::oidc::metadata::MetadataFault> {
    let mut document = json!({
        "issuer": "https://op.example", "authorization_endpoint": "https://op.example/authorize",
        "token_endpoint": "https://op.example/token", "jwks_uri": "https://keys.example/jwks",
        "id_token_signing_alg_values_supported": ["RS256", "none"],
    });
    let members = document.as_object_mut().unwrap();
    members.extend(vector["document"].as_object().cloned().unwrap_or_default());
    for name in vector["without"].as_array().into_iter().flatten() {
        members.remove(name.as_str().unwrap());
    }
    let rule = match vector["tenanted"].as_str() {
        Some(template) => IssuerRule::Tenanted(template.to_owned()),
        None => IssuerRule::Exact("https://op.example".to_owned()),
    };
    let given = vector.get("raw").or(vector.get("filler"));
    Metadata::parse(&given.map_or_else(|| document.to_string().into_bytes(), |_| vectors::document(vector)), &rule)
}

/// A vector names a key and changes its members; `bits` makes an RSA modulus of that length, `leading` zeros before it.
fn listed(provider: &Provider, keys: &Value) -> Vec<Value> {
    let key = |entry: &Value| {
        let mut members = entry.as_object().unwrap().clone();
        let name = members.remove("key").unwrap();
        let (copies, bits) = (members.remove("copies"), members.remove("bits"));
        let leading = members.remove("leading").and_then(|octets| octets.as_u64()).unwrap_or(0);
        let mut key = provider.jwk(name.as_str().unwrap());
        if let Some(bits) = bits.and_then(|bits| bits.as_u64()) {
            let octets = usize::try_from(bits.div_ceil(8)).unwrap();
            let mut modulus = vec![0; usize::try_from(leading).unwrap()];
            modulus.push(0xff >> (octets as u64 * 8 - bits));
            modulus.resize(modulus.len() + octets - 1, 0xff);
            key["n"] = json!(encode(modulus));
        }
        key.as_object_mut().unwrap().extend(members);
        vec![key; copies.map_or(1, |copies| usize::try_from(copies.as_u64().unwrap()).unwrap())]
    };
    keys.as_array().unwrap().iter().flat_map(key).collect()
}
