//! Does one thing once, for a profiler to count its instructions: `instructions <what>`. Without an argument it names what
//! there is to do. `tests/instructions` has the budgets.

#![allow(clippy::panic, clippy::unwrap_used, reason = "what cannot be measured ends the run")]

#[allow(dead_code, reason = "the tests use more of it")]
#[path = "../../tests/warm/mod.rs"]
mod warm;

use std::hint::black_box;

use vestibule::app::App;
use vestibule::request::RequestHead;
use vestibule::router::route;
use vestibule::session::cookie::Cookies;
use vestibule::session::entry::TokenCacheEntry;
use vestibule::session::seal::NONCE_LENGTH;
use vestibule::session::session::Session;

use warm::runtime::NOW;
use warm::scene::{ANONYMOUS, API_CALL, PAGE, REFUSED, Scenario, Scene, Sizes, USUAL, environment};

/// Something to do, and how much there is of everything.
type Work = (&'static str, Sizes, fn(&Scene));

const ALL: [Work; 18] = [
    ("configuration: read", USUAL, read_configuration),
    ("head: parse", USUAL, parse_head),
    ("session cookie: open", USUAL, open_session),
    ("session cookie: seal", USUAL, seal_session),
    ("token cache entry: parse, 10 access tokens", Sizes { tokens: 10, ..USUAL }, parse_entry),
    ("scope lookup: 100 access tokens", Sizes { tokens: 100, ..USUAL }, look_up),
    ("route decision: 1000 rules", Sizes { rules: 1000, ..USUAL }, find_route),
    ("plan known from before: signed-in API call", USUAL, |scene| know(scene, API_CALL)),
    ("plan that stands: signed-in API call", USUAL, |scene| stand(scene, API_CALL)),
    ("plan that stands: anonymous", USUAL, |scene| stand(scene, ANONYMOUS)),
    ("decision: signed-in API call", USUAL, |scene| decide(scene, API_CALL)),
    ("decision: origin with identity", USUAL, |scene| decide(scene, PAGE)),
    ("decision: anonymous", USUAL, |scene| decide(scene, ANONYMOUS)),
    ("decision: 401 without a session", USUAL, |scene| decide(scene, REFUSED)),
    ("decision: API call, 100 APIs", Sizes { apis: 100, ..USUAL }, |scene| decide(scene, API_CALL)),
    ("decision: API call, 100 access tokens", Sizes { tokens: 100, ..USUAL }, |scene| decide(scene, API_CALL)),
    ("decision: API call, 50 cookies of others", Sizes { cookies: 50, ..USUAL }, |scene| decide(scene, API_CALL)),
    ("decision: origin, 1000 rules", Sizes { rules: 1000, ..USUAL }, |scene| decide(scene, PAGE)),
];

fn main() {
    let Some(wanted) = std::env::args().nth(1) else {
        ALL.iter().for_each(|(name, ..)| println!("{name}"));
        return;
    };
    let (_, sizes, work) = ALL.iter().find(|(name, ..)| *name == wanted).unwrap_or_else(|| panic!("no {wanted}"));
    work(&Scene::of(*sizes));
}

/// Where the profiler begins to count, and where it ends.
#[inline(never)]
fn measured<T>(work: impl FnOnce() -> T) -> T {
    black_box(work())
}

/// The second time: what the first one fills is not counted.
fn second<T>(work: impl Fn() -> T) {
    drop(black_box(work()));
    drop(measured(&work));
}

fn read_configuration(scene: &Scene) {
    let environment = environment(scene.sizes);
    second(|| App::new(black_box(&environment)).unwrap());
}

fn parse_head(scene: &Scene) {
    let request = (API_CALL.request)(scene);
    second(|| RequestHead::parse(black_box(&request)).unwrap());
}

fn open_session(scene: &Scene) {
    let ring = &scene.app.first().ring;
    let sealed = Cookies::parse(Some(scene.visitor.cookies())).session(None).unwrap();
    second(|| Session::open(black_box(&sealed), ring, NOW).unwrap());
}

fn seal_session(scene: &Scene) {
    let ring = &scene.app.first().ring;
    second(|| black_box(&scene.visitor.session).cookie(ring, [9; NONCE_LENGTH], NOW));
}

fn parse_entry(scene: &Scene) {
    let json = scene.visitor.entry.to_json();
    second(|| TokenCacheEntry::from_json(black_box(&json)).unwrap());
}

fn look_up(scene: &Scene) {
    let api = scene.app.config.apis.last().unwrap();
    let entry = &scene.visitor.entry;
    second(|| black_box(entry).lookup(None, api.resource.as_deref(), &api.scopes, NOW).usable().unwrap().expires_at);
}

fn find_route(scene: &Scene) {
    let request = (PAGE.request)(scene);
    let head = RequestHead::parse(&request).unwrap();
    second(|| route(black_box(&scene.app.config), black_box(&head)).name());
}

fn stand(scene: &Scene, scenario: Scenario) {
    let told = scene.kept(&(scenario.request)(scene));
    second(|| scene.standing(black_box(&told)).unwrap());
}

fn know(scene: &Scene, scenario: Scenario) {
    let place = scene.standing(&scene.kept(&(scenario.request)(scene))).unwrap();
    second(|| scene.stands(black_box(place)));
}

fn decide(scene: &Scene, scenario: Scenario) {
    let request = (scenario.request)(scene);
    second(|| scene.decided(black_box(&request)));
}
