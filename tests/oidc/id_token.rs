//! ID tokens: each vector changes one thing of a good sign-in, signs it for real and says what must come of it.

use serde_json::{Map, Value, json};
use vestibule::oidc::algorithm::Algorithm;
use vestibule::oidc::id_token::{ExpectedIdToken, IdToken, IdTokenFault, UntrustedIdToken};
use vestibule::oidc::issuer::IssuerRule;
use vestibule::oidc::jwks::Jwks;
use vestibule::time::{Lifetime, Timestamp};

use crate::provider::{Provider, encode, signer};
use crate::vectors;

pub(crate) const NOW: u64 = 1_800_000_000;
const ISSUER: &str = "https://op.example";
const CLIENT_ID: &str = "client!+ID";
const NONCE: &str = "n-0S6_WzA2Mj";
const KEYS: [(&str, &str); 3] = [("rsa", "RS256"), ("p256", "ES256"), ("ed25519", "EdDSA")];

#[test]
fn every_id_token_vector_has_its_outcome() {
    let provider = Provider::new();
    vectors::run(include_str!("../vectors/id_token.json"), |vector| vectors::outcome(accept(&provider, vector)));
}

#[test]
fn an_accepted_token_tells_who_signed_in() {
    let claims = json!({"sid": "s 1", "tid": "t", "oid": "o", "login_hint": "h", "name": "Ada", "empty": "", "n": 1});
    let token = accept(&Provider::new(), &json!({"claims": claims})).unwrap();
    assert_eq!((token.issuer(), token.subject()), (ISSUER, "user+1"));
    assert_eq!((token.session_id(), token.login_hint()), (Some("s 1"), Some("h")));
    assert_eq!((token.tenant(), token.object_id()), (Some("t"), Some("o")));
    assert_eq!((token.issued_at().as_unix(), token.expires_at().as_unix()), (NOW, NOW + 3600));
    assert_eq!((token.claim_str("name"), token.claim_str("empty"), token.claim_str("n")), (Some("Ada"), None, None));
    assert_eq!(token.claim("n"), token.claims().get("n"));
    assert!(!format!("{token:?}").contains("Ada"));
}

#[test]
fn no_single_flipped_bit_of_a_token_is_accepted() {
    let provider = Provider::new();
    let jwks = jwks(&provider, &Value::Null);
    for (key, alg) in KEYS {
        let compact = compact(&provider, &json!({"alg": alg, "key": key}));
        assert_eq!(judge(&compact, &jwks, &Map::new()).map(drop), Ok(()));
        for bit in 0..compact.len() * 8 {
            let mut flipped = compact.clone().into_bytes();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let Ok(flipped) = String::from_utf8(flipped) else { continue };
            assert!(judge(&flipped, &jwks, &Map::new()).is_err(), "{alg}, bit {bit}");
        }
    }
}

/// The key document of a provider whose every key can sign.
pub(crate) fn jwks(provider: &Provider, listed: &Value) -> Jwks {
    let all = json!(KEYS.map(|(key, _)| json!({"key": key, "kid": key})));
    let keys = listed.as_array().or(all.as_array()).unwrap().iter().map(|entry| {
        let mut members = entry.as_object().unwrap().clone();
        let key = members.remove("key").unwrap();
        merged(provider.jwk(key.as_str().unwrap()), &Value::Object(members), &Value::Null)
    });
    Jwks::parse(&serde_json::to_vec(&json!({"keys": keys.collect::<Vec<Value>>()})).unwrap()).unwrap()
}

pub(crate) fn compact(provider: &Provider, vector: &Value) -> String {
    let alg = vector["alg"].as_str().unwrap_or("RS256");
    let key = vector["key"].as_str().unwrap_or("rsa");
    let header = merged(json!({"alg": alg, "kid": key, "typ": "JWT"}), &vector["header"], &vector["without_header"]);
    let base = json!({
        "iss": ISSUER, "sub": "user+1", "aud": CLIENT_ID, "exp": NOW + 3600, "iat": NOW, "nonce": NONCE,
    });
    let claims = merged(base, &vector["claims"], &vector["without"]).to_string();
    let claims = vector["append_to_claims"]
        .as_str()
        .map_or(claims.clone(), |members| format!("{},{members}}}", claims.trim_end_matches('}')));
    let long = vector["padding"].as_u64().map(|length| "a".repeat(usize::try_from(length).unwrap()));
    let claims = long.map_or(claims.clone(), |text| json!({"a": text}).to_string().replace('}', ",") + &claims[1..]);
    let deep = vector["nesting"].as_u64().map(|depth| usize::try_from(depth).unwrap());
    let claims = deep.map_or(claims, |depth| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth)));
    let claims = vector["raw_claims"].as_str().unwrap_or(&claims);
    mutated(provider.compact(key, &header, claims), vector["mutation"].as_str())
}

