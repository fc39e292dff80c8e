//! What holds for every input, sampled: parsers never panic, a changed token is never accepted, and no value breaks out
//! of its parameter.

use std::sync::LazyLock;

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use url::Url;
use vestibule::oidc::access_token::{Profile, UntrustedAccessToken};
use vestibule::oidc::authorization::{AuthorizationRequest, RESERVED_PARAMETERS, UntrustedAuthorizationResponse};
use vestibule::oidc::client_info::ClientInfo;
use vestibule::oidc::id_token::UntrustedIdToken;
use vestibule::oidc::issuer::IssuerRule;
use vestibule::oidc::jwks::Jwks;
use vestibule::oidc::logout_token::UntrustedLogoutToken;
use vestibule::oidc::metadata::Metadata;
use vestibule::oidc::pkce::CodeVerifier;
use vestibule::oidc::token::{TokenError, TokenParts};
use vestibule::oidc::user_info::UserInfo;

use crate::authorization::{pairs, plain};
use crate::jwt::{NOW, SKEW, jwks};
use crate::provider::{Provider, encode};
use crate::{access_token, id_token, introspection, logout_token};

static PROVIDER: LazyLock<Provider> = LazyLock::new(Provider::new);

/// A good token of each algorithm: four ID tokens, then four logout tokens, then four access tokens.
static TOKENS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let signed = [("rsa", "RS256"), ("rsa", "PS256"), ("p256", "ES256"), ("ed25519", "EdDSA")];
    let vectors = signed.map(|(key, alg)| json!({"alg": alg, "key": key}));
    let id_tokens = vectors.iter().map(|vector| id_token::compact(&PROVIDER, vector));
    let logout_tokens = vectors.iter().map(|vector| logout_token::compact(&PROVIDER, vector));
    let access_tokens = vectors.iter().map(|vector| access_token::compact(&PROVIDER, vector));
    id_tokens.chain(logout_tokens).chain(access_tokens).collect()
});
static JWKS: LazyLock<Jwks> = LazyLock::new(|| jwks(&PROVIDER, &Value::Null));

/// Whether `compact` is accepted as a token of the kind of `TOKENS[which]`.
fn is_accepted(compact: &str, which: usize) -> bool {
    match which / 4 {
        0 => id_token::judge(compact, &JWKS, &Map::new()).is_ok(),
        1 => logout_token::judge(compact, &JWKS, &Map::new()).is_ok(),
        _ => access_token::judge(compact, &JWKS, Profile::Rfc9068, &Map::new()).is_ok(),
    }
}

/// Whether a logout token is accepted that its provider signed with other claims than the good one's.
fn is_accepted_with(claims: &Value) -> bool {
    let vector = json!({"alg": "EdDSA", "key": "ed25519", "claims": claims});
    logout_token::judge(&logout_token::compact(&PROVIDER, &vector), &JWKS, &Map::new()).is_ok()
}

/// Whether an access token is accepted that its provider signed with other claims than the good one's, and whether an
/// introspection answer with these members is.
fn is_believed_with(claims: &Value) -> (bool, bool) {
    let vector = json!({"alg": "EdDSA", "key": "ed25519", "claims": claims});
    let compact = access_token::compact(&PROVIDER, &vector);
    let as_token = access_token::judge(&compact, &JWKS, Profile::Rfc9068, &Map::new()).is_ok();
    (as_token, introspection::accept(&json!({"document": claims})).is_ok())
}

