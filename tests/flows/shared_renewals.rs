//! A crowd of one session's requests at one isolate whose access token has expired: one of them has it renewed, for all.

use std::pin::pin;

use serde_json::json;
use vestibule::runtime::{StoreFault, TransportFault};

use crate::browser::Browser;
use crate::crowd::{BILLING, ORDERS, bearers, caller, calls, crowd, in_turns, strict_world};
use crate::op::{ADA, Endpoint, Instead};
use crate::request::Request;
use crate::schedule::{ended, take_steps};
use crate::world::World;

/// Where an isolate trusts its memory for ten seconds, and only the absolute end of a session counts.
fn trusting_world() -> World {
    World::with(&json!({ "Session": { "IdleSeconds": 28_800 } }))
}

/// The same on Workers KV alone.
fn trusting_kv_alone() -> World {
    let world = World::on_kv_alone();
    world.redeploy(&json!({ "Session": { "IdleSeconds": 28_800 } }));
    world
}

/// Someone whose tokens have just expired, at an isolate that has heard of the session since.
fn expired(world: &World) -> Browser<'_> {
    let browser = caller(world, &ADA);
    world.advance(3600);
    assert!(browser.fetch("/page").is_forwarded);
    browser
}

/// The account signs out, at a neighbouring isolate.
fn sign_out_elsewhere(world: &World, browser: &Browser<'_>) {
    let logout = browser.script("POST", "/.auth/logout");
    assert_eq!(world.isolate_at(0).serve(&logout).status, 303);
}

#[test]
fn a_crowd_at_one_isolate_has_each_token_renewed_once() {
    for seed in 0..30 {
        let world = trusting_world();
        let browser = expired(&world);
        let before = (world.op.count(Endpoint::Token), world.accounts.calls(), world.downstream.count());
        let received = crowd(&world, &[world.site()], &calls(&browser, &[ORDERS, BILLING], 40), seed);
        assert!(received.iter().all(|received| received.is_forwarded), "seed {seed}");
        assert_eq!(world.waits_in_vain.get(), 0, "seed {seed}");
        assert_eq!((world.op.count(Endpoint::Token), world.op.reuses.get()), (before.0 + 2, 0), "seed {seed}");
        assert_eq!(world.accounts.calls(), before.1 + if crate::WITH_ACCOUNTS { 2 } else { 0 }, "seed {seed}");
        for api in ["orders", "billing"] {
            assert_eq!(bearers(&world, before.2, api).len(), 1);
        }
    }
}

/// Nobody else stands between an isolate on Workers KV alone and an OP that takes a second use for theft.
#[test]
fn without_an_object_an_isolate_presents_a_refresh_token_once() {
    for seed in 0..200 {
        let world = trusting_kv_alone();
        if seed % 2 == 0 {
            world.redeploy(&json!({ "Session": { "RevocationDelay": 0 } }));
        }
        let browser = caller(&world, &ADA);
        world.advance(if seed % 3 == 0 { 3600 } else { 3590 });
        let asked = world.op.count(Endpoint::Token);
        let received = crowd(&world, &[world.site()], &calls(&browser, &[ORDERS, BILLING], 6), seed);
        assert!(received.iter().all(|received| received.is_forwarded), "seed {seed}: {received:?}");
        assert_eq!((world.op.reuses.get(), world.op.revoked()), (0, 0), "seed {seed}");
        assert_eq!(world.op.count(Endpoint::Token), asked + 2, "seed {seed}");
    }
}

#[test]
fn a_renewal_behind_everybodys_back_and_one_that_is_waited_for_do_not_meet() {
    for seed in 0..60 {
        let world = World::on_kv_alone();
        world.op.instead(Endpoint::Token, Instead::Merged(json!({ "refresh_in": 1800 })));
        let browser = Browser::signed_in(&world, &ADA);
        assert!(browser.fetch(ORDERS).is_forwarded);
        world.advance(1801);
        let received = crowd(&world, &[world.site()], &calls(&browser, &[ORDERS, BILLING], 6), seed);
        assert!(received.iter().all(|received| received.is_forwarded), "seed {seed}");
        assert_eq!(world.op.reuses.get(), 0, "seed {seed}");
    }
}

