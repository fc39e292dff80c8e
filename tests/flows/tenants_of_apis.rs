//! APIs that take tokens of a certain tenant: the end-user's as a guest there, and the application's own.

use serde_json::{Value, json};

use crate::api::{bearer, login_url, optional, scopes, served, value};
use crate::browser::Browser;
use crate::microsoft;
use crate::op::{ADA, BOB, Endpoint, Instead, keys};
use crate::world::World;

const HERE: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";
const THERE: &str = "11111111-aaaa-4bbb-8ccc-222222222222";
const ELSEWHERE: &str = "33333333-aaaa-4bbb-8ccc-444444444444";

/// Three APIs with the same scopes, of the end-user's own tenant and of two others.
fn world() -> World {
    world_with(&json!({}))
}

fn world_with(vars: &Value) -> World {
    let api = |host: &str, tenant: Option<&str>| {
        let options = tenant.map(|tenant| json!({ "Tenant": tenant }));
        json!({ "BaseUrl": format!("https://{host}.example"), "Scopes": "api://a/read", "AcquireTokenOptions": options })
    };
    let mut all = json!({
        "DownstreamApis": {
            "Here": api("here", None), "There": api("there", Some(&THERE.to_uppercase())),
            "Elsewhere": api("elsewhere", Some(ELSEWHERE)), "Orders": null, "Billing": null,
        },
        "Session": { "IdleSeconds": 28_800 },
    });
    crate::deployment::merge(&mut all, vars);
    microsoft::world_with(&all)
}

fn tenant_of_last_token(world: &World) -> Option<String> {
    world.op.issued(&bearer(world)).tenant
}

fn needs_the_user() -> Instead {
    Instead::Says(400, vec![], json!({ "error": "invalid_grant", "suberror": "consent_required" }).to_string())
}

#[test]
fn each_api_gets_the_tokens_of_its_tenant_and_no_others() {
    for forwards_at_once in [false, true] {
        let world = world();
        world.forwards_at_once.set(forwards_at_once);
        let browser = Browser::signed_in(&world, &ADA);
        let mut tokens = Vec::new();
        for (api, tenant) in [("Here", None), ("There", Some(THERE)), ("Elsewhere", Some(ELSEWHERE))] {
            served(&browser.fetch(&format!("/api/{api}/x")));
            assert_eq!(tenant_of_last_token(&world).as_deref(), tenant, "{api}");
            tokens.push(bearer(&world));
        }
        // None pushed another out, in this isolate's memory and beyond it.
        for new_isolate in [false, true] {
            if new_isolate {
                world.new_isolate();
            }
            for (api, token) in [("There", &tokens[1]), ("Elsewhere", &tokens[2]), ("Here", &tokens[0])] {
                served(&browser.fetch(&format!("/api/{api}/y")));
                assert_eq!(bearer(&world), *token, "{api}");
            }
        }
        assert_eq!(world.op.count(Endpoint::Token), 3, "one for each: the sign-in brought the first");
    }
}

#[test]
fn one_refresh_token_serves_all_tenants_and_is_rotated_in_each() {
    let world = world();
    let browser = Browser::signed_in(&world, &ADA);
    for api in ["There", "Here", "Elsewhere", "There"] {
        world.advance(3400);
        served(&browser.fetch(&format!("/api/{api}/x")));
        let form = world.op.last_form();
        assert_eq!((value(&form, "grant_type"), value(&form, "client_info")), ("refresh_token", "1"));
    }
    assert_eq!(world.op.reuses.get(), 0);
}

#[test]
fn who_the_end_user_is_does_not_change_with_a_token_of_another_tenant() {
    let world = world();
    let browser = Browser::signed_in(&world, &ADA);
    let before = browser.fetch("/.auth/me").json();
    served(&browser.fetch("/api/There/x"));
    let after = browser.fetch("/.auth/me").json();
    assert_eq!(before["claims"], after["claims"]);
    served(&browser.fetch("/page"));
    assert_eq!(world.downstream.last().header("x-ms-client-principal-id"), Some("home-of-ada+1/&<b>"));
}

#[test]
fn a_token_of_another_tenant_is_used_for_the_same_home_account_only() {
    let other = keys::encode(json!({ "uid": "home-of-bob", "utid": HERE }).to_string());
    for (client_info, status) in [(json!(other), 502), (json!(null), 503), (json!("garbage"), 503)] {
        let world = world();
        let browser = Browser::signed_in(&world, &ADA);
        world.op.instead(Endpoint::Token, Instead::Merged(json!({ "client_info": client_info })));
        assert_eq!(browser.fetch("/api/There/x").status, status, "{client_info}");
        assert!(!world.downstream.arrivals().iter().any(|arrival| arrival.url.starts_with("https://there")));
        assert!(browser.is_signed_in());
    }
}

