//! Workers KV alone: what can be promised although copies are old, misses are remembered and writes are throttled.

use serde_json::json;
use vestibule::runtime::StoreFault;

use crate::browser::{Browser, SESSION};
use crate::crowd::{BILLING, ORDERS, caller, crowd, everywhere, is_served, strict_world};
use crate::op::{ADA, BOB, EndUser, Endpoint};
use crate::request::Request;
use crate::schedule::interleaved;
use crate::world::World;

/// The same person, at the OP with another browser.
const ADA_AGAIN: EndUser = EndUser { sid: Some("second"), ..ADA };

/// What an isolate that knows nothing is served an API with, by the store alone.
fn is_stored<'w>(world: &'w World, browser: &Browser<'w>, path: &str) -> bool {
    world.advance(60);
    let asked = world.op.count(Endpoint::Token);
    let copy = browser.copy();
    copy.moves_to(&world.isolate_at(9));
    assert!(copy.fetch(path).is_forwarded);
    world.op.count(Endpoint::Token) == asked
}

#[test]
fn a_sign_in_that_has_not_arrived_elsewhere_is_no_sign_out() {
    for arrives_at in [0, 30, 59] {
        let world = strict_world();
        world.kv.lag_behind("account/");
        let browser = Browser::signed_in(&world, &ADA);
        let cookie = browser.session();
        browser.moves_to(&world.isolate_at(1));
        world.advance(arrives_at);
        for seconds in [0, 20, 20, 19] {
            world.advance(seconds);
            let answer = browser.fetch("/page");
            assert_eq!(answer.problem(), (503, "cache_unavailable".to_owned()), "{}", world.time());
            assert!(answer.header("retry-after").is_some());
            assert_eq!(browser.session(), cookie);
            world.kv.deliver_late();
        }
        world.advance(1);
        assert!(browser.fetch("/page").is_forwarded, "the miss was remembered for a minute");
    }
}

#[test]
fn a_miss_long_after_the_sign_in_ends_the_session() {
    let world = strict_world();
    let browser = Browser::signed_in(&world, &ADA);
    let (replay, elsewhere) = (browser.copy(), world.isolate_at(1));
    world.advance(120);
    browser.post("/.auth/logout");
    replay.moves_to(&elsewhere);
    let answer = replay.fetch("/page");
    assert_eq!(answer.problem(), (401, "session_expired".to_owned()));
    assert!(answer.expires(SESSION));
}

#[test]
fn an_old_copy_serves_for_a_minute_after_the_sign_out_and_no_longer() {
    let world = strict_world();
    let browser = Browser::signed_in(&world, &ADA);
    let (replay, elsewhere) = (browser.copy(), world.isolate_at(1));
    replay.moves_to(&elsewhere);
    world.advance(120);
    assert!(replay.fetch("/page").is_forwarded);
    browser.post("/.auth/logout");
    world.advance(59);
    assert!(replay.fetch("/page").is_forwarded, "the bound that the documentation states");
    world.advance(1);
    assert_eq!(replay.fetch("/page").code(), "session_expired");
    assert!(!is_served(&world, &[], &browser));
}

#[test]
fn a_throttled_write_is_repeated_until_the_newest_entry_is_stored() {
    for seed in 0..40 {
        let world = strict_world();
        world.sleeping_takes_time.set(true);
        world.kv.throttles.set(true);
        let browser = Browser::signed_in(&world, &ADA);
        assert!(browser.fetch(ORDERS).is_forwarded, "the sign-in was stored within this second");
        assert!(is_stored(&world, &browser, ORDERS));
        world.advance(3600);
        let requests = [ORDERS, BILLING].map(|path| browser.script("GET", path));
        crowd(&world, &[world.site()], &requests, seed);
        assert!(!world.has_logged("store.given_up"));
        world.advance(60);
        let elsewhere = browser.copy();
        elsewhere.moves_to(&world.isolate_at(9));
        assert!(elsewhere.fetch("/page").is_forwarded);
    }
}

#[test]
fn two_renewals_in_one_isolate_leave_the_newer_entry_in_the_store() {
    let mut complete = 0;
    for steps in 1..14 {
        let world = strict_world();
        world.op.rotates.set(false);
        let browser = caller(&world, &ADA);
        world.advance(3600);
        let requests = [ORDERS, BILLING].map(|path| browser.script("GET", path));
        let site = world.site();
        world.pauses.set(true);
        let both = (site.serving(&requests[0]), site.serving(&requests[1]));
        let (first, second) = interleaved(both.0, both.1, u32::MAX << steps, 32);
        world.pauses.set(false);
        assert!(first.is_forwarded && second.is_forwarded);
        let asked = world.op.count(Endpoint::Token);
        assert!([ORDERS, BILLING].iter().all(|path| browser.fetch(path).is_forwarded));
        // Unless one began before the other was kept, memory has both: then the store must have them, too.
        if world.op.count(Endpoint::Token) == asked {
            complete += 1;
            assert!(is_stored(&world, &browser, ORDERS) && is_stored(&world, &browser, BILLING), "{steps}");
        }
    }
    assert!(complete > 2, "{complete}");
}

