//! What `Require` makes of the claims of a whole sign-in, and of those that a refresh brings.

use serde_json::{Value, json};

use crate::api::served;
use crate::browser::Browser;
use crate::op::{ADA, Endpoint, Instead};
use crate::world::World;

/// A requirement, claims in an ID token, and whether these meet it.
fn requirements() -> Vec<(Value, Value, bool)> {
    let verified = |email: &str| json!({ "email": email, "email_verified": true });
    let left_out = json!({ "groups": null, "_claim_names": { "groups": "src1" }, "_claim_sources": { "src1": {} } });
    vec![
        (json!({ "Roles": ["Admin", "Editor"] }), json!({ "roles": ["x", "Editor"] }), true),
        (json!({ "Roles": "Admin" }), json!({ "roles": "Admin" }), true),
        (json!({ "Roles": "Admin" }), json!({ "roles": ["admin", "Admin ", "Administrator"] }), false),
        (json!({ "Roles": "Admin" }), json!({ "roles": null }), false),
        (json!({ "Roles": "Admin" }), json!({ "roles": null, "role": "Admin", "Roles": ["Admin"] }), false),
        (json!({ "Groups": ["g-1"] }), json!({ "groups": ["g-0", "g-1"] }), true),
        (json!({ "Groups": ["g-1"] }), json!({ "groups": ["g-10"] }), false),
        (json!({ "Groups": ["g-1"] }), left_out.clone(), false),
        (json!({ "Not": { "Groups": ["g-1"] } }), left_out, false),
        (json!({ "Not": { "Groups": ["g-1"] } }), json!({ "groups": ["g-0"] }), true),
        (json!({ "Not": { "Groups": ["g-1"] } }), json!({ "groups": ["g-1"] }), false),
        (json!({ "EmailDomains": "example.com" }), verified("ada@EXAMPLE.com"), true),
        (json!({ "EmailDomains": "example.com" }), verified("ada@sub.example.com"), false),
        (json!({ "EmailDomains": "example.com" }), verified("a@evil.com@example.com"), false),
        (json!({ "EmailDomains": "example.com" }), json!({ "email": "a@example.com", "email_verified": false }), false),
        (json!({ "EmailDomains": "example.com" }), json!({ "email": "a@example.com" }), false),
        (json!({ "Not": { "EmailDomains": "example.com" } }), json!({ "email": "a@other.example" }), false),
        (json!({ "Claims": { "tid": "t-1", "level": [2, 3] } }), json!({ "tid": "t-1", "level": 3 }), true),
        (json!({ "Claims": { "tid": "t-1", "level": [2, 3] } }), json!({ "tid": "t-1", "level": "3" }), false),
        (json!({ "Claims": { "tid": "t-1", "level": [2, 3] } }), json!({ "level": 3 }), false),
        (json!({ "Claims": { "ok": true } }), json!({ "ok": "true" }), false),
        (json!({ "Present": ["oid", "dept"] }), json!({ "oid": "1", "dept": ["x"] }), true),
        (json!({ "Present": ["oid", "dept"] }), json!({ "oid": "1", "dept": " " }), false),
        (json!({ "Present": ["oid", "dept"] }), json!({ "oid": "1" }), false),
        (json!({ "All": [{ "Roles": "A" }, { "Roles": "B" }] }), json!({ "roles": ["A", "B"] }), true),
        (json!({ "All": [{ "Roles": "A" }, { "Roles": "B" }] }), json!({ "roles": ["A"] }), false),
        (json!({ "Any": [{ "Roles": "A" }, { "Groups": "g" }] }), json!({ "roles": null, "groups": "g" }), true),
        (json!({ "Any": [{ "Roles": "A" }, { "Groups": "g" }] }), json!({ "roles": ["B"], "groups": [] }), false),
        (json!({ "Roles": "A", "Not": { "Claims": { "acct": 1 } } }), json!({ "roles": "A", "acct": 0 }), true),
        (json!({ "Roles": "A", "Not": { "Claims": { "acct": 1 } } }), json!({ "roles": "A", "acct": 1 }), false),
        (json!({ "Roles": "A", "Not": { "Claims": { "acct": 1 } } }), json!({ "roles": "A", "acct": [1] }), false),
    ]
}

