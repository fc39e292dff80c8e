//! Token introspection: the request, and each vector changes one thing of a good answer.

use serde_json::{Map, Value, json};
use vestibule::oidc::bearer_token::BearerToken;
use vestibule::oidc::introspection::{self, ExpectedIntrospection, IntrospectionFault, UntrustedIntrospection};
use vestibule::time::Timestamp;

use crate::access_token::{AUDIENCE, audiences};
use crate::jwt::{Expected, ISSUER, NOW};
use crate::vectors;

#[test]
fn every_introspection_vector_has_its_outcome() {
    vectors::run(include_str!("../vectors/introspection.json"), |vector| vectors::outcome(accept(vector)));
}

#[test]
fn an_active_token_tells_who_may_do_what_as_a_jwt_does() {
    let document = json!({"acr": "a b", "auth_time": NOW - 9, "username": "ada<b>", "jti": "j", "iat": NOW});
    let token = accept(&json!({"document": document})).unwrap();
    assert_eq!((token.issuer(), token.subject(), token.client_id()), (ISSUER, "user+1", "machine!+ID"));
    assert_eq!(token.scopes(), ["orders.read", "orders.write"]);
    assert_eq!(token.expires_at(), Some(Timestamp::from_unix(NOW + 600)));
    assert_eq!((token.acr(), token.auth_time()), (Some("a b"), Some(Timestamp::from_unix(NOW - 9))));
    let claims = json!({
        "acr": "a b", "auth_time": NOW - 9, "username": "ada<b>", "sub": "user+1", "client_id": "machine!+ID",
        "scope": "orders.read orders.write",
    });
    assert_eq!(Value::Object(token.claims().clone()), claims);
}

#[test]
fn what_an_answer_may_omit_is_the_issuer_that_was_asked_the_client_and_the_end() {
    let token = accept(&json!({"without": ["iss", "sub", "exp", "scope"]})).unwrap();
    assert_eq!((token.issuer(), token.subject()), (ISSUER, "machine!+ID"));
    assert_eq!((token.expires_at(), token.scopes().len(), token.has_end_user()), (None, 0, false));
}

#[test]
fn the_op_is_asked_about_the_token() {
    let expected = [("token", "at+/=&%"), ("token_type_hint", "access_token")];
    assert_eq!(introspection::parameters("at+/=&%"), expected);
}

/// What Vestibule makes of an answer.
pub(crate) fn judge(answer: &[u8], expected: &Map<String, Value>) -> Result<BearerToken, IntrospectionFault> {
    let audiences = audiences(expected);
    let Expected { issuer, skew, .. } = Expected::of(expected);
    let now = Timestamp::from_unix(NOW);
    let answer = UntrustedIntrospection::parse(answer)?;
    answer.accept(&ExpectedIntrospection { issuer: &issuer, audiences: &audiences, now, skew })
}

/// A vector changes a good answer: `document` is merged into it, `without` is taken out.
pub(crate) fn accept(vector: &Value) -> Result<BearerToken, IntrospectionFault> {
    let mut answer = json!({
        "active": true, "iss": ISSUER, "aud": AUDIENCE, "sub": "user+1", "client_id": "machine!+ID",
        "scope": "orders.read orders.write", "exp": NOW + 600, "token_type": "Bearer",
    });
    let members = answer.as_object_mut().unwrap();
    members.extend(vector["document"].as_object().cloned().unwrap_or_default());
    for name in vector["without"].as_array().into_iter().flatten() {
        members.remove(name.as_str().unwrap());
    }
    let given = vector.get("raw").or(vector.get("filler"));
    let answer = given.map_or_else(|| answer.to_string().into_bytes(), |_| vectors::document(vector));
    judge(&answer, &vector["expected"].as_object().cloned().unwrap_or_default())
}
