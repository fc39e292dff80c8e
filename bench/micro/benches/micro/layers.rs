//! Each layer by itself, and whole decisions.

use std::hint::black_box;

use criterion::Criterion;
use vestibule::request::RequestHead;
use vestibule::router::route;
use vestibule::session::cookie::Cookies;
use vestibule::session::entry::TokenCacheEntry;
use vestibule::session::seal::NONCE_LENGTH;
use vestibule::session::session::Session;
use vestibule::session::storage_key::EntryKey;

use crate::warm::runtime::NOW;
use crate::warm::scene::{ANONYMOUS, API_CALL, PAGE, REFUSED, Scene, Sizes, USUAL};

pub(crate) fn measure(criterion: &mut Criterion) {
    let scene = Scene::of(USUAL);
    session_cookie(criterion, &scene);
    request(criterion, &scene);
    token_cache_entry(criterion);
    decisions(criterion, &scene);
}

fn session_cookie(criterion: &mut Criterion, scene: &Scene) {
    let mut group = criterion.benchmark_group("layers");
    let (ring, session) = (&scene.app.first().ring, &scene.visitor.session);
    let request = (API_CALL.request)(scene);
    let head = RequestHead::parse(&request).unwrap();
    let find = || Cookies::parse(black_box(head.header("cookie"))).session(None).unwrap();
    let sealed = find();
    group.bench_function("session cookie: find and decode", |bencher| bencher.iter(find));
    group.bench_function("session cookie: open", |bencher| {
        bencher.iter(|| Session::open(black_box(&sealed), ring, NOW).unwrap());
    });
    group.bench_function("session cookie: seal", |bencher| {
        bencher.iter(|| black_box(session).cookie(ring, [9; NONCE_LENGTH], NOW));
    });
}

fn request(criterion: &mut Criterion, scene: &Scene) {
    let mut group = criterion.benchmark_group("layers");
    for (name, scenario) in [("an API", API_CALL), ("the origin", PAGE)] {
        let request = (scenario.request)(scene);
        let head = RequestHead::parse(&request).unwrap();
        group.bench_function(format!("head of a request: parse, {name}"), |bencher| {
            bencher.iter(|| RequestHead::parse(black_box(&request)).unwrap());
        });
        group.bench_function(format!("route decision: {name}"), |bencher| {
            bencher.iter(|| route(black_box(&scene.app.config), black_box(&head)));
        });
    }
}

fn token_cache_entry(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("layers");
    for tokens in [1, 10, 100] {
        let scene = Scene::of(Sizes { tokens, ..USUAL });
        let (entry, session) = (&scene.visitor.entry, &scene.visitor.session);
        let json = entry.to_json();
        let key = EntryKey::of(session, &scene.app.first().ring).unwrap();
        let stored = entry.seal(&session.record_key, &key, [9; NONCE_LENGTH]);
        let api = scene.app.config.apis.last().unwrap();
        group.bench_function(format!("token cache entry: parse, {tokens} access tokens"), |bencher| {
            bencher.iter(|| TokenCacheEntry::from_json(black_box(&json)).unwrap());
        });
        group.bench_function(format!("token cache entry: open and parse, {tokens} access tokens"), |bencher| {
            bencher.iter(|| TokenCacheEntry::open(black_box(&stored), &session.record_key, &key).unwrap());
        });
        group.bench_function(format!("scope lookup: {tokens} access tokens"), |bencher| {
            let resource = api.resource.as_deref();
            bencher.iter(|| black_box(entry).lookup(None, black_box(resource), &api.scopes, NOW).usable().unwrap());
        });
    }
}

fn decisions(criterion: &mut Criterion, scene: &Scene) {
    let mut group = criterion.benchmark_group("layers");
    for scenario in [API_CALL, PAGE, ANONYMOUS, REFUSED] {
        let request = (scenario.request)(scene);
        group.bench_function(format!("whole decision: {}", scenario.name), |bencher| {
            bencher.iter(|| scene.decided(black_box(&request)));
        });
    }
}
