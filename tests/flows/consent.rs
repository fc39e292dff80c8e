//! Incremental consent: an API whose scopes were not granted yet leads to one sign-in for just those, and back.

use serde_json::{Value, json};

use crate::api::{bearer, login_url, optional, scopes, served, value};
use crate::browser::{Browser, SESSION, absolute};
use crate::deployment::{BILLING_RESOURCE, ORDERS_RESOURCE};
use crate::op::{ADA, Endpoint, parameter};
use crate::request::Request;
use crate::world::World;

/// The Orders API waits until it is called, and the OP grants by refresh only what the end-user was asked for.
pub(crate) fn world() -> World {
    let world = World::with(&json!({ "DownstreamApis": { "Orders": { "IncrementalConsent": true } } }));
    world.op.grants_any_scope.set(false);
    *world.op.claims.borrow_mut() = json!({ "preferred_username": "ada&co@example.com" });
    world
}

fn resources(authorization: &[(String, String)]) -> Vec<&str> {
    authorization.iter().filter(|(name, _)| name == "resource").map(|(_, value)| value.as_str()).collect()
}

#[test]
fn a_sign_in_asks_for_nothing_that_can_wait() {
    let world = world();
    Browser::signed_in(&world, &ADA);
    let authorization = world.op.last_authorization();
    assert_eq!(scopes(&authorization), ["billing.read"]);
    assert_eq!(resources(&authorization), [BILLING_RESOURCE]);
}

#[test]
fn a_page_is_sent_to_the_op_for_what_lacks_and_comes_back_to_where_it_was() {
    let world = world();
    let browser = Browser::signed_in(&world, &ADA);
    let before = browser.session();
    let landed = browser.interact_and_return("/api/Orders/a%2fb?c=d&e", &ADA);
    served(&landed);
    assert!(world.downstream.last().url.ends_with("/a%2fb?c=d&e"));
    let authorization = world.op.last_authorization();
    // A refresh token is good for the scopes of its own authorization request only.
    assert_eq!(scopes(&authorization), ["billing.read", "orders.read", "orders.write"]);
    assert_eq!(resources(&authorization), [ORDERS_RESOURCE, BILLING_RESOURCE]);
    assert_eq!(value(&authorization, "login_hint"), "ada&co@example.com");
    for absent in ["domain_hint", "prompt", "claims"] {
        assert_eq!(optional(&authorization, absent), None, "{absent}");
    }
    let form = world.op.last_form();
    assert_eq!((value(&form, "grant_type"), value(&form, "resource")), ("authorization_code", ORDERS_RESOURCE));
    assert_ne!(browser.session(), before, "a new session");
    assert_eq!(world.kv.keys("account/").len(), 1, "and the entry of the old one is gone");
}

#[test]
fn afterwards_old_and_new_apis_work_without_a_question() {
    let world = world();
    let browser = Browser::signed_in(&world, &ADA);
    browser.fetch("/api/Billing/x");
    let billing = bearer(&world);
    let left = browser.copy();
    browser.interact_and_return("/api/Orders/x", &ADA);
    let asked = world.op.count(Endpoint::Token);
    for isolate in 0..2 {
        for _ in 0..2 {
            served(&browser.fetch("/api/Billing/x"));
            assert_eq!(bearer(&world), billing, "{isolate}: the token is taken over");
            served(&browser.fetch("/api/Orders/x"));
        }
        world.new_isolate();
    }
    assert_eq!(world.op.count(Endpoint::Token), asked);
    world.advance(3500);
    for path in ["/api/Billing/x", "/api/Orders/x", "/api/Billing/x"] {
        served(&browser.fetch(path));
    }
    assert_eq!(world.op.count(Endpoint::Token), asked + 2, "both renewed by the new refresh token");
    assert!(!left.is_signed_in(), "the old session is over");
}

#[test]
fn a_third_api_keeps_the_first_two() {
    let world = World::with(&json!({ "DownstreamApis": {
        "Orders": { "IncrementalConsent": true },
        "Stock": { "BaseUrl": "https://stock.example", "Scopes": "stock.read", "IncrementalConsent": true },
    } }));
    world.op.grants_any_scope.set(false);
    let browser = Browser::signed_in(&world, &ADA);
    served(&browser.interact_and_return("/api/Orders/x", &ADA));
    served(&browser.interact_and_return("/api/Stock/x", &ADA));
    let all = ["billing.read", "orders.read", "orders.write", "stock.read"];
    assert_eq!(scopes(&world.op.last_authorization()), all);
    world.advance(3500);
    for path in ["/api/Billing/x", "/api/Orders/x", "/api/Stock/x"] {
        served(&browser.fetch(path));
    }
}

#[test]
fn no_refresh_is_tried_for_what_the_user_was_never_asked_for() {
    let world = world();
    let browser = Browser::signed_in(&world, &ADA);
    let before = world.op.count(Endpoint::Token);
    login_url(&browser.fetch("/api/Orders/x"));
    assert_eq!(world.op.count(Endpoint::Token), before, "it might spend the refresh token");
}

#[test]
fn a_script_is_told_what_lacks_and_where_to_send_its_user() {
    let world = world();
    let browser = Browser::signed_in(&world, &ADA);
    let request = Request::script("GET", &absolute("/api/Orders/x")).with("referer", &absolute("/shop?item=1"));
    let answer = browser.send(request);
    let url = login_url(&answer);
    let problem = answer.json();
    assert_eq!((&problem["api"], &problem["scopes"]), (&json!("Orders"), &json!(["orders.read", "orders.write"])));
    assert_eq!((answer.set_cookies().count(), answer.header("cache-control")), (0, Some("no-store")));
    assert!(problem["title"].is_string() && problem["trace"].is_string());
    let returned = browser.interact(&url, &ADA);
    assert_eq!((returned.status, returned.location()), (303, absolute("/shop?item=1").as_str()));
    assert_eq!(scopes(&world.op.last_authorization()), ["billing.read", "orders.read", "orders.write"]);
    served(&browser.fetch("/api/Orders/x"));
}

