//! Sensitive routes: a sign-out anywhere holds at their very next request, and nobody but the account's object vouches.

use serde_json::json;

use crate::browser::{Browser, SESSION, absolute};
use crate::op::ADA;
use crate::request::Request;
use crate::world::World;

const PATHS: [&str; 3] = ["/vault/x", "/json/x", "/api/Billing/x"];

fn world() -> World {
    World::with_routes(&json!([
        { "Path": "/vault/**", "Sensitive": true },
        { "Path": "/json/**", "Access": "Api", "Sensitive": true },
        { "Path": "/maybe/**", "Access": "Optional", "Sensitive": true },
        { "Path": "/api/Billing/**", "Sensitive": true },
    ]))
}

/// A browser whose isolate remembers its session and tokens for all of the paths.
fn warm(world: &World) -> Browser<'_> {
    let browser = Browser::signed_in(world, &ADA);
    browser.moves_to(&world.isolate_at(1));
    for path in PATHS.into_iter().chain(["/page", "/api/Orders/x", "/maybe/x"]) {
        assert!(browser.fetch(path).is_forwarded, "{path}");
    }
    browser
}

#[test]
fn a_sign_out_elsewhere_holds_at_the_very_next_request() {
    let world = world();
    for path in PATHS {
        let browser = warm(&world);
        let elsewhere = browser.copy();
        elsewhere.moves_to(&world.isolate_at(2));
        assert_eq!(elsewhere.post("/.auth/logout").status, 303);
        assert!(browser.copy().fetch("/page").is_forwarded, "the isolate remembers for RevocationDelay");
        let answer = browser.copy().fetch(path);
        assert_eq!(answer.problem(), (401, "session_expired".to_owned()), "{path}");
        assert!(answer.expires(SESSION));
        assert_eq!(browser.copy().fetch("/page").problem().0, 401, "what was learned is remembered");
    }
}

#[test]
fn elsewhere_it_holds_within_the_delay() {
    let world = world();
    let browser = warm(&world);
    world.isolate_at(2).serve(&browser.script("POST", "/.auth/logout"));
    for (seconds, is_served) in [(0, true), (9, true), (1, false)] {
        world.advance(seconds);
        for path in ["/page", "/api/Orders/x"] {
            assert_eq!(browser.copy().fetch(path).is_forwarded, is_served, "{path} {seconds}");
        }
    }
}

#[test]
fn where_nobody_must_sign_in_whoever_left_is_a_stranger_at_once() {
    let world = world();
    let browser = warm(&world);
    world.isolate_at(2).serve(&browser.script("POST", "/.auth/logout"));
    let answer = browser.fetch("/maybe/x");
    assert!(answer.is_forwarded && answer.expires(SESSION));
    assert_eq!(world.downstream.last().header("x-ms-client-principal-id"), None);
}

#[test]
fn a_role_that_is_gone_elsewhere_is_gone_here() {
    let world = World::with(&json!({
        "Gateway": { "Routes": [{ "Path": "/vault/**", "Sensitive": true, "Require": { "Roles": ["Admin"] } }] },
        "Session": { "IdleSeconds": 28_800, "RevocationDelay": 300 },
    }));
    *world.op.claims.borrow_mut() = json!({ "roles": ["Admin"] });
    let browser = Browser::signed_in(&world, &ADA);
    browser.moves_to(&world.isolate_at(1));
    assert!(browser.fetch("/vault/x").is_forwarded);
    let elsewhere = browser.copy();
    elsewhere.moves_to(&world.isolate_at(2));
    *world.op.claims.borrow_mut() = json!({ "roles": ["reader"] });
    world.advance(3600);
    assert!(elsewhere.fetch("/api/Orders/x").is_forwarded);
    assert_eq!(browser.fetch("/vault/x").problem(), (403, "forbidden".to_owned()));
}

#[test]
fn nothing_is_served_by_memory_or_a_copy_while_the_object_is_down() {
    for is_cold in [false, true] {
        for storage in [false, true] {
            let world = world();
            let browser = warm(&world);
            if is_cold {
                browser.moves_to(&world.isolate_at(3));
            }
            let breaks = |is_broken| {
                if storage {
                    world.accounts.storage_fails.set(is_broken);
                } else {
                    world.accounts.is_down.set(is_broken);
                }
            };
            breaks(true);
            let arrived = world.downstream.count();
            for path in PATHS.into_iter().chain(["/maybe/x"]) {
                for request in [Request::script("GET", &absolute(path)), Request::script("POST", &absolute(path))] {
                    let answer = browser.send(request);
                    assert_eq!(answer.problem(), (503, "cache_unavailable".to_owned()), "{path}");
                    assert_eq!(answer.set_cookies().count(), 0);
                }
            }
            assert_eq!(world.downstream.count(), arrived);
            assert!(browser.fetch("/page").is_forwarded, "{is_cold} {storage}");
            breaks(false);
            PATHS.iter().for_each(|path| assert!(browser.fetch(path).is_forwarded, "{path}"));
        }
    }
}

#[test]
fn each_request_asks_the_object_and_a_stranger_asks_nobody() {
    let world = world();
    let browser = warm(&world);
    for path in PATHS {
        let calls = world.accounts.calls();
        assert!(browser.fetch(path).is_forwarded);
        assert!(world.accounts.calls() > calls, "{path}");
    }
    let calls = world.accounts.calls();
    for path in PATHS {
        assert_eq!(Browser::new(&world).fetch(path).problem().0, 401);
        assert_eq!(crate::route_rules::tampered(&browser).fetch(path).problem().0, 401);
    }
    assert_eq!(world.accounts.calls(), calls);
}