#[test]
fn a_failure_of_the_op_is_everybodys() {
    for seed in 0..30 {
        let world = trusting_world();
        let browser = expired(&world);
        world.op.instead(Endpoint::Token, Instead::Fails(TransportFault::TimedOut));
        let (asked, asked_objects) = (world.op.count(Endpoint::Token), world.accounts.calls());
        for received in crowd(&world, &[world.site()], &calls(&browser, &[ORDERS], 12), seed) {
            assert_eq!(received.problem(), (503, "op_unreachable".to_owned()), "seed {seed}");
        }
        assert_eq!(world.op.count(Endpoint::Token), asked + 1, "seed {seed}");
        assert_eq!(world.accounts.calls(), asked_objects + usize::from(crate::WITH_ACCOUNTS), "seed {seed}");
        world.op.behave();
        world.advance(5);
        assert!(browser.fetch(ORDERS).is_forwarded);
    }
}

#[test]
fn whoever_follows_one_that_the_platform_ended_goes_on() {
    for world in [trusting_world(), trusting_kv_alone()] {
        let browser = expired(&world);
        let (site, request) = (world.site(), browser.script("GET", ORDERS));
        world.pauses.set(true);
        let mut second = pin!(site.serving(&request));
        {
            let mut first = pin!(site.serving(&request));
            take_steps(first.as_mut(), 1);
            take_steps(second.as_mut(), 3);
        }
        assert!(ended(second).is_forwarded);
        world.pauses.set(false);
        assert!(browser.fetch(ORDERS).is_forwarded);
    }
}

#[test]
fn nobody_waits_for_ever() {
    for world in [trusting_world(), trusting_kv_alone()] {
        let browser = expired(&world);
        let (site, request) = (world.site(), browser.script("GET", ORDERS));
        world.pauses.set(true);
        let mut first = pin!(site.serving(&request));
        take_steps(first.as_mut(), 1);
        // Nothing of it runs any more, and the other comes later.
        let begun = world.time();
        world.advance(15);
        assert!(ended(site.serving(&request)).is_forwarded);
        assert_eq!((world.waits.get(), world.waits_in_vain.get(), world.time()), (1, 1, begun + 35));
        world.pauses.set(false);
    }
}

#[test]
fn whoever_waits_while_the_account_signs_out_here_is_not_served() {
    for world in [trusting_world(), trusting_kv_alone()] {
        let browser = expired(&world);
        let (site, call, logout) =
            (world.site(), browser.script("GET", ORDERS), browser.script("POST", "/.auth/logout"));
        let arrived = world.downstream.count();
        world.pauses.set(true);
        let (mut first, mut second) = (pin!(site.serving(&call)), pin!(site.serving(&call)));
        take_steps(first.as_mut(), 1);
        take_steps(second.as_mut(), 1);
        assert_eq!(ended(site.serving(&logout)).status, 303);
        let received = [ended(first), ended(second)];
        world.pauses.set(false);
        assert!(received.iter().all(|received| received.problem().0 == 401), "{received:?}");
        assert_eq!(world.downstream.count(), arrived);
    }
}

#[test]
fn whoever_waits_is_not_served_by_what_came_before_a_sign_out() {
    for world in [trusting_world(), trusting_kv_alone()] {
        let (laptop, phone) = (Browser::signed_in(&world, &ADA), expired(&world));
        let (site, call, logout) = (world.site(), phone.script("GET", ORDERS), laptop.script("POST", "/.auth/logout"));
        world.pauses.set(true);
        let (mut first, mut second) = (pin!(site.serving(&call)), pin!(site.serving(&call)));
        take_steps(first.as_mut(), 1);
        take_steps(second.as_mut(), 1);
        assert!(ended(first).is_forwarded);
        assert_eq!(ended(site.serving(&logout)).status, 303);
        assert_eq!(ended(second).problem().0, 401);
        world.pauses.set(false);
    }
}

