//! The life of a session: its idle and absolute ends, its rolling cookie, and what a page may know of it.

use serde_json::json;

use crate::browser::{Browser, SESSION};
use crate::op::ADA;
use crate::request::Request;
use crate::world::World;

#[test]
fn the_cookie_is_rolled_once_half_the_idle_window_has_passed() {
    let world = World::new();
    let browser = Browser::signed_in(&world, &ADA);
    let first = browser.session();
    world.advance(1800);
    browser.visit("/page");
    assert_eq!(browser.session(), first);
    world.advance(1);
    assert!(browser.visit("/page").is_forwarded);
    assert_ne!(browser.session(), first);
    world.advance(3599);
    assert!(browser.is_signed_in());
}

#[test]
fn scripts_in_the_background_keep_no_session_alive() {
    let world = World::new();
    let browser = Browser::signed_in(&world, &ADA);
    for _ in 0..5 {
        world.advance(700);
        assert_eq!(browser.fetch("/page").set_cookies().count(), 0);
        assert_eq!(browser.fetch("/api/Billing/x").set_cookies().count(), 0);
        assert_eq!(browser.fetch("/.auth/me").set_cookies().count(), 0);
    }
    world.advance(100);
    assert!(!browser.is_signed_in());
}

#[test]
fn a_page_of_an_api_rolls_the_cookie_too() {
    let world = World::new();
    let browser = Browser::signed_in(&world, &ADA);
    world.advance(1801);
    assert_eq!(browser.follow("/api/Billing/report").set_cookies().count(), 1);
}

#[test]
fn a_cookie_replayed_after_its_idle_end_is_no_session() {
    let world = World::new();
    let browser = Browser::signed_in(&world, &ADA);
    let value = browser.session().unwrap();
    world.advance(3600);
    for _ in 0..2 {
        let replay = Request::script("GET", "https://app.example/page").with("cookie", &format!("{SESSION}={value}"));
        let answer = world.serve(&replay);
        assert_eq!(answer.problem(), (401, "session_expired".to_owned()));
        assert!(answer.expires(SESSION));
        world.new_isolate();
    }
}

#[test]
fn no_rolling_leads_past_the_absolute_end() {
    let world = World::new();
    let browser = Browser::signed_in(&world, &ADA);
    for _ in 0..15 {
        world.advance(1900);
        browser.visit("/page");
    }
    assert!(browser.is_signed_in());
    let value = browser.session().unwrap();
    world.advance(300);
    let kept = Browser::new(&world);
    kept.jar.plant(SESSION, &value);
    assert_eq!(kept.fetch("/page").code(), "session_expired");
}

#[test]
fn what_is_stored_ends_with_the_session() {
    let world = World::new();
    let browser = Browser::signed_in(&world, &ADA);
    world.advance(1000);
    browser.fetch("/api/Orders/x");
    for operation in world.kv.operations() {
        if let crate::kv::Operation::Put(key, lifetime) = operation {
            let expected = if key.starts_with("op/") { 604_800 } else { 28_800 };
            assert!(lifetime == expected || lifetime == 27_800, "{key} {lifetime}");
        }
    }
}

#[test]
fn an_entry_that_is_gone_ends_the_session_once_memory_is_rechecked() {
    let world = World::new();
    let browser = Browser::signed_in(&world, &ADA);
    let elsewhere = world.isolate();
    world.advance(120);
    assert!(browser.is_signed_in());
    world.new_isolate();
    browser.copy().post("/.auth/logout");
    world.resume(elsewhere);
    world.advance(9);
    assert!(browser.is_signed_in(), "the bound that the documentation states");
    world.advance(1);
    let answer = browser.fetch("/page");
    assert_eq!(answer.problem(), (401, "session_expired".to_owned()));
    assert!(answer.expires(SESSION));
}

#[test]
fn with_no_delay_every_request_looks_into_the_store() {
    let world = World::with(&json!({ "Session": { "RevocationDelay": 0 } }));
    let browser = Browser::signed_in(&world, &ADA);
    let elsewhere = world.isolate();
    world.new_isolate();
    browser.copy().post("/.auth/logout");
    world.resume(elsewhere);
    assert!(!browser.is_signed_in());
}

#[test]
fn a_page_learns_who_is_signed_in_and_no_more() {
    let world = World::new();
    *world.op.claims.borrow_mut() = json!({ "secret_claim": "x", "groups": ["a"], "email": "a@example.com" });
    let browser = Browser::signed_in(&world, &ADA);
    world.advance(10);
    let answer = browser.fetch("/.auth/me");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let me = answer.json();
    assert_eq!((&me["sub"], &me["expires_in"]), (&json!(ADA.sub), &json!(3590)));
    assert_eq!(me["logout_url"], "https://app.example/.auth/logout");
    let claims: Vec<&String> = me["claims"].as_object().unwrap().keys().collect();
    assert_eq!(claims, ["email", "groups", "name", "roles", "sub"]);
    let members: Vec<&String> = me.as_object().unwrap().keys().collect();
    assert_eq!(members, ["claims", "expires_in", "logout_url", "name", "provider", "sub"]);
    assert_eq!(me["provider"], "OpenIdConnect");
}

#[test]
fn who_am_i_without_a_session_is_401_and_never_a_redirect() {
    let world = World::new();
    let browser = Browser::new(&world);
    assert_eq!(browser.fetch("/.auth/me").problem(), (401, "login_required".to_owned()));
    assert_eq!(browser.visit("/.auth/me").status, 401);
    let posted = browser.post("/.auth/me");
    assert_eq!((posted.problem().0, posted.header("allow")), (405, Some("GET, HEAD")));
}
