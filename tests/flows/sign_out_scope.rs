//! What a sign-out ends: every session of the account or, where the operator wants it so, this one.

use serde_json::{Value, json};

use crate::back_channel::{ADA_AGAIN, ADA_UNNAMED};
use crate::browser::{Browser, LOGOUT, SESSION};
use crate::crowd::{ORDERS, caller, is_served};
use crate::op::{ADA, Endpoint};
use crate::op_logout::{assert_done, by_sub, posted};
use crate::world::World;

fn vars(scope: &str) -> Value {
    json!({ "Session": { "SignOutScope": scope, "RevocationDelay": 0, "IdleSeconds": 28_800 } })
}

#[test]
fn where_it_means_this_session_the_others_go_on() {
    let world = World::with(&vars("Session"));
    let all = [&ADA, &ADA, &ADA_AGAIN, &ADA_UNNAMED].map(|user| caller(&world, user));
    for (number, leaving) in all.iter().enumerate() {
        let replay = leaving.copy();
        let answer = leaving.post("/.auth/logout");
        assert!(answer.status == 303 && answer.expires(SESSION) && leaving.jar.get(LOGOUT).is_some());
        assert!(!is_served(&world, &[], &replay));
        assert!(all[number + 1..].iter().all(|other| is_served(&world, &[], other)), "{number}");
        assert_eq!(world.kv.keys("account/").len(), 3 - number);
        // The index goes with the last session that it leads to.
        assert_eq!(world.kv.keys("sid/").len(), [2, 1, 0, 0][number]);
        assert_eq!(world.op.returned_tokens().len(), number + 1);
    }
    assert_eq!(world.op.revoked(), 4, "each its own");
}

#[test]
fn the_user_who_is_asked_is_told_which_it_is() {
    for (scope, text) in [("Account", "on all your devices"), ("Session", "in this browser")] {
        let world = World::with(&vars(scope));
        let page = Browser::signed_in(&world, &ADA).visit("/.auth/logout");
        assert!(page.status == 200 && page.body.contains(text), "{}", page.body);
    }
}

#[test]
fn what_the_op_ends_is_not_up_to_it() {
    let world = World::with(&vars("Session"));
    let all = [&ADA, &ADA_AGAIN].map(|user| caller(&world, user));
    assert_done(&posted(&world, &world.logout_token(&by_sub(&ADA))), "by sub");
    assert!(!all.iter().any(|browser| is_served(&world, &[], browser)));
    assert_eq!(world.op.count(Endpoint::Revocation), 0);
}

#[test]
fn a_store_that_fails_signs_nobody_out_and_the_second_try_does() {
    let world = World::with(&vars("Session"));
    let [leaving, other] = [&ADA, &ADA_AGAIN].map(|user| caller(&world, user));
    let replay = leaving.copy();
    world.kv.fail_at(vestibule::runtime::StoreFault::Delete, "account/");
    let answer = leaving.post("/.auth/logout");
    assert_eq!(answer.problem(), (503, "cache_unavailable".to_owned()));
    assert!(!answer.expires(SESSION) && answer.header("retry-after").is_some());
    world.kv.recover();
    assert_eq!(leaving.post("/.auth/logout").status, 303);
    assert!(!is_served(&world, &[], &replay) && is_served(&world, &[], &other));
    assert_eq!(world.kv.keys("account/").len(), 1);
    assert!(other.fetch(ORDERS).is_forwarded);
}
