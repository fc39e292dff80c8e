//! The two fields of a request with an access token: the one that brings it and the one that refuses it.

use proptest::collection::vec;
use proptest::prelude::*;
use vestibule::oidc::bearer::{BearerCredential, BearerRefusal, CredentialMalformed};
use vestibule::oidc::challenge::BearerChallenge;
use vestibule::oidc::claims_challenge::ClaimsChallenge;
use vestibule::time::Lifetime;

use crate::provider::encode;
use crate::vectors;

const METADATA: &str = "https://app.example.com/.well-known/oauth-protected-resource";

#[test]
fn every_bearer_header_vector_has_its_outcome() {
    vectors::run(include_str!("../vectors/bearer_header.json"), |vector| {
        let filler = "a".repeat(usize::try_from(vector["filler"].as_u64().unwrap_or(0)).unwrap());
        let field = vector["field"].as_str().map(|field| field.replace("{filler}", &filler));
        match BearerCredential::parse(field.as_deref()) {
            Ok(Some(credential)) if vector["filler"].is_u64() => {
                format!("token of {}", credential.secret().expose().len())
            }
            Ok(Some(credential)) => format!("token {}", credential.secret().expose()),
            Ok(None) => "absent".to_owned(),
            Err(CredentialMalformed) => "malformed".to_owned(),
        }
    });
}

#[test]
fn a_token_means_to_be_a_jwt_if_it_begins_with_a_header() {
    let header = encode(r#"{"alg":"none"}"#);
    for (token, is_jwt) in [
        (format!("{header}.e30.AAAA"), true),
        (format!("{header}.."), true),
        (format!("{header}.a.b.c.d"), true),
        (format!("{header}.e30"), false),
        (format!("{header}.a.b.c"), false),
        (header.clone(), false),
        (format!("x{header}.e30.AAAA"), false),
        (format!("{}.e30.AAAA", encode("[]")), false),
        ("mF_9.B5f-4.1JqM".to_owned(), false),
        ("a.b.c".to_owned(), false),
        ("opaque".to_owned(), false),
    ] {
        let credential = BearerCredential::parse(Some(&format!("Bearer {token}"))).unwrap().unwrap();
        assert_eq!(credential.is_jwt(), is_jwt, "{token}");
    }
}

#[test]
fn each_refusal_is_written_as_its_specification_has_it() {
    let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let (scopes, acr_values) = (list(&["orders.read", "orders.write"]), list(&["urn:mfa", "a\"b\\c"]));
    let claims = ClaimsChallenge::parse(r#"{ "access_token": { "acrs": { "value": "c1?>" } } }"#).unwrap();
    let metadata = format!("resource_metadata=\"{METADATA}\"");
    for (refusal, status, expected) in [
        (BearerRefusal::TokenMissing, 401, String::new()),
        (BearerRefusal::RequestMalformed, 400, r#"error="invalid_request", "#.to_owned()),
        (BearerRefusal::TokenInvalid, 401, r#"error="invalid_token", "#.to_owned()),
        (
            BearerRefusal::ClaimsInsufficient { claims: &claims, authorization_uri: Some("https://op.example/a?b=\"c") },
            401,
            // With padding, and in the alphabet that has + and /.
            r#"error="insufficient_claims", claims="eyJhY2Nlc3NfdG9rZW4iOnsiYWNycyI6eyJ2YWx1ZSI6ImMxPz4ifX19", authorization_uri="https://op.example/a?b=\"c", "#.to_owned(),
        ),
        (
            BearerRefusal::ClaimsInsufficient { claims: &claims, authorization_uri: None },
            401,
            r#"error="insufficient_claims", claims="eyJhY2Nlc3NfdG9rZW4iOnsiYWNycyI6eyJ2YWx1ZSI6ImMxPz4ifX19", "#.to_owned(),
        ),
        (
            BearerRefusal::ScopeInsufficient(&scopes),
            403,
            r#"error="insufficient_scope", scope="orders.read orders.write", "#.to_owned(),
        ),
        (
            BearerRefusal::AuthenticationInsufficient {
                acr_values: &acr_values,
                max_age: Some(Lifetime::from_seconds(300)),
            },
            401,
            r#"error="insufficient_user_authentication", acr_values="urn:mfa a\"b\\c", max_age="300", "#.to_owned(),
        ),
        (
            BearerRefusal::AuthenticationInsufficient { acr_values: &[], max_age: None },
            401,
            r#"error="insufficient_user_authentication", "#.to_owned(),
        ),
    ] {
        assert_eq!(refusal.to_field(METADATA), format!("Bearer {expected}{metadata}"));
        assert_eq!(refusal.status(), status);
    }
}

proptest! {
    #[test]
    fn no_field_brings_more_than_one_plain_token(field in any_field()) {
        if let Ok(Some(credential)) = BearerCredential::parse(Some(&field)) {
            let token = credential.secret().expose();
            prop_assert!(field.ends_with(token.as_str()) && !token.is_empty());
            prop_assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte)));
            let scheme = field.strip_suffix(token.as_str()).unwrap();
            prop_assert_eq!(scheme.trim_end_matches(' ').to_ascii_lowercase(), "bearer");
            let _ = credential.is_jwt();
        }
    }

    #[test]
    fn what_is_refused_reads_back_as_one_challenge(
        metadata_url in any::<String>(), names in vec(any::<String>(), 0..4), max_age in any::<Option<u64>>(),
    ) {
        for refusal in [
            BearerRefusal::TokenMissing,
            BearerRefusal::RequestMalformed,
            BearerRefusal::TokenInvalid,
            BearerRefusal::ScopeInsufficient(&names),
            BearerRefusal::AuthenticationInsufficient {
                acr_values: &names, max_age: max_age.map(Lifetime::from_seconds),
            },
        ] {
            let field = refusal.to_field(&metadata_url);
            prop_assert!(field.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{}", field);
            let error = refusal.error().map(str::to_owned);
            let expected = BearerChallenge { error, claims: None, has_unusable_claims: false };
            prop_assert_eq!(BearerChallenge::parse_field(&field), vec![expected], "{}", field);
        }
    }

    #[test]
    fn claims_are_read_back_as_they_were(value in any::<String>(), metadata_url in any::<String>()) {
        let claims = ClaimsChallenge::parse(&serde_json::json!({ "a": { "value": value } }).to_string());
        let Some(claims) = claims else { return Ok(()) };
        let refusal = BearerRefusal::ClaimsInsufficient { claims: &claims, authorization_uri: Some(&metadata_url) };
        let challenges = BearerChallenge::parse_field(&refusal.to_field(&metadata_url));
        prop_assert_eq!(challenges.len(), 1);
        prop_assert!(challenges[0].is_insufficient_claims());
        prop_assert_eq!(challenges[0].claims.as_ref(), Some(&claims));
    }

    #[test]
    fn a_value_is_read_back_as_it_was(value in "[ -~]{0,60}") {
        let field = BearerRefusal::TokenMissing.to_field(&value);
        let as_error = field.replacen("resource_metadata=", "error=", 1);
        let challenges = BearerChallenge::parse_field(&as_error);
        prop_assert_eq!(challenges.len(), 1);
        prop_assert_eq!(challenges[0].error.as_deref(), Some(value.as_str()));
    }
}

fn any_field() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "(?i)(bearer|basic|dpop)[ \t,=]{0,3}[A-Za-z0-9._~+/=,\" \\\\-]{0,40}"]
}
