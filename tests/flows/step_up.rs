//! Better and more recent sign-ins: what a rule demands is asked of the OP and found in the ID token, or nothing changes.

use serde_json::{Value, json};
use url::Url;

use crate::api::{optional, served};
use crate::browser::{Browser, LOGIN, absolute};
use crate::deployment::PUBLIC;
use crate::op::{ADA, BOB, Endpoint, parameter};
use crate::request::{Received, Request};
use crate::world::{NOW, World};

const LONGEST: &str = "urn:example:acr:of-a-long-name";

fn world() -> World {
    World::with(&json!({
        "Gateway": { "Routes": [
            { "Path": "/strong/**", "AcrValues": ["c2"] },
            { "Path": "/recent/**", "MaxAgeSeconds": 300 },
            { "Path": "/both/**", "AcrValues": ["c2"], "MaxAgeSeconds": 300 },
            { "Path": "/json/**", "Access": "Api", "AcrValues": ["c2"] },
            { "Path": "/api/Billing/**", "AcrValues": ["c2"], "MaxAgeSeconds": 300 },
            { "Path": "/staff/**", "AcrValues": ["c2"], "Require": { "Roles": ["Staff"] } },
        ] },
        "Session": { "IdleSeconds": 28_800 },
    }))
}

/// What the OP says from now on of how its user signs in.
fn says(world: &World, claims: Value) {
    *world.op.claims.borrow_mut() = claims;
}

fn strong(world: &World) -> Value {
    json!({ "acr": "c2", "auth_time": world.time() })
}