#[test]
fn whoever_waited_for_long_takes_nobodys_word_but_the_objects() {
    let world = World::with_accounts();
    let browser = caller(&world, &ADA);
    // In its expiry window.
    world.advance(3590);
    assert!(browser.fetch("/page").is_forwarded);
    let (site, call) = (world.site(), browser.script("GET", ORDERS));
    world.pauses.set(true);
    let (mut first, mut second) = (pin!(site.serving(&call)), pin!(site.serving(&call)));
    take_steps(first.as_mut(), 1);
    take_steps(second.as_mut(), 1);
    assert!(ended(first).is_forwarded);
    world.pauses.set(false);
    sign_out_elsewhere(&world, &browser);
    world.advance(11);
    assert_eq!(ended(second).problem().0, 401);
}

/// How often somebody waited for another, in a crowd of so many that take their steps in turn.
fn waits(world: &World, requests: &[Request]) -> usize {
    let before = world.waits.get();
    in_turns(world, &world.site(), requests);
    world.waits.get() - before
}

#[test]
fn whoever_waited_for_nothing_does_not_line_up_again() {
    let worlds: [fn() -> World; 2] = [trusting_world, trusting_kv_alone];
    for (world, is_over) in worlds.iter().flat_map(|world| [(world, true), (world, false)]) {
        let [of_two, of_twelve] = [2, 12].map(|count| {
            let world = world();
            let browser = expired(&world);
            if is_over {
                sign_out_elsewhere(&world, &browser);
            }
            world.accounts.storage_fails.set(!is_over);
            waits(&world, &calls(&browser, &[ORDERS], count))
        });
        assert!(of_two > 0);
        assert_eq!(of_twelve, 11 * of_two, "each waits for the first alone");
    }
}

#[test]
fn whoever_only_reads_waits_for_no_renewal() {
    for world in [trusting_world(), trusting_kv_alone()] {
        let browser = expired(&world);
        let (site, call, page) = (world.site(), browser.script("GET", ORDERS), browser.script("GET", "/page"));
        world.pauses.set(true);
        let mut first = pin!(site.serving(&call));
        take_steps(first.as_mut(), 1);
        world.advance(20);
        let before = world.waits.get();
        assert!(ended(site.serving(&page)).is_forwarded);
        assert_eq!(world.waits.get(), before);
        world.pauses.set(false);
    }
}

/// The one that asks hears of the end; whoever waited hears of it, too, and not only once memory is no longer trusted.
#[test]
fn a_session_that_ended_elsewhere_ends_for_the_whole_crowd() {
    for seed in 0..20 {
        let world = trusting_world();
        let browser = expired(&world);
        sign_out_elsewhere(&world, &browser);
        for received in crowd(&world, &[world.site()], &calls(&browser, &[ORDERS], 12), seed) {
            assert_eq!(received.problem(), (401, "session_expired".to_owned()), "seed {seed}");
        }
    }
}

#[test]
fn where_memory_is_never_trusted_everybody_asks_the_object_and_nobody_waits() {
    let world = strict_world();
    world.bind_accounts();
    let browser = Browser::signed_in(&world, &ADA);
    let (asked, asked_objects) = (world.op.count(Endpoint::Token), world.accounts.calls());
    let received = crowd(&world, &[world.site()], &calls(&browser, &[ORDERS], 8), 0);
    assert!(received.iter().all(|received| received.is_forwarded));
    assert_eq!((world.op.count(Endpoint::Token), world.waits.get()), (asked + 1, 0));
    assert!(world.accounts.calls() >= asked_objects + 8);
}

#[test]
fn a_store_that_fails_is_everybodys_own_affair() {
    let world = trusting_kv_alone();
    let browser = expired(&world);
    world.kv.fail_at(StoreFault::Put, "account/");
    let asked = world.op.count(Endpoint::Token);
    let received = crowd(&world, &[world.site()], &calls(&browser, &[ORDERS], 8), 0);
    assert!(received.iter().all(|received| received.is_forwarded));
    assert_eq!(world.op.count(Endpoint::Token), asked + 1);
}
