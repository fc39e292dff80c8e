//! `/.auth/events`: who may listen, and what everybody else is told.

use serde_json::json;
use vestibule::flow;
use vestibule::request::RequestHead;
use vestibule::runtime::StoreFault;

use crate::browser::{Browser, SESSION, absolute};
use crate::deployment::{KEY, OTHER_KEY};
use crate::op::{ADA, BOB};
use crate::request::Request;
use crate::schedule::ended;
use crate::world::World;

const EVENTS: &str = "/.auth/events";

fn handshake() -> Request {
    Request::handshake(&absolute(EVENTS))
}

/// What the object of that name says at once; none if another one was asked.
fn heard(browser: &Browser<'_>, object: &str) -> Option<String> {
    let answer = browser.send(handshake());
    assert_eq!((answer.status, answer.is_forwarded, answer.set_cookies().count()), (101, true, 0), "{answer:?}");
    (browser.world.accounts.called().last()? == object).then_some(answer.body)
}

#[test]
fn a_page_listens_to_the_object_of_its_own_account() {
    let world = World::with_accounts();
    let ada = Browser::signed_in(&world, &ADA);
    let objects = world.accounts.names();
    let bob = Browser::signed_in(&world, &BOB);
    assert_eq!(heard(&ada, &objects[0]).as_deref(), Some(""));
    assert_eq!(heard(&bob, &objects[0]), None);
    assert_eq!(world.downstream.count(), 2, "the origin heard of the two sign-ins only");
}

#[test]
fn a_rotated_key_leads_to_the_object_that_has_the_session() {
    let world = World::with_accounts();
    let browser = Browser::signed_in(&world, &ADA);
    let objects = world.accounts.names();
    world.redeploy(&json!({ "Session__Key": OTHER_KEY, "Session__PreviousKeys": KEY }));
    assert_eq!(heard(&browser, &objects[0]).as_deref(), Some(""));
}

#[test]
fn whoever_comes_after_the_end_is_told_at_once() {
    let world = World::with_accounts();
    let browser = Browser::signed_in(&world, &ADA);
    let (objects, elsewhere) = (world.accounts.names(), browser.copy());
    elsewhere.moves_to(&world.isolate_at(1));
    assert_eq!(browser.copy().post("/.auth/logout").status, 303);
    let late = browser.copy();
    assert_eq!(late.send(handshake()).problem(), (401, "session_expired".to_owned()));
    // Another isolate may vouch for a session that its memory still has.
    let other = Browser::signed_in(&world, &ADA);
    let stale = other.copy();
    stale.moves_to(&world.isolate_at(1));
    assert_eq!(heard(&stale, &objects[0]).as_deref(), Some(""));
    assert_eq!(other.post("/.auth/logout").status, 303);
    assert_eq!(heard(&stale, &objects[0]).as_deref(), Some("signed out"));
}

#[test]
fn nobody_else_may_listen() {
    let world = World::with_accounts();
    let browser = Browser::signed_in(&world, &ADA);
    let calls = world.accounts.calls();
    let refused = |request: Request| browser.copy().send(request).problem();
    for foreign in [
        handshake().with("sec-fetch-site", "cross-site"),
        handshake().with("sec-fetch-site", "same-site").with("x-csrf", "1"),
        handshake().without("sec-fetch-site").with("origin", "https://app.example.evil"),
        handshake().without("sec-fetch-site").with("origin", "null"),
        handshake().without("sec-fetch-site").without("origin"),
    ] {
        assert_eq!(refused(foreign), (403, "csrf_rejected".to_owned()));
    }
    assert_eq!(Browser::new(&world).send(handshake()).problem(), (401, "login_required".to_owned()));
    let forged = Browser::new(&world);
    forged.jar.plant(SESSION, "AAAA\u{e9}");
    assert_eq!(forged.send(handshake()).problem(), (401, "session_expired".to_owned()));
    for method in ["HEAD", "POST", "OPTIONS"] {
        let request = Request { method: method.to_owned(), ..handshake() };
        let answer = browser.send(request);
        assert_eq!(answer.problem(), (405, "method_not_allowed".to_owned()));
        assert_eq!(answer.header("allow"), Some("GET"));
    }
    assert_eq!(world.accounts.calls(), calls, "no object was asked");
}

