//! Access tokens: found in the cache, refreshed in their window, and never from anybody else's refresh token.

use serde_json::json;

use crate::browser::Browser;
use crate::deployment::{BILLING_RESOURCE, ORDERS_RESOURCE};
use crate::op::{ADA, BOB, Endpoint, Instead};
use crate::request::Received;
use crate::world::World;

/// A world where only the absolute end of a session counts.
fn world() -> World {
    World::with(&json!({ "Session": { "IdleSeconds": 28_800 } }))
}

fn refusal(error: &str) -> Instead {
    Instead::Says(400, vec![], json!({ "error": error, "error_description": "x" }).to_string())
}

fn bearer(world: &World) -> String {
    world.downstream.last().bearer().to_owned()
}

fn served(received: &Received) {
    assert_eq!((received.status, received.is_forwarded), (200, true), "{received:?}");
}

#[test]
fn each_api_gets_its_own_token_and_asks_for_it_once() {
    let world = World::new();
    let browser = Browser::signed_in(&world, &ADA);
    for _ in 0..3 {
        for (path, resource, scopes) in [
            ("/api/Billing/a", BILLING_RESOURCE, ["billing.read"].as_slice()),
            ("/api/Orders/b", ORDERS_RESOURCE, ["orders.read", "orders.write"].as_slice()),
        ] {
            served(&browser.fetch(path));
            let issued = world.op.issued(&bearer(&world));
            assert_eq!((issued.resource.as_deref(), issued.sub), (Some(resource), ADA.sub));
            let granted: Vec<&str> = issued.scope.split(' ').collect();
            assert!(scopes.iter().all(|scope| granted.contains(scope)), "{granted:?}");
        }
    }
    assert_eq!(world.op.count(Endpoint::Token), 2, "one at sign-in, one for the other API");
}

#[test]
fn a_token_is_refreshed_five_minutes_before_its_end_and_not_earlier() {
    let world = World::new();
    let browser = Browser::signed_in(&world, &ADA);
    browser.fetch("/api/Billing/");
    let first = bearer(&world);
    world.advance(3299);
    browser.fetch("/api/Billing/");
    assert_eq!(bearer(&world), first);
    world.advance(1);
    browser.fetch("/api/Billing/");
    assert_ne!(bearer(&world), first);
}

#[test]
fn rotated_refresh_tokens_are_kept_across_isolates() {
    let world = world();
    let browser = Browser::signed_in(&world, &ADA);
    for _ in 0..6 {
        world.advance(3400);
        world.new_isolate();
        served(&browser.fetch("/api/Billing/x"));
    }
    assert_eq!(world.op.count(Endpoint::Token), 7);
}

#[test]
fn a_refresh_token_that_the_op_does_not_replace_goes_on() {
    let world = world();
    world.op.rotates.set(false);
    world.op.renews_id_token.set(false);
    let browser = Browser::signed_in(&world, &ADA);
    for _ in 0..3 {
        world.advance(3400);
        world.new_isolate();
        served(&browser.fetch("/api/Billing/x"));
    }
}

#[test]
fn an_isolate_with_an_old_refresh_token_uses_the_newer_entry_of_the_store() {
    let world = World::with(&json!({ "Session": { "RevocationDelay": 300 } }));
    let browser = Browser::signed_in(&world, &ADA);
    world.advance(200);
    browser.fetch("/page");
    let old = world.isolate();
    world.new_isolate();
    served(&browser.fetch("/api/Orders/by-another-isolate"));
    world.resume(old);
    served(&browser.fetch("/api/Orders/by-the-old-one"));
    assert_eq!(world.op.issued(&bearer(&world)).resource.as_deref(), Some(ORDERS_RESOURCE));
}

#[test]
fn a_refresh_token_that_is_refused_asks_for_a_sign_in_and_keeps_the_session() {
    let world = World::new();
    let browser = Browser::signed_in(&world, &ADA);
    world.op.revoke_everything();
    let answer = browser.fetch("/api/Orders/x");
    assert_eq!(answer.problem(), (401, "interaction_required".to_owned()));
    assert_eq!(answer.set_cookies().count(), 0);
    assert_eq!(browser.follow("/api/Orders/x").status, 302);
    assert!(browser.is_signed_in());
    world.advance(3400);
    served(&browser.fetch("/api/Billing/still-valid"));
}

#[test]
fn no_refresh_token_means_a_sign_in_and_no_call_of_the_op() {
    let world = World::new();
    world.op.instead(Endpoint::Token, Instead::Merged(json!({ "refresh_token": null })));
    let browser = Browser::signed_in(&world, &ADA);
    assert_eq!(browser.fetch("/api/Orders/x").problem(), (401, "interaction_required".to_owned()));
    assert_eq!(world.op.count(Endpoint::Token), 1);
    assert!(browser.is_signed_in());
}

