//! Loops: an end-user is asked twice in a row for one API and then told, instead of being sent round.

use serde_json::json;

use crate::api::{login_url, served};
use crate::browser::{Browser, SESSION};
use crate::claims_challenge::{challenge, claims, demands, encoded};
use crate::consent;
use crate::op::{ADA, Endpoint};
use crate::request::Received;
use crate::world::World;

/// The OP grants whatever is asked for but this.
fn world_that_never_grants() -> World {
    let world = consent::world();
    *world.op.declines.borrow_mut() = vec!["orders.write".to_owned()];
    world
}

fn is_stopped(answer: &Received) {
    assert_eq!((answer.status, answer.header("location")), (403, None), "{answer:?}");
    assert!(answer.header("content-type").unwrap().starts_with("text/html"));
    assert!(answer.body.contains("administrator") || answer.body.contains("again"), "{}", answer.body);
    assert!(!answer.expires(SESSION));
}

#[test]
fn after_two_sign_ins_in_vain_a_page_explains() {
    let world = world_that_never_grants();
    let browser = Browser::signed_in(&world, &ADA);
    assert_eq!(browser.interact("/api/Orders/x", &ADA).status, 200);
    assert_eq!(browser.interact("/api/Orders/x", &ADA).status, 200);
    let sent = world.downstream.count();
    for _ in 0..3 {
        is_stopped(&browser.follow("/api/Orders/x"));
        world.new_isolate();
    }
    assert_eq!(world.downstream.count(), sent);
    served(&browser.fetch("/api/Billing/x"));
    assert!(browser.is_signed_in());
}

#[test]
fn a_script_gets_a_problem_without_a_login() {
    let world = world_that_never_grants();
    let browser = Browser::signed_in(&world, &ADA);
    for _ in 0..2 {
        let url = login_url(&browser.fetch("/api/Orders/x"));
        assert_eq!(browser.interact(&url, &ADA).status, 303);
    }
    let answer = browser.fetch("/api/Orders/x");
    assert_eq!(answer.problem(), (403, "interaction_loop".to_owned()));
    assert_eq!(answer.json().get("login_url"), None);
    assert_eq!(browser.post("/api/Orders/x").problem(), (403, "interaction_loop".to_owned()));
}

#[test]
fn two_minutes_later_it_may_be_tried_again() {
    let world = world_that_never_grants();
    let browser = Browser::signed_in(&world, &ADA);
    browser.interact("/api/Orders/x", &ADA);
    world.advance(119);
    // However long the user takes at the OP.
    let redirect = browser.follow("/api/Orders/x");
    world.advance(600);
    browser.come_back(&world.op.authorize(redirect.location(), &ADA));
    world.advance(119);
    is_stopped(&browser.follow("/api/Orders/x"));
    world.advance(1);
    world.op.declines.borrow_mut().clear();
    served(&browser.interact_and_return("/api/Orders/x", &ADA));
}

#[test]
fn a_sign_in_that_was_given_up_is_not_counted() {
    let world = world_that_never_grants();
    let browser = Browser::signed_in(&world, &ADA);
    for _ in 0..5 {
        assert_eq!(browser.follow("/api/Orders/x").status, 302);
    }
    browser.interact("/api/Orders/x", &ADA);
    assert_eq!(browser.follow("/api/Orders/x").status, 302);
}

#[test]
fn the_count_of_one_api_says_nothing_about_another() {
    let world = World::with(&json!({ "DownstreamApis": {
        "Orders": { "IncrementalConsent": true },
        "Stock": { "BaseUrl": "https://stock.example", "Scopes": "stock.read", "IncrementalConsent": true },
    } }));
    world.op.grants_any_scope.set(false);
    *world.op.declines.borrow_mut() = vec!["orders.write".to_owned()];
    let browser = Browser::signed_in(&world, &ADA);
    browser.interact("/api/Orders/x", &ADA);
    browser.interact("/api/Orders/x", &ADA);
    served(&browser.interact_and_return("/api/Stock/x", &ADA));
    is_stopped(&browser.follow("/api/Orders/x"));
}

#[test]
fn an_api_that_goes_on_demanding_the_same_claims_is_stopped() {
    let world = World::new();
    let browser = Browser::signed_in(&world, &ADA);
    for _ in 0..2 {
        (0..2).for_each(|_| demands(&world, &claims()));
        assert_eq!(browser.interact("/api/Billing/x", &ADA).status, 200);
    }
    (0..2).for_each(|_| demands(&world, &claims()));
    is_stopped(&browser.follow("/api/Billing/x"));
    (0..2).for_each(|_| demands(&world, &claims()));
    assert_eq!(browser.fetch("/api/Billing/x").problem(), (403, "interaction_loop".to_owned()));
}

#[test]
fn a_need_that_comes_back_later_is_no_loop() {
    let world = World::new();
    let browser = Browser::signed_in(&world, &ADA);
    for _ in 0..6 {
        (0..2).for_each(|_| demands(&world, &claims()));
        assert_eq!(browser.interact("/api/Billing/x", &ADA).status, 200);
        world.advance(120);
    }
}

/// A challenge that names the present moment is another one every time.
#[test]
fn an_api_that_demands_ever_new_claims_is_stopped_as_well() {
    let world = World::new();
    let browser = Browser::signed_in(&world, &ADA);
    for number in 0..12 {
        let claims = json!({ "access_token": { "nbf": { "essential": true, "value": world.time().to_string() } } });
        (0..2).for_each(|_| demands(&world, &claims));
        let answer = browser.follow("/api/Billing/x");
        if answer.status == 403 {
            assert!(number >= 2);
            return is_stopped(&answer);
        }
        assert_eq!(browser.come_back(&world.op.authorize(answer.location(), &ADA)).status, 200);
        world.advance(7);
    }
    panic!("sent round and round: {}", world.op.count(Endpoint::Token));
}

#[test]
fn with_a_body_a_loop_is_said_as_well() {
    let world = World::new();
    let browser = Browser::signed_in(&world, &ADA);
    for _ in 0..2 {
        (0..2).for_each(|_| demands(&world, &claims()));
        browser.interact("/api/Billing/x", &ADA);
    }
    world.op.revoke_everything();
    world.downstream.answer_next(401, &[("www-authenticate", &challenge(&encoded(&claims())))]);
    let upload = crate::request::Request::script("POST", &crate::browser::absolute("/api/Billing/x"));
    let answer = browser.send(upload.with("content-length", "9"));
    assert_eq!(answer.problem(), (403, "interaction_loop".to_owned()));
}