#[test]
fn what_is_no_handshake_is_asked_for_one() {
    let world = World::with_accounts();
    let browser = Browser::signed_in(&world, &ADA);
    for request in [
        handshake().without("upgrade"),
        handshake().with("upgrade", "h2c"),
        handshake().with("upgrade", "websocket, h2c"),
        Request::script("GET", &absolute(EVENTS)),
    ] {
        let answer = browser.send(request);
        assert_eq!(answer.problem(), (426, "upgrade_required".to_owned()));
        assert_eq!(answer.header("upgrade"), Some("websocket"));
    }
    let page = browser.visit(EVENTS);
    assert_eq!((page.status, page.header("content-type")), (426, Some("text/html; charset=utf-8")));
}

#[test]
fn an_object_that_is_down_is_an_outage_and_ends_nothing() {
    let world = World::with_accounts();
    let browser = Browser::signed_in(&world, &ADA);
    world.accounts.is_down.set(true);
    let answer = browser.send(handshake());
    assert_eq!(answer.problem(), (503, "cache_unavailable".to_owned()));
    assert!(answer.header("retry-after").is_some());
    assert_eq!(answer.set_cookies().count(), 0);
    world.accounts.is_down.set(false);
    assert_eq!(browser.send(handshake()).status, 101);
}

#[test]
fn on_workers_kv_alone_there_is_nobody_to_listen_to() {
    let world = World::on_kv_alone();
    let browser = Browser::signed_in(&world, &ADA);
    for request in [handshake(), Request::script("GET", &absolute(EVENTS))] {
        assert_eq!(browser.send(request).problem(), (404, "not_found".to_owned()));
    }
    assert_eq!(Browser::new(&world).send(handshake()).problem(), (404, "not_found".to_owned()));
}

/// Whether the WebSocket of a handshake goes on, as an isolate at that location finds.
fn goes_on(world: &World, handshake: &str, location: usize) -> bool {
    let site = world.isolate_at(location);
    ended(flow::goes_on(&site.isolate, &site, &RequestHead::parse(handshake).unwrap()))
}

#[test]
fn what_the_store_says_decides_whether_a_websocket_goes_on() {
    let world = World::on_kv_alone();
    let browser = Browser::signed_in(&world, &ADA);
    let text = browser.with_cookies(handshake()).text();
    assert!(goes_on(&world, &text, 0));
    // For two minutes a miss may be one on its way.
    world.advance(180);
    assert_eq!(browser.post("/.auth/logout").status, 303);
    world.advance(60);
    assert!(!goes_on(&world, &text, 0));
}

#[test]
fn a_websocket_outlives_an_outage_of_the_store_and_a_sign_in_on_its_way() {
    let world = World::on_kv_alone();
    world.kv.lag_behind("account/");
    let browser = Browser::signed_in(&world, &ADA);
    let text = browser.with_cookies(handshake()).text();
    assert!(goes_on(&world, &text, 1), "a miss proves nothing yet");
    world.kv.deliver_late();
    world.advance(180);
    world.kv.fail_at(StoreFault::Get, "account/");
    assert!(goes_on(&world, &text, 0));
}

#[test]
fn a_websocket_outlives_the_idle_end_of_the_cookie_that_opened_it_but_not_the_absolute_one() {
    let world = World::on_kv_alone();
    let browser = Browser::signed_in(&world, &ADA);
    let text = browser.with_cookies(handshake()).text();
    for (seconds, goes_on) in [(3600, true), (28_800 - 3601, true), (1, false)] {
        world.advance(seconds);
        assert_eq!(self::goes_on(&world, &text, 0), goes_on);
    }
}
