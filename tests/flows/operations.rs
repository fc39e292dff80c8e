//! What an operator learns: the log's words for what is decided, what is counted of it, the client's own trace, and health.

use serde_json::{Value, json};
use vestibule::flow::EVENTS;
use vestibule::measure::{BLOBS, Measure};

use crate::browser::{Browser, SESSION, absolute};
use crate::deployment::{changed, environment, with_metrics};
use crate::op::{ADA, BOB, Endpoint, Instead};
use crate::request::Request;
use crate::world::World;

const TRACE_ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn rules() -> Value {
    json!({ "Gateway": { "Routes": [
        { "Name": "public", "Path": "/public/**", "Access": "Anonymous" },
        { "Path": "/maybe", "Access": "Optional" },
        { "Name": "admin", "Path": "/admin/**", "Require": { "Claims": { "roles": ["admin"] } }, "Hide": false },
        { "Name": "vault", "Path": "/vault", "MaxAgeSeconds": 60 },
    ] } })
}

/// With rules and a place to count in.
fn counting() -> World {
    World::of(with_metrics(changed(environment(), &rules())))
}

/// What was counted under that name, as `name=text` of everything that says something.
fn counted(world: &World, event: &str) -> Vec<Vec<String>> {
    let said = |point: &Measure| {
        let pairs = BLOBS.iter().zip(&point.blobs).skip(1).filter(|(_, text)| !text.is_empty());
        pairs.map(|(name, text)| format!("{name}={text}")).collect()
    };
    world.points().iter().filter(|point| point.blobs[0] == event).map(said).collect()
}

#[test]
fn a_refusal_says_which_rule_of_what_kind_refused_what_and_why() {
    let world = World::with(&rules());
    let browser = Browser::signed_in(&world, &ADA);
    assert_eq!(browser.fetch("/admin/x").status, 403);
    let line = world.logged("request.refused");
    let expected = json!({
        "event": "request.refused", "rule": "admin", "access": "Login", "provider": "OpenIdConnect",
        "route": "origin", "code": "forbidden", "status": 403, "fault": "Caller",
        "reason": line["reason"], "trace": line["trace"], "session": line["session"],
    });
    assert_eq!(line, expected);
    browser.fetch("/.auth/nothing");
    let line = world.logged("request.refused");
    assert_eq!((&line["route"], &line["rule"], &line["code"]), (&json!("nothing"), &Value::Null, &json!("not_found")));
}

#[test]
fn a_login_says_what_it_is_for() {
    let world = World::with(&rules());
    let browser = Browser::signed_in(&world, &ADA);
    let started = || world.logged("login.started");
    assert_eq!((&started()["for"], &started()["rule"]), (&json!("page"), &json!("default")));
    browser.follow("/.auth/login");
    assert_eq!((&started()["for"], &started()["rule"]), (&json!("login"), &Value::Null));
    browser.follow("/vault");
    assert_eq!((&started()["for"], &started()["rule"]), (&json!("step_up"), &json!("vault")));
    let refusal = json!({ "error": "invalid_grant" }).to_string();
    world.op.instead(Endpoint::Token, Instead::Says(400, vec![], refusal));
    assert_eq!(browser.follow("/api/Orders/x").status, 302);
    assert_eq!((&started()["for"], &started()["api"]), (&json!("api"), &json!("Orders")));
    assert_eq!(started()["provider"], "OpenIdConnect");
    assert_eq!(world.logged("token.refresh_failed")["code"], "interaction_required");
}

#[test]
fn all_lines_about_a_session_have_one_hash_that_is_not_its_id() {
    let world = World::with(&rules());
    let (browser, other) = (Browser::signed_in(&world, &ADA), Browser::signed_in(&world, &BOB));
    let others = world.logged("login.completed")["session"].clone();
    browser.fetch("/api/Orders/x");
    let refreshed = world.logged("token.refreshed")["session"].clone();
    browser.fetch("/admin/x");
    let refused = world.logged("request.refused")["session"].clone();
    let listed = browser.fetch("/.auth/sessions").json();
    let id = listed["sessions"][0]["id"].as_str().unwrap();
    browser.follow("/.auth/logout");
    let signed_out = world.logged("logout.completed")["session"].clone();
    assert_eq!((&refreshed, &refused), (&signed_out, &signed_out));
    assert_eq!(signed_out.as_str().map(str::len), Some(16));
    assert_ne!(others, signed_out);
    assert!(world.log().iter().all(|line| !line.to_string().contains(id) && !line.to_string().contains(ADA.sub)));
    let completed: Vec<_> = world.log().into_iter().filter(|line| line["event"] == "login.completed").collect();
    assert_eq!(completed[0]["session"], signed_out);
    assert!(other.is_signed_in());
}

