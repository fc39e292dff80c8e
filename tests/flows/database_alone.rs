//! `Session.TokenCache = "D1"` without account objects: whoever asks the database sees it as it is, so a miss is a sign-out,
//! a sign-out is one for everybody who asks, and nothing that was deleted is written anew.

use serde_json::json;
use vestibule::runtime::StoreFault;

use crate::browser::{Browser, SESSION};
use crate::crowd::{BILLING, ORDERS, caller, crowd, everywhere, is_served};
use crate::deployment;
use crate::op::{ADA, BOB, Endpoint};
use crate::op_logout::{frame, query};
use crate::operator::{OPERATOR, asked};
use crate::schedule::interleaved;
use crate::sessions::listed;
use crate::world::World;

fn strict() -> World {
    let vars = json!({ "Session": { "IdleSeconds": 28_800, "RevocationDelay": 0 } });
    World::of(deployment::changed(deployment::on_database_alone(deployment::environment()), &vars))
}

#[test]
fn a_sign_out_holds_elsewhere_within_the_delay_however_the_session_ends() {
    let ends: [fn(&World, &Browser<'_>); 4] = [
        |world, _| assert_eq!(world.serve(&frame(&query(ADA.sid, None))).status, 200),
        |_, browser| assert_eq!(browser.post("/.auth/logout").status, 303),
        |world, _| assert_eq!(asked(world, &[("sub", ADA.sub)]).status, 200),
        |world, _| assert_eq!(asked(world, &[("everybody", "true")]).status, 200),
    ];
    for (way, end) in ends.into_iter().enumerate() {
        let world = World::on_database_alone();
        world.redeploy(&json!({ "Operator__Key": OPERATOR }));
        let (browser, elsewhere) = (caller(&world, &ADA), world.isolate_at(1));
        let (replay, stranger) = (browser.copy(), browser.copy());
        replay.moves_to(&elsewhere);
        stranger.moves_to(&world.isolate_at(2));
        assert!(replay.fetch("/page").is_forwarded);
        // Seconds after the sign-in: nobody takes the missing entry for one that is on its way.
        world.advance(1);
        end(&world, &browser);
        let remembered = replay.fetch("/page");
        assert!(remembered.is_forwarded, "way {way}: the isolate remembers for RevocationDelay: {remembered:?}");
        let answer = stranger.fetch("/page");
        assert_eq!(answer.problem(), (401, "session_expired".to_owned()));
        assert!(answer.expires(SESSION));
        world.advance(10);
        assert_eq!(replay.fetch("/page").problem(), (401, "session_expired".to_owned()));
        assert_eq!((world.kv.keys("account/"), world.kv.keys("sid/")), (vec![], vec![]));
    }
}

#[test]
fn a_renewal_under_way_while_the_session_ends_elsewhere_writes_nothing_anew() {
    let mut refused = 0;
    for steps in 0..30 {
        let world = strict();
        let browser = caller(&world, &ADA);
        world.advance(3600);
        let (call, logout) = (browser.script("GET", ORDERS), browser.script("POST", "/.auth/logout"));
        let (here, there) = (world.site(), world.isolate_at(1));
        world.pauses.set(true);
        let both = (here.serving_with_background(&call), there.serving(&logout));
        let (called, left) = interleaved(both.0, both.1, u32::MAX.checked_shl(steps).unwrap_or(0), 32);
        world.pauses.set(false);
        world.finish_background();
        assert_eq!(left.status, 303, "{steps}");
        assert_eq!((world.kv.keys("account/"), world.kv.keys("sid/")), (vec![], vec![]), "after {steps} steps");
        assert!(!is_served(&world, &[here.clone(), there.clone()], &browser), "after {steps} steps");
        assert!(called.is_forwarded || called.code() == "session_expired", "{called:?}");
        refused += usize::from(!called.is_forwarded);
    }
    assert!((1..30).contains(&refused), "{refused}");
}

#[test]
fn a_write_that_is_tried_again_after_a_sign_out_elsewhere_writes_nothing() {
    let world = strict();
    let browser = caller(&world, &ADA);
    world.advance(3600);
    world.kv.fail_at(StoreFault::Put, "account/");
    world.background.is_held.set(true);
    assert!(browser.fetch(ORDERS).is_forwarded, "the isolate goes on with the new entry");
    world.kv.recover();
    let leaving = browser.copy();
    leaving.moves_to(&world.isolate_at(1));
    assert_eq!(leaving.post("/.auth/logout").status, 303);
    world.background.is_held.set(false);
    world.finish_background();
    assert_eq!(world.kv.keys("account/"), [""; 0]);
    assert!(!is_served(&world, &[world.site()], &browser));
}

#[test]
fn a_database_that_fails_signs_nobody_out() {
    let world = strict();
    let (browser, cold) = (caller(&world, &ADA), caller(&world, &BOB));
    cold.moves_to(&world.isolate_at(1));
    world.advance(600);
    world.kv.fail_at(StoreFault::Get, "");
    assert!(browser.fetch("/page").is_forwarded && browser.fetch(ORDERS).is_forwarded);
    assert_eq!(cold.fetch("/page").problem(), (503, "cache_unavailable".to_owned()));
    world.kv.recover();
    assert!(cold.fetch("/page").is_forwarded && is_served(&world, &[], &browser));
}

#[test]
fn a_renewal_costs_one_write_and_no_look() {
    let world = strict();
    let browser = caller(&world, &ADA);
    world.advance(3600);
    browser.fetch("/page");
    let before = world.kv.operations().len();
    assert!(browser.fetch(ORDERS).is_forwarded);
    let made = &world.kv.operations()[before..];
    assert!(
        made.len() == 2 && world.kv.changes().len() >= 2,
        "the entry is read, for the delay is 0, and written: {made:?}"
    );
    let asked = world.op.count(Endpoint::Token);
    for received in crowd(&world, &everywhere(&world), &vec![browser.script("GET", BILLING); 8], 3) {
        assert!(received.is_forwarded || received.code() == "interaction_required");
    }
    assert!(world.op.count(Endpoint::Token) > asked);
    assert!(is_served(&world, &[], &browser));
    assert_eq!(listed(&browser).len(), 1);
}
