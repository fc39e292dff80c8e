//! Single flight: programs that come with the same token at once make one exchange in an isolate, whatever comes of it.

use std::future::Future;
use std::task::{Context, Waker};

use serde_json::json;
use vestibule::runtime::TransportFault;

use crate::api::{bearers, served};
use crate::bearer::call;
use crate::claims_challenge::{asked, challenge, claims, encoded};
use crate::deployment::{BILLING, ORDERS};
use crate::on_behalf_of::{exchanges, token_of, world};
use crate::op::{Endpoint, Instead};
use crate::request::{Received, Request};
use crate::schedule::{Task, explored};
use crate::world::World;

/// All at once in one isolate, in the order of the seed.
fn crowd(world: &World, requests: &[Request], seed: u64) -> Vec<Received> {
    world.pauses.set(true);
    let site = world.site();
    let tasks: Vec<Task<'_, Received>> =
        requests.iter().map(|request| Box::pin(site.serving(request)) as Task<'_, Received>).collect();
    let received = explored(tasks, seed);
    world.pauses.set(false);
    received
}

#[test]
fn a_crowd_with_one_token_makes_one_exchange_for_each_api() {
    for seed in 0..60 {
        let world = world();
        world.forwards_at_once.set(seed % 2 == 0);
        let (one, other) = (token_of(&world, "one"), token_of(&world, "other"));
        let mut requests = Vec::new();
        for _ in 0..5 {
            for token in [&one, &other] {
                requests.push(call("/api/Orders/1", token));
                requests.push(call("/api/Billing/machine/1", token));
            }
        }
        crowd(&world, &requests, seed).iter().for_each(served);
        assert_eq!(exchanges(&world), 4, "seed {seed}");
        for base in [ORDERS, BILLING] {
            let mut sent = bearers(&world, base);
            sent.sort();
            sent.dedup();
            assert_eq!(sent.len(), 2, "seed {seed}");
            let subs: Vec<_> = sent.iter().map(|token| world.op.issued(token).sub).collect();
            assert!(subs.contains(&"one") && subs.contains(&"other"), "seed {seed}: {subs:?}");
        }
    }
}

#[test]
fn whoever_follows_one_that_fails_shares_its_failure() {
    for (instead, problem) in [
        (Instead::Fails(TransportFault::TimedOut), (503, "op_unreachable")),
        (Instead::Says(400, vec![], json!({ "error": "invalid_grant" }).to_string()), (401, "access_token_invalid")),
        (Instead::Says(401, vec![], json!({ "error": "invalid_client" }).to_string()), (500, "misconfigured")),
    ] {
        for seed in 0..30 {
            let world = world();
            let token = token_of(&world, "user");
            world.op.instead(Endpoint::Token, instead.clone());
            for received in crowd(&world, &vec![call("/api/Orders/1", &token); 8], seed) {
                assert_eq!(received.problem(), (problem.0, problem.1.to_owned()), "seed {seed}");
            }
            assert_eq!(exchanges(&world), 1, "seed {seed}");
        }
    }
}

#[test]
fn demands_of_the_api_are_met_by_one_exchange() {
    for seed in 0..60 {
        let world = world();
        world.forwards_at_once.set(seed % 2 == 0);
        let token = token_of(&world, "user");
        served(&world.serve(&call("/api/Orders/warm", &token)));
        for _ in 0..6 {
            world.downstream.answer_next(401, &[("www-authenticate", &challenge(&encoded(&claims())))]);
        }
        crowd(&world, &vec![call("/api/Orders/1", &token); 6], seed);
        assert_eq!((exchanges(&world), asked(&world)), (2, claims()), "seed {seed}");
        let mut sent = bearers(&world, ORDERS);
        sent.sort();
        sent.dedup();
        assert_eq!(sent.len(), 2, "seed {seed}");
    }
}

#[test]
fn in_no_order_of_two_requests_is_more_than_one_exchanged() {
    for seed in 0..300 {
        let world = world();
        let token = token_of(&world, "user");
        crowd(&world, &vec![call("/api/Orders/1", &token); 2], seed).iter().for_each(served);
        assert_eq!(exchanges(&world), 1, "seed {seed}");
    }
}

#[test]
fn nobody_waits_for_an_exchange_that_is_over() {
    let world = world();
    let token = token_of(&world, "user");
    world.op.instead_once(Endpoint::Token, Instead::Fails(TransportFault::TimedOut));
    assert_eq!(world.serve(&call("/api/Orders/1", &token)).problem().0, 503);
    world.advance(5);
    served(&world.serve(&call("/api/Orders/1", &token)));
    served(&world.serve(&call("/api/Billing/machine/1", &token)));
    world.advance(3300);
    served(&world.serve(&call("/api/Orders/1", &token)));
    assert_eq!((exchanges(&world), world.waits.get()), (4, 0));
}

/// Where the platform ends a request, nothing of it runs any more, and nobody hears of it.
#[test]
fn whoever_waits_for_one_that_was_ended_goes_on_after_a_while() {
    let world = world();
    let token = token_of(&world, "user");
    served(&world.serve(&call("/api/Open/1", &token)));
    world.pauses.set(true);
    let (site, request) = (world.site(), call("/api/Orders/1", &token));
    // Kept and never polled again, so that it gives nothing back.
    let mut lost = Box::pin(site.serving(&request));
    let mut context = Context::from_waker(Waker::noop());
    while exchanges(&world) == 0 {
        assert!(lost.as_mut().poll(&mut context).is_pending());
    }
    world.pauses.set(false);
    for _ in 0..3 {
        served(&world.serve(&request));
    }
    assert_eq!(exchanges(&world), 2);
}
