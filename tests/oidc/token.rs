//! Token responses and token errors.

use vestibule::oidc::token::{TokenError, TokenErrorCode, TokenParts};
use vestibule::time::Lifetime;

use crate::vectors;

const GOOD: &str = r#"{"access_token":"a.b","token_type":"bEaReR","expires_in":"3599","refresh_in":1800,
    "refresh_token":"r","id_token":"h.c.s","scope":"User.Read  Mail.Read","client_info":"e30","ext_expires_in":0}"#;

#[test]
fn every_token_response_vector_has_its_outcome() {
    vectors::run(include_str!("../vectors/token_response.json"), |vector| {
        let parsed = TokenParts::parse(&vectors::document(vector));
        if parsed.is_ok() { "accepted".to_owned() } else { "refused".to_owned() }
    });
}

#[test]
fn every_token_error_vector_has_its_remedy() {
    vectors::run(include_str!("../vectors/token_error.json"), |vector| {
        match TokenError::parse(&vectors::document(vector)) {
            Some(error) if error.spends_refresh_token() => format!("{:?}, refresh token spent", error.remedy()),
            Some(error) => format!("{:?}", error.remedy()),
            None => "refused".to_owned(),
        }
    });
}

#[test]
fn a_token_response_gives_what_it_holds() {
    let parts = TokenParts::parse(GOOD.as_bytes()).unwrap();
    assert_eq!(parts.access_token.expose(), "a.b");
    assert_eq!(parts.refresh_token.unwrap().expose(), "r");
    assert_eq!(parts.id_token.unwrap().expose(), "h.c.s");
    assert_eq!(parts.client_info.unwrap(), "e30");
    let (hour, half) = (Lifetime::from_seconds(3599), Lifetime::from_seconds(1800));
    assert_eq!((parts.expires_in, parts.refresh_in), (Some(hour), Some(half)));
    assert_eq!(parts.scope.unwrap(), ["User.Read", "Mail.Read"]);
}

#[test]
fn what_is_missing_or_blank_is_absent() {
    let document = br#"{"access_token":"a","token_type":"Bearer","refresh_token":"","id_token":null,"scope":" "}"#;
    let parts = TokenParts::parse(document).unwrap();
    assert!(parts.refresh_token.is_none() && parts.id_token.is_none() && parts.scope.is_none());
    assert!(parts.expires_in.is_none() && parts.refresh_in.is_none() && parts.client_info.is_none());
}

#[test]
fn a_token_response_prints_no_token() {
    let parts = format!("{:?}", TokenParts::parse(GOOD.as_bytes()).unwrap());
    assert!(!parts.contains("a.b") && !parts.contains("h.c.s"), "{parts}");
}

#[test]
fn a_token_error_prints_its_code_and_keeps_no_prose() {
    let document =
        r#"{"error":"invalid_grant","error_description":"AADSTS50076 ada@example.com","claims":"{\"a\":1}"}"#;
    let error = TokenError::parse(document.as_bytes()).unwrap();
    assert_eq!(error.claims.as_deref(), Some(r#"{"a":1}"#));
    assert_eq!(error.to_string(), "invalid_grant");
    assert_eq!(format!("{error:?}"), r#"TokenError(InvalidGrant, None, Some("[secret]"))"#);
}

#[test]
fn every_token_error_code_reads_its_own_name() {
    for code in TokenErrorCode::ALL {
        assert_eq!(TokenErrorCode::parse(code.name()), code);
    }
}
