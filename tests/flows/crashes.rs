//! An account's object that crashes, or whose reply gets lost, in the middle of what it does.

use crate::browser::{Browser, SESSION};
use crate::crowd::{BILLING, ORDERS, assert_copied, caller, crowd, everywhere, is_served, strict_world};
use crate::op::{ADA, BOB, Endpoint};
use crate::world::World;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Crash {
    BeforeFlush,
    AfterFlush,
    BeforeReply,
    LostReply,
}

pub(crate) const ALL: [Crash; 4] = [Crash::BeforeFlush, Crash::AfterFlush, Crash::BeforeReply, Crash::LostReply];

/// The next time it can happen, it does.
pub(crate) fn arm(world: &World, crash: Crash) {
    let accounts = &world.accounts;
    match crash {
        Crash::BeforeFlush => accounts.crash_before_flush.set(true),
        Crash::AfterFlush => accounts.crash_after_flush.set(true),
        Crash::BeforeReply => accounts.crash_before_reply.set(true),
        Crash::LostReply => accounts.lose_reply.set(true),
    }
}

/// A browser that stays in one isolate whose memory it just used, so that the next call of an object is a renewal.
fn remembered(world: &World) -> Browser<'_> {
    let browser = caller(world, &ADA);
    world.advance(3600);
    assert!(browser.fetch("/page").is_forwarded);
    browser
}

#[test]
fn a_crash_in_a_renewal_is_503_and_only_what_was_not_durable_is_lost() {
    for crash in ALL {
        let world = World::with(&serde_json::json!({ "Session": { "IdleSeconds": 28_800 } }));
        let browser = remembered(&world);
        let asked = world.op.count(Endpoint::Token);
        world.durability.is_watched.set(true);
        arm(&world, crash);
        let answer = browser.fetch(ORDERS);
        assert_eq!(answer.problem(), (503, "cache_unavailable".to_owned()), "{crash:?}");
        assert!(answer.header("retry-after").is_some() && answer.set_cookies().count() == 0);
        assert!(browser.is_signed_in());
        let again = browser.fetch(ORDERS);
        if crash == Crash::BeforeFlush {
            // The successor was lost before it was durable; the OP has ended the family, and only the user can help.
            assert_eq!(again.problem(), (401, "interaction_required".to_owned()));
            assert_eq!((world.op.reuses.get(), again.set_cookies().count()), (1, 0));
            assert!(browser.is_signed_in());
            world.durability.is_watched.set(false);
            let callback = world.op.authorize(browser.follow(ORDERS).location(), &ADA);
            assert_eq!(browser.come_back(&callback).status, 200);
        } else {
            assert!(again.is_forwarded, "{crash:?}");
            assert_eq!((world.op.count(Endpoint::Token), world.op.reuses.get()), (asked + 1, 0), "{crash:?}");
        }
        assert!(browser.fetch(ORDERS).is_forwarded && browser.fetch(BILLING).is_forwarded);
    }
}

#[test]
fn a_crash_loses_no_token_that_the_op_does_not_replace() {
    for crash in ALL {
        let world = World::with(&serde_json::json!({ "Session": { "IdleSeconds": 28_800 } }));
        world.op.rotates.set(false);
        let browser = remembered(&world);
        arm(&world, crash);
        assert_eq!(browser.fetch(ORDERS).problem(), (503, "cache_unavailable".to_owned()));
        assert!(browser.fetch(ORDERS).is_forwarded, "{crash:?}");
    }
}

#[test]
fn a_crash_while_the_old_token_is_still_good_is_noticed_by_nobody() {
    for crash in ALL {
        let world = World::new();
        let browser = caller(&world, &ADA);
        world.advance(3400);
        assert!(browser.fetch("/page").is_forwarded);
        arm(&world, crash);
        assert!(browser.fetch(ORDERS).is_forwarded, "{crash:?}");
    }
}

#[test]
fn a_crash_amid_a_crowd_costs_some_a_503_and_nobody_the_session() {
    for seed in 0..120 {
        let crash = ALL[seed as usize % ALL.len()];
        let world = strict_world();
        let browser = caller(&world, &ADA);
        world.advance(3600);
        world.durability.is_watched.set(true);
        arm(&world, crash);
        let requests = [ORDERS, BILLING, ORDERS, "/page"].map(|path| browser.script("GET", path));
        for received in crowd(&world, &everywhere(&world), &requests, seed) {
            let is_asked = received.status == 401 && received.code() == "interaction_required";
            let may_be_asked = is_asked && crash == Crash::BeforeFlush;
            assert!(received.is_forwarded || received.status == 503 || may_be_asked, "{crash:?} {received:?}");
            assert_eq!(received.set_cookies().count(), 0);
        }
        assert!(is_served(&world, &[], &browser), "{crash:?}, seed {seed}");
        if crash != Crash::BeforeFlush {
            assert_eq!((world.op.reuses.get(), world.op.revoked()), (0, 0), "{crash:?}, seed {seed}");
            assert!(browser.fetch(ORDERS).is_forwarded && browser.fetch(BILLING).is_forwarded);
        }
        assert!(world.op.reuses.get() <= 1, "a refused token is given up");
    }
}

#[test]
fn a_crash_at_a_sign_in_is_no_sign_in_and_leaves_the_session_before_it_alone() {
    for crash in ALL {
        let world = World::new();
        let browser = Browser::signed_in(&world, &ADA);
        let before = browser.session();
        let callback = world.op.authorize(&browser.begin("/.auth/login"), &BOB);
        arm(&world, crash);
        let answer = browser.come_back_as_script(&callback);
        assert_eq!(answer.problem(), (503, "cache_unavailable".to_owned()), "{crash:?}");
        assert!(answer.header("retry-after").is_some());
        assert_eq!(browser.session(), before);
        assert_eq!(browser.fetch("/.auth/me").json()["sub"], ADA.sub);
        assert!(browser.sign_in("/.auth/login", &BOB).is_forwarded);
        assert_eq!(browser.fetch("/.auth/me").json()["sub"], BOB.sub);
    }
}

#[test]
fn a_crash_at_a_sign_out_is_no_sign_out_until_the_user_tries_again() {
    for crash in ALL {
        let world = strict_world();
        let browser = caller(&world, &ADA);
        let replay = browser.copy();
        arm(&world, crash);
        let answer = browser.post("/.auth/logout");
        assert_eq!(answer.problem(), (503, "cache_unavailable".to_owned()), "{crash:?}");
        assert!(answer.header("retry-after").is_some() && !answer.expires(SESSION));
        assert_eq!(browser.post("/.auth/logout").status, 303);
        assert_eq!((world.kv.keys("account/"), world.kv.keys("sid/")), (vec![], vec![]), "{crash:?}");
        assert_eq!(world.accounts.all_sessions(), []);
        assert!(!is_served(&world, &[], &replay));
        assert!(browser.sign_in("/", &ADA).is_forwarded);
    }
}

#[test]
fn what_an_object_forgot_to_copy_is_copied_with_the_next_renewal() {
    let world = World::with(&serde_json::json!({ "Session": { "IdleSeconds": 28_800 } }));
    let browser = remembered(&world);
    arm(&world, Crash::AfterFlush);
    browser.fetch(ORDERS);
    world.advance(3600);
    assert!(browser.fetch(ORDERS).is_forwarded);
    assert_copied(&world);
}
