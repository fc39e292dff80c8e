//! An API that has no time: 429 and 503 with `Retry-After` are waited for, once, where sending twice is the same as once.

use serde_json::json;

use crate::api::served;
use crate::browser::{Browser, absolute};
use crate::claims_challenge::both_ways;
use crate::deployment::BILLING;
use crate::op::{ADA, Endpoint};
use crate::request::{Received, Request};
use crate::world::World;

fn arrived(world: &World) -> usize {
    world.downstream.arrivals().iter().filter(|arrival| arrival.url.starts_with(BILLING)).count()
}

fn request(method: &str) -> Request {
    Request::script(method, &absolute("/api/Billing/x?y=z"))
}

/// What comes of one request that is first answered so.
fn outcome(world: &World, request: Request, status: u16, wait: Option<&str>) -> (Received, usize, Vec<u64>) {
    let browser = Browser::signed_in(world, &ADA);
    let headers: Vec<_> = wait.map(|wait| ("retry-after", wait)).into_iter().collect();
    world.downstream.answer_next(status, &headers);
    let before = arrived(world);
    let answer = browser.send(request);
    (answer, arrived(world) - before, world.slept.borrow().clone())
}

#[test]
fn what_can_be_repeated_is_repeated_once_after_the_wait() {
    for status in [429, 503] {
        for method in ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"] {
            for (wait, seconds) in [("0", 0), ("1", 1), ("5", 5), ("Fri, 15 Jan 2027 08:00:03 GMT", 3)] {
                for world in both_ways() {
                    let (answer, sent, slept) = outcome(&world, request(method), status, Some(wait));
                    served(&answer);
                    assert_eq!((sent, slept), (2, vec![seconds]), "{status} {method} {wait}");
                    let arrivals = world.downstream.arrivals();
                    assert_eq!(arrivals[arrivals.len() - 2].plan, arrivals[arrivals.len() - 1].plan);
                    assert_eq!((world.downstream.discarded(), world.op.count(Endpoint::Token)), (1, 1));
                }
            }
        }
    }
}

#[test]
fn a_date_that_has_passed_is_no_wait() {
    for world in both_ways() {
        let (answer, sent, slept) = outcome(&world, request("GET"), 503, Some("Fri, 15 Jan 2027 07:00:00 GMT"));
        served(&answer);
        assert_eq!((sent, slept), (2, vec![0]));
    }
}

#[test]
fn a_longer_wait_and_one_that_is_not_said_are_passed_on() {
    for status in [429, 503] {
        for wait in [None, Some("6"), Some("3600"), Some("Fri, 15 Jan 2027 08:00:06 GMT"), Some("soon"), Some("-1")] {
            for world in both_ways() {
                let (answer, sent, slept) = outcome(&world, request("GET"), status, wait);
                assert_eq!((answer.status, answer.is_forwarded), (status, true), "{wait:?}");
                assert_eq!(answer.header("retry-after"), wait);
                assert_eq!((sent, slept, world.downstream.discarded()), (1, vec![], 0), "{wait:?}");
            }
        }
    }
}

#[test]
fn what_may_not_be_sent_twice_is_not() {
    let requests = [
        request("POST"),
        request("PATCH"),
        request("PROPFIND"),
        request("POST").with("content-length", "0"),
        request("PUT").with("content-length", "3"),
        request("PUT").with("transfer-encoding", "chunked"),
        request("DELETE").with("content-length", "3"),
        request("GET").with("content-length", "3"),
    ];
    for once in requests {
        for world in both_ways() {
            let (answer, sent, slept) = outcome(&world, once.clone(), 503, Some("1"));
            assert_eq!((answer.status, answer.header("retry-after")), (503, Some("1")), "{once:?}");
            assert_eq!((sent, slept), (1, vec![]), "{once:?}");
        }
    }
}

#[test]
fn other_answers_are_final() {
    for status in [200, 304, 404, 408, 425, 500, 502, 504] {
        for world in both_ways() {
            let (answer, sent, slept) = outcome(&world, request("GET"), status, Some("1"));
            assert_eq!((answer.status, sent, slept), (status, 1, vec![]));
        }
    }
}

#[test]
fn the_second_answer_is_final_whatever_it_is() {
    for (status, headers) in [
        (503, vec![("retry-after", "1")]),
        (429, vec![("retry-after", "1")]),
        (401, vec![("www-authenticate", "Bearer error=\"invalid_token\"")]),
        (500, vec![]),
    ] {
        for world in both_ways() {
            let browser = Browser::signed_in(&world, &ADA);
            world.downstream.answer_next(503, &[("retry-after", "2")]);
            world.downstream.answer_next(status, &headers);
            let answer = browser.fetch("/api/Billing/x");
            assert_eq!((answer.status, answer.is_forwarded), (status, true));
            assert_eq!((arrived(&world), world.slept.borrow().clone()), (2, vec![2]));
        }
    }
}

#[test]
fn the_origins_answers_are_final() {
    for world in both_ways() {
        let browser = Browser::signed_in(&world, &ADA);
        for status in [429, 503] {
            world.downstream.answer_next_at("http://", status, &[("retry-after", "1")]);
            let before = world.downstream.count();
            let answer = browser.visit("/page");
            assert_eq!((answer.status, world.downstream.count()), (status, before + 1));
        }
        assert!(world.slept.borrow().is_empty());
    }
}

/// A token that ends while the API has us wait is renewed before the second attempt.
#[test]
fn the_second_attempt_has_a_token_that_is_good_by_then() {
    for is_at_once in [false, true] {
        let world = World::with(&json!({ "Session": { "IdleSeconds": 28_800, "RevocationDelay": 300 } }));
        world.forwards_at_once.set(is_at_once);
        world.sleeping_takes_time.set(true);
        world.op.expires_in.set(8);
        let browser = Browser::signed_in(&world, &ADA);
        world.downstream.answer_next(503, &[("retry-after", "5")]);
        served(&browser.fetch("/api/Billing/x"));
        let sent = crate::api::bearers(&world, BILLING);
        assert_eq!((sent.len(), world.op.count(Endpoint::Token)), (2, 2));
        assert_ne!(sent[0], sent[1]);
    }
}
