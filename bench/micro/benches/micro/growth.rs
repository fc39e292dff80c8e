//! What a decision costs when there is more of something: rules, APIs, tokens, cookies, sessions.

use std::cell::Cell;
use std::hint::black_box;

use criterion::{BenchmarkId, Criterion};

use crate::warm::scene::{API_CALL, PAGE, Scenario, Scene, Sizes, USUAL, api_path, decided};
use crate::warm::visitor::Visitor;

pub(crate) fn measure(criterion: &mut Criterion) {
    let rules = [0, 1, 10, 100, 1000].map(|rules| (rules.to_string(), Sizes { rules, ..USUAL }));
    grown(criterion, "route rules", PAGE, rules);
    let apis = [1, 10, 100].map(|apis| (apis.to_string(), Sizes { apis, ..USUAL }));
    grown(criterion, "downstream APIs", API_CALL, apis);
    let tokens = [1, 10, 100].map(|tokens| (tokens.to_string(), Sizes { tokens, ..USUAL }));
    grown(criterion, "cached access tokens", API_CALL, tokens);
    let cookies = [0, 10, 50].map(|cookies| {
        let sizes = Sizes { cookies, ..USUAL };
        (format!("{cookies} ({} bytes)", Scene::of(sizes).visitor.cookies().len()), sizes)
    });
    grown(criterion, "cookies of others (header)", API_CALL, cookies);
    sessions(criterion);
}

fn grown<const N: usize>(criterion: &mut Criterion, what: &str, scenario: Scenario, all: [(String, Sizes); N]) {
    let mut group = criterion.benchmark_group(what);
    for (label, sizes) in all {
        let scene = Scene::of(sizes);
        let request = (scenario.request)(&scene);
        group.bench_function(BenchmarkId::from_parameter(label), |bencher| {
            bencher.iter(|| scene.decided(black_box(&request)));
        });
    }
}

/// So many people take turns, and each is remembered anew before the decision: a memory of the usual size has long
/// forgotten them where there are more than it holds.
fn sessions(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("sessions through the isolate's memory");
    for count in [1, 1000, 100_000] {
        let scene = Scene::of(USUAL);
        let visitors: Vec<_> = (0..count).map(|number| Visitor::new(&scene.app, number, USUAL)).collect();
        let requests: Vec<_> = visitors.iter().map(|visitor| visitor.script(&api_path(USUAL))).collect();
        let turn = Cell::new(0);
        group.bench_function(BenchmarkId::from_parameter(count), |bencher| {
            bencher.iter(|| {
                let now = turn.get();
                turn.set((now + 1) % visitors.len());
                if let (Some(visitor), Some(request)) = (visitors.get(now), requests.get(now)) {
                    visitor.is_remembered_by(&scene.app);
                    black_box(decided(&scene.app, request));
                }
            });
        });
    }
}
