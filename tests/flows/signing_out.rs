//! Sign-out with the accounts' objects: at once and everywhere, whatever fails, and no later session is touched.

use serde_json::json;
use vestibule::runtime::StoreFault;

use crate::browser::Browser;
use crate::crowd::{ORDERS, assert_copied, assert_nothing_is_left, caller, everywhere, is_served, strict_world};
use crate::deployment::{KEY, OTHER_KEY};
use crate::op::{ADA, BOB};
use crate::site::Site;
use crate::world::World;

const LOGOUT: &str = "/.auth/logout";

#[test]
fn a_sign_in_right_after_the_sign_out_works_everywhere_and_lasts() {
    for sign_ins in 1..4 {
        let world = strict_world();
        let (browser, sites) = (caller(&world, &ADA), everywhere(&world));
        for site in sites.iter().cycle().take(sign_ins) {
            let replay = browser.copy();
            browser.moves_to(site);
            assert_eq!(browser.post(LOGOUT).status, 303);
            assert_nothing_is_left(&world, &[&replay], "within the same second");
            browser.moves_to(&sites[2]);
            assert!(browser.sign_in("/", &ADA).is_forwarded);
            for site in &sites {
                browser.moves_to(site);
                assert!(browser.fetch(ORDERS).is_forwarded && browser.is_signed_in());
            }
        }
        world.accounts.restart_all();
        world.fire_alarms();
        assert!(sites.iter().all(|site| is_served(&world, std::slice::from_ref(site), &browser)));
    }
}

#[test]
fn a_sign_in_after_the_sign_out_is_not_touched_by_what_is_left_to_do() {
    let world = strict_world();
    world.background.is_held.set(true);
    let (laptop, phone) = (caller(&world, &ADA), Browser::new(&world));
    world.advance(3600);
    laptop.fetch(ORDERS);
    let replay = laptop.copy();
    assert_eq!(laptop.post(LOGOUT).status, 303);
    phone.sign_in("/", &ADA);
    world.background.is_held.set(false);
    world.finish_background();
    assert_copied(&world);
    assert!(is_served(&world, &[], &phone) && !is_served(&world, &[], &replay));
}

#[test]
fn nothing_is_served_for_longer_than_the_delay_wherever_it_was_remembered() {
    for delay in [0, 10, 300] {
        let world = World::with(&json!({ "Session": { "RevocationDelay": delay } }));
        let (browser, sites) = (Browser::signed_in(&world, &ADA), everywhere(&world));
        let replay = browser.copy();
        let served = |site: &Site<'_>| site.serve(&replay.script("GET", "/page")).is_forwarded;
        assert!(sites.iter().all(served));
        assert_eq!(browser.post(LOGOUT).status, 303);
        world.advance(delay);
        assert!(!sites.iter().any(served), "{delay}");
    }
}

#[test]
fn a_value_that_comes_late_or_a_reply_that_is_lost_revives_nothing() {
    for is_late in [true, false] {
        let world = strict_world();
        let browser = caller(&world, &ADA);
        let replay = browser.copy();
        world.advance(3600);
        world.background.is_held.set(true);
        browser.fetch(ORDERS);
        if is_late {
            world.kv.delay_puts("account/");
        } else {
            world.kv.lose_acknowledgements("account/");
        }
        world.background.is_held.set(false);
        world.finish_background();
        world.kv.recover();
        world.advance(1);
        assert_eq!(browser.post(LOGOUT).status, 303);
        world.kv.deliver_late();
        for seconds in [0, 60, 3600] {
            world.advance(seconds);
            world.accounts.restart_all();
            world.fire_alarms();
            assert!(!is_served(&world, &[], &replay), "{seconds} {is_late}");
        }
    }
}

#[test]
fn a_deletion_that_fails_is_no_sign_out_to_the_user_and_yet_nothing_is_served() {
    for fault in [StoreFault::Delete, StoreFault::List] {
        let world = strict_world();
        let browser = caller(&world, &ADA);
        let replay = browser.copy();
        world.kv.fail_at(fault, "account/");
        assert_eq!(browser.post(LOGOUT).problem(), (503, "cache_unavailable".to_owned()));
        assert!(!is_served(&world, &[], &replay), "the object knows by now");
        world.kv.recover();
        world.advance(1);
        assert_eq!(browser.post(LOGOUT).status, 303);
        assert_nothing_is_left(&world, &[&replay], &format!("{fault:?}"));
    }
}

#[test]
fn a_rotated_key_has_objects_of_its_own_and_a_sign_out_reaches_them_all() {
    for leaves_with_old in [true, false] {
        let world = strict_world();
        let old = caller(&world, &ADA);
        world.redeploy(&json!({ "Session__Key": OTHER_KEY, "Session__PreviousKeys": KEY }));
        let (new, other) = (caller(&world, &ADA), caller(&world, &BOB));
        let accounts = world.accounts.names().into_iter().filter(|name| name.starts_with("account/"));
        assert_eq!(accounts.count(), 3, "two for one account, by two keys");
        let replays = [old.copy(), new.copy()];
        let leaving = if leaves_with_old { &old } else { &new };
        assert_eq!(leaving.post(LOGOUT).status, 303);
        assert!(replays.iter().all(|replay| !is_served(&world, &[], replay)));
        assert_eq!((world.kv.keys("account/").len(), world.accounts.all_sessions().len()), (1, 1));
        assert!(is_served(&world, &[], &other));
    }
}
