//! The OP's documents: fetched seldom, stored after a sign-in only, and fetched anew for a key that nobody knows.

use serde_json::json;

use crate::browser::Browser;
use crate::op::{ADA, BOB, Endpoint};
use crate::world::World;

#[test]
fn documents_are_fetched_once_and_shared_through_the_store() {
    let world = World::new();
    for _ in 0..3 {
        Browser::signed_in(&world, &ADA);
    }
    assert_eq!((world.op.count(Endpoint::Metadata), world.op.count(Endpoint::Jwks)), (1, 1));
    world.new_isolate();
    Browser::signed_in(&world, &ADA);
    assert_eq!((world.op.count(Endpoint::Metadata), world.op.count(Endpoint::Jwks)), (1, 1));
    assert_eq!(world.kv.keys("op/").len(), 2);
    world.advance(12 * 3600);
    Browser::signed_in(&world, &ADA);
    assert_eq!((world.op.count(Endpoint::Metadata), world.op.count(Endpoint::Jwks)), (2, 2));
}

#[test]
fn a_signing_key_that_the_op_rotated_is_fetched_once_it_is_used() {
    let world = World::new();
    Browser::signed_in(&world, &ADA);
    world.advance(61);
    *world.op.signing_key.borrow_mut() = "second key".to_owned();
    *world.op.published_keys.borrow_mut() = vec!["second key".to_owned()];
    Browser::signed_in(&world, &BOB);
    assert_eq!(world.op.count(Endpoint::Jwks), 2);
}

#[test]
fn unknown_keys_make_the_op_be_asked_at_most_once_per_interval() {
    let world = World::with(&json!({ "OpenIdConnect": { "JwksRefetchSeconds": 100 } }));
    Browser::signed_in(&world, &ADA);
    *world.op.signing_key.borrow_mut() = "nobody knows it".to_owned();
    for seconds in 0..30 {
        let browser = Browser::new(&world);
        let callback = world.op.authorize(&browser.begin("/"), &ADA);
        assert_eq!(browser.come_back_as_script(&callback).code(), "op_error");
        world.advance(10);
        assert!(world.op.count(Endpoint::Jwks) <= 1 + (seconds + 1) / 10, "{seconds}");
    }
    assert_eq!(world.op.count(Endpoint::Jwks), 3);
}

#[test]
fn a_known_key_that_did_not_sign_makes_nobody_fetch() {
    let world = World::new();
    Browser::signed_in(&world, &ADA);
    world.advance(1000);
    *world.op.signing_key.borrow_mut() = "stranger".to_owned();
    *world.op.header.borrow_mut() = json!({ "kid": "first key" });
    let browser = Browser::new(&world);
    let callback = world.op.authorize(&browser.begin("/"), &ADA);
    assert_eq!(browser.come_back_as_script(&callback).code(), "op_error");
    assert_eq!(world.op.count(Endpoint::Jwks), 1);
}

#[test]
fn a_stored_document_that_is_not_the_issuers_is_not_used() {
    let world = World::new();
    Browser::signed_in(&world, &ADA);
    for key in world.kv.keys("op/") {
        let mut value = world.kv.value(&key);
        value.truncate(8);
        value.extend_from_slice(br#"{"issuer":"https://evil.example","keys":[]}"#);
        world.kv.plant(&key, value);
    }
    world.new_isolate();
    Browser::signed_in(&world, &ADA);
    assert_eq!((world.op.count(Endpoint::Metadata), world.op.count(Endpoint::Jwks)), (2, 2));
}

#[test]
fn an_rsa_key_signs_as_well() {
    let world = World::new();
    *world.op.signing_key.borrow_mut() = "rsa".to_owned();
    Browser::signed_in(&world, &ADA);
}
