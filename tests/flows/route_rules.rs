//! Route rules from the request to the origin: who passes with each `Access`, and that no rule gets an API called without
//! a session.

use proptest::prelude::*;
use serde_json::{Value, json};
use vestibule::runtime::StoreFault;

use crate::api::served;
use crate::browser::{Browser, SESSION, absolute};
use crate::op::ADA;
use crate::request::{Received, Request};
use crate::world::World;

/// One path for each access: `/for/Login` and so on.
pub(crate) fn of_each_access() -> World {
    let access = ["Anonymous", "Optional", "Login", "Api"];
    let rule = |access| json!({ "Path": format!("/for/{access}/**"), "Access": access });
    World::with_routes(&access.map(rule).to_vec().into())
}

/// A signed-in browser whose cookie has one bit changed.
pub(crate) fn tampered<'w>(browser: &Browser<'w>) -> Browser<'w> {
    let tampered = browser.copy();
    let cookie = tampered.session().unwrap();
    let last = if cookie.ends_with('A') { 'Q' } else { 'A' };
    tampered.jar.plant(SESSION, &format!("{}{last}", &cookie[..cookie.len() - 1]));
    tampered
}

/// Neither the accounts' objects nor the store answer, and no isolate remembers anything.
fn outage(world: &World) {
    world.new_isolate();
    world.kv.fail_at(StoreFault::Get, "account/");
    world.accounts.is_down.set(true);
}

/// What becomes of a request: who arrives at the origin, or what the browser is told instead.
pub(crate) fn fate(browser: &Browser<'_>, request: Request) -> String {
    let world = browser.world;
    let arrived = world.downstream.count();
    let received = browser.copy().send(request);
    if !received.is_forwarded {
        assert_eq!(world.downstream.count(), arrived, "refused and forwarded all the same");
        return told(&received);
    }
    let arrival = world.downstream.last();
    let identity: Vec<_> = arrival.headers.iter().filter(|(name, _)| name.starts_with("x-ms-client")).collect();
    assert!(matches!(identity.len(), 0 | 4), "{identity:?}");
    format!("passes as {}", arrival.header("x-ms-client-principal-id").unwrap_or("nobody"))
}

fn told(received: &Received) -> String {
    if received.status == 302 {
        assert!(received.location().starts_with("https://op.example/authorize?"), "{received:?}");
        return "is sent to the OP".to_owned();
    }
    match received.header("content-type") {
        Some("application/problem+json") => format!("{} {}", received.status, received.code()),
        _ => format!("{} page", received.status),
    }
}

#[test]
fn each_access_has_its_answer_for_whoever_comes() {
    let ada = format!("passes as {}", ADA.sub);
    let [ada, nobody, op] = [ada.as_str(), "passes as nobody", "is sent to the OP"];
    let (required, expired, down) = ("401 login_required", "401 session_expired", "503 cache_unavailable");
    for (access, signed_in, stranger, ended, without_store) in [
        ("Anonymous", [nobody; 2], [nobody; 2], [nobody; 2], [nobody; 2]),
        ("Optional", [ada; 2], [nobody; 2], [nobody; 2], [down, "503 page"]),
        ("Login", [ada; 2], [required, op], [expired, op], [down, "503 page"]),
        ("Api", [ada; 2], [required; 2], [expired; 2], [down; 2]),
    ] {
        let world = of_each_access();
        let url = absolute(&format!("/for/{access}/x?y"));
        let requests = || [Request::script("GET", &url), Request::navigation("GET", &url, "none")];
        let fates = |browser: &Browser<'_>| requests().map(|request| fate(browser, request));
        let browser = Browser::signed_in(&world, &ADA);
        assert_eq!(fates(&browser), signed_in, "{access}");
        assert_eq!(fates(&Browser::new(&world)), stranger, "{access}");
        assert_eq!(fates(&tampered(&browser)), ended, "{access} tampered");
        let idle = browser.copy();
        let before = browser.copy();
        before.copy().post("/.auth/logout");
        assert_eq!(fates(&before), ended, "{access} ended");
        world.advance(3601);
        idle.jar.plant(SESSION, &idle.session().unwrap_or_else(|| before.session().unwrap()));
        let other = Browser::signed_in(&world, &ADA);
        outage(&world);
        assert_eq!(fates(&other), without_store, "{access} without a store");
        assert_eq!(fates(&Browser::new(&world)), stranger, "{access} without a store");
    }
}

#[test]
fn an_expired_cookie_is_an_ended_session_whatever_the_access() {
    let world = of_each_access();
    let browser = Browser::signed_in(&world, &ADA);
    let cookie = browser.session().unwrap();
    world.advance(3600);
    let late = Browser::new(&world);
    late.jar.plant(SESSION, &cookie);
    for (access, expected) in [("Optional", "passes as nobody"), ("Login", "401 session_expired")] {
        let url = absolute(&format!("/for/{access}/x"));
        assert_eq!(fate(&late, Request::script("GET", &url)), expected);
        assert!(late.copy().fetch(&url).expires(SESSION));
    }
}

