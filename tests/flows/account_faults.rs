//! The accounts' objects out of reach, their storage or Workers KV failing, and their alarms.

use serde_json::json;
use vestibule::runtime::StoreFault;

use crate::browser::{Browser, SESSION};
use crate::crowd::{BILLING, ORDERS, assert_copied, caller, crowd, everywhere, is_served, strict_world};
use crate::kv::Operation;
use crate::op::{ADA, BOB, Endpoint};
use crate::request::Received;
use crate::world::World;

/// Either way an object is of no use.
const OUTAGES: [fn(&World, bool); 2] =
    [|world, is_on| world.accounts.is_down.set(is_on), |world, is_on| world.accounts.storage_fails.set(is_on)];

fn assert_unavailable(answer: &Received) {
    assert_eq!(answer.problem(), (503, "cache_unavailable".to_owned()));
    assert!(answer.header("retry-after").is_some() && answer.set_cookies().count() == 0, "{answer:?}");
}

#[test]
fn without_its_object_a_session_is_read_from_the_copy_and_a_good_token_serves() {
    for outage in OUTAGES {
        let world = strict_world();
        let browser = caller(&world, &ADA);
        outage(&world, true);
        for path in ["/page", ORDERS, BILLING, "/.auth/me"] {
            for site in everywhere(&world) {
                browser.moves_to(&site);
                assert_eq!(browser.fetch(path).status, 200, "{path}");
            }
        }
        assert!(world.has_logged("store.failed"));
        world.advance(3400);
        assert!(browser.fetch(ORDERS).is_forwarded, "in its expiry window a token is still good");
        outage(&world, false);
        assert!(browser.is_signed_in());
    }
}

#[test]
fn without_its_object_no_token_is_renewed_and_nobody_is_signed_out() {
    for outage in OUTAGES {
        let world = strict_world();
        let browser = caller(&world, &ADA);
        let asked = world.op.count(Endpoint::Token);
        world.advance(3600);
        outage(&world, true);
        for _ in 0..3 {
            assert_unavailable(&browser.fetch(ORDERS));
            assert_eq!(browser.follow(ORDERS).status, 503);
            world.advance(60);
            world.new_isolate();
        }
        assert_eq!(world.op.count(Endpoint::Token), asked, "the copy's refresh token may be spent");
        outage(&world, false);
        assert!(browser.fetch(ORDERS).is_forwarded);
        assert_eq!((world.op.count(Endpoint::Token), world.op.reuses.get()), (asked + 1, 0));
    }
}

#[test]
fn without_object_and_copy_nothing_is_known_and_the_cookie_stays() {
    for outage in OUTAGES {
        for age in [0, 7000] {
            let world = strict_world();
            world.kv.fail_at(StoreFault::Put, "account/");
            let browser = Browser::signed_in(&world, &ADA);
            world.kv.recover();
            world.advance(age);
            world.new_isolate();
            outage(&world, true);
            assert_unavailable(&browser.fetch("/page"));
            assert_unavailable(&browser.fetch("/.auth/me"));
            outage(&world, false);
            assert!(browser.fetch("/page").is_forwarded, "a miss is no proof");
        }
    }
}

#[test]
fn without_its_object_nobody_signs_in_or_out_and_is_told_so() {
    for outage in OUTAGES {
        let world = strict_world();
        let (arriving, leaving) = (Browser::new(&world), Browser::signed_in(&world, &ADA));
        let before = leaving.copy();
        let callback = world.op.authorize(&arriving.begin("/"), &BOB);
        outage(&world, true);
        assert_eq!(arriving.come_back_as_script(&callback).problem(), (503, "cache_unavailable".to_owned()));
        assert_eq!(arriving.jar.get(SESSION), None);
        assert_unavailable(&leaving.post("/.auth/logout"));
        outage(&world, false);
        world.new_isolate();
        assert!(before.is_signed_in(), "nothing was done");
        assert!(arriving.sign_in("/", &BOB).is_forwarded);
        assert_eq!(leaving.post("/.auth/logout").status, 303);
        assert!(!is_served(&world, &[], &before));
    }
}

#[test]
fn a_sign_out_that_failed_leaves_the_session_to_be_signed_out_again() {
    for outage in OUTAGES {
        let world = World::new();
        let (browser, other) = (Browser::signed_in(&world, &ADA), Browser::signed_in(&world, &ADA));
        outage(&world, true);
        assert_unavailable(&browser.post("/.auth/logout"));
        assert!(browser.fetch("/page").is_forwarded, "as the user was told");
        outage(&world, false);
        assert!(browser.fetch("/page").is_forwarded);
        assert_eq!(browser.post("/.auth/logout").status, 303);
        assert_eq!(world.kv.keys("account/"), [""; 0]);
        assert!(!is_served(&world, &[], &other));
    }
}

#[test]
fn a_storage_that_fails_amid_a_crowd_costs_nobody_the_session_or_anothers_token() {
    for seed in 0..60 {
        let world = strict_world();
        let browsers = [caller(&world, &ADA), caller(&world, &BOB)];
        world.advance(3400);
        world.accounts.storage_fails.set(true);
        let arrived = world.downstream.count();
        let calls: Vec<_> =
            (0..6).map(|n| browsers[n % 2].script("GET", &format!("/api/Orders/of-{}", n % 2))).collect();
        let received = crowd(&world, &everywhere(&world), &calls, seed);
        assert!(received.iter().all(|received| received.is_forwarded));
        for arrival in &world.downstream.arrivals()[arrived..] {
            let sub = world.op.issued(arrival.bearer()).sub;
            assert_eq!(sub == ADA.sub, arrival.url.ends_with("of-0"));
        }
        world.accounts.storage_fails.set(false);
        assert!(browsers.iter().all(|browser| browser.fetch(ORDERS).is_forwarded));
        assert_eq!(world.op.reuses.get(), 0);
    }
}

