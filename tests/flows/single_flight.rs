//! Single flight: whoever needs the same token at the same time shares one token request and what comes of it.

use serde_json::json;
use vestibule::runtime::TransportFault;

use crate::crowd::{BILLING, ORDERS, assert_copied, bearers, caller, calls, crowd, everywhere, strict_world};
use crate::deployment::ORDERS as ORDERS_BASE;
use crate::op::{ADA, BOB, Endpoint, Instead, keys};
use crate::schedule::{ended, take_steps};
use crate::world::World;

fn refreshes_once(count: usize, seed: u64) {
    let world = strict_world();
    let browser = caller(&world, &ADA);
    let (known, asked, arrived) = (world.op.access_tokens(), world.op.count(Endpoint::Token), world.downstream.count());
    world.advance(3600);
    world.durability.is_watched.set(true);
    let received = crowd(&world, &everywhere(&world), &calls(&browser, &[ORDERS, BILLING], count), seed);
    assert!(received.iter().all(|received| received.is_forwarded && received.status == 200), "seed {seed}");
    assert_eq!(world.op.count(Endpoint::Token), asked + 2, "seed {seed}: one token request for each API");
    assert_eq!((world.op.reuses.get(), world.op.revoked()), (0, 0), "seed {seed}");
    for part in ["orders", "billing"] {
        let [bearer] = bearers(&world, arrived, part).try_into().unwrap();
        assert!(!known.contains(&bearer));
    }
    assert_eq!(world.durability.uses.get(), count);
    assert_copied(&world);
}

#[test]
fn a_hundred_requests_make_one_token_request_for_each_api() {
    (0..6).for_each(|seed| refreshes_once(100, seed));
}

#[test]
fn in_no_order_of_things_is_a_refresh_token_presented_twice() {
    (1000..1200).for_each(|seed| refreshes_once(6, seed));
}

#[test]
fn a_token_that_is_due_is_renewed_once_behind_everybodys_back() {
    for seed in 0..10 {
        let world = strict_world();
        world.op.instead(Endpoint::Token, Instead::Merged(json!({ "refresh_in": 1800 })));
        let browser = caller(&world, &ADA);
        world.advance(1801);
        let (asked, arrived) = (world.op.count(Endpoint::Token), world.downstream.count());
        let requests = vec![browser.script("GET", ORDERS); 20];
        let received = crowd(&world, &everywhere(&world), &requests, seed);
        assert!(received.iter().all(|received| received.is_forwarded));
        assert_eq!((world.op.count(Endpoint::Token), world.op.reuses.get()), (asked + 1, 0), "seed {seed}");
        assert!(bearers(&world, arrived, "orders").len() <= 2);
        assert_copied(&world);
    }
}

#[test]
fn whoever_follows_one_that_fails_shares_its_failure_and_the_time_to_wait() {
    for (instead, problem, wait) in [
        (Instead::Says(429, vec![("retry-after", "9")], String::new()), (503, "op_unreachable"), Some("9")),
        (Instead::Fails(TransportFault::TimedOut), (503, "op_unreachable"), Some("5")),
        (
            Instead::Says(400, vec![], json!({ "error": "invalid_grant" }).to_string()),
            (401, "interaction_required"),
            None,
        ),
    ] {
        for seed in 0..25 {
            let world = strict_world();
            let browser = caller(&world, &ADA);
            world.advance(3600);
            world.op.instead(Endpoint::Token, instead.clone());
            let asked = world.op.count(Endpoint::Token);
            let requests = vec![browser.script("GET", ORDERS); 8];
            for received in crowd(&world, &everywhere(&world), &requests, seed) {
                assert_eq!(received.problem(), (problem.0, problem.1.to_owned()));
                assert_eq!((received.header("retry-after"), received.set_cookies().count()), (wait, 0));
            }
            assert_eq!(world.op.count(Endpoint::Token), asked + 1, "seed {seed}");
            assert!(browser.is_signed_in());
            world.advance(8);
            browser.fetch(ORDERS);
            let patience = usize::from(wait != Some("9"));
            assert!(world.op.count(Endpoint::Token) <= asked + 1 + patience, "nobody asks before its time");
        }
    }
}

#[test]
fn each_session_renews_its_own_tokens_and_nobody_gets_anothers() {
    for seed in 0..40 {
        let world = strict_world();
        let browsers = [caller(&world, &ADA), caller(&world, &ADA), caller(&world, &BOB)];
        let (asked, arrived) = (world.op.count(Endpoint::Token), world.downstream.count());
        world.advance(3600);
        let calls = (0..9).map(|number| browsers[number % 3].script("GET", &format!("/api/Orders/of-{}", number % 3)));
        let received = crowd(&world, &everywhere(&world), &calls.collect::<Vec<_>>(), seed);
        assert!(received.iter().all(|received| received.is_forwarded));
        assert_eq!((world.op.count(Endpoint::Token), world.op.reuses.get()), (asked + 3, 0));
        let own = [0, 1, 2].map(|number| bearers(&world, arrived, &format!("of-{number}")));
        assert!(own.iter().all(|bearers| bearers.len() == 1) && own[0] != own[1]);
        let subs = own.map(|bearers| world.op.issued(&bearers[0]).sub);
        assert_eq!(subs, [ADA.sub, ADA.sub, BOB.sub]);
    }
}

