//! What the origin can be, and what is rewritten on the way there and back.

use proptest::prelude::*;
use serde_json::{Value, json};
use vestibule::flow;
use vestibule::forwarding::Destination;
use vestibule::request::RequestHead;

use crate::browser::{Browser, absolute};
use crate::deployment::{self, BILLING, ORIGIN, PUBLIC};
use crate::op::ADA;
use crate::request::Request;
use crate::world::World;

/// A world with further settings of the gateway, and bindings that have nothing to do with it.
fn world_with(gateway: &Value) -> World {
    let mut environment = deployment::changed(deployment::environment(), &json!({ "Gateway": gateway }));
    environment["bindings"].as_array_mut().unwrap().extend([json!("APP"), json!("OTHER")]);
    World::of(environment)
}

fn relocated(gateway: &Value, path: &str, location: &str) -> Option<String> {
    let environment = deployment::changed(deployment::environment(), &json!({ "Gateway": gateway }));
    let text = Request::script("GET", &absolute(path)).text();
    flow::relocated(&deployment::app(&environment), &RequestHead::parse(&text).unwrap(), location)
}

#[test]
fn a_binding_sees_the_public_url_and_who_is_signed_in() {
    let world = world_with(&json!({ "Origin": null, "OriginService": "APP" }));
    let browser = Browser::signed_in(&world, &ADA);
    for (path, handshake) in [("/a%2Fb//c?d=%20&e", false), ("/chat?room=%2F", true)] {
        let url = absolute(path);
        let request = if handshake { Request::handshake(&url) } else { Request::script("GET", &url) };
        assert!(browser.send(request.with("x-ms-client-principal-id", "spoofed")).is_forwarded);
        let arrival = world.downstream.last();
        let expected = Destination::Service { name: "APP".to_owned(), url: format!("{PUBLIC}{path}") };
        assert_eq!(arrival.plan.destination, expected);
        assert_eq!(arrival.header("x-ms-client-principal-id"), Some(ADA.sub));
        assert_eq!(arrival.header("x-forwarded-host"), Some("app.example"));
        assert_eq!(arrival.plan.carried.is_some(), handshake);
        assert!(!arrival.plan.answer.relocate && !arrival.plan.may_be_cached);
    }
    browser.fetch("/api/Billing/x");
    assert_eq!(world.downstream.last().plan.destination, Destination::Url(format!("{BILLING}/x")));
}

#[test]
fn nobody_reaches_a_binding_without_a_session() {
    let world = world_with(&json!({ "Origin": null, "OriginService": "APP" }));
    assert_eq!(Browser::new(&world).fetch("/page").problem(), (401, "login_required".to_owned()));
    assert_eq!(world.downstream.count(), 0);
}

#[test]
fn a_base_path_comes_before_the_requests_own() {
    for base in ["http://127.0.0.1:8080/base/v1", "http://127.0.0.1:8080/base/v1/"] {
        let world = world_with(&json!({ "Origin": base }));
        let browser = Browser::signed_in(&world, &ADA);
        for (path, expected) in [("/", "/"), ("/x?y", "/x?y"), ("//evil.example/x", "//evil.example/x")] {
            browser.fetch(&absolute(path));
            assert_eq!(world.downstream.last().url, format!("{ORIGIN}/base/v1{expected}"));
        }
    }
}

#[test]
fn a_prefix_is_taken_off_segment_by_segment_and_told_to_the_origin() {
    let world = world_with(&json!({ "StripPathPrefix": "/app/v1", "Origin": "http://127.0.0.1:8080/base" }));
    let browser = Browser::signed_in(&world, &ADA);
    for (path, expected) in [
        ("/app/v1", "/"),
        ("/app/v1/", "/"),
        ("/app/v1?a=/app/v1", "/?a=/app/v1"),
        ("/app/v1/app/v1/x", "/app/v1/x"),
        ("/app/v1//evil.example/x", "//evil.example/x"),
        ("/app/v1/%2e", ""),
    ] {
        let count = world.downstream.count();
        browser.send(Request::script("GET", &absolute(path)).with("x-forwarded-prefix", "/spoofed"));
        if expected.is_empty() {
            assert_eq!(world.downstream.count(), count, "{path}");
            continue;
        }
        let arrival = world.downstream.last();
        assert_eq!(arrival.url, format!("{ORIGIN}/base{expected}"), "{path}");
        assert_eq!(arrival.header("x-forwarded-prefix"), Some("/app/v1"), "{path}");
    }
}

