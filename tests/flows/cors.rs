//! Pages of other origins: preflights are answered here, listed origins may send requests and read the answers, and nobody
//! else may.

use serde_json::json;
use vestibule::runtime::TransportFault;

use crate::browser::{Browser, absolute};
use crate::op::ADA;
use crate::request::{Received, Request};
use crate::world::World;

const SPA: &str = "https://spa.example";
const OTHER: &str = "https://other.example:8443";
const EVIL: &str = "https://evil.example";

fn world() -> World {
    let listed = [SPA, OTHER];
    World::with(&json!({ "Gateway": {
        "AlternateOrigins": ["https://www.example"],
        "Routes": [
            { "Path": "/left/**", "Access": "Anonymous" },
            { "Path": "/open/**", "Access": "Anonymous", "CorsOrigins": listed },
            { "Path": "/maybe/**", "Access": "Optional", "CorsOrigins": listed },
            { "Path": "/pages/**", "CorsOrigins": listed },
            { "Path": "/json/**", "Access": "Api", "CorsOrigins": listed },
            { "Path": "/mixed", "Methods": ["GET"], "Access": "Anonymous" },
            { "Path": "/mixed", "Methods": ["PUT"], "CorsOrigins": listed },
            { "Path": "/staff/**", "CorsOrigins": listed, "Require": { "Roles": ["Staff"] } },
            { "Path": "/api/Billing/**", "CorsOrigins": listed },
        ],
    } }))
}

const WITH_SESSIONS: [&str; 4] = ["/maybe/x", "/pages/x", "/json/x", "/api/Billing/x"];

fn preflight(path: &str, origin: &str, method: &str) -> Request {
    Request::new("OPTIONS", &absolute(path))
        .with("origin", origin)
        .with("access-control-request-method", method)
        .with("access-control-request-headers", "content-type,x-a")
        .with("sec-fetch-mode", "cors")
        .with("sec-fetch-site", "cross-site")
}

fn from(origin: &str, method: &str, path: &str) -> Request {
    Request::script(method, &absolute(path)).with("origin", origin).with("sec-fetch-site", "cross-site")
}

/// What the page may know: `Access-Control-Allow-Origin` and `-Credentials`.
fn allowed(received: &Received) -> (Option<&str>, Option<&str>) {
    assert!(received.all("access-control-allow-origin").count() <= 1, "{received:?}");
    (received.header("access-control-allow-origin"), received.header("access-control-allow-credentials"))
}

const SESSION_TO_SPA: (Option<&str>, Option<&str>) = (Some(SPA), Some("true"));

#[test]
fn a_preflight_of_a_listed_origin_is_answered_here() {
    let world = world();
    let browser = Browser::signed_in(&world, &ADA);
    let (arrived, operations) = (world.downstream.count(), world.kv.operations().len());
    for browser in [Browser::new(&world), browser] {
        for (path, credentials) in WITH_SESSIONS.map(|path| (path, Some("true"))).into_iter().chain([("/open/x", None)])
        {
            for origin in [SPA, OTHER] {
                for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
                    let answer = browser.send(preflight(path, origin, method));
                    assert_eq!((answer.status, allowed(&answer)), (204, (Some(origin), credentials)), "{path}");
                    let methods = answer.header("access-control-allow-methods").unwrap();
                    assert!(methods.split(", ").any(|allowed| allowed == method), "{methods}");
                    assert_eq!(answer.header("access-control-allow-headers"), Some("content-type,x-a"));
                    assert_eq!((answer.header("access-control-max-age"), answer.body.as_str()), (Some("600"), ""));
                    assert_eq!(
                        (answer.header("vary"), answer.header("cache-control")),
                        (Some("Origin"), Some("no-store"))
                    );
                    assert_eq!(answer.set_cookies().count(), 0);
                }
            }
        }
    }
    assert_eq!((world.downstream.count(), world.kv.operations().len()), (arrived, operations));
}

