//! The application's own tokens when the OP or the store fails.

use serde_json::json;
use vestibule::runtime::StoreFault;

use crate::api::{bearer, bearers, served};
use crate::app_tokens::{REPORTS, world, world_with_objects};
use crate::browser::{Browser, SESSION};
use crate::failures::{fails, tries, vectors, wait};
use crate::op::{ADA, Endpoint, Instead};

#[test]
fn each_failure_has_its_answer_and_no_user_is_asked() {
    for vector in vectors() {
        let world = world();
        let browser = Browser::signed_in(&world, &ADA);
        fails(&world, &vector);
        let expected = match vector["expect"].as_str().unwrap() {
            "op_unreachable" => (503, "op_unreachable".to_owned()),
            _ => (500, "misconfigured".to_owned()),
        };
        let answer = browser.fetch("/api/Reports/x");
        assert_eq!(answer.problem(), expected, "{vector}");
        let shown = vector["wait"].as_u64().map(|wait| wait.to_string());
        assert_eq!(answer.header("retry-after").map(str::to_owned), shown, "{vector}");
        assert!(!answer.expires(SESSION) && browser.is_signed_in(), "{vector}");
        assert_eq!(browser.follow("/api/Reports/x").status, expected.0, "{vector}");
        assert_eq!(world.op.count(Endpoint::Token), 1 + tries(&vector), "{vector}");
        let slept = if tries(&vector) == 2 { vec![1] } else { vec![] };
        assert_eq!(*world.slept.borrow(), slept, "{vector}");
        world.op.behave();
        world.advance(wait(&vector) - 1);
        assert_eq!(browser.fetch("/api/Reports/x").problem(), expected, "{vector}");
        world.advance(1);
        served(&browser.fetch("/api/Reports/x"));
    }
}

#[test]
fn a_token_that_is_still_valid_is_served_whatever_fails() {
    for vector in vectors() {
        let world = world();
        let browser = Browser::signed_in(&world, &ADA);
        served(&browser.fetch("/api/Reports/x"));
        world.advance(3350);
        fails(&world, &vector);
        for _ in 0..2 {
            served(&browser.fetch("/api/Reports/x"));
        }
        let sent = bearers(&world, REPORTS);
        assert!(sent.iter().all(|token| *token == sent[0]), "{vector}");
    }
}

/// An isolate that remembers nothing finds the token, near its end as it is, where it is kept.
#[test]
fn the_kept_token_serves_a_new_isolate_through_an_outage_until_it_ends() {
    for world in [world(), world_with_objects()] {
        let browser = Browser::signed_in(&world, &ADA);
        served(&browser.fetch("/api/Reports/x"));
        let first = bearer(&world);
        world.advance(3350);
        world.op.outage();
        for _ in 0..2 {
            world.new_isolate();
            served(&browser.fetch("/api/Reports/x"));
            assert_eq!(bearer(&world), first);
        }
        world.advance(250);
        world.new_isolate();
        assert_eq!(browser.fetch("/api/Reports/x").code(), "op_unreachable");
        world.op.behave();
        world.advance(5);
        served(&browser.fetch("/api/Reports/x"));
        assert_ne!(bearer(&world), first);
    }
}

/// A token that the API refused is not served for want of another.
#[test]
fn a_token_that_was_called_invalid_is_not_served_again() {
    for world in [world(), world_with_objects()] {
        let browser = Browser::signed_in(&world, &ADA);
        served(&browser.fetch("/api/Reports/x"));
        world.op.instead(Endpoint::Token, Instead::Says(401, vec![], json!({ "error": "invalid_client" }).to_string()));
        world.downstream.answer_next(401, &[("www-authenticate", "Bearer error=\"invalid_token\"")]);
        assert_eq!(browser.fetch("/api/Reports/x").problem(), (500, "misconfigured".to_owned()));
        assert_eq!(bearers(&world, REPORTS).len(), 2);
    }
}

#[test]
fn a_store_that_fails_costs_requests_and_nothing_else() {
    for fault in [StoreFault::Get, StoreFault::Put] {
        let world = world();
        let browser = Browser::signed_in(&world, &ADA);
        served(&browser.fetch("/page"));
        world.kv.fail_at(fault, "");
        served(&browser.fetch("/api/Reports/x"));
        served(&browser.fetch("/api/Reports/x"));
        assert_eq!(world.op.count(Endpoint::Token), 2);
    }
}

#[test]
fn an_object_that_cannot_be_reached_costs_requests_and_nothing_else() {
    for breaks in [true, false] {
        let world = world_with_objects();
        let browser = Browser::signed_in(&world, &ADA);
        served(&browser.fetch("/page"));
        if breaks {
            world.accounts.is_down.set(true);
        } else {
            world.accounts.storage_fails.set(true);
        }
        served(&browser.fetch("/api/Reports/x"));
        served(&browser.fetch("/api/Reports/x"));
        assert_eq!(world.op.count(Endpoint::Token), 2, "{breaks}");
    }
}

#[test]
fn a_kept_token_that_was_changed_is_none() {
    let world = world();
    let browser = Browser::signed_in(&world, &ADA);
    served(&browser.fetch("/api/Reports/x"));
    let requests = world.op.count(Endpoint::Token);
    let keys: Vec<String> = world.kv.keys("").into_iter().filter(|key| key.starts_with("app")).collect();
    for key in &keys {
        let mut sealed = world.kv.value(key);
        *sealed.last_mut().unwrap() ^= 1;
        world.kv.plant(key, sealed);
        world.new_isolate();
        served(&browser.fetch("/api/Reports/x"));
        assert_eq!(world.op.count(Endpoint::Token), requests + 1);
    }
    // An object keeps it where nobody else can write.
    assert_eq!(keys.is_empty(), !world.accounts.names().is_empty());
}