#[test]
fn each_kind_of_requirement_lets_some_pass_and_others_not() {
    for (require, claims, holds) in requirements() {
        let world = World::with_routes(&json!([
            { "Path": "/page-of/**", "Require": require },
            { "Path": "/json-of/**", "Access": "Api", "Require": require },
            { "Path": "/api/Billing/**", "Require": require },
        ]));
        *world.op.claims.borrow_mut() = claims.clone();
        let browser = Browser::signed_in(&world, &ADA);
        for isolate in ["warm", "cold"] {
            for path in ["/page-of/x", "/json-of/x", "/api/Billing/x"] {
                let arrived = world.downstream.count();
                let answer = browser.fetch(path);
                assert_eq!(answer.is_forwarded, holds, "{require} {claims} {path} {isolate}");
                if !holds {
                    assert_eq!(answer.problem(), (403, "forbidden".to_owned()));
                    assert_eq!((world.downstream.count(), answer.set_cookies().count()), (arrived, 0));
                }
            }
            world.new_isolate();
        }
        assert_eq!(browser.visit("/page-of/x").status, if holds { 200 } else { 403 });
    }
}

/// A world in which an access token lives shorter than a session.
fn long_world(routes: &Value, provider: &Value) -> World {
    World::with(&json!({
        "Gateway": { "Routes": routes }, "OpenIdConnect": provider, "Session": { "IdleSeconds": 28_800 },
    }))
}

/// A call whose token is too old, so that another one and another ID token come.
pub(crate) fn refresh(browser: &Browser<'_>) {
    served(&browser.fetch("/api/Orders/x"));
    let before = browser.world.op.count(Endpoint::Token);
    browser.world.advance(3600);
    served(&browser.fetch("/api/Orders/x"));
    assert_eq!(browser.world.op.count(Endpoint::Token), before + 1);
}

#[test]
fn cve_2021_41230_a_role_that_a_refresh_does_not_bring_is_gone_at_the_next_request() {
    for after in [json!({ "roles": ["reader"] }), json!({ "roles": null })] {
        let routes = json!([
            { "Path": "/admin/**", "Require": { "Roles": ["Admin"] } },
            { "Path": "/api/Billing/**", "Require": { "Roles": ["Admin"] } },
        ]);
        let world = long_world(&routes, &json!({}));
        *world.op.claims.borrow_mut() = json!({ "roles": ["Admin"] });
        let browser = Browser::signed_in(&world, &ADA);
        served(&browser.fetch("/admin/x"));
        served(&browser.fetch("/api/Billing/x"));
        *world.op.claims.borrow_mut() = after;
        refresh(&browser);
        for path in ["/admin/x", "/api/Billing/x"] {
            assert_eq!(browser.fetch(path).problem(), (403, "forbidden".to_owned()), "{path}");
        }
        world.new_isolate();
        assert_eq!(browser.fetch("/admin/x").code(), "forbidden");
        *world.op.claims.borrow_mut() = json!({ "roles": ["Admin"] });
        refresh(&browser);
        served(&browser.fetch("/admin/x"));
    }
}

#[test]
fn a_refresh_keeps_what_only_user_info_knows_and_how_the_user_signed_in() {
    let routes = json!([
        { "Path": "/department/**", "Require": { "Claims": { "department": "x" } } },
        { "Path": "/strong/**", "AcrValues": ["c1"], "MaxAgeSeconds": 86_400 },
        { "Path": "/sid/**", "Require": { "Present": ["sid"] } },
        { "Path": "/nick/**", "Require": { "Present": ["nickname"] } },
    ]);
    let world = long_world(&routes, &json!({ "UserInfo": true }));
    world.op.instead(Endpoint::UserInfo, Instead::Merged(json!({ "department": "x", "roles": ["Admin"] })));
    let claims = json!({ "acr": "c1", "auth_time": world.time(), "nickname": "Al" });
    *world.op.claims.borrow_mut() = claims;
    let browser = Browser::signed_in(&world, &ADA);
    let paths = ["/department/x", "/strong/x", "/sid/x", "/nick/x"];
    paths.iter().for_each(|path| served(&browser.fetch(path)));
    *world.op.claims.borrow_mut() = json!({ "sid": null });
    refresh(&browser);
    for path in &paths[..3] {
        served(&browser.fetch(path));
    }
    assert_eq!(browser.fetch("/nick/x").problem(), (403, "forbidden".to_owned()));
    *world.op.claims.borrow_mut() = json!({ "acr": "c0" });
    refresh(&browser);
    assert_eq!(browser.fetch("/strong/x").problem(), (401, "step_up_required".to_owned()));
}