#[test]
fn nothing_but_a_reading_navigation_is_redirected() {
    let world = world();
    let browser = Browser::signed_in(&world, &ADA);
    for method in ["POST", "PUT", "DELETE", "PATCH"] {
        let form = Request::navigation(method, &absolute("/api/Orders/x"), "same-origin").with("content-length", "3");
        let answer = browser.send(form);
        assert_eq!((answer.status, answer.header("location")), (401, None), "{method}");
        assert!(answer.header("content-type").unwrap().starts_with("text/html"));
        login_url(&browser.send(Request::script(method, &absolute("/api/Orders/x"))));
    }
    let head = browser.send(Request::navigation("HEAD", &absolute("/api/Orders/x"), "same-origin"));
    assert_eq!(head.status, 302);
    let foreign = browser.send(Request::navigation("GET", &absolute("/api/Orders/x"), "cross-site"));
    assert_eq!((foreign.status, foreign.header("location")), (403, None));
}

#[test]
fn what_the_end_user_declines_is_asked_for_when_it_is_called() {
    let world = World::new();
    world.op.grants_any_scope.set(false);
    *world.op.declines.borrow_mut() = vec!["orders.write".to_owned()];
    let browser = Browser::signed_in(&world, &ADA);
    served(&browser.fetch("/api/Billing/x"));
    login_url(&browser.fetch("/api/Orders/x"));
    world.op.declines.borrow_mut().clear();
    served(&browser.interact_and_return("/api/Orders/x", &ADA));
    served(&browser.fetch("/api/Billing/x"));
}

#[test]
fn an_api_that_the_operator_adds_later_asks_once() {
    let world = World::with(&json!({ "DownstreamApis": { "Orders": null } }));
    world.op.grants_any_scope.set(false);
    let browser = Browser::signed_in(&world, &ADA);
    let orders: Value =
        json!({ "BaseUrl": "https://orders.example", "Scopes": "orders.read", "Resource": "urn:orders" });
    world.redeploy(&json!({ "DownstreamApis": { "Orders": orders } }));
    served(&browser.interact_and_return("/api/Orders/x", &ADA));
    world.advance(3500);
    served(&browser.fetch("/api/Orders/x"));
    served(&browser.fetch("/api/Billing/x"));
}

#[test]
fn a_refusal_at_the_op_changes_nothing() {
    let world = world();
    let browser = Browser::signed_in(&world, &ADA);
    let request = browser.follow("/api/Orders/x").location().to_owned();
    let state = parameter(&request, "state").unwrap();
    let before = (browser.session(), world.kv.dump());
    let denied = world.op.callback(&[("error", "access_denied"), ("state", &state)]);
    assert_eq!(browser.come_back_as_script(&denied).problem(), (403, "access_denied".to_owned()));
    assert_eq!((browser.session(), world.kv.dump()), before);
    served(&browser.fetch("/api/Billing/x"));
}

#[test]
fn a_sign_in_that_brings_less_than_the_api_needs_keeps_the_session() {
    let world = world();
    let browser = Browser::signed_in(&world, &ADA);
    let url = login_url(&browser.fetch("/api/Orders/x"));
    *world.op.declines.borrow_mut() = vec!["orders.read".to_owned()];
    assert_eq!(browser.interact(&url, &ADA).status, 303);
    login_url(&browser.fetch("/api/Orders/x"));
    served(&browser.fetch("/api/Billing/x"));
}

/// Browsers look at everything that led to a request, so a redirect by way of the OP calls no API.
#[test]
fn the_way_back_to_an_api_is_a_step_of_our_own_page() {
    let world = world();
    let browser = Browser::signed_in(&world, &ADA);
    let returned = browser.interact("/api/Orders/x?y=\"'><b>", &ADA);
    let url = absolute("/api/Orders/x?y=%22%27%3E%3Cb%3E");
    assert_eq!((returned.status, returned.header("refresh")), (200, Some(format!("0; url={url}").as_str())));
    assert!(returned.body.contains(&format!("<a href=\"{url}\">")), "{}", returned.body);
    assert_eq!(returned.header("cache-control"), Some("no-store"));
    assert!(returned.set_cookies().any(|cookie| cookie.starts_with(SESSION)));
    served(&browser.land(&returned));
}

#[test]
fn nobody_gets_an_api_called_by_way_of_a_sign_in() {
    let world = world();
    for path in ["/.auth/login?return_to=/api/Billing/delete", "/api/Billing/delete", "/.auth/login?return_to=/api"] {
        for (site, is_ours) in [("cross-site", false), ("same-site", false), ("same-origin", true), ("none", true)] {
            let browser = Browser::new(&world);
            let redirect = browser.send(Request::navigation("GET", &absolute(path), site));
            let returned = browser.come_back(&world.op.authorize(redirect.location(), &ADA));
            if is_ours {
                assert!(returned.header("refresh").unwrap().contains("/api"), "{path} {site}");
            } else {
                assert_eq!((returned.status, returned.location()), (303, absolute("/").as_str()), "{path} {site}");
            }
        }
    }
}