#[test]
fn where_nobody_must_sign_in_nobody_is_looked_up() {
    let world = of_each_access();
    let browser = Browser::signed_in(&world, &ADA);
    outage(&world);
    let (operations, calls) = (world.kv.operations().len(), world.accounts.calls());
    for browser in [browser, Browser::new(&world)] {
        for method in ["GET", "HEAD", "POST", "DELETE", "OPTIONS", "PURGE"] {
            let request =
                Request::script(method, &absolute("/for/Anonymous/x")).with("x-ms-client-principal", "spoofed");
            assert_eq!(fate(&browser, request.with("sec-fetch-site", "cross-site")), "passes as nobody", "{method}");
            assert_eq!(world.downstream.last().header("cookie"), None);
        }
    }
    assert_eq!((world.kv.operations().len(), world.accounts.calls()), (operations, calls));
    assert!(world.downstream.last().plan.may_be_cached, "it is the same for everybody");
}

#[test]
fn whoever_left_is_a_stranger_where_that_is_allowed_and_loses_the_cookie() {
    let world = of_each_access();
    *world.downstream.answer_headers.borrow_mut() = vec![("cache-control".to_owned(), "public, max-age=9".to_owned())];
    let browser = Browser::signed_in(&world, &ADA);
    let kept = browser.fetch("/for/Optional/x");
    assert_eq!((kept.set_cookies().count(), world.downstream.last().plan.may_be_cached), (0, false));
    let ended = browser.copy();
    browser.copy().post("/.auth/logout");
    for browser in [ended, tampered(&browser)] {
        for request in [
            Request::script("GET", &absolute("/for/Optional/x")),
            Request::script("POST", &absolute("/for/Optional/x")).with("sec-fetch-site", "cross-site"),
            Request::handshake(&absolute("/for/Optional/x")),
        ] {
            let answer = browser.copy().send(request.with("x-ms-client-principal-id", "spoofed"));
            assert!(answer.is_forwarded && answer.expires(SESSION), "{answer:?}");
            assert_eq!(answer.header("cache-control"), Some("no-store"));
            let arrival = world.downstream.last();
            assert!(!arrival.headers.iter().any(|(name, _)| name.starts_with("x-ms-client")), "{arrival:?}");
            assert_eq!((arrival.header("cookie"), arrival.plan.carried.as_ref()), (None, None));
        }
    }
    assert!(world.has_logged("request.refused"), "{:?}", world.log().last());
}

#[test]
fn a_stranger_is_no_less_strange_for_an_outage_and_a_user_no_stranger() {
    for access in ["Optional", "Login", "Api"] {
        let world = of_each_access();
        let browser = Browser::signed_in(&world, &ADA);
        outage(&world);
        let path = format!("/for/{access}/x");
        let answer = browser.fetch(&path);
        assert_eq!(answer.problem(), (503, "cache_unavailable".to_owned()));
        assert_eq!((answer.set_cookies().count(), answer.header("retry-after").is_some()), (0, true));
        world.kv.recover();
        world.accounts.is_down.set(false);
        assert_eq!(fate(&browser, Request::script("GET", &absolute(&path))), format!("passes as {}", ADA.sub));
    }
}

#[test]
fn websockets_pass_as_the_rule_has_it_and_are_carried_for_sessions_alone() {
    let world = of_each_access();
    let browser = Browser::signed_in(&world, &ADA);
    for (access, stranger, foreign, is_carried) in [
        ("Anonymous", "passes as nobody", "passes as nobody", false),
        ("Optional", "passes as nobody", "403 csrf_rejected", true),
        ("Login", "401 login_required", "403 csrf_rejected", true),
        ("Api", "401 login_required", "403 csrf_rejected", true),
    ] {
        let handshake = || Request::handshake(&absolute(&format!("/for/{access}/chat")));
        assert_eq!(fate(&Browser::new(&world), handshake()), stranger, "{access}");
        let evil = handshake().with("sec-fetch-site", "cross-site").with("origin", "https://evil.example");
        assert_eq!(fate(&browser, evil), foreign, "{access}");
        assert!(browser.send(handshake()).is_forwarded, "{access}");
        assert_eq!(world.downstream.last().plan.carried.is_some(), is_carried, "{access}");
    }
}

