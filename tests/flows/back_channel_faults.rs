//! Back-channel logout while something fails: the OP is told so, tries again, and that works exactly when the first
//! attempt was not done. It is done once the accounts' objects have it, whatever Workers KV says.

use serde_json::{Value, json};
use vestibule::runtime::StoreFault;

use crate::back_channel::ADA_AGAIN;
use crate::browser::Browser;
use crate::crashes::{ALL, Crash, arm};
use crate::crowd::{ORDERS, assert_nothing_is_left, caller, is_served, strict_world};
use crate::op::{ADA, BOB};
use crate::op_logout::{assert_done, assert_invalid, by_both, by_sid, by_sub, posted};
use crate::request::Received;
use crate::world::World;

const OUTAGES: [fn(&World, bool); 2] =
    [|world, is_on| world.accounts.is_down.set(is_on), |world, is_on| world.accounts.storage_fails.set(is_on)];

fn ways() -> [Value; 3] {
    [by_sub(&ADA), by_sid(&ADA), by_both(&ADA)]
}

fn assert_comes_again(answer: &Received, what: &str) {
    assert_eq!(answer.problem(), (503, "cache_unavailable".to_owned()), "{what}");
    assert!(answer.header("retry-after").is_some(), "{what}");
}

#[test]
fn an_object_out_of_reach_is_503_and_the_same_token_works_later() {
    for (outage, claims) in OUTAGES.iter().flat_map(|outage| ways().map(|claims| (outage, claims))) {
        let world = strict_world();
        let browser = caller(&world, &ADA);
        let token = world.logout_token(&claims);
        outage(&world, true);
        for _ in 0..2 {
            assert_comes_again(&posted(&world, &token), &claims.to_string());
        }
        outage(&world, false);
        assert!(browser.fetch("/page").is_forwarded, "nothing was done, in this isolate neither");
        assert_done(&posted(&world, &token), &claims.to_string());
        assert_nothing_is_left(&world, &[&browser], &claims.to_string());
        assert_invalid(&posted(&world, &token), &claims.to_string());
    }
}

#[test]
fn a_crash_is_503_and_a_retry_works_if_nothing_was_durable_and_is_a_replay_if_it_was() {
    for (crash, claims) in ALL.iter().flat_map(|crash| ways().map(|claims| (*crash, claims))) {
        let what = format!("{crash:?} {claims}");
        let world = strict_world();
        let (browser, other) = (caller(&world, &ADA), caller(&world, &BOB));
        let token = world.logout_token(&claims);
        arm(&world, crash);
        assert_comes_again(&posted(&world, &token), &what);
        let again = posted(&world, &token);
        // By a session the index is told as well, and what one of the two objects had not heard is done the second time.
        if crash == Crash::BeforeFlush || claims["sid"].is_string() && again.status == 200 {
            assert_done(&again, &what);
        } else {
            assert_invalid(&again, &what);
        }
        world.accounts.restart_all();
        world.advance(60);
        world.fire_alarms();
        assert!(!is_served(&world, &[], &browser) && is_served(&world, &[], &other), "{what}");
        assert_eq!((world.kv.keys("account/").len(), world.kv.keys("sid/").len()), (1, 1), "{what}");
        assert_invalid(&posted(&world, &token), "a third time");
    }
}

#[test]
fn a_sign_in_under_way_is_refused_even_if_the_index_was_told_only_by_the_retry() {
    for crash in ALL {
        let world = strict_world();
        let (browser, phone) = (caller(&world, &ADA), Browser::new(&world));
        let callback = world.op.authorize(&phone.begin("/"), &ADA);
        let token = world.logout_token(&by_both(&ADA));
        // The account's object has heard it; the index has not.
        let before = world.accounts.calls();
        arm(&world, crash);
        if crash == Crash::BeforeFlush {
            world.accounts.crash_before_flush.set(false);
            world.accounts.fails_at.set(Some(before + 1));
        }
        assert_comes_again(&posted(&world, &token), &format!("{crash:?}"));
        assert_done(&posted(&world, &token), &format!("{crash:?}"));
        world.advance(10);
        assert_eq!(phone.come_back_as_script(&callback).problem(), (400, "login_attempt_invalid".to_owned()));
        assert_nothing_is_left(&world, &[&browser], &format!("{crash:?}"));
    }
}

#[test]
fn a_sign_in_that_came_between_two_attempts_ends_with_the_second() {
    // The object of the OP's session, the account's as that asks it, and the account's as it is asked for itself.
    for failing in 0..3 {
        let world = strict_world();
        let (browser, phone) = (caller(&world, &ADA), Browser::new(&world));
        let token = world.logout_token(&by_both(&ADA));
        world.accounts.fails_at.set(Some(world.accounts.calls() + failing));
        assert_comes_again(&posted(&world, &token), &format!("call {failing}"));
        world.advance(1);
        assert!(phone.sign_in("/", &ADA).is_forwarded);
        assert_done(&posted(&world, &token), &format!("call {failing} the second time"));
        assert_nothing_is_left(&world, &[&browser, &phone], &format!("call {failing}"));
    }
}

