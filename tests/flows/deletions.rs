//! What an object has noted for deletion from Workers KV is deleted in the end, whatever happens, and nothing else is.

use serde_json::json;
use vestibule::runtime::StoreFault;

use crate::back_channel::ADA_AGAIN;
use crate::browser::{Browser, absolute};
use crate::crowd::{ORDERS, assert_nothing_is_left, caller, is_served, strict_world};
use crate::op::{ADA, BOB};
use crate::op_logout::{by_sid, by_sub, framed_at, posted};
use crate::request::Request;
use crate::sessions::{id, listed};
use crate::world::World;

/// Ways to end ADA's session at a browser.
type Way = fn(&World, &Browser<'_>);
pub(crate) const WAYS: [Way; 5] = [
    |_, browser| drop(browser.copy().post("/.auth/logout")),
    |world, _| drop(posted(world, &world.logout_token(&by_sub(&ADA)))),
    |world, _| drop(posted(world, &world.logout_token(&by_sid(&ADA)))),
    |world, _| drop(framed_at(&world.site(), &ADA)),
    |_, browser| drop(browser.copy().send(Request::script("DELETE", &absolute("/.auth/sessions")))),
];

/// The alarms ring every minute.
fn minutes(world: &World, count: u64) {
    for _ in 0..count {
        world.advance(60);
        world.accounts.restart_all();
        world.fire_alarms();
    }
}

#[test]
fn copies_that_cannot_be_deleted_are_once_that_works_again() {
    for (number, way) in WAYS.iter().enumerate() {
        let world = strict_world();
        let (browser, other) = (caller(&world, &ADA), caller(&world, &BOB));
        world.kv.fail_at(StoreFault::Delete, "");
        way(&world, &browser);
        assert!(!is_served(&world, &[], &browser), "{number}");
        minutes(&world, 3);
        assert!(world.has_logged("store.failed"));
        assert_eq!((world.kv.keys("account/").len(), world.kv.keys("sid/").len()), (2, 2), "{number}");
        world.kv.recover();
        minutes(&world, 1);
        assert_eq!((world.kv.keys("account/").len(), world.kv.keys("sid/").len()), (1, 1), "{number}");
        assert_eq!(world.accounts.to_delete(), [""; 0]);
        assert!(is_served(&world, &[], &other));
    }
}

#[test]
fn a_crash_right_after_it_is_durable_leaves_the_rest_to_the_alarm() {
    for (number, way) in WAYS.iter().enumerate().filter(|(number, _)| matches!(number, 0 | 1 | 4)) {
        let world = strict_world();
        let browser = caller(&world, &ADA);
        world.accounts.crash_after_flush.set(true);
        way(&world, &browser);
        assert!(!is_served(&world, &[], &browser), "{number}");
        assert_eq!(world.kv.keys("account/").len(), 1);
        minutes(&world, 1);
        assert_nothing_is_left(&world, &[&browser], &format!("{number}"));
    }
}

#[test]
fn a_session_that_began_meanwhile_keeps_its_copy_and_its_index() {
    for (number, way) in WAYS.iter().enumerate() {
        let world = strict_world();
        let browser = caller(&world, &ADA);
        let lost = browser.copy();
        world.kv.fail_at(StoreFault::Delete, "");
        way(&world, &browser);
        world.kv.recover();
        assert!(!world.accounts.to_delete().is_empty(), "{number}");
        world.advance(1);
        // At the same session of the OP: a session of ours may end without it.
        assert!(browser.sign_in("/", &ADA).is_forwarded);
        minutes(&world, 3);
        assert!(is_served(&world, &[], &browser) && !is_served(&world, &[], &lost), "{number}");
        assert_eq!((world.kv.keys("account/").len(), world.kv.keys("sid/").len()), (1, 1), "{number}");
        assert_eq!(world.accounts.to_delete(), [""; 0]);
        assert!(browser.fetch(ORDERS).is_forwarded);
    }
}

#[test]
fn of_several_sessions_only_what_ended_is_deleted() {
    let vars = json!({ "Session": { "SignOutScope": "Session", "RevocationDelay": 0, "IdleSeconds": 28_800 } });
    let world = World::with(&vars);
    let [leaving, tab, phone] = [&ADA, &ADA, &ADA_AGAIN].map(|user| caller(&world, user));
    let replay = leaving.copy();
    world.kv.fail_at(StoreFault::Delete, "");
    assert_eq!(leaving.post("/.auth/logout").status, 503);
    let lost = id(&phone);
    assert_eq!(tab.post(&format!("/.auth/sessions/{lost}")).status, 503, "and yet it has ended");
    assert!(!is_served(&world, &[], &phone));
    assert_eq!((listed(&tab).len(), world.kv.keys("account/").len()), (1, 3), "a copy is no session");
    world.kv.recover();
    minutes(&world, 1);
    assert!(is_served(&world, &[], &tab) && !is_served(&world, &[], &replay));
    assert_eq!((world.kv.keys("account/").len(), world.kv.keys("sid/").len()), (1, 1));
    assert!(tab.fetch(ORDERS).is_forwarded);
}

#[test]
fn sessions_that_only_workers_kv_knows_are_listed_end_and_do_not_come_back() {
    for end in ["one", "all", "by id while the listing fails"] {
        let world = World::on_kv_alone();
        let [old, here] = [&ADA_AGAIN, &ADA].map(|user| Browser::signed_in(&world, user));
        world.advance(120);
        world.bind_accounts();
        let ids: Vec<_> = listed(&here).iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect();
        assert_eq!(ids.len(), 2, "{end}");
        let url = format!("/.auth/sessions/{}", ids[1]);
        match end {
            "one" => assert_eq!(here.post(&url).status, 204),
            "all" => assert_eq!(here.post("/.auth/sessions").status, 204),
            _ => {
                world.kv.fail_at(StoreFault::List, "");
                assert_eq!(here.post(&url).status, 503);
                world.kv.recover();
                assert_eq!(here.post(&url).status, 204);
            }
        }
        let left = usize::from(end != "all");
        assert_eq!(world.kv.keys("account/").len(), left, "{end}");
        minutes(&world, 2);
        for seconds in [0, 60, 3000] {
            world.advance(seconds);
            assert!(!is_served(&world, &[], &old), "{end}");
        }
        assert_eq!(world.kv.keys("account/").len(), left, "{end}");
        if end != "all" {
            assert!(is_served(&world, &[], &here) && listed(&here).len() == 1);
        }
    }
}

#[test]
fn a_copy_of_a_session_that_only_workers_kv_knows_and_that_began_later_is_left_alone() {
    let world = World::on_kv_alone();
    world.advance(200);
    let old = Browser::signed_in(&world, &ADA);
    world.advance(200);
    let new = Browser::signed_in(&world, &ADA_AGAIN);
    world.advance(200);
    world.bind_accounts();
    // A logout that is late, from between the two.
    let token = world.op.logout_token(world.time() - 300, &json!({ "sub": ADA.sub, "exp": world.time() + 60 }));
    assert_eq!(posted(&world, &token).status, 200);
    minutes(&world, 1);
    assert!(!is_served(&world, &[], &old), "it began before");
    assert!(is_served(&world, &[], &new));
    assert_eq!((world.kv.keys("account/").len(), world.kv.keys("sid/").len()), (1, 1));
}
