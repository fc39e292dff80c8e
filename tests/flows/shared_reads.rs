//! A crowd of one session's requests at an isolate that does not know it: one of them reads, for all.

use std::pin::pin;

use serde_json::json;
use vestibule::runtime::StoreFault;

use crate::browser::Browser;
use crate::crowd::{calls, in_turns};
use crate::kv::Operation;
use crate::op::ADA;
use crate::request::Received;
use crate::schedule::{ended, take_steps};
use crate::site::Site;
use crate::world::World;

const CROWD: usize = 32;

/// All of them ask for a page, at once.
fn crowd(world: &World, site: &Site<'_>, browser: &Browser<'_>) -> Vec<Received> {
    in_turns(world, site, &calls(browser, &["/page"], CROWD))
}

/// How often the keeper of the session was asked, whoever that is.
fn reads(world: &World) -> usize {
    let is_read = |operation: &Operation| matches!(operation, Operation::Get(key) if key.starts_with("account/"));
    world.kv.operations().iter().filter(|operation| is_read(operation)).count() + world.accounts.calls()
}

#[test]
fn a_crowd_reads_once_and_again_when_memory_is_no_longer_trusted() {
    let world = World::new();
    let browser = Browser::signed_in(&world, &ADA);
    let isolate = world.isolate_at(1);
    for _ in 0..3 {
        world.advance(130);
        let before = reads(&world);
        let received = crowd(&world, &isolate, &browser);
        assert!(received.iter().all(|received| received.is_forwarded));
        assert_eq!(reads(&world), before + 1);
        assert!(crowd(&world, &isolate, &browser).iter().all(|received| received.is_forwarded));
        assert_eq!(reads(&world), before + 1);
    }
}

#[test]
fn two_sessions_do_not_wait_for_each_other() {
    let world = World::new();
    let browsers = [Browser::signed_in(&world, &ADA), Browser::signed_in(&world, &ADA)];
    let isolate = world.isolate_at(1);
    let before = (reads(&world), world.waits.get());
    let requests = browsers.each_ref().map(|browser| browser.script("GET", "/page"));
    in_turns(&world, &isolate, &requests);
    assert_eq!((reads(&world), world.waits.get()), (before.0 + 2, before.1));
}

#[test]
fn where_memory_is_never_trusted_everybody_reads_and_nobody_waits() {
    let world = World::with(&json!({ "Session": { "RevocationDelay": 0 } }));
    let browser = Browser::signed_in(&world, &ADA);
    let before = reads(&world);
    crowd(&world, &world.isolate_at(1), &browser);
    assert_eq!((reads(&world), world.waits.get()), (before + CROWD, 0), "nobody waits for what counts for others only");
}

#[test]
fn nobody_waits_for_a_read_longer_than_a_person_would() {
    let world = World::new();
    let browser = Browser::signed_in(&world, &ADA);
    let (isolate, page) = (world.isolate_at(1), browser.script("GET", "/page"));
    world.pauses.set(true);
    let mut first = pin!(isolate.serving(&page));
    take_steps(first.as_mut(), 1);
    let begun = world.time();
    assert!(ended(isolate.serving(&page)).is_forwarded);
    assert_eq!((world.waits_in_vain.get(), world.time()), (1, begun + 2));
    assert!(ended(first).is_forwarded);
    world.pauses.set(false);
}

#[test]
fn what_one_read_does_not_bring_each_asks_for_itself() {
    let world = World::on_kv_alone();
    let browser = Browser::signed_in(&world, &ADA);
    world.advance(130);
    world.kv.fail_at(StoreFault::Get, "account/");
    let received = crowd(&world, &world.isolate_at(1), &browser);
    assert!(received.iter().all(|received| received.problem().0 == 503));
    world.kv.recover();
    assert!(crowd(&world, &world.isolate_at(1), &browser).iter().all(|received| received.is_forwarded));
}

#[test]
fn a_session_that_ends_elsewhere_ends_for_the_whole_crowd() {
    let world = World::new();
    let (browser, elsewhere) = (Browser::signed_in(&world, &ADA), world.isolate_at(1));
    let copy = browser.copy();
    world.advance(130);
    assert_eq!(browser.post("/.auth/logout").status, 303);
    let received = crowd(&world, &elsewhere, &copy);
    assert!(received.iter().all(|received| received.problem().0 == 401));
}

#[test]
fn whoever_waits_while_the_account_signs_out_here_is_not_served() {
    let world = World::on_kv_alone();
    let browser = Browser::signed_in(&world, &ADA);
    let isolate = world.isolate_at(0);
    let (page, logout) = (browser.script("GET", "/page"), browser.script("POST", "/.auth/logout"));
    world.pauses.set(true);
    let (mut reading, mut waiting) = (pin!(isolate.serving(&page)), pin!(isolate.serving(&page)));
    // To the store, and on the way back; the other finds that somebody reads.
    take_steps(reading.as_mut(), 2);
    take_steps(waiting.as_mut(), 1);
    assert_eq!((world.waits.get(), ended(isolate.serving(&logout)).status), (1, 303));
    ended(reading);
    let received = ended(waiting);
    world.pauses.set(false);
    assert_eq!(received.problem().0, 401);
}