/// What Vestibule makes of `compact` with the keys it would find.
pub(crate) fn judge(compact: &str, jwks: &Jwks, expected: &Map<String, Value>) -> Result<IdToken, IdTokenFault> {
    let text = |name: &str| expected.get(name).and_then(Value::as_str);
    let lifetime = |name: &str| expected.get(name).and_then(Value::as_u64).map(Lifetime::from_seconds);
    let issuer = match text("tenanted") {
        Some(template) => IssuerRule::Tenanted(template.to_owned()),
        None => IssuerRule::Exact(text("issuer").unwrap_or(ISSUER).to_owned()),
    };
    let algorithms: Vec<Algorithm> = match expected.get("algorithms").and_then(Value::as_array) {
        Some(names) => names.iter().map(|name| Algorithm::parse(name.as_str().unwrap()).unwrap()).collect(),
        None => Algorithm::ALL.to_vec(),
    };
    let token = UntrustedIdToken::parse(compact)?;
    let signed_by = signer(&token, jwks);
    token.accept(
        signed_by,
        &ExpectedIdToken {
            issuer: &issuer,
            client_id: CLIENT_ID,
            algorithms: &algorithms,
            nonce: if expected.contains_key("nonce") { text("nonce") } else { Some(NONCE) },
            subject: text("subject"),
            max_age: lifetime("max_age"),
            access_token: text("access_token"),
            now: Timestamp::from_unix(NOW),
            skew: lifetime("skew").unwrap_or(Lifetime::from_seconds(120)),
        },
    )
}

fn accept(provider: &Provider, vector: &Value) -> Result<IdToken, IdTokenFault> {
    let expected = vector["expected"].as_object().cloned().unwrap_or_default();
    judge(&compact(provider, vector), &jwks(provider, &vector["jwks"]), &expected)
}

fn merged(base: Value, changes: &Value, without: &Value) -> Value {
    let Value::Object(mut members) = base else { panic!("not an object") };
    members.extend(changes.as_object().cloned().unwrap_or_default());
    for name in without.as_array().into_iter().flatten() {
        members.remove(name.as_str().unwrap());
    }
    Value::Object(members)
}

fn mutated(compact: String, mutation: Option<&str>) -> String {
    let parts: Vec<&str> = compact.split('.').collect();
    let (header, claims, signature) = (parts[0], parts[1], parts[2]);
    match mutation {
        None => compact,
        Some("claims of another end-user") => {
            let other =
                json!({"iss": ISSUER, "sub": "admin", "aud": CLIENT_ID, "exp": NOW + 3600, "iat": NOW, "nonce": NONCE});
            format!("{header}.{}.{signature}", encode(other.to_string()))
        }
        Some("five parts") => format!("{compact}.AAAA.AAAA"),
        Some("four parts") => format!("{compact}.AAAA"),
        Some("header says ES256") => format!("{}.{claims}.{signature}", encode(r#"{"alg":"ES256","kid":"rsa"}"#)),
        Some("header says PS256") => format!("{}.{claims}.{signature}", encode(r#"{"alg":"PS256","kid":"rsa"}"#)),
        Some("no signature") => format!("{header}.{claims}."),
        Some("padded") => format!("{compact}=="),
        Some("signature of zeros") => format!("{header}.{claims}.{}", encode([0; 64])),
        Some("signature doubled") => format!("{header}.{claims}.{signature}{signature}"),
        Some("standard alphabet") => compact.replace('-', "+").replace('_', "/"),
        Some("surrounded by spaces") => format!(" {compact} "),
        Some("two parts") => format!("{header}.{claims}"),
        Some(other) => panic!("no such mutation: {other}"),
    }
}
