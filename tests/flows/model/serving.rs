//! Requests at several isolates, what is done after them, and what answers them.

use vestibule::runtime::{Runtime, Task, TransportFault, Work};
use vestibule::secret::Secret;
use vestibule::session::account::AccountDigest;
use vestibule::session::session::Session;
use vestibule::time::Lifetime;

use crate::browser::{Browser, absolute};
use crate::op::ADA;
use crate::request::{Received, Request};
use crate::schedule::ended;
use crate::site::Site;
use crate::world::{NOW, World};

/// A task with nothing to do: the API does not exist.
fn nothing(site: &Site<'_>) -> Task {
    let account = AccountDigest::from_subject("https://op.example", "nobody");
    let (ring, settings) = (&site.isolate.first().ring, &site.isolate.config.session);
    let record_key = Secret::new(site.random());
    let session = Session::begin(account, site.random(), record_key, ring.current().id(), site.now(), settings);
    let provider = site.isolate.config.provider.name.clone();
    Task { provider, work: Work::Renew { session, api: "Nothing".to_owned() } }
}

#[test]
fn another_location_serves_with_a_memory_of_its_own() {
    let world = World::on_kv_alone();
    let browser = Browser::signed_in(&world, &ADA);
    let reads = world.kv.operations().len();
    let elsewhere = world.isolate_at(1);
    browser.moves_to(&elsewhere);
    assert!(browser.fetch("/page").is_forwarded);
    let first = world.kv.operations().len();
    assert!(first > reads, "it remembers nothing");
    assert!(elsewhere.serve(&browser.with_cookies(Request::script("GET", &absolute("/page")))).is_forwarded);
    assert_eq!(world.kv.operations().len(), first);
}

#[test]
fn what_waits_is_done_after_the_answer_unless_it_is_held() {
    let world = World::new();
    let site = world.site();
    let health = Request::script("GET", &absolute("/.auth/health"));
    site.later(nothing(&site));
    world.background.is_held.set(true);
    world.serve(&health);
    assert_eq!(world.background.count(), 1);
    ended(site.serving_with_background(&health));
    assert_eq!(world.background.count(), 0);
    site.later(nothing(&site));
    world.background.forget();
    assert_eq!(world.background.count(), 0);
    site.later(nothing(&site));
    world.background.is_held.set(false);
    world.serve(&health);
    assert_eq!(world.background.count(), 0);
}

#[test]
fn what_is_planned_twice_is_done_once() {
    let world = World::new();
    let site = world.site();
    let task = nothing(&site);
    site.is_planning.set(true);
    site.later(task.clone());
    site.is_planning.set(false);
    site.later(task.clone());
    assert_eq!(world.background.count(), 1);
    site.later(task);
    assert_eq!(world.background.count(), 2);
}

#[test]
fn sleeping_takes_time_only_where_the_test_says_so() {
    let world = World::new();
    ended(world.site().sleep(Lifetime::from_seconds(3)));
    assert_eq!(world.time(), NOW);
    world.sleeping_takes_time.set(true);
    ended(world.site().sleep(Lifetime::from_seconds(4)));
    assert_eq!((world.time(), world.slept.borrow().as_slice()), (NOW + 4, [3, 4].as_slice()));
}

#[test]
fn scripted_answers_come_in_order_and_before_any_other() {
    let world = World::new();
    let browser = Browser::signed_in(&world, &ADA);
    world.downstream.answer_next(500, &[("x-note", "first")]);
    world.downstream.answer_next_at("https://orders.example", 404, &[]);
    assert_eq!(browser.fetch("/page").status, 200, "the origin is no API");
    let first = browser.fetch("/api/Billing/x");
    assert_eq!((first.status, first.header("x-note")), (500, Some("first")));
    assert_eq!(browser.fetch("/api/Billing/x").status, 200);
    assert_eq!(browser.fetch("/api/Orders/x").status, 404);
    assert_eq!(browser.fetch("/api/Orders/x").status, 200);
}

#[test]
fn an_answer_has_a_status_and_joined_headers_and_may_be_given_up() {
    let world = World::new();
    let headers = ["Bearer a", "Basic b"].map(|value| ("www-authenticate".to_owned(), value.to_owned())).to_vec();
    let answer = Received { status: 401, headers, body: String::new(), is_forwarded: true };
    let site = world.site();
    assert_eq!(site.status(&answer), 401);
    assert_eq!(site.answer_header(&answer, "www-authenticate").as_deref(), Some("Bearer a, Basic b"));
    assert_eq!(site.answer_header(&answer, "retry-after"), None);
    site.discard(answer);
    assert_eq!(world.downstream.discarded(), 1);
}

#[test]
fn what_is_decided_at_once_may_be_forwarded_at_once() {
    let world = World::new();
    let browser = Browser::signed_in(&world, &ADA);
    world.forwards_at_once.set(true);
    assert!(browser.fetch("/page").is_forwarded);
    assert!(browser.fetch("/api/Billing/x").is_forwarded);
    world.downstream.answer_next(429, &[("retry-after", "0")]);
    let count = world.downstream.count();
    browser.fetch("/api/Billing/x");
    assert!(world.downstream.count() > count);
    *world.downstream.fault.borrow_mut() = Some(TransportFault::NoConnection);
    assert_eq!(browser.fetch("/page").problem().0, 502);
}
