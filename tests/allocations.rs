//! What a warm decision costs in allocations: the same on every machine, so that it can be held to a number.
//!
//! From the text of a request's head to the plan of its forward, or to the answer. A budget that a change exceeds for a good
//! reason is raised here, in [`BUDGETS`]; one that is not used up any more is lowered, or it holds nothing.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that panics has failed, which is what it is for"
)]

#[path = "allocations/counting.rs"]
mod counting;
#[allow(dead_code, reason = "the benchmarks use more of it")]
mod warm;

use std::cmp::Ordering;
use std::fmt::Write;

use counting::{Count, counted};
use warm::scene::{ANONYMOUS, API_CALL, Outcome, PAGE, REFUSED, Scenario, Scene, Sizes, USUAL};

/// What each decision may ask the allocator for, at most: how often, and how many bytes in all.
const BUDGETS: [(Scenario, Count); 4] = [
    (API_CALL, Count { calls: 14, bytes: 3851 }),
    (PAGE, Count { calls: 95, bytes: 14071 }),
    (ANONYMOUS, Count { calls: 10, bytes: 1424 }),
    (REFUSED, Count { calls: 80, bytes: 4707 }),
];

#[test]
fn no_decision_allocates_more_than_its_budget() {
    let scene = Scene::of(USUAL);
    let mut report = String::new();
    let mut exceeded = false;
    for (scenario, budget) in BUDGETS {
        let spent = spent(&scene, &scenario);
        exceeded |= spent.calls > budget.calls || spent.bytes > budget.bytes;
        writeln!(
            report,
            "{}: {}, {}",
            scenario.name,
            compared("allocations", spent.calls, budget.calls),
            compared("bytes", spent.bytes, budget.bytes)
        )
        .unwrap();
    }
    println!("{report}");
    assert!(!exceeded, "a decision allocates more than it may (BUDGETS in tests/allocations.rs):\n{report}");
}

#[test]
fn a_request_for_which_a_plan_stands_allocates_nothing() {
    let scene = Scene::of(USUAL);
    for scenario in [API_CALL, PAGE, ANONYMOUS] {
        let told = scene.kept(&(scenario.request)(&scene));
        assert!(scene.standing(&told).is_some(), "{}", scenario.name);
        let (spent, place) = counted(|| scene.standing(&told));
        assert_eq!(spent.calls, 0, "{}", scenario.name);
        let (spent, stands) = counted(|| scene.stands(place.unwrap()));
        assert!(stands && spent.calls == 0, "{}", scenario.name);
    }
}

#[test]
fn what_a_decision_allocates_does_not_grow_with_the_deployment_or_the_session() {
    let grown = [Sizes { rules: 1000, ..USUAL }, Sizes { apis: 100, ..USUAL }, Sizes { tokens: 100, ..USUAL }];
    let usual = Scene::of(USUAL);
    for sizes in grown {
        let scene = Scene::of(sizes);
        for (scenario, _) in BUDGETS {
            let (small, large) = (spent(&usual, &scenario), spent(&scene, &scenario));
            assert_eq!(large.calls, small.calls, "{}, {sizes:?}", scenario.name);
        }
    }
}

#[test]
fn the_scenarios_are_what_they_are_called() {
    let scene = Scene::of(USUAL);
    let outcome = |scenario: Scenario| scene.decided(&(scenario.request)(&scene));
    let sent = |outcome: &Outcome, name: &str| match outcome {
        Outcome::Forwarded(plan) => plan.set.iter().any(|(header, _)| header == name),
        Outcome::Answered(answer) => panic!("{answer:?}"),
    };
    assert!(sent(&outcome(API_CALL), "authorization"));
    assert!(sent(&outcome(PAGE), "x-ms-client-principal"));
    assert!(!sent(&outcome(ANONYMOUS), "x-ms-client-principal"));
    assert!(matches!(outcome(REFUSED), Outcome::Answered(answer) if answer.status == 401));
}

/// The second of two decisions: the first may fill what is kept from then on.
fn spent(scene: &Scene, scenario: &Scenario) -> Count {
    let request = (scenario.request)(scene);
    drop(scene.decided(&request));
    counted(|| scene.decided(&request)).0
}

fn compared(what: &str, spent: u64, budget: u64) -> String {
    let difference = spent.abs_diff(budget);
    match spent.cmp(&budget) {
        Ordering::Greater => format!("{spent} {what}, {difference} above the budget of {budget}"),
        Ordering::Equal => format!("{spent} {what}, as budgeted"),
        Ordering::Less => {
            format!("{spent} {what}, {difference} below: the budget can be lowered from {budget} to {spent}")
        }
    }
}
