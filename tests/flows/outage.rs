//! Outages: of the OP, which never sign anyone out, and of the store, which never lose a cookie.

use serde_json::json;
use vestibule::runtime::{StoreFault, TransportFault};

use crate::browser::{Browser, SESSION};
use crate::op::{ADA, BOB, Endpoint, Instead};
use crate::world::World;

#[test]
fn an_outage_of_the_op_keeps_a_live_session_everywhere() {
    let world = World::new();
    let browser = Browser::signed_in(&world, &ADA);
    world.op.outage();
    for _ in 0..3 {
        world.new_isolate();
        assert!(browser.fetch("/page").is_forwarded);
        assert!(browser.fetch("/api/Billing/x").is_forwarded);
        assert_eq!(browser.fetch("/.auth/me").status, 200);
        world.advance(600);
    }
}

#[test]
fn a_refresh_that_fails_for_now_serves_a_token_that_is_still_valid() {
    for instead in [
        Instead::Fails(TransportFault::TimedOut),
        Instead::Says(500, vec![], String::new()),
        Instead::Says(429, vec![("retry-after", "9")], String::new()),
        Instead::Says(200, vec![], "garbage".to_owned()),
        Instead::Says(401, vec![], json!({ "error": "invalid_client" }).to_string()),
    ] {
        let world = World::new();
        let browser = Browser::signed_in(&world, &ADA);
        world.advance(3400);
        world.op.instead(Endpoint::Token, instead);
        assert!(browser.fetch("/api/Billing/x").is_forwarded);
        assert!(world.has_logged("token.refresh_failed"));
    }
}

#[test]
fn without_a_valid_token_an_outage_is_503_with_a_wait_and_the_cookie_stays() {
    for (instead, wait) in [
        (Instead::Fails(TransportFault::NoConnection), "5"),
        (Instead::Fails(TransportFault::Busy { retry_after: 7 }), "7"),
        (Instead::Says(500, vec![], String::new()), "5"),
        (Instead::Says(429, vec![("retry-after", "9")], String::new()), "9"),
    ] {
        let world = World::new();
        let browser = Browser::signed_in(&world, &ADA);
        world.advance(3599);
        assert!(browser.visit("/keep-the-session").is_forwarded);
        world.advance(1);
        world.op.instead(Endpoint::Token, instead);
        let answer = browser.fetch("/api/Billing/x");
        assert_eq!(answer.problem(), (503, "op_unreachable".to_owned()));
        assert_eq!((answer.header("retry-after"), answer.set_cookies().count()), (Some(wait), 0));
        assert_eq!(browser.visit("/api/Billing/x").status, 503);
        world.op.behave();
        world.advance(9);
        assert!(browser.fetch("/api/Billing/x").is_forwarded);
    }
}

#[test]
fn stale_documents_serve_sign_ins_through_an_outage_of_theirs() {
    let world = World::new();
    Browser::signed_in(&world, &ADA);
    world.advance(3 * 24 * 3600);
    for endpoint in [Endpoint::Metadata, Endpoint::Jwks] {
        world.op.instead(endpoint, Instead::Fails(TransportFault::NoConnection));
    }
    world.new_isolate();
    Browser::signed_in(&world, &BOB);
}

#[test]
fn an_outage_at_the_login_is_503_and_begins_nothing() {
    let world = World::new();
    world.op.outage();
    let browser = Browser::new(&world);
    let answer = browser.visit("/page");
    assert_eq!((answer.status, answer.set_cookies().count()), (503, 0));
    assert!(answer.header("retry-after").is_some());
    assert_eq!(browser.fetch("/.auth/login").problem(), (503, "op_unreachable".to_owned()));
}

#[test]
fn a_store_that_cannot_be_read_leaves_the_copy_in_memory_to_serve() {
    let world = World::on_kv_alone();
    let browser = Browser::signed_in(&world, &ADA);
    world.kv.fail_at(StoreFault::Get, "");
    world.advance(1200);
    assert!(browser.fetch("/page").is_forwarded);
    assert!(browser.fetch("/api/Billing/x").is_forwarded);
    assert!(world.has_logged("store.failed"));
}