#[test]
fn a_session_ended_by_its_user_is_known_by_its_own_hash() {
    let world = World::new();
    let (here, there) = (Browser::signed_in(&world, &ADA), Browser::signed_in(&world, &ADA));
    let ended = world.logged("login.completed")["session"].clone();
    let id = there.fetch("/.auth/sessions").json()["sessions"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(here.post(&format!("/.auth/sessions/{id}")).status, 204);
    assert_eq!(world.logged("session.ended")["session"], ended);
}

#[test]
fn a_session_that_is_over_is_left_where_nobody_needs_one() {
    let world = World::with(&rules());
    let cookie = format!("{SESSION}={}", "x".repeat(80));
    let received = world.serve(&Request::script("GET", &absolute("/maybe")).with("cookie", &cookie));
    assert!(received.is_forwarded);
    assert_eq!(world.logged("session.left")["code"], "session_expired");
    assert!(!world.has_logged("request.refused"));
}

#[test]
fn what_is_logged_is_counted_and_nothing_of_anybodys() {
    let world = counting();
    world.advance(1);
    let browser = Browser::new(&world);
    let request = browser.begin("/page?who=ada");
    world.advance(7);
    browser.come_back(&world.op.authorize(&request, &ADA));
    browser.fetch("/admin/of/ada?x=1");
    assert_eq!(
        counted(&world, "request.refused"),
        [
            vec![
                "rule=default",
                "access=Login",
                "provider=OpenIdConnect",
                "route=origin",
                "code=login_required",
                "status=4xx",
                "fault=Caller"
            ],
            vec![
                "rule=admin",
                "access=Login",
                "provider=OpenIdConnect",
                "route=origin",
                "code=forbidden",
                "status=4xx",
                "fault=Caller"
            ],
        ]
    );
    assert_eq!(
        counted(&world, "login.started"),
        [["rule=default", "access=Login", "provider=OpenIdConnect", "for=page"]]
    );
    assert_eq!(counted(&world, "login.completed"), [["provider=OpenIdConnect"]]);
    let took = world.points().into_iter().find(|point| point.blobs[0] == "login.completed").unwrap().milliseconds;
    assert_eq!(took, 7000);
    let text: String = world.points().iter().map(Measure::lines).collect();
    assert!(!text.contains("ada") && !text.contains("who"), "{text}");
    assert_eq!(world.points().len(), world.log().len(), "every line is counted once");
}

#[test]
fn a_request_that_is_passed_on_is_counted_once_and_never_logged() {
    let world = counting();
    let browser = Browser::signed_in(&world, &ADA);
    browser.fetch("/api/Billing/x");
    let (lines, before) = (world.log().len(), counted(&world, "request.served").len());
    for forwards_at_once in [false, true] {
        world.forwards_at_once.set(forwards_at_once);
        browser.fetch("/page/17");
        world.serve(&Request::script("GET", &absolute("/public/x")));
        world.downstream.answer_next(404, &[]);
        browser.fetch("/api/Billing/x");
        world.downstream.answer_next(429, &[]);
        browser.fetch("/api/Billing/x");
    }
    assert_eq!(world.log().len(), lines);
    let of = |decided: &str, rule: &str, access: &str, route: &str, status: &str| {
        let text = [rule, access, "OpenIdConnect", route, status, decided];
        ["rule", "access", "provider", "route", "status", "decided"]
            .iter()
            .zip(text)
            .map(|(name, text)| format!("{name}={text}"))
            .collect::<Vec<_>>()
    };
    let expected = ["later", "at_once"].map(|decided| {
        [
            of(decided, "default", "Login", "origin", "2xx"),
            of(decided, "public", "Anonymous", "origin", "2xx"),
            of(decided, "default", "Api", "api", "4xx"),
            // Looked at again, whatever the first attempt was.
            of("later", "default", "Api", "api", "4xx"),
        ]
    });
    assert_eq!(counted(&world, "request.served")[before..], expected.concat());
}

#[test]
fn without_a_dataset_no_request_that_is_passed_on_is_counted() {
    let world = World::new();
    let browser = Browser::signed_in(&world, &ADA);
    for forwards_at_once in [false, true] {
        world.forwards_at_once.set(forwards_at_once);
        browser.fetch("/page");
        assert!(world.downstream.last().plan.measure.is_none());
    }
    assert_eq!(counted(&world, "request.served"), [[""; 0]; 0]);
}

#[test]
fn a_trace_of_the_clients_goes_everywhere_and_into_every_line() {
    let world = World::with(&rules());
    let browser = Browser::new(&world);
    let traced = |request: Request| request.with("traceparent", PARENT).with("tracestate", "vendor=1");
    let redirect = browser.send(traced(Request::navigation("GET", &absolute("/page"), "none")));
    let callback = world.op.authorize(redirect.location(), &ADA);
    browser.send(traced(Request::navigation("GET", &callback, "cross-site")));
    browser.send(traced(Request::script("GET", &absolute("/api/Orders/x"))));
    browser.send(traced(Request::script("GET", &absolute("/admin/x"))));
    let called = world.op.take_traces();
    for endpoint in [Endpoint::Metadata, Endpoint::Jwks, Endpoint::Token] {
        assert!(called.iter().any(|(called, _)| *called == endpoint), "{endpoint:?} was not called");
    }
    // What vendors say is not the OP's business.
    assert!(called.iter().all(|(_, trace)| trace == PARENT), "{called:?}");
    let lines = world.log();
    assert!(lines.iter().any(|line| line["event"] == "token.refreshed"));
    assert!(lines.iter().all(|line| line["trace_id"] == TRACE_ID), "{lines:?}");
    for (path, forwards_at_once) in [("/page", true), ("/page", false), ("/public/x", true), ("/api/Billing/x", true)] {
        world.forwards_at_once.set(forwards_at_once);
        browser.send(traced(Request::script("GET", &absolute(path))));
        let arrival = world.downstream.last();
        assert_eq!((arrival.header("traceparent"), arrival.header("tracestate")), (Some(PARENT), Some("vendor=1")));
    }
}

#[test]
fn a_trace_that_is_none_goes_nowhere_and_none_is_invented() {
    let world = World::with(&rules());
    let browser = Browser::signed_in(&world, &ADA);
    world.op.take_traces();
    browser.fetch("/api/Orders/x");
    assert_eq!(world.downstream.last().header("traceparent"), None);
    assert!(world.op.take_traces().iter().all(|(_, trace)| trace.is_empty()));
    let invalid = [PARENT.to_uppercase(), format!("{PARENT}, {PARENT}"), format!("{PARENT}-x"), "1".to_owned()];
    for value in invalid {
        for path in ["/page", "/public/x", "/api/Billing/x", "/admin/x"] {
            let request = Request::script("GET", &absolute(path));
            let sent = browser.send(request.with("traceparent", &value).with("tracestate", "vendor=1"));
            if !sent.is_forwarded {
                assert_eq!(world.logged("request.refused")["trace_id"], Value::Null);
                continue;
            }
            let arrival = world.downstream.last();
            assert_eq!((arrival.header("traceparent"), arrival.header("tracestate")), (None, None), "{value}");
        }
    }
    browser.send(Request::script("GET", &absolute("/page")).with("tracestate", "vendor=1"));
    assert_eq!(world.downstream.last().header("tracestate"), None, "it says nothing by itself");
}

#[test]
fn health_is_the_same_for_everybody_and_for_get_and_head_alone() {
    let world = World::with(&rules());
    let browser = Browser::signed_in(&world, &ADA);
    let path = absolute("/.auth/health");
    for request in [
        Request::new("GET", &path),
        Request::new("HEAD", &path),
        Request::navigation("GET", &path, "cross-site"),
        browser.script("GET", "/.auth/health"),
        Request::new("GET", &path).with("cookie", &format!("{SESSION}=x")),
        Request::new("GET", &path).with("user-agent", "kube-probe/1.26"),
    ] {
        let received = world.serve(&request);
        assert_eq!((received.status, received.body.as_str()), (200, "ok\n"), "{request:?}");
        assert_eq!(received.header("cache-control"), Some("no-store"));
        assert_eq!(received.set_cookies().count(), 0);
    }
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "PROPFIND"] {
        let received = world.serve(&Request::new(method, &path));
        assert_eq!(received.problem(), (405, "method_not_allowed".to_owned()));
        assert_eq!(received.header("allow"), Some("GET, HEAD"));
    }
    assert_eq!(world.downstream.count(), 1, "nothing but the sign-in's page");
}

/// CVE-2026-34457: a gateway took whoever called itself a health check for a health check.
#[test]
fn no_user_agent_passes_for_a_monitor() {
    let world = World::with(&rules());
    for agent in ["kube-probe/1.26", "GoogleHC/1.0", "ELB-HealthChecker/2.0", "Cloudflare-Healthchecks/1.0", ""] {
        for path in ["/", "/page", "/admin/x", "/health", "/healthz", "/ping", "/ready", "/api/Billing/x"] {
            let received = world.serve(&Request::new("GET", &absolute(path)).with("user-agent", agent));
            assert_eq!(received.problem(), (401, "login_required".to_owned()), "{agent} {path}");
        }
    }
    assert_eq!(world.downstream.count(), 0);
}

#[test]
fn no_two_events_have_one_name_and_all_are_in_order() {
    let names: Vec<_> = EVENTS.iter().map(|event| event.name).collect();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(names, sorted);
}