#[test]
fn with_workers_kv_down_all_of_an_account_ends_at_once_and_alarms_delete_the_copies() {
    for fault in [StoreFault::Delete, StoreFault::List] {
        let world = strict_world();
        let (browser, phone) = (caller(&world, &ADA), caller(&world, &ADA_AGAIN));
        let other = caller(&world, &BOB);
        world.kv.fail_at(fault, "");
        assert_done(&posted(&world, &world.logout_token(&by_sub(&ADA))), "the OP has nothing to do with copies");
        assert!(!is_served(&world, &[], &browser) && !is_served(&world, &[], &phone));
        assert_eq!(world.kv.keys("account/").len(), 3, "the copies are still there");
        for _ in 0..3 {
            world.advance(60);
            world.fire_alarms();
        }
        assert_eq!(world.kv.keys("account/").len(), 3);
        world.kv.recover();
        world.advance(60);
        world.fire_alarms();
        assert_eq!((world.kv.keys("account/").len(), world.kv.keys("sid/").len()), (1, 1), "{fault:?}");
        assert_eq!(world.accounts.to_delete(), [""; 0]);
        assert!(is_served(&world, &[], &other));
    }
}

#[test]
fn a_session_of_the_op_ends_at_once_whatever_workers_kv_says_and_the_rest_with_the_retry() {
    for claims in [by_sid(&ADA), by_both(&ADA)] {
        let world = strict_world();
        let (browser, phone) = (caller(&world, &ADA), caller(&world, &ADA_AGAIN));
        let token = world.logout_token(&claims);
        world.kv.fail_at(StoreFault::Delete, "");
        assert_done(&posted(&world, &token), "what is noted will be deleted");
        assert!(!is_served(&world, &[], &browser) && is_served(&world, &[], &phone));
        world.kv.recover();
        world.advance(60);
        world.fire_alarms();
        assert_eq!((world.kv.keys("account/").len(), world.kv.keys("sid/").len()), (1, 1));

        let second = world.logout_token(&json!({ "sub": ADA.sub, "sid": ADA_AGAIN.sid }));
        // Sessions that only Workers KV knows may be meant, too.
        world.kv.fail_at(StoreFault::List, "");
        assert_comes_again(&posted(&world, &second), "nobody knows whether that was all");
        assert!(!is_served(&world, &[], &phone));
        world.kv.recover();
        assert_done(&posted(&world, &second), "with the retry");
        assert_nothing_is_left(&world, &[&browser, &phone], &claims.to_string());
    }
}

#[test]
fn a_session_that_only_workers_kv_knows_ends_even_if_that_fails_at_first() {
    for (fault, prefix) in [(StoreFault::Get, "sid/"), (StoreFault::List, "account/")] {
        for claims in [by_sid(&ADA), by_both(&ADA)] {
            let world = World::on_kv_alone();
            let [browser, phone] = [&ADA, &ADA_AGAIN].map(|user| Browser::signed_in(&world, user));
            world.advance(120);
            world.bind_accounts();
            let token = world.logout_token(&claims);
            world.kv.fail_at(fault, prefix);
            assert_comes_again(&posted(&world, &token), &format!("{fault:?} {claims}"));
            world.kv.recover();
            assert_done(&posted(&world, &token), &format!("{fault:?} {claims}"));
            assert!(!is_served(&world, &[], &browser) && is_served(&world, &[], &phone), "{fault:?} {claims}");
            assert_eq!((world.kv.keys("account/").len(), world.kv.keys("sid/").len()), (1, 1));
            assert_invalid(&posted(&world, &token), "a replay");
        }
    }
}

#[test]
fn a_session_begun_within_the_skew_is_not_ended_by_a_replay() {
    for (claims, seconds) in ways().into_iter().flat_map(|claims| [1, 5, 30].map(|seconds| (claims.clone(), seconds))) {
        let world = strict_world();
        let (browser, sites) = (caller(&world, &ADA), [world.site(), world.isolate_at(1)]);
        let token = world.logout_token(&claims);
        assert_done(&posted(&world, &token), "the first time");
        world.advance(seconds);
        assert!(browser.sign_in("/", &ADA).is_forwarded);
        for site in &sites {
            assert_invalid(&crate::op_logout::posted_at(site, &token), &claims.to_string());
            world.advance(1);
        }
        assert!(is_served(&world, &sites, &browser), "{claims} {seconds}");
        browser.moves_to(&sites[0]);
        assert!(browser.fetch(ORDERS).is_forwarded && browser.session().is_some());
        // And the replay has not made the index forget it.
        assert_done(&posted(&world, &world.logout_token(&by_sid(&ADA))), "a new one");
        assert_nothing_is_left(&world, &[&browser], &claims.to_string());
    }
}
