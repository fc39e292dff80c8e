//! The refresh token goes back to the OP (RFC 7009) when its user signs out: after the answer, and again if need be.

use serde_json::json;
use vestibule::runtime::{StoreFault, TransportFault};

use crate::back_channel::ADA_AGAIN;
use crate::browser::Browser;
use crate::crowd::{ORDERS, caller, strict_world};
use crate::deployment::{KEY, OTHER_KEY};
use crate::op::{ADA, Endpoint, Instead};
use crate::op_logout::{assert_done, by_both, by_sid, by_sub, framed_at, posted};
use crate::sessions::id;
use crate::world::World;

const LOGOUT: &str = "/.auth/logout";

#[test]
fn it_is_revoked_after_the_answer_and_no_later_one_is_given() {
    let world = strict_world();
    let browser = caller(&world, &ADA);
    let newest = world.op.newest_refresh_token();
    world.background.is_held.set(true);
    assert_eq!(browser.post(LOGOUT).status, 303);
    assert_eq!(world.op.count(Endpoint::Revocation), 0, "nobody waits for the OP");
    world.background.is_held.set(false);
    world.finish_background();
    assert_eq!((world.op.returned_tokens(), world.op.revoked()), (vec![newest], 1));
    assert!(world.has_logged("token.revoked"), "{:?}", world.log().last());
}

#[test]
fn it_is_the_newest_even_if_this_isolate_knows_only_an_older_one() {
    let world = World::with(&json!({ "Session": { "IdleSeconds": 28_800 } }));
    let browser = caller(&world, &ADA);
    let old = world.op.newest_refresh_token();
    let stale = world.site();
    let elsewhere = browser.copy();
    elsewhere.moves_to(&world.isolate_at(0));
    world.advance(3600);
    assert!(elsewhere.fetch(ORDERS).is_forwarded);
    let newest = world.op.newest_refresh_token();
    assert_ne!(old, newest);
    browser.moves_to(&stale);
    assert_eq!(browser.post(LOGOUT).status, 303);
    // Without an object the isolate goes by what it remembers; an OP that rotates takes any of the family.
    let expected = if crate::WITH_ACCOUNTS { newest } else { old };
    assert_eq!((world.op.returned_tokens(), world.op.revoked()), (vec![expected], 1));
}

#[test]
fn a_session_that_an_earlier_key_named_gives_its_token_back_as_well() {
    let world = strict_world();
    let browser = caller(&world, &ADA);
    let newest = world.op.newest_refresh_token();
    world.redeploy(&json!({ "Session__Key": OTHER_KEY, "Session__PreviousKeys": KEY }));
    if crate::WITH_ACCOUNTS {
        // The object that has the session knows its entry.
        world.kv.fail_at(StoreFault::Get, "account/");
    }
    assert_eq!(browser.post(LOGOUT).status, 303);
    assert_eq!((world.op.returned_tokens(), world.op.revoked()), (vec![newest], 1));
}

#[test]
fn the_client_authenticates_as_at_the_token_endpoint() {
    for (method, is_in_body) in [("client_secret_basic", false), ("client_secret_post", true)] {
        let world = World::with(&json!({ "OpenIdConnect": { "TokenEndpointAuthMethod": method } }));
        world.op.takes_secret_in_body.set(is_in_body);
        let browser = Browser::signed_in(&world, &ADA);
        browser.post(LOGOUT);
        assert_eq!(world.op.revoked(), 1, "{method}");
        let form = world.op.forms(Endpoint::Revocation).remove(0);
        assert_eq!(form.len(), if is_in_body { 4 } else { 2 }, "{form:?}");
    }
}

#[test]
fn an_op_that_stumbles_is_asked_again_until_it_is_done() {
    let faults = [
        Instead::Says(500, vec![], String::new()),
        Instead::Says(503, vec![("retry-after", "1")], String::new()),
        Instead::Says(429, vec![], String::new()),
        Instead::Fails(TransportFault::NoConnection),
        Instead::Fails(TransportFault::TimedOut),
    ];
    for fault in faults {
        let world = strict_world();
        let browser = caller(&world, &ADA);
        let slept = world.slept.borrow().len();
        world.op.instead_once(Endpoint::Revocation, fault.clone());
        world.op.instead_once(Endpoint::Revocation, fault.clone());
        assert_eq!(browser.post(LOGOUT).status, 303);
        assert_eq!((world.op.count(Endpoint::Revocation), world.op.revoked()), (3, 1), "{fault:?}");
        assert_eq!(world.slept.borrow()[slept..], [2, 4]);
        assert!(world.has_logged("token.revoked"));
    }
}