#[test]
fn a_sign_in_does_not_ask_for_what_only_another_tenant_can_grant() {
    let world = world_with(&json!({ "DownstreamApis": { "There": { "Scopes": "api://there/read" } } }));
    let browser = Browser::signed_in(&world, &ADA);
    assert_eq!(scopes(&world.op.last_authorization()), ["api://a/read"]);
    // A sign-in for it brings a new refresh token, and what every sign-in asks for.
    world.op.instead_once(Endpoint::Token, needs_the_user());
    let url = login_url(&browser.fetch("/api/There/x"));
    assert_eq!(browser.interact(&url, &ADA).status, 303);
    let authorization = world.op.last_authorization();
    assert_eq!(scopes(&authorization), ["api://a/read"]);
    assert_eq!(optional(&authorization, "login_hint"), Some("O.hint&x=1"));
    served(&browser.fetch("/api/There/x"));
    assert_eq!(tenant_of_last_token(&world).as_deref(), Some(THERE));
}

#[test]
fn nobody_is_sent_round_and_round_for_a_tenant_that_refuses() {
    let world = world_with(&json!({ "DownstreamApis": { "There": { "Scopes": "api://there/read" } } }));
    let browser = Browser::signed_in(&world, &ADA);
    world
        .op
        .instead_once(Endpoint::Token, Instead::Says(400, vec![], json!({ "error": "invalid_resource" }).to_string()));
    assert_eq!(browser.fetch("/api/There/x").problem(), (500, "misconfigured".to_owned()), "no end-user can mend that");
    for _ in 0..2 {
        world.advance(10);
        world.op.instead_once(Endpoint::Token, needs_the_user());
        let url = login_url(&browser.fetch("/api/There/x"));
        assert_eq!(browser.interact(&url, &ADA).status, 303);
    }
    world.op.instead_once(Endpoint::Token, needs_the_user());
    assert_eq!(browser.fetch("/api/There/x").problem(), (403, "interaction_loop".to_owned()));
}

fn app_only(tenant: Option<&str>, home: Option<&str>) -> World {
    world_with(&json!({
        "AzureAd": { "AppHomeTenantId": home },
        "DownstreamApis": {
            "There": null, "Elsewhere": null,
            "Reports": {
                "BaseUrl": "https://reports.example", "Scopes": "api://r/.default", "RequestAppToken": true,
                "AcquireTokenOptions": { "Tenant": tenant },
            },
        },
    }))
}

#[test]
fn the_application_gets_its_own_tokens_from_the_tenant_that_is_named() {
    for (tenant, home, expected) in
        [(Some(THERE), None, THERE), (None, Some(ELSEWHERE), ELSEWHERE), (Some(THERE), Some(ELSEWHERE), THERE)]
    {
        let world = app_only(tenant, home);
        let browser = Browser::signed_in(&world, &ADA);
        served(&browser.fetch("/api/Reports/x"));
        assert_eq!(tenant_of_last_token(&world).as_deref(), Some(expected));
        assert_eq!(value(&world.op.last_form(), "grant_type"), "client_credentials");
        served(&Browser::signed_in(&world, &BOB).fetch("/api/Reports/x"));
        assert_eq!(world.op.count(Endpoint::Token), 3, "two sign-ins and one for the application");
        served(&browser.fetch("/api/Here/x"));
        assert_eq!(tenant_of_last_token(&world), None, "the end-user's own come from where they were");
    }
}

#[test]
fn a_token_of_the_application_is_kept_for_its_tenant() {
    let world = app_only(Some(THERE), Some(ELSEWHERE));
    let browser = Browser::signed_in(&world, &ADA);
    served(&browser.fetch("/api/Reports/x"));
    let there = bearer(&world);
    world.redeploy(&json!({ "DownstreamApis": { "Reports": { "AcquireTokenOptions": null } } }));
    served(&browser.fetch("/api/Reports/x"));
    assert_eq!(tenant_of_last_token(&world).as_deref(), Some(ELSEWHERE));
    world.redeploy(&json!({ "DownstreamApis": { "Reports": { "AcquireTokenOptions": { "Tenant": THERE } } } }));
    served(&browser.fetch("/api/Reports/x"));
    assert_eq!(bearer(&world), there);
}