#[test]
fn without_a_copy_an_unreadable_store_is_503_and_the_cookie_stays() {
    let world = World::on_kv_alone();
    let browser = Browser::signed_in(&world, &ADA);
    world.kv.fail_at(StoreFault::Get, "");
    world.new_isolate();
    for path in ["/page", "/api/Billing/x", "/.auth/me"] {
        let answer = browser.fetch(path);
        assert_eq!(answer.problem(), (503, "cache_unavailable".to_owned()));
        assert_eq!(answer.set_cookies().count(), 0);
        assert!(answer.header("retry-after").is_some());
    }
    assert_eq!(browser.visit("/page").status, 503);
    world.kv.recover();
    assert!(browser.is_signed_in());
}

#[test]
fn a_sign_in_that_cannot_be_stored_is_no_sign_in() {
    for prefix in ["account/", "sid/"] {
        let world = World::on_kv_alone();
        let browser = Browser::new(&world);
        let callback = world.op.authorize(&browser.begin("/"), &ADA);
        world.kv.fail_at(StoreFault::Put, prefix);
        let answer = browser.come_back_as_script(&callback);
        assert_eq!(answer.problem(), (503, "cache_unavailable".to_owned()));
        assert_eq!(browser.jar.names("__Host-"), [""; 0]);
    }
}

#[test]
fn documents_that_cannot_be_stored_or_read_stop_no_sign_in() {
    let world = World::new();
    world.kv.fail_at(StoreFault::Put, "op/");
    world.kv.fail_at(StoreFault::Get, "op/");
    Browser::signed_in(&world, &ADA);
    assert!(world.has_logged("store.failed"));
}

#[test]
fn a_refreshed_entry_that_cannot_be_stored_serves_from_memory() {
    let world = World::new();
    let browser = Browser::signed_in(&world, &ADA);
    world.kv.fail_at(StoreFault::Put, "");
    for _ in 0..3 {
        assert!(browser.fetch("/api/Orders/x").is_forwarded);
        assert!(browser.fetch("/api/Billing/x").is_forwarded);
        world.advance(11);
    }
    assert_eq!(world.op.count(Endpoint::Token), 2, "a stale copy in the store replaces no newer one in memory");
}

#[test]
fn a_previous_entry_that_cannot_be_deleted_stops_no_sign_in() {
    let world = World::new();
    let browser = Browser::signed_in(&world, &ADA);
    world.kv.fail_at(StoreFault::Delete, "");
    assert!(browser.sign_in("/.auth/login", &BOB).is_forwarded);
    assert_eq!(browser.fetch("/.auth/me").json()["sub"], BOB.sub);
}

#[test]
fn a_downstream_that_cannot_be_reached_is_502_and_no_sign_out() {
    let world = World::new();
    let browser = Browser::signed_in(&world, &ADA);
    *world.downstream.fault.borrow_mut() = Some(TransportFault::TimedOut);
    for (path, code) in [("/page", "origin_unreachable"), ("/api/Billing/x", "api_unreachable")] {
        let answer = browser.fetch(path);
        assert_eq!(answer.problem(), (502, code.to_owned()));
        assert!(!answer.expires(SESSION));
    }
}

#[test]
fn a_crowd_of_visitors_asks_an_op_in_an_outage_once_in_five_seconds() {
    let world = World::new();
    world.op.outage();
    for _ in 0..20 {
        assert_eq!(Browser::new(&world).visit("/page").status, 503);
    }
    assert_eq!(world.op.count(Endpoint::Metadata), 1);
    world.op.behave();
    world.advance(4);
    assert_eq!(Browser::new(&world).visit("/page").status, 503);
    world.advance(1);
    assert_eq!(Browser::new(&world).visit("/page").status, 302);
    assert_eq!(world.op.count(Endpoint::Metadata), 2);
}

/// The answer of the token endpoint cannot be judged, but the refresh token that it replaced is spent.
#[test]
fn a_rotated_refresh_token_is_kept_while_the_keys_of_the_op_cannot_be_had() {
    let world = World::with(&json!({ "Session": { "IdleSeconds": 28_800 } }));
    let browser = Browser::signed_in(&world, &ADA);
    *world.op.signing_key.borrow_mut() = "second key".to_owned();
    *world.op.published_keys.borrow_mut() = vec!["second key".to_owned()];
    world.advance(3600);
    world.op.instead(Endpoint::Jwks, Instead::Fails(TransportFault::NoConnection));
    for _ in 0..2 {
        let answer = browser.fetch("/api/Billing/x");
        assert_eq!((answer.status, answer.set_cookies().count()), (503, 0), "{answer:?}");
        world.advance(5);
    }
    world.op.behave();
    world.advance(60);
    assert!(browser.fetch("/api/Billing/x").is_forwarded);
    assert_eq!(world.op.reuses.get(), 0);
}
