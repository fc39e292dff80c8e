//! Sign-out against everything that may be under way, everywhere: once it is answered, nothing is served any more.

use std::cell::Cell;

use serde_json::json;

use crate::browser::Browser;
use crate::crowd::{
    BILLING, ORDERS, assert_copied, assert_nothing_is_left, caller, crowd, everywhere, is_served, strict_world,
};
use crate::op::{ADA, EndUser};
use crate::request::{Received, Request};
use crate::schedule::{Pause, Task, explored, interleaved};
use crate::site::Site;
use crate::world::World;

const LOGOUT: &str = "/.auth/logout";

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
    for seed in 0..160 {
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
    for seed in 0..160 {
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
            assert_copied(&world);
            assert_eq!(world.kv.keys("sid/").len(), 1, "seed {seed}");
            assert!(phone.fetch(ORDERS).is_forwarded);
        } else {
            assert_eq!(world.kv.keys("account/"), [""; 0], "seed {seed}");
        }
    }
    assert!(lived > 10, "{lived}");
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