#[test]
fn nobody_waits_for_the_renewal_of_another_session() {
    for steps in 1..10 {
        let world = strict_world();
        let (laptop, phone) = (caller(&world, &ADA), caller(&world, &ADA));
        world.advance(3600);
        let requests = [&laptop, &phone].map(|browser| browser.script("GET", ORDERS));
        let (here, there) = (world.isolate_at(1), world.isolate_at(2));
        world.pauses.set(true);
        let mut slow = Box::pin(here.serving(&requests[0]));
        take_steps(slow.as_mut(), steps);
        // Nothing else runs now: whoever waited would wait for ever.
        assert!(ended(there.serving(&requests[1])).is_forwarded, "after {steps} steps");
        assert!(ended(slow).is_forwarded);
    }
}

const CLAIMS: [&str; 2] =
    [r#"{"access_token":{"acrs":{"value":"c1"}}}"#, r#"{"access_token":{"acrs":{"value":"c2"}}}"#];

/// The next call of that address is answered with a demand for claims.
fn demand(world: &World, address: &str, claims: &str) {
    let challenge = format!(r#"Bearer error="insufficient_claims", claims="{}""#, keys::encode(claims));
    world.downstream.answer_next_at(address, 401, &[("www-authenticate", &challenge)]);
}

#[test]
fn a_failure_answers_the_same_demand_and_no_other() {
    let world = strict_world();
    let browser = caller(&world, &ADA);
    let refusal = json!({ "error": "interaction_required" }).to_string();
    world.op.instead(Endpoint::Token, Instead::Says(400, vec![], refusal));
    let first = world.op.count(Endpoint::Token);
    for _ in 0..2 {
        demand(&world, ORDERS_BASE, CLAIMS[0]);
        assert_eq!(browser.fetch(ORDERS).code(), "interaction_required");
        world.op.behave();
    }
    assert_eq!(world.op.count(Endpoint::Token), first + 1, "the OP has answered that");
    let asked = world.op.count(Endpoint::Token);
    demand(&world, ORDERS_BASE, CLAIMS[1]);
    assert_eq!((browser.fetch(ORDERS).status, world.op.count(Endpoint::Token)), (200, asked + 1));
    assert!(browser.fetch(BILLING).is_forwarded);
}

#[test]
fn demands_for_different_claims_are_met_one_by_one() {
    for seed in 200..240 {
        let world = strict_world();
        let browser = caller(&world, &ADA);
        let (asked, arrived) = (world.op.forms(Endpoint::Token).len(), world.downstream.count());
        for (number, claims) in CLAIMS.iter().enumerate() {
            demand(&world, &format!("{ORDERS_BASE}/{number}"), claims);
        }
        let requests = [0, 1].map(|number| browser.script("GET", &format!("/api/Orders/{number}")));
        let received = crowd(&world, &everywhere(&world)[..1 + seed as usize % 2], &requests, seed);
        assert!(received.iter().all(|received| received.status == 200));
        let forms = world.op.forms(Endpoint::Token);
        let mut sent: Vec<_> = forms[asked..]
            .iter()
            .map(|form| form.iter().find(|(name, _)| name == "claims").unwrap().1.clone())
            .collect();
        sent.sort();
        assert_eq!(sent, CLAIMS, "seed {seed}");
        let last = |number: usize| bearers_in_order(&world, arrived, &format!("/{number}")).pop().unwrap();
        assert_ne!(last(0), last(1), "seed {seed}: each was called with the token made for it");
    }
}

fn bearers_in_order(world: &World, first: usize, end: &str) -> Vec<String> {
    let arrivals = world.downstream.arrivals();
    let found = arrivals[first..].iter().filter(|arrival| arrival.url.ends_with(end));
    found.map(|arrival| arrival.bearer().to_owned()).collect()
}

#[test]
fn a_refused_token_is_replaced_once_for_all_who_were_refused() {
    for seed in 0..40 {
        let world = strict_world();
        let browser = caller(&world, &ADA);
        let asked = world.op.count(Endpoint::Token);
        *world.downstream.refused.borrow_mut() = world.op.access_tokens();
        let requests = vec![browser.script("GET", ORDERS); 6];
        let received = crowd(&world, &everywhere(&world), &requests, seed);
        assert!(received.iter().all(|received| received.status == 200), "seed {seed}");
        assert_eq!((world.op.count(Endpoint::Token), world.op.reuses.get()), (asked + 1, 0), "seed {seed}");
    }
}