/// The `acr_values` and `max_age` of an authorization request.
fn asked(request: &str) -> (Option<String>, Option<String>) {
    (parameter(request, "acr_values"), parameter(request, "max_age"))
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn login_url(received: &Received) -> String {
    assert_eq!(received.problem(), (401, "step_up_required".to_owned()));
    received.json()["login_url"].as_str().unwrap().strip_prefix(PUBLIC).unwrap().to_owned()
}

#[test]
fn a_page_is_reached_by_way_of_the_op() {
    for (path, acr_values, max_age) in [
        ("/recent/x?y=%26", None, some("300")),
        ("/both/x?y=%26", some("c2"), some("300")),
        ("/api/Billing/x", some("c2"), some("300")),
    ] {
        let world = world();
        let browser = Browser::signed_in(&world, &ADA);
        let before = browser.session();
        let redirect = browser.follow(path);
        assert_eq!(redirect.status, 302, "{redirect:?}");
        assert_eq!(asked(redirect.location()), (acr_values, max_age), "{path}");
        says(&world, strong(&world));
        let returned = browser.come_back(&world.op.authorize(redirect.location(), &ADA));
        served(&browser.land(&returned));
        assert!(world.downstream.last().url.ends_with(path.trim_start_matches("/api/Billing")), "{path}");
        assert_ne!(browser.session(), before);
        served(&browser.fetch(path));
        world.new_isolate();
        served(&browser.fetch(path));
    }
}

#[test]
fn any_of_several_values_will_do() {
    let world = World::with_routes(&json!([{ "Path": "/strong/**", "AcrValues": ["c2", "urn:a&=/"] }]));
    for acr in ["c2", "urn:a&=/"] {
        let browser = Browser::new(&world);
        let request = browser.begin("/strong/x");
        says(&world, json!({ "acr": acr }));
        assert_eq!(browser.come_back(&world.op.authorize(&request, &ADA)).status, 303);
        served(&browser.fetch("/strong/x"));
        says(&world, json!({ "acr": "c1" }));
        let other = Browser::signed_in(&world, &ADA);
        assert_eq!(asked(other.follow("/strong/x").location()), (some("c2 urn:a&=/"), None));
    }
}

#[test]
fn a_script_is_told_what_is_missing_and_where_to_get_it() {
    let world = world();
    let browser = Browser::signed_in(&world, &ADA);
    for (path, acr_values, max_age, query) in [
        ("/recent/x", json!([]), json!(300), "max_age=300"),
        ("/both/x", json!(["c2"]), json!(300), "acr_values=c2&max_age=300"),
        ("/json/x", json!(["c2"]), Value::Null, "acr_values=c2"),
        ("/api/Billing/x", json!(["c2"]), json!(300), "acr_values=c2&max_age=300"),
    ] {
        for method in ["GET", "POST"] {
            let request = Request::script(method, &absolute(path)).with("referer", &absolute("/spa?tab=1&x"));
            let answer = browser.send(request);
            let problem = answer.json();
            assert_eq!((&problem["acr_values"], &problem["max_age"]), (&acr_values, &max_age), "{path}");
            assert_eq!(login_url(&answer), format!("/.auth/login?return_to=%2Fspa%3Ftab%3D1%26x&{query}"));
            assert_eq!(answer.set_cookies().count(), 0);
        }
    }
    says(&world, strong(&world));
    let url = login_url(&browser.fetch("/both/x"));
    let returned = browser.interact(&url, &ADA);
    assert_eq!((returned.status, returned.location()), (303, absolute("/").as_str()));
    served(&browser.fetch("/both/x"));
    served(&browser.fetch("/api/Billing/x"));
}

#[test]
fn a_lesser_sign_in_changes_nothing_and_leads_to_no_loop() {
    for claims in [
        json!({ "acr": "c1", "auth_time": NOW }),
        json!({ "acr": "C2", "auth_time": NOW }),
        json!({ "acr": "c2 c3", "auth_time": NOW }),
        json!({ "acr": "", "auth_time": NOW }),
        json!({ "auth_time": NOW }),
        json!({ "acr": "c2" }),
        json!({ "acr": "c2", "auth_time": NOW - 300 - 61 }),
        json!({ "acr": "c2", "auth_time": 0 }),
    ] {
        let world = world();
        let browser = Browser::signed_in(&world, &ADA);
        let (session, changes) = (browser.session(), world.kv.changes());
        let sessions = world.accounts.all_sessions().len();
        says(&world, claims.clone());
        let request = browser.begin("/both/x");
        let answer = browser.come_back_as_script(&world.op.authorize(&request, &ADA));
        assert_eq!(answer.problem(), (403, "step_up_failed".to_owned()), "{claims}");
        assert_eq!((answer.header("location"), browser.jar.names(LOGIN)), (None, vec![]));
        assert_eq!((browser.session(), world.kv.changes()), (session, changes), "{claims}");
        assert_eq!(world.accounts.all_sessions().len(), sessions);
        assert!(browser.is_signed_in());
        assert_eq!(browser.fetch("/both/x").code(), "step_up_required");
        let page = browser.come_back(&world.op.authorize(&browser.begin("/both/x"), &ADA));
        assert_eq!((page.status, page.header("refresh"), page.header("location")), (403, None, None));
    }
}

#[test]
fn claims_of_the_wrong_type_are_no_sign_in_at_all() {
    for claims in [json!({ "acr": ["c2"], "auth_time": NOW }), json!({ "acr": "c2", "auth_time": NOW.to_string() })] {
        let world = world();
        let browser = Browser::signed_in(&world, &ADA);
        says(&world, claims.clone());
        let answer = browser.come_back_as_script(&world.op.authorize(&browser.begin("/both/x"), &ADA));
        assert!(matches!(answer.problem(), (403, _) | (502, _)), "{claims} {answer:?}");
        assert_eq!(browser.fetch("/both/x").code(), "step_up_required", "{claims}");
    }
}

#[test]
fn a_sign_in_grows_old() {
    let world = world();
    says(&world, strong(&world));
    let browser = Browser::signed_in(&world, &ADA);
    for (advance, is_recent) in [(0, true), (299, true), (200, false)] {
        world.advance(advance);
        for isolate in ["warm", "cold"] {
            assert_eq!(browser.fetch("/recent/x").is_forwarded, is_recent, "{advance} {isolate}");
            served(&browser.fetch("/strong/x"));
            world.new_isolate();
        }
    }
    says(&world, strong(&world));
    served(&browser.interact_and_return("/recent/x", &ADA));
}

#[test]
fn how_an_earlier_session_began_does_not_count_after_another_sign_in() {
    for user in [&ADA, &BOB] {
        let world = world();
        says(&world, strong(&world));
        let browser = Browser::signed_in(&world, &ADA);
        served(&browser.fetch("/both/x"));
        says(&world, json!({}));
        browser.interact_and_return("/.auth/login?return_to=%2Fpage", user);
        assert_eq!(browser.fetch("/both/x").code(), "step_up_required");
    }
}

#[test]
fn user_info_does_not_tell_how_its_user_signed_in() {
    let world = World::with(&json!({
        "OpenIdConnect": { "UserInfo": true },
        "Gateway": { "Routes": [{ "Path": "/both/**", "AcrValues": ["c2"], "MaxAgeSeconds": 300 }] },
    }));
    let claims = json!({ "acr": "c2", "auth_time": NOW, "amr": ["mfa"] });
    world.op.instead(Endpoint::UserInfo, crate::op::Instead::Merged(claims));
    let browser = Browser::signed_in(&world, &ADA);
    assert_eq!(browser.fetch("/both/x").code(), "step_up_required");
}

#[test]
fn whoever_may_not_see_it_is_not_sent_to_the_op_for_it() {
    let world = world();
    let browser = Browser::signed_in(&world, &ADA);
    assert_eq!(browser.fetch("/staff/x").problem(), (403, "forbidden".to_owned()));
    assert_eq!(browser.visit("/staff/x").status, 403);
    assert_eq!(browser.jar.names(LOGIN), [""; 0]);
}

#[test]
fn nxa_2707_what_an_address_of_the_login_demands_is_found_in_the_id_token() {
    let login = "/.auth/login?return_to=%2Fpage&acr_values=c2%20c3&max_age=60";
    for (claims, status) in [
        (json!({ "acr": "c3", "auth_time": NOW }), 303),
        (json!({ "acr": "c3", "auth_time": NOW - 121 }), 403),
        (json!({ "acr": "c3" }), 403),
        (json!({ "acr": "c1", "auth_time": NOW }), 403),
        (json!({ "auth_time": NOW }), 403),
    ] {
        let world = World::new();
        says(&world, claims.clone());
        let browser = Browser::new(&world);
        let request = browser.begin(login);
        assert_eq!(asked(&request), (some("c2 c3"), some("60")));
        let answer = browser.come_back(&world.op.authorize(&request, &ADA));
        assert_eq!(answer.status, status, "{claims}");
        assert_eq!(browser.session().is_some(), status == 303);
    }
}

#[test]
fn an_age_of_zero_is_a_sign_in_of_this_moment() {
    let world = World::new();
    says(&world, json!({ "auth_time": NOW - 3600 }));
    let browser = Browser::new(&world);
    let request = browser.begin("/.auth/login?max_age=0");
    assert_eq!(asked(&request), (None, some("0")));
    assert_eq!(browser.come_back(&world.op.authorize(&request, &ADA)).status, 403);
    says(&world, json!({ "auth_time": NOW }));
    assert_eq!(browser.interact("/.auth/login?max_age=0", &ADA).status, 303);
}

#[test]
fn garbage_demands_nothing() {
    let too_long = "c".repeat(321);
    for query in [
        "acr_values=",
        "acr_values=%20%20",
        "acr_values=%09%0A",
        "acr_values=&max_age=",
        "max_age=-1",
        "max_age=1e3",
        "max_age=1.5",
        "max_age=%2060",
        "max_age=0x10",
        "max_age=99999999999999999999",
        "max_age=abc",
        "max_age[]=60&acr_values[]=c2",
        &format!("acr_values={too_long}"),
    ] {
        let world = World::new();
        let browser = Browser::new(&world);
        let request = browser.begin(&format!("/.auth/login?{query}"));
        assert_eq!(asked(&request), (None, None), "{query}");
        assert_eq!(browser.come_back(&world.op.authorize(&request, &ADA)).status, 303, "{query}");
    }
}

#[test]
fn a_demand_can_add_nothing_else_to_the_request() {
    let world = World::new();
    let browser = Browser::new(&world);
    let request = browser.begin("/.auth/login?acr_values=c2%26scope%3Devil%26redirect_uri%3Dx%23&max_age=60%26x");
    assert_eq!(asked(&request), (some("c2&scope=evil&redirect_uri=x#"), None));
    let url = Url::parse(&request).unwrap();
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    assert_eq!(optional(&pairs, "redirect_uri"), Some(absolute("/signin-oidc").as_str()));
    assert_eq!(pairs.iter().filter(|(name, _)| name == "scope").count(), 1);
}

#[test]
fn the_cookie_of_an_attempt_stays_small_whatever_is_demanded() {
    let values: Vec<_> = (10..41).map(|number| format!("{LONGEST}{number}")).collect();
    let world = World::with_routes(&json!([{ "Path": "/strong/**", "AcrValues": values }]));
    let browser = Browser::signed_in(&world, &ADA);
    // The jar refuses a cookie that a browser would not keep.
    for path in [
        format!("/strong/{}", "x".repeat(2000)),
        format!("/.auth/login?return_to=%2F{}&acr_values={}", "x".repeat(2000), "c".repeat(320)),
    ] {
        let request = browser.begin(&path);
        let acr = asked(&request).0.unwrap();
        says(&world, json!({ "acr": acr.split(' ').next_back().unwrap() }));
        let back = browser.come_back(&world.op.authorize(&request, &ADA));
        assert_eq!(back.status, 303, "{back:?}");
    }
}