#[test]
fn nobody_notices_when_only_the_copies_fail_and_they_are_written_later() {
    for fault in [StoreFault::Put, StoreFault::Get] {
        let world = strict_world();
        world.kv.fail_at(fault, "account/");
        world.background.is_held.set(true);
        let browser = caller(&world, &ADA);
        for _ in 0..3 {
            world.advance(3600);
            world.new_isolate();
            assert!(browser.fetch(ORDERS).is_forwarded && browser.fetch(BILLING).is_forwarded);
        }
        world.kv.recover();
        world.background.is_held.set(false);
        world.finish_background();
        assert_copied(&world);
    }
}

#[test]
fn a_throttled_copy_is_written_a_little_later() {
    for seed in 0..30 {
        let world = strict_world();
        world.sleeping_takes_time.set(true);
        world.kv.throttles.set(true);
        let browser = Browser::signed_in(&world, &ADA);
        let requests = [ORDERS, BILLING, ORDERS].map(|path| browser.script("GET", path));
        let received = crowd(&world, &everywhere(&world), &requests, seed);
        assert!(received.iter().all(|received| received.is_forwarded));
        assert_copied(&world);
        assert!(!world.has_logged("store.given_up"));
    }
}

#[test]
fn a_copy_that_fails_for_good_is_given_up_and_written_with_the_next_renewal() {
    let world = strict_world();
    let browser = caller(&world, &ADA);
    world.advance(3600);
    world.kv.fail_at(StoreFault::Put, "account/");
    assert!(browser.fetch(ORDERS).is_forwarded);
    assert!(world.has_logged("store.given_up"));
    assert_eq!(world.slept.borrow().as_slice(), [2, 4, 8]);
    world.kv.recover();
    assert!(browser.fetch(BILLING).is_forwarded);
    assert_copied(&world);
}

#[test]
fn what_has_ended_leaves_the_object_and_the_next_end_is_waited_for() {
    let world = World::with(&json!({ "Session": { "IdleSeconds": 600, "AbsoluteSeconds": 1000 } }));
    let (first, name) = (Browser::signed_in(&world, &ADA), world.accounts.names().remove(0));
    world.advance(400);
    let second = Browser::signed_in(&world, &ADA);
    let ends = |seconds| Some(vestibule::time::Timestamp::from_unix(crate::world::NOW + seconds));
    assert_eq!((world.accounts.sessions(&name).len(), world.accounts.alarm(&name)), (2, ends(1000)));
    world.advance(599);
    world.fire_alarms();
    assert_eq!(world.accounts.sessions(&name).len(), 2);
    world.advance(1);
    world.fire_alarms();
    assert_eq!((world.accounts.sessions(&name).len(), world.accounts.alarm(&name)), (1, ends(1400)));
    assert!(!first.is_signed_in());
    world.accounts.restart_all();
    world.advance(400);
    world.fire_alarms();
    assert_eq!((world.accounts.sessions(&name).len(), world.accounts.alarm(&name)), (0, None));
    assert!(!second.is_signed_in());
}

#[test]
fn no_request_of_an_anonymous_visitor_reaches_an_object_or_changes_a_store() {
    let world = World::new();
    let browser = Browser::new(&world);
    browser.visit("/page");
    browser.fetch(ORDERS);
    browser.post("/.auth/logout");
    browser.jar.plant(SESSION, "AAAA");
    browser.fetch("/page");
    assert_eq!(world.accounts.calls(), 0);
    let changes = world.kv.operations().into_iter().filter(|done| matches!(done, Operation::Put(..)));
    assert_eq!(changes.count(), 0);
}

#[test]
fn an_alarm_that_fails_is_rung_again() {
    let world = World::with(&json!({ "Session": { "IdleSeconds": 600, "AbsoluteSeconds": 1000 } }));
    let (_browser, name) = (Browser::signed_in(&world, &ADA), world.accounts.names().remove(0));
    world.advance(1000);
    world.accounts.storage_fails.set(true);
    world.fire_alarms();
    world.accounts.storage_fails.set(false);
    assert_eq!(world.accounts.sessions(&name).len(), 1);
    world.fire_alarms();
    assert_eq!((world.accounts.sessions(&name).len(), world.accounts.alarm(&name)), (0, None));
}

#[test]
fn an_object_keeps_its_watermark_for_as_long_as_a_cookie_may_be_replayed_and_then_nothing() {
    let world = World::new();
    let (browser, name) = (Browser::signed_in(&world, &ADA), world.accounts.names().remove(0));
    let replayed = browser.copy();
    browser.post("/.auth/logout");
    let longest = vestibule::config::LONGEST_SESSION.as_seconds();
    world.advance(28_799);
    world.fire_alarms();
    assert!(!replayed.is_signed_in());
    for _ in 0..3 {
        world.advance(longest / 3);
        world.fire_alarms();
    }
    assert_eq!((world.accounts.sessions(&name).len(), world.accounts.alarm(&name)), (0, None));
}