#[test]
fn a_write_that_fails_or_seems_to_is_repeated() {
    type Fault = fn(&World);
    let faults: [Fault; 3] = [
        |world| world.kv.fail_at(StoreFault::Put, "account/"),
        |world| world.kv.lose_acknowledgements("account/"),
        |world| world.kv.delay_puts("account/"),
    ];
    for fault in faults {
        let world = strict_world();
        let browser = Browser::signed_in(&world, &ADA);
        world.advance(3600);
        world.background.is_held.set(true);
        fault(&world);
        assert!(browser.fetch(ORDERS).is_forwarded);
        assert_eq!(world.background.count(), 1);
        world.kv.recover();
        world.background.is_held.set(false);
        world.finish_background();
        assert!(is_stored(&world, &browser, ORDERS));
        assert!(browser.fetch(ORDERS).is_forwarded);
    }
}

#[test]
fn after_four_failures_a_write_is_given_up_and_the_isolate_goes_on() {
    let world = strict_world();
    let browser = Browser::signed_in(&world, &ADA);
    world.advance(3600);
    world.kv.fail_at(StoreFault::Put, "account/");
    assert!(browser.fetch(ORDERS).is_forwarded);
    assert!(world.has_logged("store.given_up"));
    assert_eq!(world.slept.borrow().as_slice(), [2, 4, 8]);
    assert!(browser.fetch(ORDERS).is_forwarded);
}

#[test]
fn nothing_that_waits_to_be_stored_survives_a_sign_out_of_its_isolate() {
    for steps in 0..30 {
        let world = strict_world();
        let (laptop, phone) = (caller(&world, &ADA), caller(&world, &ADA_AGAIN));
        world.advance(3600);
        world.sleeping_takes_time.set(true);
        world.kv.throttles.set(true);
        let (call, logout) = (phone.script("GET", ORDERS), laptop.script("POST", "/.auth/logout"));
        let site = world.site();
        world.pauses.set(true);
        let both = (site.serving_with_background(&call), site.serving(&logout));
        let (_, left) = interleaved(both.0, both.1, u32::MAX.checked_shl(steps).unwrap_or(0), 32);
        world.pauses.set(false);
        world.finish_background();
        if left.status == 503 {
            world.advance(1);
            assert_eq!(site.serve(&logout).status, 303, "{steps}");
        }
        assert_eq!((world.kv.keys("account/"), world.kv.keys("sid/")), (vec![], vec![]), "after {steps} steps");
        world.advance(120);
        assert!(!is_served(&world, &[], &phone) && !is_served(&world, &[], &laptop));
    }
}

#[test]
fn a_sign_out_changes_no_key_twice_in_a_second() {
    for user in [&ADA, &ADA_AGAIN] {
        let world = strict_world();
        let (laptop, _phone) = (caller(&world, &ADA), caller(&world, user));
        world.kv.throttles.set(true);
        world.advance(1);
        assert_eq!(laptop.post("/.auth/logout").status, 303);
        assert_eq!((world.kv.keys("account/"), world.kv.keys("sid/")), (vec![], vec![]));
    }
}

#[test]
fn the_last_of_two_locations_wins_and_neither_loses_its_session() {
    for seed in 0..40 {
        let world = strict_world();
        world.op.rotates.set(false);
        let browser = caller(&world, &ADA);
        world.advance(3600);
        let requests = [ORDERS, BILLING].map(|path| browser.script("GET", path));
        let received = crowd(&world, &[world.isolate_at(1), world.isolate_at(2)], &requests, seed);
        assert!(received.iter().all(|received| received.is_forwarded));
        world.advance(60);
        assert!(is_served(&world, &[], &browser));
        browser.moves_to(&world.isolate_at(3));
        assert!(browser.fetch(ORDERS).is_forwarded && browser.fetch(BILLING).is_forwarded);
    }
}

#[test]
fn whoever_loses_the_race_at_another_location_asks_once_more_and_ends_no_session() {
    let mut outcomes = [0, 0];
    for seed in 0..80 {
        let world = strict_world();
        let browser = caller(&world, &ADA);
        world.advance(3600);
        let asked = world.op.count(Endpoint::Token);
        let requests = [ORDERS, ORDERS].map(|path| browser.script("GET", path));
        for received in crowd(&world, &[world.isolate_at(1), world.isolate_at(2)], &requests, seed) {
            outcomes[usize::from(received.is_forwarded)] += 1;
            assert!(received.is_forwarded || received.code() == "interaction_required", "seed {seed}");
            assert_eq!(received.set_cookies().count(), 0);
        }
        assert!(world.op.count(Endpoint::Token) <= asked + 3, "seed {seed}");
        assert!(is_served(&world, &[], &browser), "seed {seed}");
    }
    assert!(outcomes.iter().all(|count| *count > 0), "{outcomes:?}");
}

#[test]
fn at_no_location_and_in_no_order_does_anybody_get_anothers_token() {
    for seed in 0..40 {
        let world = World::with(&json!({ "Session": { "IdleSeconds": 28_800 } }));
        world.kv.throttles.set(seed % 2 == 0);
        world.sleeping_takes_time.set(true);
        let browsers = [ADA, BOB, ADA_AGAIN].map(|user| {
            world.advance(1);
            caller(&world, &user)
        });
        world.advance(3400 + seed % 3 * 100);
        let arrived = world.downstream.count();
        let calls: Vec<Request> =
            (0..9).map(|n| browsers[n % 3].script("GET", &format!("/api/Orders/of-{}", n % 3))).collect();
        crowd(&world, &everywhere(&world), &calls, seed);
        for arrival in &world.downstream.arrivals()[arrived..] {
            let sub = world.op.issued(arrival.bearer()).sub;
            assert_eq!(sub == BOB.sub, arrival.url.ends_with("of-1"), "seed {seed}");
        }
        assert!(browsers.iter().all(|browser| is_served(&world, &[], browser)));
    }
}
