//! Back-channel logout: whose sessions end and whose do not, and what a token does that comes twice, late or early.

use serde_json::json;

use crate::browser::Browser;
use crate::crowd::{ORDERS, assert_nothing_is_left, caller, is_served, strict_world};
use crate::deployment::{KEY, OTHER_KEY};
use crate::op::{ADA, BOB, EndUser};
use crate::op_logout::{assert_done, assert_invalid, by_both, by_sid, by_sub, posted, posted_at};
use crate::world::World;

/// The same person, at the OP with another browser.
pub(crate) const ADA_AGAIN: EndUser = EndUser { sid: Some("sid two\"'"), ..ADA };
/// The same person, where the OP names no session.
pub(crate) const ADA_UNNAMED: EndUser = EndUser { sid: None, ..ADA };

/// How long a location believes what it read from Workers KV, where nobody knows better.
const KV_COPY: u64 = if crate::WITH_ACCOUNTS { 0 } else { 60 };

#[test]
fn a_subject_is_signed_out_on_all_devices_and_nobody_else_is() {
    let world = strict_world();
    let mine = [&ADA, &ADA, &ADA_AGAIN, &ADA_UNNAMED].map(|user| caller(&world, user));
    let other = caller(&world, &BOB);
    let replays: Vec<_> = mine.iter().map(Browser::copy).collect();
    assert_done(&posted(&world, &world.logout_token(&by_sub(&ADA))), "by sub");
    assert!(world.has_logged("logout.back_channel"), "{:?}", world.log().last());
    assert!(!replays.iter().any(|replay| is_served(&world, &[], replay)));
    assert_eq!((world.kv.keys("account/").len(), world.kv.keys("sid/").len()), (1, 1));
    assert!(is_served(&world, &[], &other));
    assert_done(&posted(&world, &world.logout_token(&by_sub(&BOB))), "the other");
    assert_nothing_is_left(&world, &[&other, &replays[0], &replays[3]], "everybody");
}

#[test]
fn the_isolate_that_carries_it_out_trusts_its_memory_no_more() {
    for claims in [by_sub(&ADA), by_sid(&ADA), by_both(&ADA)] {
        let world = World::new();
        let [browser, other] = [&ADA, &BOB].map(|user| caller(&world, user));
        let operations = world.accounts.calls() + world.kv.operations().len();
        assert!(browser.fetch("/page").is_forwarded);
        assert_eq!(world.accounts.calls() + world.kv.operations().len(), operations, "it knows the session");
        assert_done(&posted(&world, &world.logout_token(&claims)), "here");
        assert!(!browser.fetch("/page").is_forwarded, "{claims}");
        assert!(other.fetch("/page").is_forwarded);
    }
}

#[test]
fn a_session_of_the_op_is_over_on_every_browser_that_shares_it_and_no_other_session_is() {
    let world = strict_world();
    let [laptop, tab, phone] = [&ADA, &ADA, &ADA_AGAIN].map(|user| caller(&world, user));
    let other = caller(&world, &BOB);
    assert_done(&posted(&world, &world.logout_token(&by_sid(&ADA))), "by sid");
    assert!(!is_served(&world, &[], &laptop) && !is_served(&world, &[], &tab));
    assert!(is_served(&world, &[], &phone) && is_served(&world, &[], &other));
    assert_eq!((world.kv.keys("account/").len(), world.kv.keys("sid/").len()), (2, 2));
    assert!(phone.fetch(ORDERS).is_forwarded);
    assert_done(&posted(&world, &world.logout_token(&by_sid(&ADA_AGAIN))), "the other session");
    assert!(!is_served(&world, &[], &phone) && is_served(&world, &[], &other));
}

#[test]
fn a_subject_with_a_session_ends_that_one_and_those_of_which_none_is_known() {
    let world = strict_world();
    let [laptop, phone, unnamed] = [&ADA, &ADA_AGAIN, &ADA_UNNAMED].map(|user| caller(&world, user));
    let others = [BOB, EndUser { sid: None, ..BOB }].map(|user| caller(&world, &user));
    assert_done(&posted(&world, &world.logout_token(&by_both(&ADA))), "both");
    assert!(!is_served(&world, &[], &laptop) && !is_served(&world, &[], &unnamed));
    assert!(is_served(&world, &[], &phone) && others.iter().all(|other| is_served(&world, &[], other)));
    assert_eq!((world.kv.keys("account/").len(), world.kv.keys("sid/").len()), (3, 2));
}

#[test]
fn a_session_that_belongs_to_somebody_else_is_not_the_subjects() {
    let world = strict_world();
    let [ada, bob] = [&ADA, &BOB].map(|user| caller(&world, user));
    for claims in
        [json!({ "sub": "nobody", "sid": "nothing" }), json!({ "sub": "nobody" }), json!({ "sid": "nothing" })]
    {
        assert_done(&posted(&world, &world.logout_token(&claims)), "it is over here in any case");
        assert!([&ada, &bob].iter().all(|browser| is_served(&world, &[], browser)), "{claims}");
    }
    assert_eq!((world.kv.keys("account/").len(), world.kv.keys("sid/").len()), (2, 2));
}