#[test]
fn a_program_is_never_sent_a_page() {
    let world = World::with_routes(&json!([
        { "Path": "/json/**", "Access": "Api" },
        { "Path": "/json/staff", "Access": "Api", "Require": { "Roles": ["Staff"] } },
    ]));
    let answer = Browser::new(&world).visit("/json/x");
    assert_eq!(answer.problem(), (401, "login_required".to_owned()));
    assert_eq!((answer.set_cookies().count(), answer.header("location")), (0, None));
    assert_eq!(answer.json()["login_url"], absolute("/.auth/login"));
    let browser = Browser::signed_in(&world, &ADA);
    assert_eq!(browser.visit("/json/staff").problem(), (403, "forbidden".to_owned()));
    *world.downstream.fault.borrow_mut() = Some(vestibule::runtime::TransportFault::TimedOut);
    assert_eq!(browser.visit("/json/x").problem(), (502, "origin_unreachable".to_owned()));
}

#[test]
fn what_programs_ask_for_is_read_by_pages_of_ours_alone() {
    let world = of_each_access();
    let browser = Browser::signed_in(&world, &ADA);
    for (path, expected) in
        [("/for/Api/x", "403 csrf_rejected".to_owned()), ("/for/Login/x", format!("passes as {}", ADA.sub))]
    {
        for site in ["cross-site", "same-site"] {
            let request = Request::new("GET", &absolute(path)).with("sec-fetch-site", site);
            assert_eq!(fate(&browser, request), expected, "{path} {site}");
        }
        assert_eq!(fate(&browser, Request::new("GET", &absolute(path))), expected, "{path}");
        let own = Request::new("GET", &absolute(path)).with("x-csrf", "1");
        assert_eq!(fate(&browser, own), format!("passes as {}", ADA.sub), "{path}");
    }
}

#[test]
fn methods_that_a_rule_does_not_name_are_another_rules() {
    let world = World::with_routes(&json!([
        { "Path": "/docs/**", "Methods": ["GET"], "Access": "Anonymous" },
        { "Path": "/docs/**", "Methods": ["PUT", "PATCH"], "Access": "Api", "Require": { "Roles": ["Editor"] } },
    ]));
    let browser = Browser::signed_in(&world, &ADA);
    let ada = format!("passes as {}", ADA.sub);
    for (method, stranger, user) in [
        ("GET", "passes as nobody", "passes as nobody"),
        ("HEAD", "passes as nobody", "passes as nobody"),
        ("PUT", "401 login_required", "403 forbidden"),
        ("PATCH", "401 login_required", "403 forbidden"),
        ("POST", "401 login_required", ada.as_str()),
        ("DELETE", "401 login_required", ada.as_str()),
        ("OPTIONS", "401 login_required", ada.as_str()),
        ("PURGE", "401 login_required", ada.as_str()),
        ("get", "401 login_required", ada.as_str()),
    ] {
        let request = || Request::script(method, &absolute("/docs/x"));
        assert_eq!(fate(&Browser::new(&world), request()), stranger, "{method}");
        assert_eq!(fate(&browser, request()), user, "{method}");
    }
}

#[test]
fn a_rule_has_its_own_time_for_the_origin() {
    let world = World::with(&json!({
        "Gateway": { "OriginTimeoutSeconds": 20, "Routes": [
            { "Path": "/slow/**", "TimeoutSeconds": 120 },
            { "Path": "/open/**", "Access": "Anonymous", "TimeoutSeconds": 1 },
            { "Path": "/api/Billing/**" },
        ] },
        "DownstreamApis": { "Billing": { "TimeoutSeconds": 7 } },
    }));
    let browser = Browser::signed_in(&world, &ADA);
    for (path, seconds) in [("/slow/x", 120), ("/open/x", 1), ("/other", 20), ("/api/Billing/x", 7)] {
        served(&browser.fetch(path));
        assert_eq!(world.downstream.last().plan.timeout.as_seconds(), seconds, "{path}");
    }
}

#[test]
fn what_is_hidden_looks_like_nothing_to_whoever_may_not_see_it() {
    let world = World::with_routes(&json!([
        { "Path": "/secret/**", "Require": { "Roles": ["Admin"] }, "Hide": true },
        { "Path": "/api/Billing/**", "Require": { "Roles": ["Admin"] }, "Hide": true },
        { "Path": "/shown/**", "Require": { "Roles": ["Admin"] } },
    ]));
    let browser = Browser::signed_in(&world, &ADA);
    let without_trace = |received: &Received| {
        let mut problem = received.json();
        problem.as_object_mut().unwrap().remove("trace");
        (received.status, problem, received.headers.clone())
    };
    let nothing = without_trace(&browser.fetch("/.auth/nothing"));
    for path in ["/secret", "/secret/x", "/api/Billing/x"] {
        assert_eq!(without_trace(&browser.fetch(path)), nothing, "{path}");
    }
    assert_eq!((browser.visit("/secret/x").status, browser.visit("/shown/x").status), (404, 403));
    assert_eq!(browser.fetch("/shown/x").problem(), (403, "forbidden".to_owned()));
    let refused = world.log().into_iter().rfind(|line| line["event"] == "request.refused").unwrap();
    assert_eq!(refused["rule"], "Routes[2]", "{refused}");
    assert!(browser.is_signed_in());
}