#[test]
fn it_is_given_up_after_the_fourth_time_and_after_a_refusal_at_once() {
    for (fault, asked) in [
        (Instead::Says(502, vec![], String::new()), 4),
        (Instead::Fails(TransportFault::TimedOut), 4),
        (Instead::Says(400, vec![], json!({ "error": "unsupported_token_type" }).to_string()), 1),
        (Instead::Says(401, vec![], json!({ "error": "invalid_client" }).to_string()), 1),
        (Instead::Says(302, vec![("location", "https://evil.example")], String::new()), 1),
    ] {
        let world = strict_world();
        let browser = caller(&world, &ADA);
        world.op.instead(Endpoint::Revocation, fault.clone());
        assert_eq!(browser.post(LOGOUT).status, 303, "the user is signed out all the same");
        assert_eq!(world.op.count(Endpoint::Revocation), asked, "{fault:?}");
        let last = world.log().into_iter().rfind(|line| line["event"] == "token.revocation_failed").unwrap();
        assert_eq!(last["given_up"] == true, asked == 4, "{last}");
        assert!(!world.has_logged("token.revoked"));
    }
}

#[test]
fn an_op_without_an_endpoint_or_a_session_without_a_refresh_token_has_nothing_to_revoke() {
    for (revokes, renews) in [(false, true), (true, false)] {
        let world = strict_world();
        world.op.revokes.set(revokes);
        if !renews {
            world.op.instead(Endpoint::Token, Instead::Merged(json!({ "refresh_token": null })));
        }
        let browser = Browser::signed_in(&world, &ADA);
        assert_eq!(browser.post(LOGOUT).status, 303);
        assert_eq!(world.op.count(Endpoint::Revocation), 0);
        assert!(!world.has_logged("token.revocation_failed"));
    }
}

#[test]
fn metadata_that_cannot_be_had_is_no_reason_to_give_up_at_once() {
    let world = strict_world();
    let browser = caller(&world, &ADA);
    world.new_isolate();
    world.kv.fail_at(StoreFault::Get, "op/");
    world.op.instead(Endpoint::Metadata, Instead::Fails(TransportFault::NoConnection));
    world.background.is_held.set(true);
    assert_eq!(browser.post(LOGOUT).status, 200);
    world.op.behave();
    world.kv.recover();
    world.sleeping_takes_time.set(true);
    world.background.is_held.set(false);
    world.finish_background();
    assert_eq!(world.op.revoked(), 1);
}

#[test]
fn a_removal_that_failed_does_not_keep_the_token_alive() {
    for fault in [StoreFault::Delete, StoreFault::List] {
        let world = strict_world();
        let browser = caller(&world, &ADA);
        let newest = world.op.newest_refresh_token();
        world.kv.fail_at(fault, "account/");
        assert_eq!(browser.post(LOGOUT).status, 503);
        // With objects the session has ended, and only copies are left.
        assert_eq!(world.op.returned_tokens().len(), usize::from(crate::WITH_ACCOUNTS), "{fault:?}");
        world.kv.recover();
        assert_eq!(browser.post(LOGOUT).status, 303);
        assert_eq!(world.op.returned_tokens(), [newest], "{fault:?}");
    }
}

#[test]
fn a_session_that_goes_on_because_its_object_failed_keeps_its_token() {
    for is_down in [true, false] {
        let world = World::with_accounts();
        let browser = caller(&world, &ADA);
        world.accounts.is_down.set(is_down);
        world.accounts.storage_fails.set(!is_down);
        assert_eq!(browser.post(LOGOUT).status, 503);
        assert_eq!(world.op.count(Endpoint::Revocation), 0);
        world.accounts.is_down.set(false);
        world.accounts.storage_fails.set(false);
        assert!(browser.is_signed_in());
        assert_eq!(browser.post(LOGOUT).status, 303);
        assert_eq!(world.op.revoked(), 1);
    }
}

#[test]
fn only_the_user_in_whose_session_it_is_gives_it_back() {
    let world =
        World::with(&json!({ "Operator__Key": crate::operator::OPERATOR, "Session": { "RevocationDelay": 0 } }));
    for claims in [by_sub(&ADA), by_sid(&ADA), by_both(&ADA)] {
        let _browser = Browser::signed_in(&world, &ADA);
        assert_done(&posted(&world, &world.logout_token(&claims)), "back-channel");
        world.advance(61);
    }
    let _browser = Browser::signed_in(&world, &ADA);
    framed_at(&world.site(), &ADA);
    world.advance(1);
    let _browser = Browser::signed_in(&world, &ADA);
    assert_eq!(crate::operator::asked(&world, &[("sub", ADA.sub)]).status, 200);
    let [here, there] = [&ADA, &ADA_AGAIN].map(|user| Browser::signed_in(&world, user));
    assert_eq!(here.post(&format!("/.auth/sessions/{}", id(&there))).status, 204);
    assert_eq!(crate::operator::asked(&world, &[("everybody", "true")]).status, 200);
    assert_eq!(world.op.count(Endpoint::Revocation), 0);
}

#[test]
fn the_sessions_page_gives_back_the_own_token_as_a_sign_out_does() {
    for path in ["/.auth/sessions".to_owned(), String::new()] {
        let world = strict_world();
        let [_there, here] = [&ADA_AGAIN, &ADA].map(|user| caller(&world, user));
        let newest = world.op.newest_refresh_token();
        let path = if path.is_empty() { format!("/.auth/sessions/{}", id(&here)) } else { path };
        assert_eq!(here.post(&path).status, 204);
        assert_eq!(world.op.returned_tokens(), [newest], "the keys of the others are with their browsers");
    }
}