#[test]
fn a_preflight_of_anybody_else_is_refused_and_forwarded_nowhere() {
    let world = world();
    let browser = Browser::signed_in(&world, &ADA);
    let arrived = world.downstream.count();
    let look_alikes = [
        "null",
        "https://spa.example.",
        "https://spa.example.evil.example",
        "https://evil-spa.example",
        "https://x.spa.example",
        "https://SPA.example",
        "HTTPS://spa.example",
        "http://spa.example",
        "https://spa.example:443",
        "https://spa.example:8443",
        "https://spa.example/",
        "https://spa.example ",
        "https://spa.example, https://evil.example",
        "https://spa.example https://evil.example",
        "https://spa.example@evil.example",
        "https://other.example",
        "https://www.example",
        "https://app.example",
        "*",
        "",
        EVIL,
    ];
    for browser in [Browser::new(&world), browser] {
        for path in WITH_SESSIONS.into_iter().chain(["/open/x", "/staff/x"]) {
            for origin in look_alikes {
                let answer = browser.send(preflight(path, origin, "POST"));
                assert_eq!(answer.problem(), (403, "csrf_rejected".to_owned()), "{path} {origin}");
                assert_eq!((allowed(&answer), answer.header("access-control-allow-methods")), ((None, None), None));
            }
        }
        for (path, method) in [("/page", "POST"), ("/api/Orders/x", "GET"), ("/elsewhere", "PURGE")] {
            assert_eq!(browser.send(preflight(path, SPA, method)).problem().0, 403, "no rule lists anybody at {path}");
        }
    }
    assert_eq!(world.downstream.count(), arrived);
}

#[test]
fn a_preflight_counts_for_the_method_that_is_to_follow() {
    let world = world();
    let browser = Browser::signed_in(&world, &ADA);
    let arrived = world.downstream.count();
    let put = browser.send(preflight("/mixed", SPA, "PUT"));
    assert_eq!((put.status, allowed(&put)), (204, SESSION_TO_SPA));
    assert_eq!(browser.send(preflight("/mixed", SPA, "DELETE")).problem().0, 403);
    assert_eq!(world.downstream.count(), arrived);
    // What the origin would answer for itself is judged by the rule for OPTIONS.
    assert_eq!(Browser::new(&world).send(preflight("/mixed", SPA, "GET")).problem().0, 401);
    for not_one in [
        preflight("/pages/x", SPA, "POST").without("origin"),
        preflight("/pages/x", SPA, "POST").without("access-control-request-method"),
    ] {
        assert_eq!(Browser::new(&world).send(not_one).problem(), (401, "login_required".to_owned()));
    }
}

#[test]
fn an_open_rule_that_lists_nobody_leaves_it_all_to_the_origin() {
    let world = world();
    let theirs = [("access-control-allow-origin", "*"), ("access-control-max-age", "1"), ("vary", "Accept")];
    *world.downstream.answer_headers.borrow_mut() =
        theirs.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let browser = Browser::signed_in(&world, &ADA);
    for origin in [SPA, EVIL, "null"] {
        for request in [preflight("/left/x", origin, "DELETE"), from(origin, "DELETE", "/left/x")] {
            let answer = browser.send(request.clone());
            assert!(answer.is_forwarded, "{request:?}");
            assert_eq!(allowed(&answer), (Some("*"), None));
            assert_eq!((answer.header("access-control-max-age"), answer.header("vary")), (Some("1"), Some("Accept")));
            assert_eq!(world.downstream.last().header("origin"), Some(origin));
            assert_eq!(world.downstream.last().header("x-ms-client-principal"), None);
        }
    }
}

#[test]
fn our_own_pages_are_for_nobody_else() {
    let world = world();
    let browser = Browser::signed_in(&world, &ADA);
    let arrived = world.downstream.count();
    for path in ["/.auth/me", "/.auth/sessions", "/.auth/logout", "/.auth/login", "/signin-oidc", "/.auth/nothing"] {
        for method in ["GET", "POST"] {
            let answer = browser.copy().send(preflight(path, SPA, method));
            assert_eq!(allowed(&answer), (None, None), "{path}");
            assert!(answer.status >= 400, "{answer:?}");
            assert_eq!(allowed(&browser.copy().send(from(SPA, method, path))), (None, None), "{path}");
        }
    }
    assert_eq!(world.downstream.count(), arrived);
}

