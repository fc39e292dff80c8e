//! Paths and APIs that belong to one provider.

use serde_json::{Value, json};

use crate::api::{login_url, scopes};
use crate::app_tokens::REPORTS;
use crate::browser::{Browser, absolute};
use crate::claims_challenge::{claims, demands};
use crate::deployment::{changed, two_providers};
use crate::op::{ADA, BOB, Endpoint, parameter};
use crate::providers::{OF_STAFF, both, sign_in};
use crate::request::Request;
use crate::world::World;

const AT_STAFF: &str = "https://staff.example/authorize";

fn with(vars: &Value) -> World {
    World::of(changed(two_providers(), vars))
}

fn with_rules(rules: &Value) -> World {
    with(&json!({ "Gateway": { "Routes": rules } }))
}

#[test]
fn a_path_of_a_provider_takes_no_session_of_another_and_asks_nobody_to_choose() {
    let world = with_rules(&json!([{ "Path": "/staff/**", "Provider": "Staff" }]));
    let browser = Browser::new(&world);
    sign_in(&browser, "OpenIdConnect", &world.op, &ADA);
    assert!(browser.visit("/page").is_forwarded);
    let request = browser.begin("/staff/page");
    assert!(request.starts_with(AT_STAFF), "{request}");
    let told = browser.fetch("/staff/page");
    assert_eq!(told.problem(), (401, "login_required".to_owned()));
    assert_eq!(told.json()["login_url"], absolute("/.auth/login/Staff"));
    assert_eq!(browser.come_back(&world.staff.authorize(&request, &BOB)).location(), absolute("/staff/page"));
    world.advance(1);
    sign_in(&browser, "OpenIdConnect", &world.op, &ADA);
    for (path, idp) in [("/staff/page", "Staff"), ("/page", "openidconnect")] {
        assert!(browser.visit(path).is_forwarded, "{path}");
        assert_eq!(world.downstream.last().header("x-ms-client-principal-idp"), Some(idp), "{path}");
    }
}

#[test]
fn a_host_may_have_a_provider() {
    let host = "https://staff.app.example";
    let rules = json!([{ "Path": "/**", "Host": "staff.app.example", "Provider": "Staff" }]);
    let world = with(&json!({ "Gateway": { "AlternateOrigins": [host], "Routes": rules } }));
    let visit = |url: &str| Browser::new(&world).send(Request::navigation("GET", url, "none")).location().to_owned();
    let request = visit(&format!("{host}/page"));
    assert!(request.starts_with(AT_STAFF), "{request}");
    assert_eq!(parameter(&request, "redirect_uri").as_deref(), Some("https://staff.app.example/signin-oidc/Staff"));
    assert!(visit(&absolute("/page")).starts_with(&absolute("/.auth/login?")));
}

#[test]
fn where_nobody_needs_to_be_signed_in_the_last_session_counts_or_that_of_the_paths_provider() {
    let world = with_rules(&json!([
        { "Path": "/open", "Access": "Optional" }, { "Path": "/open/staff", "Access": "Optional", "Provider": "Staff" },
    ]));
    let seen = |browser: &Browser<'_>, path| {
        assert!(browser.visit(path).is_forwarded, "{path}");
        let idp = world.downstream.last().header("x-ms-client-principal-idp").map(str::to_owned);
        assert!(!world.downstream.last().header("cookie").unwrap_or_default().contains("__Host-"));
        idp
    };
    let browser = Browser::new(&world);
    assert_eq!((seen(&browser, "/open"), seen(&browser, "/open/staff")), (None, None));
    sign_in(&browser, "OpenIdConnect", &world.op, &ADA);
    assert_eq!((seen(&browser, "/open").as_deref(), seen(&browser, "/open/staff")), (Some("openidconnect"), None));
    world.advance(1);
    sign_in(&browser, "Staff", &world.staff, &BOB);
    for path in ["/open", "/open/staff"] {
        assert_eq!(seen(&browser, path).as_deref(), Some("Staff"), "{path}");
    }
}

#[test]
fn a_better_sign_in_is_asked_for_where_the_session_is_from() {
    let world = with_rules(&json!([{ "Path": "/pay", "AcrValues": ["c1"] }]));
    let browser = both(&world);
    let request = browser.begin("/pay");
    assert!(request.starts_with(AT_STAFF), "{request}");
    assert_eq!(parameter(&request, "acr_values").as_deref(), Some("c1"));
    let told = browser.fetch("/pay").json();
    assert_eq!(told["login_url"], absolute("/.auth/login/Staff?acr_values=c1"));
    *world.staff.claims.borrow_mut() = json!({ "acr": "c1" });
    assert_eq!(browser.come_back(&world.staff.authorize(&request, &BOB)).location(), absolute("/pay"));
    assert!(browser.visit("/pay").is_forwarded);
}

