//! Which cached token an API is called with, and what a token response changes in the cache.

use serde_json::{Value, json};

use crate::api::{bearer, bearers, login_url, scopes, served, value};
use crate::browser::Browser;
use crate::deployment::{BILLING, ORDERS};
use crate::op::{ADA, Endpoint, Instead};
use crate::world::World;

fn merged(patch: Value) -> Instead {
    Instead::Merged(patch)
}

/// A world where only the absolute end of a session counts, and the APIs have no resources of their own.
fn world(apis: &Value) -> World {
    World::with(&json!({ "DownstreamApis": apis, "Session": { "IdleSeconds": 28_800 } }))
}

fn without_resources() -> Value {
    json!({ "Billing": { "Resource": null }, "Orders": { "Resource": null } })
}

#[test]
fn what_a_sign_in_granted_to_all_serves_all() {
    let world = world(&without_resources());
    let browser = Browser::signed_in(&world, &ADA);
    served(&browser.fetch("/api/Billing/x"));
    let token = bearer(&world);
    served(&browser.fetch("/api/Orders/x"));
    assert_eq!((bearer(&world), world.op.count(Endpoint::Token)), (token, 1));
}

#[test]
fn scopes_are_compared_without_their_case_and_without_those_of_the_sign_in() {
    let apis = json!({ "Billing": { "Scopes": "openid Billing.READ offline_access" } });
    let world = world(&apis);
    world.op.instead(Endpoint::Token, merged(json!({ "scope": "BILLING.read" })));
    let browser = Browser::signed_in(&world, &ADA);
    for _ in 0..3 {
        served(&browser.fetch("/api/Billing/x"));
    }
    assert_eq!(world.op.count(Endpoint::Token), 1);
}

#[test]
fn more_scopes_than_asked_for_are_good_for_more_apis() {
    let world = world(&json!({
        "Billing": { "Resource": null }, "Orders": { "Resource": null, "IncrementalConsent": true },
    }));
    world.op.instead(Endpoint::Token, merged(json!({ "scope": "Orders.Write billing.read x orders.read" })));
    let browser = Browser::signed_in(&world, &ADA);
    served(&browser.fetch("/api/Orders/x"));
    assert_eq!(world.op.count(Endpoint::Token), 1);
}

#[test]
fn a_scope_that_is_left_unsaid_was_granted_as_asked() {
    let world = world(&json!({}));
    world.op.instead(Endpoint::Token, merged(json!({ "scope": null })));
    let browser = Browser::signed_in(&world, &ADA);
    for path in ["/api/Billing/x", "/api/Orders/x", "/api/Billing/x", "/api/Orders/x"] {
        served(&browser.fetch(path));
    }
    assert_eq!(world.op.count(Endpoint::Token), 2);
}

#[test]
fn fewer_scopes_than_the_api_needs_lead_to_the_user_and_not_to_a_call() {
    let world = world(&json!({}));
    let browser = Browser::signed_in(&world, &ADA);
    let arrived = world.downstream.count();
    world.op.instead_once(Endpoint::Token, merged(json!({ "scope": "orders.read" })));
    login_url(&browser.fetch("/api/Orders/x"));
    assert_eq!(world.downstream.count(), arrived);
}

#[test]
fn a_token_with_a_scope_in_common_takes_the_place_of_the_one_before() {
    let narrow = json!({ "BaseUrl": "https://narrow.example", "Scopes": "orders.read", "Resource": "urn:orders" });
    let world = world(&json!({ "Narrow": narrow }));
    let browser = Browser::signed_in(&world, &ADA);
    world.op.expires_in.set(7200);
    served(&browser.fetch("/api/Narrow/x"));
    let first = bearer(&world);
    world.op.expires_in.set(3600);
    served(&browser.fetch("/api/Orders/x"));
    let wide = bearer(&world);
    assert_ne!(wide, first);
    served(&browser.fetch("/api/Narrow/x"));
    assert_eq!(bearer(&world), wide, "the first one would last longer, but is gone");
    assert_eq!(world.op.count(Endpoint::Token), 3);
}

#[test]
fn the_same_scopes_of_two_resources_are_two_tokens() {
    let twin = json!({ "BaseUrl": "https://twin.example", "Scopes": "billing.read", "Resource": "urn:twin" });
    let world = world(&json!({ "Twin": twin }));
    let browser = Browser::signed_in(&world, &ADA);
    for _ in 0..2 {
        served(&browser.fetch("/api/Billing/x"));
        let billing = bearer(&world);
        served(&browser.fetch("/api/Twin/x"));
        assert_ne!(bearer(&world), billing);
        assert_eq!(world.op.issued(&bearer(&world)).resource.as_deref(), Some("urn:twin"));
    }
    assert_eq!(world.op.count(Endpoint::Token), 2);
}

#[test]
fn a_refresh_asks_for_one_resource_and_the_scopes_of_one_api() {
    let world = world(&json!({}));
    let browser = Browser::signed_in(&world, &ADA);
    served(&browser.fetch("/api/Orders/x"));
    let form = world.op.last_form();
    assert_eq!((scopes(&form), value(&form, "resource")), (vec!["orders.read", "orders.write"], "urn:orders"));
    assert_eq!(form.iter().filter(|(name, _)| name == "resource").count(), 1);
    assert!(value(&form, "scope").starts_with("openid profile offline_access "));
}