#[test]
fn a_refreshed_id_token_about_anyone_else_is_refused() {
    for claims in [
        json!({ "sub": "bob" }),
        json!({ "iss": "https://evil.example" }),
        json!({ "aud": "other" }),
        json!({ "exp": 1 }),
    ] {
        let world = World::new();
        let browser = Browser::signed_in(&world, &ADA);
        let stored = world.kv.dump();
        *world.op.claims.borrow_mut() = claims;
        assert_eq!(browser.fetch("/api/Orders/x").problem(), (502, "op_error".to_owned()));
        assert_eq!(world.kv.dump(), stored);
        assert_eq!(world.downstream.arrivals().iter().filter(|arrival| arrival.url.contains("orders")).count(), 0);
    }
}

#[test]
fn a_refreshed_id_token_is_verified() {
    let world = World::new();
    let browser = Browser::signed_in(&world, &ADA);
    *world.op.signing_key.borrow_mut() = "stranger".to_owned();
    *world.op.header.borrow_mut() = json!({ "kid": "first key" });
    assert_eq!(browser.fetch("/api/Orders/x").code(), "op_error");
}

#[test]
fn errors_of_the_token_endpoint_at_a_refresh_have_their_codes_and_end_no_session() {
    for (error, status, code) in [
        ("invalid_client", 500, "misconfigured"),
        ("invalid_target", 500, "misconfigured"),
        ("invalid_scope", 500, "misconfigured"),
        ("interaction_required", 401, "interaction_required"),
        ("temporarily_unavailable", 503, "op_unreachable"),
        ("something_new", 503, "op_unreachable"),
    ] {
        let world = World::new();
        let browser = Browser::signed_in(&world, &ADA);
        world.op.instead(Endpoint::Token, refusal(error));
        let answer = browser.fetch("/api/Orders/x");
        assert_eq!(answer.problem(), (status, code.to_owned()));
        assert_eq!(answer.set_cookies().count(), 0, "{error}");
        world.op.behave();
        world.advance(5);
        served(&browser.fetch("/api/Orders/x"));
    }
}

#[test]
fn an_entry_that_another_key_sealed_is_nobodys_session() {
    let world = World::on_kv_alone();
    let (ada, bob) = (Browser::signed_in(&world, &ADA), Browser::signed_in(&world, &BOB));
    let keys = world.kv.keys("account/");
    let (first, second) = (world.kv.value(&keys[0]), world.kv.value(&keys[1]));
    world.kv.plant(&keys[0], second);
    world.kv.plant(&keys[1], first);
    world.new_isolate();
    for browser in [ada, bob] {
        let answer = browser.fetch("/page");
        assert_eq!(answer.problem(), (401, "session_expired".to_owned()));
        assert!(answer.expires(crate::browser::SESSION));
    }
}

#[test]
fn a_stored_entry_with_any_change_is_nobodys_session() {
    let world = World::on_kv_alone();
    let browser = Browser::signed_in(&world, &ADA);
    let key = world.kv.keys("account/").remove(0);
    let sealed = world.kv.value(&key);
    for position in [0, 1, 24, 25, sealed.len() - 1] {
        let mut changed = sealed.clone();
        changed[position] ^= 1;
        world.kv.plant(&key, changed);
        world.new_isolate();
        assert_eq!(browser.copy().fetch("/page").code(), "session_expired", "{position}");
    }
    world.kv.plant(&key, sealed);
    world.new_isolate();
    assert!(browser.is_signed_in());
}

#[test]
fn two_users_never_get_each_others_tokens() {
    let world = world();
    let (ada, bob) = (Browser::signed_in(&world, &ADA), Browser::signed_in(&world, &BOB));
    for _ in 0..4 {
        for (browser, user) in [(&ada, &ADA), (&bob, &BOB)] {
            for path in ["/api/Orders/", "/api/Billing/"] {
                served(&browser.fetch(path));
                assert_eq!(world.op.issued(&bearer(&world)).sub, user.sub);
            }
        }
        world.advance(1800);
    }
}

#[test]
fn fewer_scopes_than_asked_for_are_not_passed_off_as_all() {
    let world = World::new();
    world.op.instead(Endpoint::Token, Instead::Merged(json!({ "scope": "openid billing.other" })));
    let browser = Browser::signed_in(&world, &ADA);
    let before = world.op.count(Endpoint::Token);
    assert_eq!(browser.fetch("/api/Billing/x").problem(), (401, "interaction_required".to_owned()));
    assert_eq!(world.op.count(Endpoint::Token), before, "no refresh brings more than was granted");
}
