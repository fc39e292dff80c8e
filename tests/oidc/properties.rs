//! What holds for every input, sampled: parsers never panic, a changed token is never accepted, and no value breaks out
//! of its parameter.

use std::sync::LazyLock;

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use url::Url;
use vestibule::oidc::authorization::{AuthorizationRequest, RESERVED_PARAMETERS, UntrustedAuthorizationResponse};
use vestibule::oidc::client_info::ClientInfo;
use vestibule::oidc::id_token::UntrustedIdToken;
use vestibule::oidc::issuer::IssuerRule;
use vestibule::oidc::jwks::Jwks;
use vestibule::oidc::metadata::Metadata;
use vestibule::oidc::pkce::CodeVerifier;
use vestibule::oidc::token::{TokenError, TokenResponse};
use vestibule::oidc::user_info::UserInfo;

use crate::authorization::{pairs, plain};
use crate::id_token::{compact, judge};
use crate::jwt::jwks;
use crate::provider::{Provider, encode};

static SIGN_IN: LazyLock<(Jwks, Vec<String>)> = LazyLock::new(|| {
    let provider = Provider::new();
    let signed = [("rsa", "RS256"), ("rsa", "PS256"), ("p256", "ES256"), ("ed25519", "EdDSA")];
    let tokens = signed.map(|(key, alg)| compact(&provider, &json!({"alg": alg, "key": key})));
    (jwks(&provider, &Value::Null), tokens.to_vec())
});

proptest! {
    #[test]
    fn a_token_with_flipped_bits_is_never_accepted(
        which in 0..4_usize, bits in vec(any::<prop::sample::Index>(), 1..4),
    ) {
        let (jwks, tokens) = &*SIGN_IN;
        let mut bytes = tokens[which].clone().into_bytes();
        for bit in bits {
            let bit = bit.index(bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        if let Ok(changed) = String::from_utf8(bytes) && changed != tokens[which] {
            prop_assert!(judge(&changed, jwks, &Map::new()).is_err());
        }
    }

    #[test]
    fn a_token_is_never_accepted_with_a_spliced_in_part(
        which in 0..4_usize, part in 0..3_usize, text in any::<String>(),
    ) {
        let (jwks, tokens) = &*SIGN_IN;
        let mut parts: Vec<String> = tokens[which].split('.').map(str::to_owned).collect();
        parts[part] = encode(text);
        prop_assert!(judge(&parts.join("."), jwks, &Map::new()).is_err());
    }

    #[test]
    fn no_parser_panics_on_arbitrary_bytes(bytes in vec(any::<u8>(), 0..2048)) {
        parse_everything(&bytes);
    }

    #[test]
    fn no_parser_panics_on_arbitrary_text(text in any::<String>()) {
        parse_everything(text.as_bytes());
        let _ = UntrustedIdToken::parse(&format!("{}.{}.{}", encode(&text), encode(&text), encode(&text)));
        let _ = ClientInfo::parse(&encode(&text));
    }

    #[test]
    fn no_token_parser_panics_on_a_header_of_odd_members(members in vec((name(), json_value()), 0..6)) {
        let header: Map<String, Value> = members.into_iter().collect();
        let header = encode(Value::Object(header).to_string());
        let _ = UntrustedIdToken::parse(&format!("{header}.{}.AAAA", encode("{}")));
    }

    #[test]
    fn a_request_carries_hostile_values_unchanged(values in vec(any::<String>(), 10)) {
        let value = |index: usize| values[index].as_str();
        let request = AuthorizationRequest {
            client_id: value(0), redirect_uri: value(1), state: value(2), nonce: value(3), code_challenge: value(4),
            prompt: Some(value(5)), login_hint: Some(value(6)), domain_hint: Some(value(7)),
            acr_values: Some(value(8)), claims: Some(value(9)),
            ..plain(&[], &[], &[])
        };
        let url = request.url(&Url::parse("https://op.example/authorize").unwrap());
        let names = ["client_id", "redirect_uri", "state", "nonce", "code_challenge", "prompt", "login_hint",
            "domain_hint", "acr_values", "claims"];
        let sent = pairs(&url);
        for (index, name) in names.iter().enumerate() {
            let found: Vec<_> = sent.iter().filter(|(sent, _)| sent == name).map(|(_, value)| value).collect();
            prop_assert_eq!(found, vec![value(index)]);
        }
        prop_assert_eq!(sent.len(), names.len() + 3);
        prop_assert_eq!(url.host_str(), Some("op.example"));
        prop_assert_eq!((url.path(), url.fragment()), ("/authorize", None));
    }

    #[test]
    fn no_value_brings_in_a_second_parameter(
        hostile in hostile(), scope in hostile(), extra in vec((extra_name(), hostile()), 0..6), query in hostile(),
    ) {
        let (scopes, resources) = ([scope], [hostile.clone()]);
        let request = AuthorizationRequest {
            login_hint: Some(&hostile), state: &hostile, ..plain(&scopes, &resources, &extra)
        };
        let mut endpoint = Url::parse("https://op.example/authorize").unwrap();
        endpoint.set_query(Some(&query));
        let url = request.url(&endpoint);
        let sent = pairs(&url);
        for name in ["client_id", "response_type", "redirect_uri", "scope", "state", "nonce", "code_challenge",
            "code_challenge_method", "resource", "login_hint"]
        {
            let count = sent.iter().filter(|(sent, _)| sent.eq_ignore_ascii_case(name)).count();
            prop_assert_eq!(count, 1, "{} in {}", name, url);
        }
        for (name, value) in [("redirect_uri", "https://app.example.com/signin-oidc"), ("response_type", "code")] {
            prop_assert!(sent.contains(&(name.to_owned(), value.to_owned())));
        }
        let scope = &sent.iter().find(|(name, _)| name == "scope").unwrap().1;
        prop_assert!(scope == "openid profile offline_access" || scope.starts_with("openid profile offline_access "));
        prop_assert_eq!(url.fragment(), None);
    }
}

fn parse_everything(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let _ = Jwks::parse(bytes);
    let _ = Metadata::parse(bytes, &IssuerRule::Exact(text.clone()));
    let _ = UserInfo::parse(bytes, &text);
    let _ = serde_json::from_slice::<TokenResponse>(bytes);
    let _ = serde_json::from_slice::<TokenError>(bytes);
    let _ = UntrustedIdToken::parse(&text);
    let _ = UntrustedAuthorizationResponse::parse(&text);
    let _ = ClientInfo::parse(&text);
    let _ = CodeVerifier::parse(text);
}

fn name() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["alg", "kid", "typ", "cty", "crit", "jku", "x5u", "x5t", "x5t#S256", "b64"])
        .prop_map(str::to_owned)
}

fn json_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<String>().prop_map(Value::from),
        Just(json!("RS256")),
        "[A-Za-z0-9_=-]{0,60}".prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        Just(Value::Null),
        Just(json!([])),
        Just(json!({"alg": "RS256"})),
    ]
}

fn hostile() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        prop::sample::select(vec!["x", "", " ", "%00", "#"]).prop_flat_map(|before| {
            prop::sample::select(RESERVED_PARAMETERS.to_vec())
                .prop_map(move |name| format!("{before}&{name}=evil#{name}=evil"))
        }),
    ]
}

fn extra_name() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        prop::sample::select(RESERVED_PARAMETERS.to_vec()).prop_map(str::to_owned),
        prop::sample::select(RESERVED_PARAMETERS.to_vec()).prop_map(str::to_uppercase),
        Just("login_hint".to_owned()),
    ]
}