#[test]
fn a_refresh_token_is_kept_until_another_one_comes() {
    let world = world(&json!({}));
    world.op.rotates.set(false);
    let browser = Browser::signed_in(&world, &ADA);
    served(&browser.fetch("/api/Orders/x"));
    let first = value(&world.op.last_form(), "refresh_token").to_owned();
    world.advance(3400);
    served(&browser.fetch("/api/Orders/x"));
    assert_eq!(value(&world.op.last_form(), "refresh_token"), first);
    world.op.rotates.set(true);
    world.advance(3400);
    served(&browser.fetch("/api/Orders/x"));
    assert_eq!(value(&world.op.last_form(), "refresh_token"), first);
    world.advance(3400);
    world.new_isolate();
    served(&browser.fetch("/api/Orders/x"));
    assert_ne!(value(&world.op.last_form(), "refresh_token"), first);
    assert_eq!(world.op.reuses.get(), 0);
}

/// Tokens of an hour whose OP would like them renewed after half of it.
fn world_with_refresh_in() -> World {
    let world = world(&json!({}));
    world.op.instead(Endpoint::Token, merged(json!({ "refresh_in": 1800 })));
    world
}

#[test]
fn a_token_is_renewed_in_the_background_when_the_op_would_like_it() {
    for is_at_once in [false, true] {
        let world = world_with_refresh_in();
        world.forwards_at_once.set(is_at_once);
        let browser = Browser::signed_in(&world, &ADA);
        world.advance(1799);
        served(&browser.visit("/page"));
        served(&browser.fetch("/api/Billing/x"));
        assert_eq!(world.op.count(Endpoint::Token), 1);
        let old = bearer(&world);
        world.advance(1);
        served(&browser.fetch("/api/Billing/x"));
        assert_eq!((bearer(&world), world.op.count(Endpoint::Token)), (old.clone(), 2), "the old one, and a new one");
        served(&browser.fetch("/api/Billing/x"));
        assert_ne!(bearer(&world), old);
        assert_eq!(world.op.count(Endpoint::Token), 2);
    }
}

#[test]
fn a_crowd_begins_one_renewal() {
    for is_at_once in [false, true] {
        let world = world_with_refresh_in();
        world.forwards_at_once.set(is_at_once);
        let browser = Browser::signed_in(&world, &ADA);
        world.background.is_held.set(true);
        world.advance(1800);
        for _ in 0..20 {
            served(&browser.fetch("/api/Billing/x"));
        }
        assert_eq!((world.background.count(), world.op.count(Endpoint::Token)), (1, 1));
        world.background.is_held.set(false);
        world.finish_background();
        assert_eq!(world.op.count(Endpoint::Token), 2);
    }
}

#[test]
fn a_renewal_in_the_background_that_fails_disturbs_nobody_and_is_tried_again() {
    for is_at_once in [false, true] {
        let world = world_with_refresh_in();
        world.forwards_at_once.set(is_at_once);
        let browser = Browser::signed_in(&world, &ADA);
        world.advance(1800);
        for wait in [0, 1, 3] {
            world.advance(wait);
            world.op.instead(Endpoint::Token, Instead::Says(500, vec![], String::new()));
            served(&browser.fetch("/api/Billing/x"));
        }
        assert_eq!(world.op.count(Endpoint::Token), 3, "one renewal, of two tries");
        world.op.behave();
        world.advance(1);
        served(&browser.fetch("/api/Billing/x"));
        assert_eq!(world.op.count(Endpoint::Token), 4);
        served(&browser.fetch("/api/Billing/x"));
        let sent = bearers(&world, BILLING);
        assert_eq!(sent.iter().filter(|token| **token == sent[0]).count(), 4);
        assert_ne!(sent[4], sent[0]);
    }
}

#[test]
fn one_that_is_near_its_end_is_renewed_before_the_call() {
    let world = world_with_refresh_in();
    let browser = Browser::signed_in(&world, &ADA);
    served(&browser.fetch("/api/Billing/x"));
    let old = bearer(&world);
    world.advance(3300);
    served(&browser.fetch("/api/Billing/x"));
    assert_ne!(bearer(&world), old);
    assert_eq!(world.background.count(), 0);
}

/// A window of five minutes would mean a refresh for every call.
#[test]
fn half_the_life_of_a_short_token_is_used() {
    let world = world(&json!({}));
    world.op.expires_in.set(60);
    let browser = Browser::signed_in(&world, &ADA);
    world.advance(29);
    served(&browser.fetch("/api/Billing/x"));
    assert_eq!(world.op.count(Endpoint::Token), 1);
    world.advance(1);
    served(&browser.fetch("/api/Billing/x"));
    assert_eq!(world.op.count(Endpoint::Token), 2);
}

#[test]
fn a_life_that_is_not_stated_is_short() {
    let world = world(&json!({}));
    world.op.instead(Endpoint::Token, merged(json!({ "expires_in": null })));
    let browser = Browser::signed_in(&world, &ADA);
    world.advance(149);
    served(&browser.fetch("/api/Billing/x"));
    assert_eq!(world.op.count(Endpoint::Token), 1);
    world.advance(1);
    served(&browser.fetch("/api/Billing/x"));
    assert_eq!((world.op.count(Endpoint::Token), bearers(&world, ORDERS).len()), (2, 0));
}
