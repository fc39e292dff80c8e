//! What is particular to the Microsoft identity platform when an API needs a token or its user.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::api::{bearer, login_url, optional, scopes, served, value};
use crate::browser::Browser;
use crate::microsoft;
use crate::op::{ADA, Endpoint, Instead};
use crate::world::World;

const PERSONAL: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

fn world(apis: &Value) -> World {
    microsoft::world_with(&json!({ "DownstreamApis": apis, "Session": { "IdleSeconds": 28_800 } }))
}

fn needs_the_user() -> Instead {
    Instead::Says(400, vec![], json!({ "error": "invalid_grant", "suberror": "consent_required" }).to_string())
}

#[test]
fn a_refresh_that_brings_another_account_is_refused_and_nothing_of_it_is_kept() {
    let other = URL_SAFE_NO_PAD.encode(r#"{"uid":"home-of-bob","utid":"t"}"#);
    let world = world(&json!({}));
    let browser = Browser::signed_in(&world, &ADA);
    let (stored, arrived) = ((world.kv.dump(), world.accounts.dump()), world.downstream.count());
    world.op.renews_id_token.set(false);
    world.op.instead(Endpoint::Token, Instead::Merged(json!({ "client_info": other })));
    assert_eq!(browser.fetch("/api/Orders/x").problem(), (502, "op_error".to_owned()));
    assert_eq!(((world.kv.dump(), world.accounts.dump()), world.downstream.count()), (stored, arrived));
    assert!(browser.is_signed_in());
    world.advance(3350);
    served(&browser.fetch("/api/Billing/x"));
}

#[test]
fn a_refresh_that_does_not_name_the_account_is_good() {
    let world = world(&json!({}));
    let browser = Browser::signed_in(&world, &ADA);
    world.op.renews_id_token.set(false);
    world.op.instead(Endpoint::Token, Instead::Merged(json!({ "client_info": null })));
    served(&browser.fetch("/api/Orders/x"));
}

#[test]
fn the_platform_is_asked_for_that_api_only_and_told_who_comes() {
    let world = world(&json!({ "Orders": { "IncrementalConsent": true } }));
    let browser = Browser::signed_in(&world, &ADA);
    served(&browser.fetch("/api/Billing/x"));
    let billing = bearer(&world);
    world.op.instead_once(Endpoint::Token, needs_the_user());
    served(&browser.interact_and_return("/api/Orders/x", &ADA));
    let authorization = world.op.last_authorization();
    assert_eq!(scopes(&authorization), ["orders.read", "orders.write"]);
    assert_eq!(
        (value(&authorization, "login_hint"), value(&authorization, "domain_hint")),
        ("O.hint&x=1", "organizations")
    );
    assert_eq!(optional(&authorization, "resource"), None);
    let form = world.op.last_form();
    assert_eq!(
        (value(&form, "grant_type"), scopes(&form)),
        ("authorization_code", vec!["orders.read", "orders.write"])
    );
    let requests = world.op.count(Endpoint::Token);
    served(&browser.fetch("/api/Billing/x"));
    assert_eq!((bearer(&world), world.op.count(Endpoint::Token)), (billing, requests), "taken over");
    world.advance(3400);
    served(&browser.fetch("/api/Billing/x"));
}

#[test]
fn a_personal_account_is_sent_to_where_it_lives() {
    let world = world(&json!({}));
    *world.op.claims.borrow_mut() =
        json!({ "tid": PERSONAL, "iss": format!("https://login.microsoftonline.com/{PERSONAL}/v2.0") });
    let browser = Browser::signed_in(&world, &ADA);
    assert_eq!(optional(&world.op.last_authorization(), "domain_hint"), None, "nobody knows at first");
    world.op.instead_once(Endpoint::Token, needs_the_user());
    let url = login_url(&browser.fetch("/api/Orders/x"));
    assert_eq!(browser.interact(&url, &ADA).status, 303);
    assert_eq!(value(&world.op.last_authorization(), "domain_hint"), "consumers");
}

#[test]
fn default_comes_alone_if_it_is_the_first() {
    let world = world(&json!({ "Billing": { "Scopes": "api://billing/.Default" } }));
    let browser = Browser::signed_in(&world, &ADA);
    assert_eq!(scopes(&world.op.last_authorization()), ["api://billing/.Default"]);
    assert_eq!(scopes(&world.op.last_form()), ["api://billing/.Default"]);
    for path in ["/api/Billing/x", "/api/Orders/x", "/api/Billing/x", "/api/Orders/x"] {
        served(&browser.fetch(path));
    }
    assert_eq!(world.op.count(Endpoint::Token), 2);
}

#[test]
fn default_waits_until_it_is_called_if_it_is_not_the_first() {
    let world = world(&json!({ "Orders": { "Scopes": "api://orders/.default" } }));
    let browser = Browser::signed_in(&world, &ADA);
    assert_eq!(scopes(&world.op.last_authorization()), ["billing.read"]);
    served(&browser.fetch("/api/Orders/x"));
    assert_eq!(scopes(&world.op.last_form()), ["api://orders/.default"]);
    world.advance(3600);
    world.op.instead_once(Endpoint::Token, needs_the_user());
    served(&browser.interact_and_return("/api/Orders/x", &ADA));
    assert_eq!(scopes(&world.op.last_authorization()), ["api://orders/.default"]);
}

#[test]
fn a_token_that_was_asked_for_with_default_is_found_by_it() {
    let world = world(&json!({ "Orders": { "Scopes": "api://orders/.default" } }));
    let browser = Browser::signed_in(&world, &ADA);
    world.op.instead_once(Endpoint::Token, Instead::Merged(json!({ "scope": "api://orders/Read api://orders/Write" })));
    for _ in 0..3 {
        served(&browser.fetch("/api/Orders/x"));
        served(&browser.fetch("/api/Billing/x"));
    }
    assert_eq!(world.op.count(Endpoint::Token), 2);
}

#[test]
fn a_default_of_another_resource_is_another_token() {
    let world = world(&json!({
        "Billing": { "Scopes": "api://billing/.default" }, "Orders": { "Scopes": "api://orders/.default" },
    }));
    let browser = Browser::signed_in(&world, &ADA);
    served(&browser.fetch("/api/Billing/x"));
    let billing = bearer(&world);
    served(&browser.fetch("/api/Orders/x"));
    assert_ne!(bearer(&world), billing);
    served(&browser.fetch("/api/Billing/x"));
    assert_eq!((bearer(&world), world.op.count(Endpoint::Token)), (billing, 2));
}