#[test]
fn a_listed_origin_acts_as_the_user_and_reads_the_answer() {
    let world = world();
    let theirs = [
        ("access-control-allow-origin", "*"),
        ("access-control-allow-credentials", "false"),
        ("access-control-allow-private-network", "true"),
        ("access-control-expose-headers", "x-total"),
        ("vary", "Accept-Encoding"),
    ];
    *world.downstream.answer_headers.borrow_mut() =
        theirs.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let browser = Browser::signed_in(&world, &ADA);
    for path in WITH_SESSIONS {
        for method in ["GET", "POST", "PUT", "DELETE"] {
            for site in ["same-site", "cross-site", ""] {
                let request = from(SPA, method, path).with("sec-fetch-site", site);
                let request = if site.is_empty() { request.without("sec-fetch-site") } else { request };
                let answer = browser.send(request);
                assert!(answer.is_forwarded, "{method} {path} {site}");
                assert_eq!(allowed(&answer), SESSION_TO_SPA, "{path}");
                assert_eq!(answer.all("vary").collect::<Vec<_>>(), ["Accept-Encoding", "Origin"]);
                assert_eq!(answer.header("access-control-allow-private-network"), None);
                assert_eq!(answer.header("access-control-expose-headers"), Some("x-total"));
            }
        }
    }
    let answer = browser.send(from(SPA, "POST", "/open/x"));
    assert_eq!((answer.is_forwarded, allowed(&answer)), (true, (Some(SPA), None)));
    let handshake = Request::handshake(&absolute("/pages/x")).with("sec-fetch-site", "cross-site");
    assert!(browser.send(handshake.clone().with("origin", SPA)).is_forwarded);
    assert_eq!(browser.send(handshake.with("origin", EVIL)).problem().0, 403);
}

#[test]
fn nobody_else_changes_anything_or_reads_an_answer() {
    let world = world();
    *world.downstream.answer_headers.borrow_mut() = vec![("access-control-allow-origin".to_owned(), "*".to_owned())];
    let browser = Browser::signed_in(&world, &ADA);
    for origin in [EVIL, "null", "https://spa.example.evil.example", "https://www.example", "https://SPA.EXAMPLE"] {
        let arrived = world.downstream.count();
        for path in WITH_SESSIONS {
            let request = from(origin, "POST", path).with("x-csrf", "1");
            assert_eq!(browser.send(request.clone()).problem(), (403, "csrf_rejected".to_owned()), "{path} {origin}");
            assert_eq!(browser.send(request.without("sec-fetch-site")).problem().0, 403, "{path} {origin}");
        }
        for path in ["/api/Billing/x", "/json/x"] {
            assert_eq!(browser.send(from(origin, "GET", path)).problem().0, 403, "{path} {origin}");
        }
        assert_eq!(world.downstream.count(), arrived);
        for path in ["/maybe/x", "/pages/x", "/open/x"] {
            let answer = browser.send(from(origin, "GET", path));
            assert_eq!((answer.is_forwarded, allowed(&answer)), (true, (None, None)), "{path} {origin}");
            assert_eq!(answer.header("vary"), Some("Origin"), "a cache must not show it to others");
        }
    }
    let own = browser.fetch("/pages/x");
    assert_eq!((own.is_forwarded, allowed(&own)), (true, (None, None)));
}

#[test]
fn a_listed_origin_reads_what_went_wrong_as_well() {
    for at_once in [false, true] {
        let world = world();
        world.forwards_at_once.set(at_once);
        let (browser, stranger) = (Browser::signed_in(&world, &ADA), Browser::new(&world));
        let read = |browser: &Browser<'_>, path: &str, expected: u16| {
            let answer = browser.copy().send(from(SPA, "POST", path));
            assert_eq!((answer.status, allowed(&answer)), (expected, SESSION_TO_SPA), "{path} {answer:?}");
            assert_eq!(answer.header("vary"), Some("Origin"));
            let unreadable = browser.copy().send(from(EVIL, "GET", path));
            assert_eq!(allowed(&unreadable), (None, None));
            answer.json()
        };
        for path in ["/pages/x", "/json/x", "/api/Billing/x"] {
            let problem = read(&stranger, path, 401);
            assert_eq!(problem["login_url"], absolute("/.auth/login"), "no page of another origin to come back to");
        }
        read(&browser, "/staff/x", 403);
        *world.downstream.fault.borrow_mut() = Some(TransportFault::NoConnection);
        for path in WITH_SESSIONS {
            read(&browser, path, 502);
        }
    }
}