#[test]
fn every_isolate_that_remembers_the_session_asks_again_within_the_delay() {
    for claims in [by_sub(&ADA), by_sid(&ADA), by_both(&ADA)] {
        let world = World::new();
        let (browser, elsewhere) = (Browser::signed_in(&world, &ADA), world.isolate_at(0));
        let replay = browser.copy();
        replay.moves_to(&elsewhere);
        assert!(replay.is_signed_in());
        assert_done(&posted(&world, &world.logout_token(&claims)), "done");
        world.advance(10);
        // Soon after the sign-in a miss in Workers KV alone proves nothing, but nothing is served either.
        assert!(!replay.is_signed_in() && !browser.is_signed_in(), "{claims}");
        world.advance(120);
        assert_eq!(browser.fetch("/page").code(), "session_expired");
    }
}

#[test]
fn whoever_signs_in_again_is_not_signed_out_by_the_same_token() {
    for claims in [by_sub(&ADA), by_sid(&ADA), by_both(&ADA)] {
        let world = strict_world();
        let browser = caller(&world, &ADA);
        let token = world.logout_token(&claims);
        assert_done(&posted(&world, &token), "the first time");
        // Later than the clocks may differ: without an object nobody counts the tokens.
        world.advance(61);
        assert!(browser.sign_in("/", &ADA).is_forwarded);
        let before = (world.kv.dump(), world.accounts.everything());
        let replayed = posted(&world, &token);
        if crate::WITH_ACCOUNTS {
            assert_invalid(&replayed, "the second time");
            assert!(before == (world.kv.dump(), world.accounts.everything()), "{claims}");
        } else {
            assert_done(&replayed, "the second time");
        }
        assert!(is_served(&world, &[world.site()], &browser), "{claims}");
        assert!(browser.fetch(ORDERS).is_forwarded && browser.is_signed_in());
        // It can still be ended by a new one.
        assert_done(&posted_at(&world.isolate_at(1), &world.logout_token(&claims)), "a new one");
        world.advance(KV_COPY);
        assert_nothing_is_left(&world, &[&browser], &format!("{claims}"));
    }
}

#[test]
fn an_old_token_ends_nothing_that_began_since_and_what_did_can_still_be_ended() {
    for claims in [by_sub(&ADA), by_sid(&ADA), by_both(&ADA)] {
        let world = strict_world();
        let token = world.logout_token(&claims);
        world.advance(61);
        let browser = caller(&world, &ADA);
        assert_done(&posted(&world, &token), "it is of use to nobody");
        assert!(is_served(&world, &[world.site()], &browser), "{claims}");
        // From anywhere, and however old the misses there are.
        let elsewhere = world.isolate_at(1);
        assert_done(&posted_at(&elsewhere, &world.logout_token(&claims)), "a new one");
        world.advance(KV_COPY);
        assert_nothing_is_left(&world, &[&browser], &format!("{claims}"));
    }
}

#[test]
fn the_clocks_may_differ_by_the_configured_skew() {
    for claims in [by_sub(&ADA), by_sid(&ADA), by_both(&ADA)] {
        let world = strict_world();
        let token = world.op.logout_token(world.time() - 60, &claims);
        let browser = caller(&world, &ADA);
        assert_done(&posted(&world, &token), "the OP is a minute behind");
        assert_nothing_is_left(&world, &[&browser], &format!("{claims}"));
    }
}

#[test]
fn a_session_that_counts_from_the_next_second_ends_as_well() {
    let world = strict_world();
    let browser = caller(&world, &ADA);
    assert_eq!(browser.post("/.auth/logout").status, 303);
    // It has to come after the sign-out, and the clock stands still.
    assert!(browser.sign_in("/", &ADA_AGAIN).is_forwarded);
    assert_done(&posted(&world, &world.logout_token(&by_sub(&ADA))), "by sub");
    assert!(!is_served(&world, &[], &browser));
    assert_eq!((world.kv.keys("account/"), world.kv.keys("sid/")), (vec![], vec![]));
}

#[test]
fn sessions_under_both_keys_end() {
    for claims in [by_sub(&ADA), by_sid(&ADA), by_both(&ADA)] {
        let world = strict_world();
        let old = caller(&world, &ADA);
        world.redeploy(&json!({ "Session__Key": OTHER_KEY, "Session__PreviousKeys": KEY }));
        let (new, other) = (caller(&world, &ADA), caller(&world, &BOB));
        let token = world.logout_token(&claims);
        assert_done(&posted(&world, &token), "both");
        assert!(!is_served(&world, &[], &old) && !is_served(&world, &[], &new), "{claims}");
        assert!(is_served(&world, &[], &other));
        assert_eq!((world.kv.keys("account/").len(), world.kv.keys("sid/").len()), (1, 1));
        if crate::WITH_ACCOUNTS {
            assert_invalid(&posted(&world, &token), "the second time");
        }
    }
}

#[test]
fn a_token_that_names_nobody_can_be_used_once_like_any_other() {
    let world = strict_world();
    let token = world.logout_token(&json!({ "sid": "nothing" }));
    assert_done(&posted(&world, &token), "the first time");
    if crate::WITH_ACCOUNTS {
        assert_invalid(&posted(&world, &token), "the second time");
        // The numbers of different issuers and of different sessions have nothing to do with each other.
        assert_done(&posted(&world, &world.logout_token(&json!({ "sid": "nothing", "jti": "other" }))), "another");
    }
}
