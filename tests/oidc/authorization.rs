//! The authorization request as a provider reads it, and authorization responses as anyone may send them.

use serde_json::Value;
use url::Url;
use vestibule::oidc::authorization::{
    AuthorizationErrorCode, AuthorizationRequest, AuthorizationResponseFault, Departure, ExpectedResponse,
    RESERVED_PARAMETERS, UntrustedAuthorizationResponse,
};
use vestibule::oidc::issuer::IssuerRule;
use vestibule::time::Lifetime;

use crate::vectors;

const STATE: &str = "s~t-a.t_e";

#[test]
fn every_authorization_response_vector_has_its_outcome() {
    vectors::run(include_str!("../vectors/authorization_response.json"), |vector| vectors::outcome(accept(vector)));
}

#[test]
fn an_accepted_response_gives_its_code_decoded_and_hides_it_otherwise() {
    let query = format!("code=a%2Bb%20c&state={STATE}&session_state=x");
    let response = UntrustedAuthorizationResponse::parse(&query).unwrap();
    assert_eq!((response.state(), response.session_state()), (Some(STATE), Some("x")));
    let issuer = IssuerRule::Exact("https://op.example".to_owned());
    let expected = ExpectedResponse { state: STATE, issuer: &issuer, tenant: None, issuer_required: false };
    let code = response.accept(&expected).unwrap();
    assert_eq!(format!("{code:?}"), "AuthorizationCode([secret])");
    assert_eq!(code.into_string(), "a+b c");
}

#[test]
fn how_somebody_left_a_user_flow_is_read_from_the_number_and_from_nothing_else() {
    let departure = |description: &str| {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("error", "access_denied")
            .append_pair("error_description", description)
            .finish();
        UntrustedAuthorizationResponse::parse(&query).unwrap().departure()
    };
    let rest = ": The user <b>left</b>.\r\nCorrelation ID: 1\r\n";
    assert_eq!(departure(&format!("AADB2C90118{rest}")), Some(Departure::PasswordForgotten));
    assert_eq!(departure(&format!("AADB2C90091{rest}")), Some(Departure::Cancelled));
    for number in [
        "AADB2C90117",
        "AADB2C90118 ",
        "aadb2c90118",
        " AADB2C90118",
        "AADB2C090118",
        "AADB2C",
        "AADSTS90118",
        "90118",
        "",
    ] {
        assert_eq!(departure(&format!("{number}{rest}")), None, "{number}");
    }
    assert_eq!(departure("AADB2C90118"), None);
    assert_eq!(departure("The user said AADB2C90118: no"), None);
    assert_eq!(UntrustedAuthorizationResponse::parse("code=x&state=y").unwrap().departure(), None);
}

#[test]
fn every_error_code_reads_its_own_name() {
    for code in AuthorizationErrorCode::ALL {
        assert_eq!(AuthorizationErrorCode::parse(code.name()), code);
    }
    assert_eq!(AuthorizationErrorCode::parse("<script>"), AuthorizationErrorCode::Other);
}

#[test]
fn no_fault_repeats_what_was_sent() {
    let query = format!("error=%3Cscript%3E&error_description=%3Cscript%3E&state={STATE}");
    let fault = accept(&serde_json::json!({"query": query})).unwrap_err();
    assert!(!format!("{fault} {fault:?}").contains("script"));
}

#[test]
fn a_request_carries_everything_that_was_asked_for() {
    let scopes = ["api://x/Read".to_owned(), "openid".to_owned(), "api://x/Read".to_owned()];
    let resources = ["https://a.example/".to_owned(), "https://b.example/?q=1&r".to_owned()];
    let extra = [("ui_locales".to_owned(), "de fr".to_owned()), ("login_hint".to_owned(), "other".to_owned())];
    let request = AuthorizationRequest {
        prompt: Some("select_account"),
        login_hint: Some("ada+1@example.com"),
        domain_hint: Some("organizations"),
        max_age: Some(Lifetime::from_seconds(3600)),
        acr_values: Some("c1"),
        claims: Some(r#"{"access_token":{"acrs":{"value":"c1"}}}"#),
        client_info: true,
        ..plain(&scopes, &resources, &extra)
    };
    let url = request.url(&Url::parse("https://op.example/authorize?p=B2C_1_a").unwrap());
    let expected = [
        ("p", "B2C_1_a"),
        ("client_id", "client!+ID"),
        ("response_type", "code"),
        ("redirect_uri", "https://app.example.com/signin-oidc"),
        ("scope", "openid profile offline_access api://x/Read"),
        ("state", STATE),
        ("nonce", "n"),
        ("code_challenge", "c"),
        ("code_challenge_method", "S256"),
        ("resource", "https://a.example/"),
        ("resource", "https://b.example/?q=1&r"),
        ("prompt", "select_account"),
        ("login_hint", "ada+1@example.com"),
        ("domain_hint", "organizations"),
        ("max_age", "3600"),
        ("acr_values", "c1"),
        ("claims", r#"{"access_token":{"acrs":{"value":"c1"}}}"#),
        ("client_info", "1"),
        ("ui_locales", "de fr"),
    ];
    assert_eq!(pairs(&url), expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
}

#[test]
fn an_extra_hint_is_sent_where_the_request_has_none() {
    let extra = [("domain_hint".to_owned(), "example.com".to_owned()), ("domain_hint".to_owned(), "evil".to_owned())];
    let url = plain(&[], &[], &extra).url(&Url::parse("https://op.example/authorize").unwrap());
    let hints: Vec<_> = pairs(&url).into_iter().filter(|(name, _)| name == "domain_hint").collect();
    assert_eq!(hints, [("domain_hint".to_owned(), "example.com".to_owned())]);
}

#[test]
fn an_extra_parameter_with_a_reserved_name_is_skipped_in_any_letter_case() {
    let url = Url::parse("https://op.example/authorize").unwrap();
    let sent = plain(&[], &[], &[]).url(&url);
    for name in RESERVED_PARAMETERS {
        for name in [(*name).to_owned(), name.to_uppercase()] {
            assert_eq!(plain(&[], &[], &[(name, "evil".to_owned())]).url(&url), sent);
        }
    }
}

pub(crate) fn plain<'a>(
    scopes: &'a [String],
    resources: &'a [String],
    extra: &'a [(String, String)],
) -> AuthorizationRequest<'a> {
    AuthorizationRequest {
        client_id: "client!+ID",
        redirect_uri: "https://app.example.com/signin-oidc",
        scopes,
        resources,
        state: STATE,
        nonce: "n",
        code_challenge: "c",
        prompt: None,
        login_hint: None,
        domain_hint: None,
        max_age: None,
        acr_values: None,
        claims: None,
        client_info: false,
        extra,
    }
}

pub(crate) fn pairs(url: &Url) -> Vec<(String, String)> {
    url.query_pairs().into_owned().collect()
}

fn accept(vector: &Value) -> Result<(), AuthorizationResponseFault> {
    let issuer = match vector["tenanted"].as_str() {
        Some(template) => IssuerRule::Tenanted(template.to_owned()),
        None => IssuerRule::Exact("https://op.example".to_owned()),
    };
    let expected = ExpectedResponse {
        state: STATE,
        issuer: &issuer,
        tenant: vector["tenant"].as_str(),
        issuer_required: vector["issuer_required"].as_bool().unwrap_or(false),
    };
    let filler = "a".repeat(usize::try_from(vector["filler"].as_u64().unwrap_or(0)).unwrap());
    let query = vector["query"].as_str().unwrap().replace("{state}", STATE) + &filler;
    UntrustedAuthorizationResponse::parse(&query)?.accept(&expected).map(drop)
}