#[test]
fn a_rule_for_an_api_is_for_its_calls_alone_and_no_other_covers_them() {
    let world = World::with_routes(&json!([
        { "Path": "/**", "Access": "Anonymous" },
        { "Path": "/api/Billing/**", "Require": { "Roles": ["Admin"] } },
        { "Path": "/api/Orders/open/**", "AntiForgery": false },
    ]));
    let stranger = Browser::new(&world);
    assert_eq!(fate(&stranger, Request::script("GET", &absolute("/page"))), "passes as nobody");
    for path in ["/api/Billing/x", "/api/Orders/x", "/api/Orders/open/x"] {
        assert_eq!(fate(&stranger, Request::script("GET", &absolute(path))), "401 login_required", "{path}");
    }
    let browser = Browser::new(&world);
    let callback = world.op.authorize(&browser.begin("/.auth/login"), &ADA);
    assert_eq!(browser.come_back(&callback).status, 303);
    let foreign = |path: &str| Request::new("POST", &absolute(path)).with("sec-fetch-site", "cross-site");
    assert_eq!(browser.fetch("/api/Billing/x").problem(), (403, "forbidden".to_owned()));
    assert_eq!(browser.send(foreign("/api/Orders/x")).problem(), (403, "csrf_rejected".to_owned()));
    served(&browser.fetch("/api/Orders/x"));
    served(&browser.send(foreign("/api/Orders/open/x")));
    for path in ["/api/Orders/open%2f/x", "/api/Orders/OPEN/x", "/api/Orders//open/x", "/api/Orders/open;a/x"] {
        assert_eq!(browser.send(foreign(path)).problem(), (400, "bad_request".to_owned()), "{path}");
    }
}

/// Rules that can stand beside each other, as open as each can be.
fn open_rules() -> Vec<Value> {
    vec![
        json!({ "Path": "/**", "Access": "Anonymous" }),
        json!({ "Path": "/*", "Access": "Optional" }),
        json!({ "Path": "/*/*/x", "Access": "Anonymous" }),
        json!({ "Path": "/apis/**", "Access": "Anonymous", "CorsOrigins": ["https://spa.example"] }),
        json!({ "Path": "/api/**", "AntiForgery": false, "CorsOrigins": ["https://spa.example"] }),
        json!({ "Path": "/api/Billing/**", "AntiForgery": false, "CorsOrigins": ["https://spa.example"] }),
        json!({ "Path": "/api/*/x", "Methods": ["GET"], "AntiForgery": false }),
        json!({ "Path": "/api/Orders", "Hide": true, "Require": { "Not": { "Roles": ["Guest"] } } }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn no_rule_gets_an_api_called_without_a_session(
        rules in proptest::sample::subsequence(open_rules(), 0..8),
        method in proptest::sample::select(vec!["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PURGE"]),
        path in proptest::sample::select(vec![
            "/api/Billing/x", "/api/Orders", "/api/Orders/x", "/api/Orders//x", "/%61pi/Orders/x", "/API/Orders/x",
            "//api/Orders/x", "/api/Orders;a/x", "/api/Orders%2fx", "/x/..;/api/Orders/x", "/api/billing/x",
        ]),
        kind in 0..4,
        cookie in proptest::sample::select(vec!["", "AAAA", "tampered", "ended"]),
    ) {
        let world = World::with_routes(&rules.into());
        let browser = Browser::new(&world);
        if matches!(cookie, "tampered" | "ended") {
            let callback = world.op.authorize(&browser.begin("/.auth/login"), &ADA);
            browser.come_back(&callback);
            browser.copy().post("/.auth/logout");
        }
        let browser = if cookie == "tampered" { tampered(&browser) } else { browser };
        if cookie == "AAAA" {
            browser.jar.plant(SESSION, cookie);
        }
        let url = absolute(path);
        let request = match kind {
            0 => Request::script(method, &url),
            1 => Request::navigation(method, &url, "none"),
            2 => Request::handshake(&url),
            _ => Request::script(method, &url).with("access-control-request-method", "GET"),
        };
        browser.send(request.with("origin", "https://spa.example").with("authorization", "Bearer x"));
        for arrival in world.downstream.arrivals() {
            prop_assert!(!arrival.url.starts_with("https://"), "{:?}", arrival);
            prop_assert_eq!(arrival.header("authorization"), None);
        }
    }
}
