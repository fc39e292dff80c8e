//! Sign-out against everything that may be under way, everywhere: once it is answered, nothing is served any more.

use std::cell::Cell;

use serde_json::json;
use vestibule::runtime::StoreFault;

use crate::browser::Browser;
use crate::crowd::{BILLING, ORDERS, caller, crowd, everywhere, is_served, strict_world};
use crate::deployment::{KEY, OTHER_KEY};
use crate::op::{ADA, BOB, EndUser};
use crate::request::{Received, Request};
use crate::schedule::{Pause, Task, explored, interleaved};
use crate::site::Site;
use crate::world::World;

const LOGOUT: &str = "/.auth/logout";

/// Neither store holds anything of any account, and nobody is served.
fn assert_nothing_is_left(world: &World, ended: &[&Browser<'_>], what: &str) {
    assert_eq!((world.kv.keys("account/"), world.kv.keys("sid/")), (vec![], vec![]), "{what}");
    assert!(world.accounts.all_sessions().iter().all(|(_, session)| session.entry.is_none()), "{what}");
    for browser in ended {
        let replay = Browser::new(world);
        replay.jar.plant(crate::browser::SESSION, &browser.session().unwrap());
        assert!(!is_served(world, &[], &replay), "{what}");
    }
}

/// Waits for the sign-out's answer and asks for a page then.
async fn afterwards(site: Site<'_>, request: &Request, is_answered: &Cell<bool>) -> Received {
    while !is_answered.get() {
        Pause(true).await;
    }
    site.serving(request).await
}

async fn signs_out(site: &Site<'_>, request: &Request, is_answered: &Cell<bool>) -> Received {
    let received = site.serving(request).await;
    is_answered.set(true);
    received
}

#[test]
fn a_renewal_elsewhere_brings_nothing_back_in_any_order() {
    const CHOICES: u32 = 9;
    for schedule in 0..1 << CHOICES {
        let world = strict_world();
        let browser = Browser::signed_in(&world, &ADA);
        world.op.renews_id_token.set(false);
        let (call, logout) = (browser.script("GET", ORDERS), browser.script("POST", LOGOUT));
        let (here, there) = (world.isolate_at(1), world.isolate_at(2));
        world.pauses.set(true);
        let (call, logout) = (here.serving_with_background(&call), there.serving(&logout));
        let (_, left) = interleaved(call, logout, schedule, CHOICES);
        world.pauses.set(false);
        world.finish_background();
        assert_eq!(left.status, 303);
        assert_nothing_is_left(&world, &[&browser], &format!("schedule {schedule:09b}"));
    }
}

#[test]
fn whatever_is_under_way_nothing_is_served_after_the_answer() {
    for seed in 0..300 {
        let world = strict_world();
        let (laptop, phone) = (caller(&world, &ADA), caller(&world, &ADA));
        world.advance(3600);
        let sites = everywhere(&world);
        let calls = [(&laptop, ORDERS), (&laptop, BILLING), (&phone, ORDERS), (&phone, "/page")];
        let calls = calls.map(|(browser, path)| browser.script("GET", path));
        let (logout, late) = (laptop.script("POST", LOGOUT), [&laptop, &phone].map(|b| b.script("GET", "/page")));
        let is_answered = Cell::new(false);
        world.pauses.set(true);
        let mut tasks: Vec<Task<'_, Received>> = vec![Box::pin(signs_out(&sites[1], &logout, &is_answered))];
        for (number, call) in calls.iter().enumerate() {
            tasks.push(Box::pin(sites[number].serving_with_background(call)));
        }
        for (number, site) in sites.iter().enumerate() {
            tasks.push(Box::pin(afterwards(site.clone(), &late[number % 2], &is_answered)));
        }
        let received = explored(tasks, seed);
        world.pauses.set(false);
        world.finish_background();
        assert_eq!(received[0].status, 303, "seed {seed}");
        assert!(received[5..].iter().all(|received| received.problem().0 == 401), "seed {seed}");
        assert_eq!(world.op.reuses.get(), 0);
        assert_nothing_is_left(&world, &[&laptop, &phone], &format!("seed {seed}"));
    }
}

#[test]
fn a_rolling_page_keeps_nobody_signed_in() {
    const CHOICES: u32 = 8;
    for schedule in 0..1 << CHOICES {
        let world = World::with(&json!({ "Session": { "IdleSeconds": 600, "RevocationDelay": 0 } }));
        let browser = Browser::signed_in(&world, &ADA);
        world.advance(400);
        let page = browser.with_cookies(Request::navigation("GET", "https://app.example/page", "none"));
        let logout = browser.script("POST", LOGOUT);
        let (here, there) = (world.isolate_at(1), world.isolate_at(2));
        world.pauses.set(true);
        let (shown, left) = interleaved(here.serving(&page), there.serving(&logout), schedule, CHOICES);
        world.pauses.set(false);
        world.finish_background();
        let replay = browser.copy();
        for received in [&left, &shown] {
            browser.receive(received);
        }
        assert!(!is_served(&world, &[here, there], &browser), "schedule {schedule:08b}");
        assert_nothing_is_left(&world, &[&replay], &format!("schedule {schedule:08b}"));
    }
}

#[test]
fn a_sign_in_elsewhere_at_the_same_time_lives_whole_or_not_at_all() {
    let mut lived = 0;
    for seed in 0..300 {
        let world = strict_world();
        let (laptop, phone) = (caller(&world, &ADA), Browser::new(&world));
        world.advance(3600);
        let url = world.op.authorize(&phone.begin("/"), &EndUser { sid: Some("another"), ..ADA });
        let requests = [
            laptop.script("POST", LOGOUT),
            phone.with_cookies(Request::navigation("GET", &url, "cross-site")),
            laptop.script("GET", ORDERS),
        ];
        let received = crowd(&world, &everywhere(&world)[1..], &requests, seed);
        assert_eq!((received[0].status, received[1].status), (303, 303), "seed {seed}");
        assert!(!is_served(&world, &[], &laptop));
        phone.receive(&received[1]);
        if is_served(&world, &[], &phone) {
            lived += 1;
            crate::crowd::assert_copied(&world);
            assert_eq!(world.kv.keys("sid/").len(), 1, "seed {seed}");
            assert!(phone.fetch(ORDERS).is_forwarded);
        } else {
            assert_eq!(world.kv.keys("account/"), [""; 0], "seed {seed}");
        }
    }
    assert!(lived > 10, "{lived}");
}

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
    crate::crowd::assert_copied(&world);
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
fn a_copy_that_cannot_be_taken_away_at_once_is_taken_away_later() {
    // The copy arrives right after the sign-out has deleted it, and cannot be deleted a second time yet.
    for steps in 0..30 {
        let world = strict_world();
        let browser = caller(&world, &ADA);
        world.advance(3600);
        world.sleeping_takes_time.set(true);
        world.kv.throttles.set(true);
        let (call, logout) = (browser.script("GET", ORDERS), browser.script("POST", LOGOUT));
        let (here, there) = (world.isolate_at(1), world.isolate_at(2));
        world.pauses.set(true);
        let both = (here.serving_with_background(&call), there.serving(&logout));
        let (_, left) = interleaved(both.0, both.1, u32::MAX.checked_shl(steps).unwrap_or(0), 32);
        world.pauses.set(false);
        world.finish_background();
        if left.status == 503 {
            world.advance(1);
            assert_eq!(there.serve(&logout).status, 303, "{steps}");
        }
        assert_nothing_is_left(&world, &[&browser], &format!("after {steps} steps"));
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
        assert_eq!(world.accounts.names().len(), 3, "two for one account, by two keys");
        let replays = [old.copy(), new.copy()];
        let leaving = if leaves_with_old { &old } else { &new };
        assert_eq!(leaving.post(LOGOUT).status, 303);
        assert!(replays.iter().all(|replay| !is_served(&world, &[], replay)));
        assert_eq!((world.kv.keys("account/").len(), world.accounts.all_sessions().len()), (1, 1));
        assert!(is_served(&world, &[], &other));
    }
}