#[test]
fn an_api_gets_the_applications_token_of_its_own_provider() {
    let api = json!({ "BaseUrl": REPORTS, "Scopes": "reports.all", "RequestAppToken": true, "Provider": "Staff" });
    let world = with(&json!({ "DownstreamApis": { "Reports": api } }));
    let browser = both(&world);
    let own = world.op.count(Endpoint::Token);
    assert!(browser.fetch("/api/Reports/x").is_forwarded);
    let bearer = world.downstream.last().bearer().to_owned();
    assert_eq!(world.staff.issued(&bearer).sub, "app");
    world.new_isolate();
    assert!(browser.fetch("/api/Reports/x").is_forwarded);
    assert_eq!(world.downstream.last().bearer(), bearer, "kept for every isolate");
    world.advance(3600);
    assert!(browser.visit("/page").is_forwarded || browser.visit("/.auth/login").status == 200);
    assert_eq!(world.op.count(Endpoint::Token), own);
}

#[test]
fn a_token_that_is_due_is_renewed_after_the_answer_at_its_own_provider() {
    let world = World::of(two_providers());
    *world.staff.claims.borrow_mut() = json!({});
    world.staff.instead(Endpoint::Token, crate::op::Instead::Merged(json!({ "refresh_in": 60 })));
    let browser = both(&world);
    assert!(browser.fetch("/api/Orders/x").is_forwarded);
    let (own, of_staff) = (world.op.count(Endpoint::Token), world.staff.count(Endpoint::Token));
    world.advance(61);
    assert!(browser.fetch("/api/Orders/x").is_forwarded);
    assert_eq!((world.op.count(Endpoint::Token), world.staff.count(Endpoint::Token)), (own, of_staff + 1));
}

#[test]
fn what_an_api_needs_its_user_for_is_asked_at_its_own_provider() {
    let world = with(&json!({ "DownstreamApis": { "Orders": { "IncrementalConsent": true } } }));
    world.staff.grants_any_scope.set(false);
    let browser = Browser::new(&world);
    sign_in(&browser, "Staff", &world.staff, &BOB);
    world.advance(1);
    sign_in(&browser, "OpenIdConnect", &world.op, &ADA);
    let told = browser.fetch("/api/Orders/1");
    let path = login_url(&told);
    assert!(path.starts_with("/.auth/login/Staff?request="), "{path}");
    // What one provider's keys sealed, the other does not take.
    let elsewhere = browser.fetch(&path.replace("/Staff?", "/OpenIdConnect?"));
    assert_eq!(elsewhere.problem(), (400, "login_request_invalid".to_owned()));
    let request = browser.follow(&path).location().to_owned();
    assert!(request.starts_with(AT_STAFF), "{request}");
    assert_eq!(scopes(&query(&request)), ["orders.read", "orders.write"]);
    assert_eq!(browser.come_back(&world.staff.authorize(&request, &BOB)).status, 303);
    assert!(browser.fetch("/api/Orders/1").is_forwarded);
    world.advance(1);
    assert!(browser.fetch("/api/Billing/1").is_forwarded, "the other session goes on");
}

#[test]
fn claims_that_an_api_demands_are_asked_of_its_own_provider() {
    let world = World::of(two_providers());
    let browser = both(&world);
    assert!(browser.fetch("/api/Orders/1").is_forwarded);
    let own = world.op.count(Endpoint::Token);
    demands(&world, &claims());
    assert!(browser.fetch("/api/Orders/1").is_forwarded);
    let form = world.staff.last_form();
    let asked = form.iter().find(|(name, _)| name == "claims").map(|(_, claims)| claims.clone());
    assert_eq!(serde_json::from_str::<Value>(&asked.unwrap()).unwrap(), claims());
    assert_eq!(world.op.count(Endpoint::Token), own);
}

#[test]
fn nobody_signs_in_for_an_api_with_another_account_of_its_provider() {
    let world = with(&json!({ "DownstreamApis": { "Orders": { "IncrementalConsent": true } } }));
    world.staff.grants_any_scope.set(false);
    let browser = both(&world);
    let request = browser.follow("/api/Orders/1").location().to_owned();
    let mismatch = browser.come_back(&world.staff.authorize(&request, &ADA));
    assert_eq!(mismatch.status, 403, "{mismatch:?}");
    assert!(mismatch.body.contains(&absolute("/.auth/login/Staff?prompt=login")), "{}", mismatch.body);
    assert!(browser.jar.get(OF_STAFF).is_some());
}

fn query(url: &str) -> Vec<(String, String)> {
    url::Url::parse(url).unwrap().query_pairs().into_owned().collect()
}
