//! Tokens as a vector describes them: signed for real, with one thing changed.

use serde_json::{Map, Value, json};
use vestibule::oidc::algorithm::Algorithm;
use vestibule::oidc::issuer::IssuerRule;
use vestibule::oidc::jwks::Jwks;
use vestibule::time::Lifetime;

use crate::provider::{Provider, encode};

pub(crate) const NOW: u64 = 1_800_000_000;
pub(crate) const SKEW: u64 = 120;
pub(crate) const ISSUER: &str = "https://op.example";
pub(crate) const CLIENT_ID: &str = "client!+ID";
pub(crate) const KEYS: [(&str, &str); 3] = [("rsa", "RS256"), ("p256", "ES256"), ("ed25519", "EdDSA")];

/// The part of the configuration that a vector may change, too.
pub(crate) struct Expected {
    pub(crate) issuer: IssuerRule,
    pub(crate) algorithms: Vec<Algorithm>,
    pub(crate) skew: Lifetime,
}

impl Expected {
    pub(crate) fn of(expected: &Map<String, Value>) -> Self {
        let text = |name: &str| expected.get(name).and_then(Value::as_str);
        let issuer = match text("tenanted") {
            Some(template) => IssuerRule::Tenanted(template.to_owned()),
            None => IssuerRule::Exact(text("issuer").unwrap_or(ISSUER).to_owned()),
        };
        let algorithms = match expected.get("algorithms").and_then(Value::as_array) {
            Some(names) => names.iter().map(|name| Algorithm::parse(name.as_str().unwrap()).unwrap()).collect(),
            None => Algorithm::ALL.to_vec(),
        };
        let skew = expected.get("skew").and_then(Value::as_u64).unwrap_or(SKEW);
        Self { issuer, algorithms, skew: Lifetime::from_seconds(skew) }
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

/// A token with the claims of `base`, but for what the vector changes.
pub(crate) fn compact(provider: &Provider, vector: &Value, typ: &str, base: &Value) -> String {
    let alg = vector["alg"].as_str().unwrap_or("RS256");
    let key = vector["key"].as_str().unwrap_or("rsa");
    let header = merged(json!({"alg": alg, "kid": key, "typ": typ}), &vector["header"], &vector["without_header"]);
    let claims = merged(base.clone(), &vector["claims"], &vector["without"]).to_string();
    let claims = vector["append_to_claims"]
        .as_str()
        .map_or(claims.clone(), |members| format!("{},{members}}}", claims.trim_end_matches('}')));
    let long = vector["padding"].as_u64().map(|length| "a".repeat(usize::try_from(length).unwrap()));
    let claims = long.map_or(claims.clone(), |text| json!({"a": text}).to_string().replace('}', ",") + &claims[1..]);
    let deep = vector["nesting"].as_u64().map(|depth| usize::try_from(depth).unwrap());
    let claims = deep.map_or(claims, |depth| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth)));
    let claims = vector["raw_claims"].as_str().unwrap_or(&claims);
    mutated(provider.compact(key, &header, claims), vector["mutation"].as_str(), base)
}

fn merged(base: Value, changes: &Value, without: &Value) -> Value {
    let Value::Object(mut members) = base else { panic!("not an object") };
    members.extend(changes.as_object().cloned().unwrap_or_default());
    for name in without.as_array().into_iter().flatten() {
        members.remove(name.as_str().unwrap());
    }
    Value::Object(members)
}

fn mutated(compact: String, mutation: Option<&str>, base: &Value) -> String {
    let parts: Vec<&str> = compact.split('.').collect();
    let (header, claims, signature) = (parts[0], parts[1], parts[2]);
    match mutation {
        None => compact,
        Some("claims of another end-user") => {
            let other = merged(base.clone(), &json!({"sub": "admin"}), &Value::Null);
            format!("{header}.{}.{signature}", encode(other.to_string()))
        }
        Some("five parts") => format!("{compact}.AAAA.AAAA"),
        Some("four parts") => format!("{compact}.AAAA"),
        Some("header says ES256") => format!("{}.{claims}.{signature}", encode(r#"{"alg":"ES256","kid":"rsa"}"#)),
        Some("header says PS256") => format!("{}.{claims}.{signature}", encode(r#"{"alg":"PS256","kid":"rsa"}"#)),
        Some("header says PS256 and at+jwt") => {
            format!("{}.{claims}.{signature}", encode(r#"{"alg":"PS256","kid":"rsa","typ":"at+jwt"}"#))
        }
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