#[test]
fn beside_the_prefix_there_is_nothing_for_a_rule_to_miss() {
    let routes = json!([{ "Path": "/app/v1/admin/**", "Require": { "Roles": "admin" } }]);
    let world = world_with(&json!({ "StripPathPrefix": "/app/v1", "Routes": routes }));
    let browser = Browser::signed_in(&world, &ADA);
    let count = world.downstream.count();
    assert_eq!(browser.fetch("/app/v1/admin/x").problem(), (403, "forbidden".to_owned()));
    for path in [
        "/admin/x",
        "/app/v1x",
        "/app/v",
        "/app",
        "/APP/v1/x",
        "/app/%76%31/x",
        "/app%2Fv1/x",
        "/x/app/v1",
        "//app/v1/x",
        "/app//v1/x",
    ] {
        assert_eq!(browser.fetch(path).problem(), (404, "not_found".to_owned()), "{path}");
    }
    let start = browser.visit("/");
    assert_eq!((start.status, start.location()), (302, absolute("/app/v1/").as_str()));
    assert_eq!(world.downstream.count(), count);
}

#[test]
fn what_is_an_endpoint_of_ours_is_not_the_origins_for_having_a_prefix() {
    let world = world_with(&json!({ "StripPathPrefix": "/app" }));
    let browser = Browser::signed_in(&world, &ADA);
    let count = world.downstream.count();
    assert_eq!(browser.fetch("/.auth/me").status, 200);
    assert_eq!(world.downstream.count(), count);
    browser.fetch("/app/.auth/me");
    assert_eq!(world.downstream.last().url, format!("{ORIGIN}/.auth/me"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_forwarded_is_what_was_authorised_minus_a_constant(rest in "(/[a-z.%0-9/?=-]{0,12})?") {
        let world = world_with(&json!({ "StripPathPrefix": "/app", "Origin": "http://127.0.0.1:8080/base" }));
        let plain = World::new();
        let path = format!("/app{rest}");
        let (stripped, whole) = (Browser::signed_in(&world, &ADA), Browser::signed_in(&plain, &ADA));
        let answers = [stripped.fetch(&absolute(&path)).status, whole.fetch(&absolute(&path)).status];
        prop_assert_eq!(answers[0], answers[1]);
        if answers[0] == 200 {
            let (short, long) = (world.downstream.last().url, plain.downstream.last().url);
            let (short, long) = (short.strip_prefix(ORIGIN).unwrap(), long.strip_prefix(ORIGIN).unwrap());
            let expected = long.strip_prefix("/app").unwrap();
            let slash = if expected.starts_with('/') { "" } else { "/" };
            prop_assert_eq!(short, format!("/base{slash}{expected}"));
        }
    }
}

#[test]
fn headers_are_set_and_removed_in_every_spelling_and_never_those_that_tell_who_calls() {
    let world = world_with(&json!({
        "RequestHeaders": { "X-Tenant": "a, \"b\"%", "x_trace": "ours" },
        "RemoveRequestHeaders": ["accept-language", "Referer", "X-Old_Name"],
    }));
    let browser = Browser::signed_in(&world, &ADA);
    let request = Request::script("GET", &absolute("/page"))
        .with("accept-language", "en")
        .with("referer", "https://app.example/secret")
        .with("x-tenant", "theirs")
        .with("X_Tenant", "theirs")
        .with("x-trace", "theirs")
        .with("X-Old-name", "theirs")
        .with("x-kept", "theirs");
    browser.send(request);
    let arrival = world.downstream.last();
    let theirs = arrival.headers.iter().filter(|(_, value)| value == "theirs").map(|(name, _)| name.as_str());
    assert_eq!(theirs.collect::<Vec<_>>(), ["x-kept"]);
    assert_eq!((arrival.header("x-tenant"), arrival.header("x_trace")), (Some("a, \"b\"%"), Some("ours")));
    assert_eq!((arrival.header("accept-language"), arrival.header("referer")), (None, None));
    assert_eq!(arrival.header("x-ms-client-principal-id"), Some(ADA.sub));
    browser.send(Request::script("GET", &absolute("/api/Billing/x")).with("x-tenant", "theirs"));
    let call = world.downstream.last();
    assert_eq!((call.header("x-tenant"), call.header("x_trace")), (Some("theirs"), None));
}

#[test]
fn the_origins_answers_are_changed_and_those_of_apis_are_not() {
    let world = world_with(&json!({
        "ResponseHeaders": { "X-Frame-Options": "DENY", "Cache-Control": "private", "Vary": "Accept" },
        "RemoveResponseHeaders": ["Server", "X-Powered-By"],
    }));
    let browser = Browser::signed_in(&world, &ADA);
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    *world.downstream.answer_headers.borrow_mut() =
        vec![header("server", "x/1"), header("x-frame-options", "ALLOWALL"), header("vary", "Cookie")];
    let answer = browser.fetch("/page");
    assert_eq!((answer.header("server"), answer.header("x-frame-options")), (None, Some("DENY")));
    assert_eq!(answer.all("vary").collect::<Vec<_>>(), ["Cookie", "Accept"]);
    assert_eq!(answer.header("cache-control"), Some("private"));
    let answer = browser.fetch("/api/Billing/x");
    assert_eq!((answer.header("server"), answer.header("x-frame-options")), (Some("x/1"), Some("ALLOWALL")));
}

#[test]
fn nothing_is_changed_that_nobody_asked_for() {
    let world = World::new();
    let browser = Browser::signed_in(&world, &ADA);
    browser.fetch("/page");
    let plan = world.downstream.last().plan;
    assert!(
        plan.answer.set.is_empty() && plan.answer.remove.is_empty() && plan.remove.iter().all(|name| name == "cookie")
    );
    assert!(plan.answer.relocate && !plan.may_be_cached);
    browser.fetch("/api/Billing/x");
    let plan = world.downstream.last().plan;
    assert!(!plan.answer.relocate && !plan.may_be_cached);
}

#[test]
fn redirects_to_the_origins_own_address_lead_to_the_public_one() {
    let base = json!({ "Origin": "https://origin.example/base" });
    for (location, expected) in [
        ("https://origin.example/base", Some("https://app.example/")),
        ("https://origin.example/base/", Some("https://app.example/")),
        ("https://origin.example/base/x?y=/base#z", Some("https://app.example/x?y=/base#z")),
        ("HTTPS://ORIGIN.example:443/base/x", Some("https://app.example/x")),
        ("https:\\\\origin.example\\base\\x", Some("https://app.example/x")),
        ("//origin.example/base/x", Some("https://app.example/x")),
        ("https://origin.example/base//evil.example", Some("https://app.example//evil.example")),
        ("https://origin.example/base/%2e%2e/x", None),
        ("https://origin.example/basement", None),
        ("https://origin.example/", None),
        ("https://origin.example.evil/base/x", None),
        ("https://origin.example:8443/base/x", None),
        ("http://origin.example/base/x", None),
        ("https://user@origin.example/base/x", None),
        ("//evil.example/base/x", None),
        ("/base/x", None),
        ("x", None),
        ("", None),
        ("javascript:alert(1)", None),
        ("https://op.example/authorize?redirect_uri=https://origin.example/base/x", None),
    ] {
        assert_eq!(relocated(&base, "/page", location).as_deref(), expected, "{location}");
    }
    let plain = json!({});
    assert_eq!(relocated(&plain, "/", &format!("{ORIGIN}/x")).as_deref(), Some("https://app.example/x"));
    assert_eq!(relocated(&plain, "/", ORIGIN).as_deref(), Some("https://app.example/"));
    let world = world_with(&json!({ "RewriteLocation": false }));
    Browser::signed_in(&world, &ADA).fetch("/page");
    assert!(!world.downstream.last().plan.answer.relocate);
}

#[test]
fn a_redirect_keeps_the_prefix_that_its_request_had() {
    let gateway = json!({ "Origin": "https://origin.example/base", "StripPathPrefix": "/app" });
    for (path, location, expected) in [
        ("/app/x", "https://origin.example/base/y", "https://app.example/app/y"),
        ("/app", "https://origin.example/base", "https://app.example/app"),
        ("/app/", "https://origin.example/base/?a", "https://app.example/app/?a"),
        ("/apple", "https://origin.example/base/y", "https://app.example/y"),
        ("/x", "https://origin.example/base", "https://app.example/"),
    ] {
        assert_eq!(relocated(&gateway, path, location).as_deref(), Some(expected), "{path} {location}");
    }
}
