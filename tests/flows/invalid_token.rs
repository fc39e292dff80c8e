//! An API that calls the token invalid: one refresh and one more attempt, unless another request was first.

use serde_json::json;

use crate::api::{bearer, bearers, login_url, served};
use crate::browser::{Browser, absolute};
use crate::claims_challenge::both_ways;
use crate::deployment::BILLING;
use crate::op::{ADA, Endpoint, Instead};
use crate::request::Request;
use crate::schedule::all_at_once;
use crate::world::World;

const INVALID: (&str, &str) = ("www-authenticate", "Bearer realm=\"x, y\", error=\"invalid_token\"");

#[test]
fn a_token_that_an_api_calls_invalid_is_replaced_once() {
    for world in both_ways() {
        let browser = Browser::signed_in(&world, &ADA);
        world.downstream.answer_next(401, &[INVALID]);
        served(&browser.fetch("/api/Billing/x"));
        let sent = bearers(&world, BILLING);
        assert_eq!((sent.len(), world.op.count(Endpoint::Token), world.downstream.discarded()), (2, 2, 1));
        assert_ne!(sent[0], sent[1]);
        served(&browser.fetch("/api/Billing/x"));
        assert_eq!(bearer(&world), sent[1]);
    }
}

#[test]
fn an_api_that_goes_on_calling_it_invalid_has_its_answer_passed_on() {
    for world in both_ways() {
        let browser = Browser::signed_in(&world, &ADA);
        for _ in 0..4 {
            world.downstream.answer_next(401, &[INVALID]);
        }
        let answer = browser.fetch("/api/Billing/x");
        assert_eq!((answer.status, answer.is_forwarded), (401, true));
        assert_eq!(answer.header("www-authenticate"), Some(INVALID.1));
        assert_eq!((bearers(&world, BILLING).len(), world.op.count(Endpoint::Token)), (2, 2));
        assert!(browser.is_signed_in());
    }
}

/// The refusal is about the token that was sent, also if that one was renewed a moment before, for this very request.
#[test]
fn a_token_that_was_only_just_renewed_is_replaced_as_well() {
    for world in both_ways() {
        let browser = Browser::signed_in(&world, &ADA);
        world.downstream.answer_next(401, &[INVALID]);
        served(&browser.fetch("/api/Orders/first-call"));
        let sent = bearers(&world, crate::deployment::ORDERS);
        assert_eq!((sent.len(), world.op.count(Endpoint::Token)), (2, 3));
        assert_ne!(sent[0], sent[1]);
    }
}

#[test]
fn with_a_body_the_answer_passes_and_the_next_call_has_the_new_token() {
    for world in both_ways() {
        let browser = Browser::signed_in(&world, &ADA);
        world.downstream.answer_next(401, &[INVALID]);
        let upload = || Request::script("POST", &absolute("/api/Billing/x")).with("content-length", "1");
        let answer = browser.send(upload());
        assert_eq!((answer.status, answer.is_forwarded), (401, true));
        served(&browser.send(upload()));
        let sent = bearers(&world, BILLING);
        assert_eq!((sent.len(), world.op.count(Endpoint::Token), world.downstream.discarded()), (2, 2, 0));
        assert_ne!(sent[0], sent[1]);
    }
}

#[test]
fn a_post_without_a_body_can_be_sent_again() {
    for world in both_ways() {
        let browser = Browser::signed_in(&world, &ADA);
        world.downstream.answer_next(401, &[INVALID]);
        served(&browser.send(Request::script("POST", &absolute("/api/Billing/x")).with("content-length", "0")));
        assert_eq!(bearers(&world, BILLING).len(), 2);
    }
}

#[test]
fn who_comes_second_takes_the_token_that_the_first_one_got() {
    for is_at_once in [false, true] {
        let world = World::with_accounts();
        world.forwards_at_once.set(is_at_once);
        let browser = Browser::signed_in(&world, &ADA);
        world.advance(1);
        for _ in 0..3 {
            world.downstream.answer_next(401, &[INVALID]);
        }
        world.pauses.set(true);
        let request = browser.with_cookies(Request::script("GET", &absolute("/api/Billing/x")));
        let tasks = (0..3).map(|_| Box::pin(world.serving(&request)) as _).collect();
        all_at_once(tasks).iter().for_each(served);
        let sent = bearers(&world, BILLING);
        assert_eq!((sent.len(), world.op.count(Endpoint::Token), world.op.reuses.get()), (6, 2, 0), "{is_at_once}");
        assert!(sent[3..].iter().all(|token| *token == sent[3] && *token != sent[0]));
    }
}

#[test]
fn another_isolate_that_was_first_leaves_nothing_to_refresh() {
    for world in both_ways() {
        let browser = Browser::signed_in(&world, &ADA);
        let old = world.isolate();
        world.advance(2);
        world.new_isolate();
        world.downstream.answer_next(401, &[INVALID]);
        served(&browser.fetch("/api/Billing/x"));
        let (replaced, asked) = (bearer(&world), world.op.count(Endpoint::Token));
        world.resume(old);
        world.downstream.answer_next(401, &[INVALID]);
        served(&browser.fetch("/api/Billing/x"));
        if !world.accounts.names().is_empty() {
            assert_eq!((bearer(&world), world.op.count(Endpoint::Token)), (replaced, asked));
        }
        assert!(world.op.count(Endpoint::Token) <= asked + 1);
    }
}

#[test]
fn only_the_user_can_help_if_the_refresh_token_is_no_good_either() {
    for world in both_ways() {
        let browser = Browser::signed_in(&world, &ADA);
        world.op.revoke_everything();
        world.downstream.answer_next(401, &[INVALID]);
        let url = login_url(&browser.fetch("/api/Billing/x"));
        assert_eq!(world.downstream.discarded(), 1);
        let callback = world.op.authorize(&browser.begin(&url), &ADA);
        assert_eq!(browser.come_back(&callback).status, 303);
        served(&browser.fetch("/api/Billing/x"));
    }
}

#[test]
fn a_refresh_that_fails_for_now_is_an_outage_and_no_second_call() {
    for world in both_ways() {
        let browser = Browser::signed_in(&world, &ADA);
        world.downstream.answer_next(401, &[INVALID]);
        let busy = Instead::Says(429, vec![("retry-after", "8")], json!({}).to_string());
        world.op.instead(Endpoint::Token, busy);
        let answer = browser.fetch("/api/Billing/x");
        assert_eq!((answer.problem(), answer.header("retry-after")), ((503, "op_unreachable".to_owned()), Some("8")));
        assert_eq!(bearers(&world, BILLING).len(), 1);
    }
}
