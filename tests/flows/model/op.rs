//! The OpenID Provider's own rules.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::browser::Browser;
use crate::deployment::{self, CLIENT_ID, CLIENT_SECRET};
use crate::op::{ADA, parameter};
use crate::world::World;
use vestibule::runtime::OpRequest;

/// Calls the token endpoint as the client.
fn token(world: &World, form: &[(&str, &str)]) -> (u16, Value) {
    let is_microsoft = world.op.is_microsoft.get();
    let mut body = url::form_urlencoded::Serializer::new(String::new());
    body.extend_pairs(form);
    let request = if is_microsoft {
        body.extend_pairs([("client_id", CLIENT_ID), ("client_secret", CLIENT_SECRET)]);
        OpRequest::post("https://login.microsoftonline.com/common/token?tenant=a%20b", body.finish())
    } else {
        let mut request = OpRequest::post("https://op.example/token?tenant=a%20b", body.finish());
        request.set("authorization", basic()).unwrap();
        request
    };
    let answer = world.op.answer(&request).unwrap();
    (answer.status, serde_json::from_slice(&answer.body).unwrap())
}

fn basic() -> String {
    let encoded = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = format!("{}:{}", encoded(CLIENT_ID), encoded(CLIENT_SECRET));
    format!("Basic {}", STANDARD.encode(pair))
}

/// The newest refresh token.
fn refresh_token(world: &World) -> String {
    world.op.secrets().into_iter().rfind(|secret| secret.starts_with("rt-")).unwrap()
}

fn refresh(world: &World, token: &str, scope: &str) -> (u16, Value) {
    self::token(world, &[("grant_type", "refresh_token"), ("refresh_token", token), ("scope", scope)])
}

#[test]
fn a_client_that_asks_for_itself_gets_an_access_token_and_nothing_else() {
    let world = World::new();
    let form = [("grant_type", "client_credentials"), ("scope", "jobs.run"), ("resource", "urn:jobs")];
    let (status, body) = token(&world, &form);
    assert_eq!((status, body.get("refresh_token"), body.get("id_token")), (200, None, None));
    let issued = world.op.issued(body["access_token"].as_str().unwrap());
    assert_eq!((issued.sub, issued.resource.as_deref(), issued.scope.as_str()), ("app", Some("urn:jobs"), "jobs.run"));
    world.op.is_microsoft.set(true);
    assert_eq!(token(&world, &form).1["error"], "invalid_scope");
    let (status, body) = token(&world, &[("grant_type", "client_credentials"), ("scope", "urn:jobs/.default")]);
    assert_eq!((status, body.get("client_info")), (200, None));
}

#[test]
fn a_refresh_asks_for_no_more_than_was_granted() {
    let world = World::new();
    Browser::signed_in(&world, &ADA);
    world.op.grants_any_scope.set(false);
    assert_eq!(refresh(&world, &refresh_token(&world), "orders.read").0, 200);
    let current = refresh_token(&world);
    assert_eq!(refresh(&world, &current, "orders.read admin").1["error"], "invalid_scope");
    assert_eq!(refresh(&world, &current, "openid billing.read").0, 200, "a refusal spends no refresh token");
    world.op.grants_any_scope.set(true);
    assert_eq!(refresh(&world, &refresh_token(&world), "admin").0, 200);
}

#[test]
fn declined_scopes_are_missing_from_every_token() {
    let world = World::new();
    world.op.declines.borrow_mut().push("orders.write".to_owned());
    Browser::signed_in(&world, &ADA);
    let asked = world.op.last_authorization().into_iter().find(|(name, _)| name == "scope").unwrap().1;
    assert!(asked.contains("orders.write"));
    let (_, body) = refresh(&world, &refresh_token(&world), "orders.read orders.write");
    assert_eq!(body["scope"], "orders.read");
    assert_eq!(refresh(&world, &refresh_token(&world), "orders.write").1["error"], "invalid_scope");
    world.op.grants_any_scope.set(false);
    assert_eq!(refresh(&world, &refresh_token(&world), "orders.read orders.write").1["error"], "invalid_scope");
}

#[test]
fn a_refresh_token_that_was_replaced_is_counted_and_ends_its_family() {
    let world = World::new();
    Browser::signed_in(&world, &ADA);
    let old = refresh_token(&world);
    assert_eq!(refresh(&world, &old, "").0, 200);
    assert_eq!(world.op.reuses.get(), 0);
    assert_eq!(refresh(&world, &old, "").1["error"], "invalid_grant");
    assert_eq!(world.op.reuses.get(), 1);
    assert_eq!(refresh(&world, &refresh_token(&world), "").1["error"], "invalid_grant");
    assert_eq!(world.op.reuses.get(), 1);
}

#[test]
#[should_panic(expected = "no claims request")]
fn a_claims_request_is_a_json_object() {
    let world = World::of(deployment::environment());
    let mut location = Browser::new(&world).begin("/");
    assert_eq!(parameter(&location, "claims"), None);
    location.push_str("&claims=[]");
    world.op.authorize(&location, &ADA);
}
