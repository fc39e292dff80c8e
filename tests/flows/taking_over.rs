//! Sessions that began on Workers KV alone, once the objects are bound: those that go on are taken over, and no other.

use serde_json::json;

use crate::browser::Browser;
use crate::crowd::{BILLING, ORDERS, caller, crowd, everywhere, is_served, strict_world};
use crate::op::{ADA, BOB, Endpoint};
use crate::world::World;

/// On Workers KV alone.
fn alone() -> World {
    let world = World::on_kv_alone();
    world.redeploy(&json!({ "Session": { "IdleSeconds": 28_800, "RevocationDelay": 0 } }));
    world
}

#[test]
fn a_session_that_began_on_workers_kv_alone_is_taken_over_once() {
    for seed in 0..40 {
        let world = alone();
        let (browser, other) = (caller(&world, &ADA), caller(&world, &BOB));
        world.advance(3600);
        world.bind_accounts();
        let asked = world.op.count(Endpoint::Token);
        let requests = [ORDERS, BILLING, "/page", ORDERS].map(|path| browser.script("GET", path));
        let received = crowd(&world, &everywhere(&world), &requests, seed);
        assert!(received.iter().all(|received| received.is_forwarded), "seed {seed}");
        assert_eq!((world.op.count(Endpoint::Token), world.op.reuses.get()), (asked + 2, 0), "seed {seed}");
        assert_copied_among(&world, 1);
        assert!(is_served(&world, &[], &other));
        assert_eq!(world.accounts.all_sessions().len(), 2);
        let replay = browser.copy();
        assert_eq!(browser.post("/.auth/logout").status, 303);
        assert!(!is_served(&world, &[], &replay) && is_served(&world, &[], &other));
    }
}

/// So many entries in Workers KV are what an object has.
fn assert_copied_among(world: &World, count: usize) {
    let entries: Vec<_> = world.accounts.all_sessions().into_iter().filter_map(|(_, session)| session.entry).collect();
    let keys = world.kv.keys("account/");
    assert_eq!(keys.iter().filter(|key| entries.contains(&world.kv.value(key))).count(), count);
}

#[test]
fn a_session_that_ended_on_workers_kv_alone_is_not_taken_over() {
    let world = alone();
    let (browser, other) = (caller(&world, &ADA), caller(&world, &BOB));
    let replay = browser.copy();
    assert_eq!(browser.post("/.auth/logout").status, 303);
    world.bind_accounts();
    world.advance(60);
    assert!(!is_served(&world, &[], &replay));
    assert_eq!(world.accounts.all_sessions(), []);
    assert!(is_served(&world, &[], &other));
}

#[test]
fn a_copy_of_a_session_that_ended_with_its_object_is_never_taken_over() {
    let world = strict_world();
    let browser = caller(&world, &ADA);
    let replay = browser.copy();
    let stored: Vec<_> = world.kv.dump().into_iter().filter(|(key, ..)| key.starts_with("account/")).collect();
    assert_eq!(browser.post("/.auth/logout").status, 303);
    for (key, value, _) in &stored {
        world.kv.plant(key, value.clone());
    }
    assert!(!is_served(&world, &[], &replay));
    // The same for one that ended alone, by a sign-in that took its place.
    browser.sign_in("/", &ADA);
    let replaced = browser.copy();
    let stored: Vec<_> = world.kv.dump().into_iter().filter(|(key, ..)| key.starts_with("account/")).collect();
    browser.sign_in("/.auth/login", &ADA);
    for (key, value, _) in stored {
        world.kv.plant(&key, value);
    }
    assert!(!is_served(&world, &[], &replaced) && is_served(&world, &[], &browser));
}

#[test]
fn a_take_over_soon_after_the_sign_in_is_no_sign_out_if_the_store_lags() {
    let world = alone();
    world.kv.lag_behind("account/");
    let browser = Browser::signed_in(&world, &ADA);
    world.bind_accounts();
    browser.moves_to(&world.isolate_at(1));
    let answer = browser.fetch("/page");
    assert_eq!(answer.problem(), (503, "cache_unavailable".to_owned()));
    assert_eq!(answer.set_cookies().count(), 0);
    world.kv.deliver_late();
    world.advance(60);
    assert!(browser.fetch("/page").is_forwarded);
}

#[test]
fn a_sign_out_meets_a_take_over_in_any_order() {
    for seed in 0..80 {
        let world = alone();
        let (laptop, phone) = (caller(&world, &ADA), caller(&world, &ADA));
        world.advance(3600);
        world.bind_accounts();
        let requests = [
            laptop.script("POST", "/.auth/logout"),
            phone.script("GET", ORDERS),
            laptop.script("GET", "/page"),
            phone.script("GET", "/page"),
        ];
        let received = crowd(&world, &everywhere(&world), &requests, seed);
        assert_eq!(received[0].status, 303, "seed {seed}");
        assert!(!is_served(&world, &[], &laptop) && !is_served(&world, &[], &phone), "seed {seed}");
        assert_eq!((world.kv.keys("account/"), world.kv.keys("sid/")), (vec![], vec![]), "seed {seed}");
    }
}
