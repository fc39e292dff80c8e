//! Token responses and token errors, alone and under `oauth2::Client`, which makes the token request.

use std::borrow::Cow;
use std::cell::RefCell;
use std::io;

use oauth2::basic::{BasicRevocationErrorResponse, BasicTokenIntrospectionResponse};
use oauth2::{
    AuthType, AuthorizationCode, Client, ClientId, ClientSecret, HttpRequest, HttpResponse, PkceCodeVerifier,
    RedirectUrl, RefreshToken, RequestTokenError, Scope, StandardRevocableToken, TokenUrl,
};
use url::form_urlencoded;
use vestibule::oidc::token::{Remedy, TokenError, TokenErrorCode, TokenResponse};
use vestibule::time::Lifetime;

use crate::vectors;

const GOOD: &str = r#"{"access_token":"a.b","token_type":"bEaReR","expires_in":"3599","refresh_in":1800,
    "refresh_token":"r","id_token":"h.c.s","scope":"User.Read  Mail.Read","client_info":"e30","ext_expires_in":0}"#;

#[test]
fn every_token_response_vector_has_its_outcome() {
    vectors::run(include_str!("../vectors/token_response.json"), |vector| {
        match serde_json::from_slice::<TokenResponse>(&vectors::document(vector)) {
            Ok(_) => "accepted".to_owned(),
            Err(_) => "refused".to_owned(),
        }
    });
}

#[test]
fn every_token_error_vector_has_its_remedy() {
    vectors::run(include_str!("../vectors/token_error.json"), |vector| {
        match serde_json::from_slice::<TokenError>(&vectors::document(vector)) {
            Ok(error) if error.spends_refresh_token() => format!("{:?}, refresh token spent", error.remedy()),
            Ok(error) => format!("{:?}", error.remedy()),
            Err(_) => "refused".to_owned(),
        }
    });
}

#[test]
fn a_token_response_gives_what_it_holds() {
    let response: TokenResponse = serde_json::from_str(GOOD).unwrap();
    assert_eq!(response.access_token().secret(), "a.b");
    assert_eq!(response.refresh_token().unwrap().secret(), "r");
    assert_eq!((response.id_token(), response.client_info()), (Some("h.c.s"), Some("e30")));
    let (hour, half) = (Lifetime::from_seconds(3599), Lifetime::from_seconds(1800));
    assert_eq!((response.expires_in(), response.refresh_in()), (Some(hour), Some(half)));
    let parts = response.into_parts();
    assert_eq!(parts.access_token.expose(), "a.b");
    assert_eq!(parts.refresh_token.unwrap().expose(), "r");
    assert_eq!(parts.id_token.unwrap().expose(), "h.c.s");
    assert_eq!(parts.scope.unwrap(), ["User.Read", "Mail.Read"]);
}

#[test]
fn what_is_missing_or_blank_is_absent() {
    let document = r#"{"access_token":"a","token_type":"Bearer","refresh_token":"","id_token":null,"scope":" "}"#;
    let parts = serde_json::from_str::<TokenResponse>(document).unwrap().into_parts();
    assert!(parts.refresh_token.is_none() && parts.id_token.is_none() && parts.scope.is_none());
    assert!(parts.expires_in.is_none() && parts.refresh_in.is_none() && parts.client_info.is_none());
}

#[test]
fn a_token_response_is_neither_printed_nor_serialised() {
    let response: TokenResponse = serde_json::from_str(GOOD).unwrap();
    assert_eq!(format!("{response:?}"), "TokenResponse([secret])");
    assert!(serde_json::to_string(&response).is_err());
    let parts = format!("{:?}", response.into_parts());
    assert!(!parts.contains("a.b") && !parts.contains("h.c.s"), "{parts}");
}

