//! The claims that a challenge demands, and the claims requests that answer it.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use vestibule::oidc::claims_challenge::{ClaimsChallenge, MAX_CLAIMS_BYTES};
use vestibule::oidc::claims_request::claims_request;

use crate::vectors;

#[test]
fn every_claims_challenge_vector_is_decoded_or_refused() {
    vectors::run(include_str!("../vectors/claims_challenge.json"), |vector| {
        let value = vector["value"].as_str().unwrap().replace("{filler}", &filler(vector));
        let value = if vector["base64"] == true { STANDARD.encode(value) } else { value };
        match ClaimsChallenge::decode(&value) {
            Some(_) if vector["filler"].is_u64() => "accepted".to_owned(),
            Some(challenge) => challenge.as_str().to_owned(),
            None => "refused".to_owned(),
        }
    });
}

#[test]
fn every_claims_request_vector_has_its_parameter() {
    vectors::run(include_str!("../vectors/claims_request.json"), |vector| {
        let capabilities: Vec<String> = serde_json::from_value(vector["capabilities"].clone()).unwrap();
        let challenge = vector.get("challenge").map(|claims| ClaimsChallenge::parse(&claims.to_string()).unwrap());
        claims_request(&capabilities, challenge.as_ref()).unwrap_or_else(|| "none".to_owned())
    });
}

#[test]
fn the_digest_is_that_of_the_text() {
    let [one, same, other] =
        [r#"{"a":1,"b":2}"#, r#"{"b":2, "a":1}"#, r#"{"a":1}"#].map(|json| ClaimsChallenge::parse(json).unwrap());
    assert_eq!(one.name(), same.name());
    assert_ne!(one.name(), other.name());
    let empty = ClaimsChallenge::parse("{}").unwrap().name();
    assert_eq!(empty, "RBNvo1WzZ4oRRq0W9-hknpT7T8If536DEMBg9hyq_4o");
}

proptest! {
    #[test]
    fn no_parser_of_claims_panics(text in any::<String>()) {
        let _ = (ClaimsChallenge::decode(&text), ClaimsChallenge::parse(&text));
        let _ = ClaimsChallenge::decode(&STANDARD.encode(&text));
    }

    #[test]
    fn no_spelling_of_a_string_gets_longer(text in r#"([ -!#-\[\]-~ü€😀]|\\["\\/bfnrt]|\\u[0-9a-f]{4}){0,40}"#) {
        let json = format!(r#"{{"a":"{text}"}}"#);
        if let Some(challenge) = ClaimsChallenge::parse(&json) {
            prop_assert!(challenge.as_str().len() <= json.len(), "{}", json);
            prop_assert_eq!(ClaimsChallenge::parse(challenge.as_str()), Some(challenge));
        }
    }

    #[test]
    fn every_form_of_one_object_is_one_challenge(members in claims()) {
        let json = Value::Object(members).to_string();
        let pretty = serde_json::to_string_pretty(&serde_json::from_str::<Value>(&json).unwrap()).unwrap();
        let challenge = ClaimsChallenge::parse(&json);
        prop_assert_eq!(challenge.is_some(), json.len() <= MAX_CLAIMS_BYTES);
        for encoded in [STANDARD.encode(&json), STANDARD_NO_PAD.encode(&json), URL_SAFE.encode(&json),
            URL_SAFE_NO_PAD.encode(&json), json]
        {
            prop_assert_eq!(&ClaimsChallenge::decode(&encoded), &challenge, "{}", encoded);
        }
        if pretty.len() <= MAX_CLAIMS_BYTES {
            prop_assert_eq!(&ClaimsChallenge::decode(&STANDARD.encode(&pretty)), &challenge);
        }
    }

    #[test]
    fn a_challenge_survives_its_own_text(members in claims()) {
        if let Some(challenge) = ClaimsChallenge::parse(&Value::Object(members).to_string()) {
            prop_assert!(challenge.as_str().len() <= MAX_CLAIMS_BYTES);
            let again = ClaimsChallenge::parse(challenge.as_str());
            prop_assert_eq!(again.as_ref(), Some(&challenge));
            prop_assert_eq!(ClaimsChallenge::decode(challenge.as_str()), Some(challenge));
        }
    }

    #[test]
    fn a_request_keeps_the_challenge_and_states_our_capabilities(
        members in claims(), inner in claims(), capabilities in vec("[a-z\"\\\\ü]{0,6}", 1..4),
    ) {
        let mut demanded = members;
        demanded.insert("access_token".to_owned(), Value::Object(inner));
        if let Some(challenge) = ClaimsChallenge::parse(&Value::Object(demanded.clone()).to_string()) {
            let request: Value = serde_json::from_str(&claims_request(&capabilities, Some(&challenge)).unwrap()).unwrap();
            demanded["access_token"]["xms_cc"] = json!({"values": capabilities});
            prop_assert_eq!(request, Value::Object(demanded));
        }
    }
}

/// So much as a vector asks for.
pub(crate) fn filler(vector: &Value) -> String {
    "f".repeat(usize::try_from(vector["filler"].as_u64().unwrap_or(0)).unwrap())
}

pub(crate) fn claims() -> impl Strategy<Value = Map<String, Value>> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    let value = leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map("[a-z_]{1,8}", inner, 0..4).prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    });
    btree_map("([a-z_]{1,8}|access_token)", value, 0..5).prop_map(|members| members.into_iter().collect())
}