proptest! {
    #[test]
    fn a_token_with_flipped_bits_is_never_accepted(
        which in 0..12_usize, bits in vec(any::<prop::sample::Index>(), 1..4),
    ) {
        let token = &TOKENS[which];
        prop_assert!(is_accepted(token, which));
        let mut bytes = token.clone().into_bytes();
        for bit in bits {
            let bit = bit.index(bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        if let Ok(changed) = String::from_utf8(bytes) && changed != *token {
            prop_assert!(!is_accepted(&changed, which));
        }
    }

    #[test]
    fn a_token_is_never_accepted_with_a_spliced_in_part(
        which in 0..12_usize, part in 0..3_usize, text in any::<String>(),
    ) {
        let token = &TOKENS[which];
        let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
        parts[part] = encode(text);
        prop_assert!(!is_accepted(&parts.join("."), which));
    }

    #[test]
    fn no_token_is_accepted_with_a_part_of_another(which in 0..12_usize, other in 0..12_usize, part in 0..3_usize) {
        let token = &TOKENS[which];
        let mut parts: Vec<&str> = token.split('.').collect();
        parts[part] = TOKENS[other].split('.').nth(part).unwrap();
        let spliced = parts.join(".");
        prop_assert_eq!(is_accepted(&spliced, which), spliced == *token);
    }

    #[test]
    fn a_signed_logout_token_is_never_accepted_with_another_issuer_audience_or_event_or_with_a_nonce(
        name in prop::sample::select(vec!["iss", "aud", "events", "nonce"]), value in json_value(),
    ) {
        let claims = json!({ name: value });
        prop_assert!(!is_accepted_with(&claims), "{}", claims);
    }

    #[test]
    fn a_signed_logout_token_is_never_accepted_with_a_claim_of_the_wrong_type(
        name in prop::sample::select(vec!["jti", "sub", "sid", "azp", "exp", "iat", "nbf"]), value in json_value(),
    ) {
        let is_right = if ["exp", "iat", "nbf"].contains(&name) { value.is_u64() } else { value.is_string() };
        prop_assume!(!is_right);
        let claims = json!({ name: value });
        prop_assert!(!is_accepted_with(&claims), "{}", claims);
    }

    #[test]
    fn a_signed_logout_token_is_accepted_from_its_iat_to_its_exp_only(iat in moment(), exp in moment()) {
        let is_current = iat <= NOW + SKEW && exp + SKEW > NOW;
        prop_assert_eq!(is_accepted_with(&json!({"iat": iat, "exp": exp})), is_current);
    }

    #[test]
    fn no_access_token_is_believed_with_another_issuer_audience_or_type_of_claim(
        name in prop::sample::select(vec![
            "iss", "aud", "cnf", "sub", "client_id", "scope", "acr", "exp", "iat", "nbf", "auth_time",
        ]),
        value in json_value(),
    ) {
        let is_right = match name {
            "iss" | "aud" | "cnf" => false,
            "exp" | "iat" | "nbf" | "auth_time" => value.is_u64(),
            _ => value.is_string(),
        };
        prop_assume!(!is_right);
        let claims = json!({ name: value });
        prop_assert_eq!(is_believed_with(&claims), (false, false), "{}", claims);
    }

    #[test]
    fn an_access_token_is_believed_from_its_iat_and_nbf_to_its_exp_only(iat in moment(), nbf in moment(), exp in moment()) {
        let is_current = iat <= NOW + SKEW && nbf <= NOW + SKEW && exp + SKEW > NOW;
        let claims = json!({"iat": iat, "nbf": nbf, "exp": exp});
        prop_assert_eq!(is_believed_with(&claims), (is_current, is_current));
    }

    #[test]
    fn only_the_boolean_true_is_active(value in json_value()) {
        let answer = json!({"document": {"active": value}});
        prop_assert!(introspection::accept(&answer).is_err());
    }

    #[test]
    fn no_parser_panics_on_arbitrary_bytes(bytes in vec(any::<u8>(), 0..2048)) {
        parse_everything(&bytes);
    }

    #[test]
    fn no_parser_panics_on_arbitrary_text(text in any::<String>()) {
        parse_everything(text.as_bytes());
        parse_token(&format!("{}.{}.{}", encode(&text), encode(&text), encode(&text)));
        let _ = ClientInfo::parse(&encode(&text));
    }

    #[test]
    fn no_token_parser_panics_on_a_header_of_odd_members(members in vec((name(), json_value()), 0..6)) {
        let header: Map<String, Value> = members.into_iter().collect();
        let header = encode(Value::Object(header).to_string());
        parse_token(&format!("{header}.{}.AAAA", encode("{}")));
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
    let _ = TokenParts::parse(bytes);
    let _ = TokenError::parse(bytes);
    parse_token(&text);
    let _ = introspection::judge(bytes, &Map::new());
    let _ = UntrustedAuthorizationResponse::parse(&text);
    let _ = ClientInfo::parse(&text);
    let _ = CodeVerifier::parse(text);
}

fn parse_token(compact: &str) {
    let _ = UntrustedIdToken::parse(compact);
    let _ = UntrustedLogoutToken::parse(compact);
    let _ = UntrustedAccessToken::parse(compact, Profile::Rfc9068);
    let _ = UntrustedAccessToken::parse(compact, Profile::Entra);
}

/// A time around [`NOW`], on either side of the skew.
fn moment() -> impl Strategy<Value = u64> {
    prop_oneof![NOW - 2 * SKEW..NOW + 2 * SKEW, NOW - SKEW - 1..NOW - SKEW + 2, NOW + SKEW - 1..NOW + SKEW + 2]
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