#[test]
fn a_token_error_prints_its_code_and_keeps_no_prose() {
    let document =
        r#"{"error":"invalid_grant","error_description":"AADSTS50076 ada@example.com","claims":"{\"a\":1}"}"#;
    let error: TokenError = serde_json::from_str(document).unwrap();
    assert_eq!(error.claims.as_deref(), Some(r#"{"a":1}"#));
    assert_eq!(error.to_string(), "invalid_grant");
    assert_eq!(serde_json::to_string(&error).unwrap(), r#"{"error":"invalid_grant"}"#);
    assert_eq!(format!("{error:?}"), r#"TokenError(InvalidGrant, None, Some("[secret]"))"#);
}

#[test]
fn every_token_error_code_reads_its_own_name() {
    for code in TokenErrorCode::ALL {
        assert_eq!(TokenErrorCode::parse(code.name()), code);
    }
}

#[test]
fn the_client_redeems_a_code_with_its_verifier_and_the_extra_parameters() {
    let sent = RefCell::new(Vec::new());
    let client = client(AuthType::BasicAuth);
    let response = client
        .exchange_code(AuthorizationCode::new("c+o de".to_owned()))
        .set_pkce_verifier(PkceCodeVerifier::new("v".repeat(43)))
        .set_redirect_uri(Cow::Owned(RedirectUrl::new("https://app.example.com/signin-oidc".to_owned()).unwrap()))
        .add_extra_param("resource", "https://graph.example/?a&b")
        .add_extra_param("client_info", "1")
        .request(&|request: HttpRequest| answer(&sent, request, 200, GOOD))
        .unwrap();
    assert_eq!(response.access_token().secret(), "a.b");
    let expected = [
        ("grant_type", "authorization_code"),
        ("code", "c+o de"),
        ("code_verifier", &"v".repeat(43)),
        ("redirect_uri", "https://app.example.com/signin-oidc"),
        ("resource", "https://graph.example/?a&b"),
        ("client_info", "1"),
    ];
    assert_eq!(form(&sent), expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    // "client%21%2BID:SECRET%3F%25Gclient": RFC 6749 §2.3.1 has both form-encoded first.
    let credentials = "Basic Y2xpZW50JTIxJTJCSUQ6U0VDUkVUJTNGJTI1R2NsaWVudA==";
    assert_eq!(sent.borrow()[0].headers()["authorization"], credentials);
}

#[test]
fn the_client_refreshes_for_one_resource() {
    let sent = RefCell::new(Vec::new());
    client(AuthType::RequestBody)
        .exchange_refresh_token(&RefreshToken::new("r&t".to_owned()))
        .add_scope(Scope::new("User.Read".to_owned()))
        .add_extra_param("resource", "https://graph.example/")
        .add_extra_param("client_info", "1")
        .request(&|request: HttpRequest| answer(&sent, request, 200, GOOD))
        .unwrap();
    let expected = [
        ("grant_type", "refresh_token"),
        ("refresh_token", "r&t"),
        ("scope", "User.Read"),
        ("client_id", "client!+ID"),
        ("client_secret", "SECRET?%Gclient"),
        ("resource", "https://graph.example/"),
        ("client_info", "1"),
    ];
    assert_eq!(form(&sent), expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
}

#[test]
fn the_client_hands_a_token_error_on() {
    let sent = RefCell::new(Vec::new());
    let body = r#"{"error":"invalid_grant","suberror":"basic_action","error_codes":[50076],"claims":"{}"}"#;
    let failure = client(AuthType::BasicAuth)
        .exchange_refresh_token(&RefreshToken::new("r".to_owned()))
        .request(&|request: HttpRequest| answer(&sent, request, 400, body))
        .unwrap_err();
    let RequestTokenError::ServerResponse(error) = failure else { panic!("not a token error") };
    assert_eq!((error.code, error.remedy()), (TokenErrorCode::InvalidGrant, Remedy::NeedsUser));
    assert!(!error.spends_refresh_token());
}

type TestClient = Client<
    TokenError,
    TokenResponse,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    oauth2::EndpointNotSet,
    oauth2::EndpointNotSet,
    oauth2::EndpointNotSet,
    oauth2::EndpointNotSet,
    oauth2::EndpointSet,
>;

fn client(auth_type: AuthType) -> TestClient {
    Client::new(ClientId::new("client!+ID".to_owned()))
        .set_client_secret(ClientSecret::new("SECRET?%Gclient".to_owned()))
        .set_auth_type(auth_type)
        .set_token_uri(TokenUrl::new("https://op.example/token".to_owned()).unwrap())
}

fn answer(
    sent: &RefCell<Vec<HttpRequest>>,
    request: HttpRequest,
    status: u16,
    body: &str,
) -> Result<HttpResponse, io::Error> {
    sent.borrow_mut().push(request);
    let response = http::Response::builder().status(status).header("content-type", "application/json");
    Ok(response.body(body.as_bytes().to_vec()).unwrap())
}

fn form(sent: &RefCell<Vec<HttpRequest>>) -> Vec<(String, String)> {
    let sent = sent.borrow();
    assert_eq!(sent.len(), 1);
    assert_eq!((sent[0].method().as_str(), sent[0].uri().to_string().as_str()), ("POST", "https://op.example/token"));
    form_urlencoded::parse(sent[0].body()).into_owned().collect()
}
