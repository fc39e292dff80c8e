//! What a sign-in for an API changes about who the end-user is, and what it leaves.

use serde_json::json;

use crate::api::{served, value};
use crate::browser::Browser;
use crate::consent::world;
use crate::op::{ADA, Endpoint, Instead};
use crate::world::World;

#[test]
fn what_only_user_info_knows_is_known_afterwards() {
    let world = World::with(&json!({
        "OpenIdConnect": { "UserInfo": true }, "DownstreamApis": { "Orders": { "IncrementalConsent": true } },
    }));
    world.op.grants_any_scope.set(false);
    let browser = Browser::signed_in(&world, &ADA);
    assert_eq!(browser.fetch("/.auth/me").json()["claims"]["email"], "ada@example.com");
    served(&browser.interact_and_return("/api/Orders/x", &ADA));
    assert_eq!(browser.fetch("/.auth/me").json()["claims"]["email"], "ada@example.com");
    assert_eq!(world.op.count(Endpoint::UserInfo), 1, "it takes no token that was made for an API");
}

#[test]
fn what_the_op_says_no_more_is_true_no_more() {
    let world = world();
    *world.op.claims.borrow_mut() = json!({ "groups": ["admins"] });
    let browser = Browser::signed_in(&world, &ADA);
    assert_eq!(browser.fetch("/.auth/me").json()["claims"]["groups"], json!(["admins"]));
    *world.op.claims.borrow_mut() = json!({ "roles": null });
    served(&browser.interact_and_return("/api/Orders/x", &ADA));
    let claims = &browser.fetch("/.auth/me").json()["claims"];
    assert_eq!((claims.get("groups"), claims.get("roles")), (None, None));
}

/// Some providers issue a refresh token at the first consent only.
#[test]
fn a_refresh_token_that_does_not_come_again_goes_on() {
    let world = world();
    world.op.rotates.set(false);
    let browser = Browser::signed_in(&world, &ADA);
    let request = browser.follow("/api/Orders/x").location().to_owned();
    world.op.instead_once(Endpoint::Token, Instead::Merged(json!({ "refresh_token": null })));
    let returned = browser.come_back(&world.op.authorize(&request, &ADA));
    served(&browser.land(&returned));
    world.advance(3400);
    served(&browser.fetch("/api/Billing/x"));
    assert_eq!(value(&world.op.last_form(), "grant_type"), "refresh_token");
}

/// The second tab's request knew nothing of what the first one was granted, and neither does its refresh token.
#[test]
fn two_tabs_that_ask_at_the_same_time_leave_nothing_that_nobody_can_mend() {
    let world = World::with(&json!({
        "DownstreamApis": {
            "Orders": { "IncrementalConsent": true },
            "Stock": { "BaseUrl": "https://stock.example", "Scopes": "stock.read", "IncrementalConsent": true },
        },
        "Session": { "IdleSeconds": 28_800 },
    }));
    world.op.grants_any_scope.set(false);
    let browser = Browser::signed_in(&world, &ADA);
    world.advance(1);
    let tabs = ["/api/Orders/x", "/api/Stock/x"].map(|path| browser.follow(path).location().to_owned());
    for tab in &tabs {
        world.advance(1);
        let returned = browser.come_back(&world.op.authorize(tab, &ADA));
        served(&browser.land(&returned));
    }
    for path in ["/api/Orders/x", "/api/Stock/x", "/api/Billing/x"] {
        served(&browser.fetch(path));
    }
    world.advance(3600);
    served(&browser.fetch("/api/Billing/x"));
    served(&browser.fetch("/api/Stock/x"));
    served(&browser.interact_and_return("/api/Orders/x", &ADA));
    world.advance(3600);
    for path in ["/api/Orders/x", "/api/Stock/x", "/api/Billing/x"] {
        served(&browser.fetch(path));
    }
}
