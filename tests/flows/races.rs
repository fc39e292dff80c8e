//! Two requests at once, in every order of their steps that a small number of choices can make.

use serde_json::json;

use crate::browser::{Browser, absolute};
use crate::kv::Operation;
use crate::op::{ADA, BOB, Endpoint};
use crate::request::Request;
use crate::schedule::interleaved;
use crate::world::World;

/// Every schedule whose first `count` choices are free.
fn schedules(count: u32) -> impl Iterator<Item = u32> {
    0..1 << count
}

#[test]
fn a_refresh_in_flight_never_brings_back_what_a_sign_out_removed() {
    // Further orders with the accounts' objects: `sign_out_races.rs`.
    const CHOICES: u32 = if crate::WITH_ACCOUNTS { 7 } else { 11 };
    for schedule in schedules(CHOICES) {
        let world = World::new();
        let browser = Browser::signed_in(&world, &ADA);
        world.op.renews_id_token.set(false);
        let call = browser.with_cookies(Request::script("GET", &absolute("/api/Orders/x")));
        let logout = browser.with_cookies(Request::script("POST", &absolute("/.auth/logout")));
        world.pauses.set(true);
        let (_, left) = interleaved(world.serving(&call), world.serving(&logout), schedule, CHOICES);
        world.pauses.set(false);
        assert_eq!(left.status, 303);
        assert_eq!(world.kv.keys("account/"), [""; 0], "schedule {schedule:011b}");
        world.new_isolate();
        assert!(!browser.is_signed_in());
    }
}

#[test]
fn a_renewed_entry_of_an_account_that_left_is_not_even_written() {
    let world = World::new();
    let browser = Browser::signed_in(&world, &ADA);
    world.op.renews_id_token.set(false);
    let call = browser.with_cookies(Request::script("GET", &absolute("/api/Orders/x")));
    let logout = browser.with_cookies(Request::script("POST", &absolute("/.auth/logout")));
    world.pauses.set(true);
    // The call is on its way to the OP during the whole sign-out.
    interleaved(world.serving(&call), world.serving(&logout), u32::MAX - 1, 31);
    let puts = world
        .kv
        .operations()
        .into_iter()
        .filter(|done| matches!(done, Operation::Put(key, _) if key.starts_with("account/")));
    assert_eq!(puts.count(), 1, "that of the sign-in");
}

#[test]
fn a_page_under_way_during_a_sign_out_revives_nothing() {
    const CHOICES: u32 = 8;
    for schedule in schedules(CHOICES) {
        let world = World::with(&json!({ "Session": { "IdleSeconds": 600 } }));
        let browser = Browser::signed_in(&world, &ADA);
        world.advance(400);
        let page = browser.with_cookies(Request::navigation("GET", &absolute("/page"), "none"));
        let logout = browser.with_cookies(Request::script("POST", &absolute("/.auth/logout")));
        world.pauses.set(true);
        let (shown, left) = interleaved(world.serving(&page), world.serving(&logout), schedule, CHOICES);
        world.pauses.set(false);
        // The rolled cookie arrives after the one that expires the session.
        browser.receive(&left);
        browser.receive(&shown);
        assert!(!browser.is_signed_in(), "schedule {schedule:08b}");
        world.new_isolate();
        assert!(!browser.is_signed_in(), "schedule {schedule:08b}");
    }
}

/// One waits for the other until that takes longer than it may, and then goes on by itself.
#[test]
fn two_calls_that_race_for_a_refresh_token_end_no_session() {
    const CHOICES: u32 = if crate::WITH_ACCOUNTS { 7 } else { 10 };
    for schedule in schedules(CHOICES) {
        let world = World::new();
        let browser = Browser::signed_in(&world, &ADA);
        world.op.renews_id_token.set(false);
        let call = browser.with_cookies(Request::script("GET", &absolute("/api/Orders/x")));
        world.pauses.set(true);
        let (first, second) = interleaved(world.serving(&call), world.serving(&call), schedule, CHOICES);
        world.pauses.set(false);
        for received in [&first, &second] {
            // Without a single flight the slower call may find neither its refresh token nor the successor.
            assert!(received.is_forwarded || received.code() == "interaction_required", "schedule {schedule:010b}");
            assert_eq!(received.set_cookies().count(), 0);
        }
        assert!(first.is_forwarded || second.is_forwarded);
        assert!(browser.fetch("/api/Orders/again").is_forwarded, "schedule {schedule:010b}");
    }
}

#[test]
fn an_isolate_that_lost_the_race_finds_the_successor_that_another_one_stored() {
    const CHOICES: u32 = 10;
    let mut found = 0;
    for schedule in schedules(CHOICES) {
        let world = World::on_kv_alone();
        let browser = Browser::signed_in(&world, &ADA);
        world.op.renews_id_token.set(false);
        let asked = world.op.count(Endpoint::Token);
        let call = browser.with_cookies(Request::script("GET", &absolute("/api/Orders/x")));
        let neighbour = world.isolate_at(0);
        world.pauses.set(true);
        let (first, second) = interleaved(world.serving(&call), neighbour.serving(&call), schedule, CHOICES);
        world.pauses.set(false);
        assert!(first.is_forwarded || second.is_forwarded);
        let has_lost = world.op.reuses.get() == 1;
        found += usize::from(has_lost && first.is_forwarded && second.is_forwarded);
        assert_eq!(world.op.count(Endpoint::Token) == asked + 1, !has_lost, "schedule {schedule:010b}");
    }
    assert!(found > 0);
}

#[test]
fn two_users_at_once_never_share_a_token() {
    const CHOICES: u32 = 8;
    for schedule in schedules(CHOICES) {
        let world = World::new();
        let (ada, bob) = (Browser::signed_in(&world, &ADA), Browser::signed_in(&world, &BOB));
        world.advance(3400);
        let call = |browser: &Browser<'_>, name: &str| {
            browser.with_cookies(Request::script("GET", &absolute(&format!("/api/Orders/{name}"))))
        };
        let (first, second) = (call(&ada, "ada"), call(&bob, "bob"));
        world.pauses.set(true);
        interleaved(world.serving(&first), world.serving(&second), schedule, CHOICES);
        let arrivals: Vec<_> =
            world.downstream.arrivals().into_iter().filter(|arrival| arrival.url.contains("orders")).collect();
        assert_eq!(arrivals.len(), 2);
        for arrival in arrivals {
            let sub = world.op.issued(arrival.bearer()).sub;
            assert_eq!(sub == ADA.sub, arrival.url.ends_with("/ada"));
        }
    }
}

#[test]
fn two_callbacks_at_once_are_two_sessions_of_their_own() {
    const CHOICES: u32 = 8;
    for schedule in schedules(CHOICES) {
        let world = World::new();
        let browsers = [Browser::new(&world), Browser::new(&world)];
        let callbacks = [(&browsers[0], ADA), (&browsers[1], BOB)].map(|(browser, user)| {
            let url = world.op.authorize(&browser.begin("/"), &user);
            browser.with_cookies(Request::navigation("GET", &url, "cross-site"))
        });
        world.pauses.set(true);
        let (first, second) =
            interleaved(world.serving(&callbacks[0]), world.serving(&callbacks[1]), schedule, CHOICES);
        world.pauses.set(false);
        for (browser, (received, user)) in browsers.iter().zip([(first, ADA), (second, BOB)]) {
            browser.receive(&received);
            assert_eq!(browser.fetch("/.auth/me").json()["sub"], user.sub);
        }
    }
}
