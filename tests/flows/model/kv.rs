//! Workers KV at several locations.

use vestibule::runtime::{KvPage, Runtime, StoreFault};
use vestibule::time::Lifetime;

use crate::kv::Operation;
use crate::schedule::ended;
use crate::site::Site;
use crate::world::World;

fn get(site: &Site<'_>, key: &str) -> Option<String> {
    ended(site.kv_get(key)).unwrap().map(|value| String::from_utf8(value).unwrap())
}

fn put(site: &Site<'_>, key: &str, value: &str) -> Result<(), StoreFault> {
    ended(site.kv_put(key, value.as_bytes(), "{}", Lifetime::from_seconds(600)))
}

fn delete(site: &Site<'_>, key: &str) -> Result<(), StoreFault> {
    ended(site.kv_delete(&[key]))
}

fn some(value: &str) -> Option<String> {
    Some(value.to_owned())
}

#[test]
fn a_change_is_seen_at_once_at_its_own_location_by_every_isolate() {
    let world = World::new();
    let (writer, neighbour) = (world.isolate_at(3), world.isolate_at(3));
    assert_eq!(get(&neighbour, "k"), None);
    put(&writer, "k", "one").unwrap();
    assert_eq!((get(&writer, "k"), get(&neighbour, "k")), (some("one"), some("one")));
    delete(&neighbour, "k").unwrap();
    assert_eq!((get(&writer, "k"), get(&neighbour, "k")), (None, None));
}

#[test]
fn a_value_read_elsewhere_is_seen_there_for_a_minute_after_it_was_changed() {
    let world = World::new();
    let (here, there) = (world.site(), world.isolate_at(1));
    put(&here, "k", "old").unwrap();
    assert_eq!(get(&there, "k"), some("old"));
    world.advance(10);
    put(&here, "k", "new").unwrap();
    world.advance(49);
    assert_eq!((get(&here, "k"), get(&there, "k")), (some("new"), some("old")));
    world.advance(1);
    assert_eq!(get(&there, "k"), some("new"), "reading a copy makes it no younger");
    delete(&here, "k").unwrap();
    world.advance(59);
    assert_eq!(get(&there, "k"), some("new"));
    world.advance(1);
    assert_eq!(get(&there, "k"), None);
}

#[test]
fn a_miss_is_remembered_like_a_value() {
    let world = World::new();
    let (here, there) = (world.site(), world.isolate_at(1));
    assert_eq!(get(&there, "k"), None);
    put(&here, "k", "one").unwrap();
    world.advance(59);
    assert_eq!(get(&there, "k"), None);
    assert_eq!(get(&world.isolate_at(2), "k"), some("one"), "never asked before");
    world.advance(1);
    assert_eq!(get(&there, "k"), some("one"));
}

#[test]
fn a_copy_lives_no_longer_than_its_value() {
    let world = World::new();
    let there = world.isolate_at(1);
    put(&world.site(), "k", "one").unwrap();
    world.advance(590);
    assert_eq!(get(&there, "k"), some("one"));
    world.advance(10);
    assert_eq!((get(&there, "k"), get(&world.site(), "k")), (None, None));
}

#[test]
fn the_last_writer_wins_and_the_earlier_one_learns_of_it_later() {
    let world = World::new();
    let (here, there) = (world.site(), world.isolate_at(1));
    put(&here, "k", "first").unwrap();
    put(&there, "k", "second").unwrap();
    assert_eq!((get(&here, "k"), get(&there, "k")), (some("first"), some("second")));
    world.advance(60);
    assert_eq!((get(&here, "k"), get(&there, "k")), (some("second"), some("second")));
}

#[test]
fn listings_come_from_the_centre() {
    let world = World::new();
    let there = world.isolate_at(1);
    assert_eq!(get(&there, "k"), None);
    put(&world.site(), "k", "one").unwrap();
    assert_eq!(ended(there.kv_list("k", None)).unwrap().listings.len(), 1);
    world.kv.hide_from_listings();
    assert_eq!(ended(there.kv_list("k", None)).unwrap().listings, []);
}

#[test]
fn a_long_listing_comes_in_pages() {
    let world = World::new();
    let site = world.site();
    ["k1", "k2", "k3", "l"].into_iter().for_each(|key| put(&site, key, "one").unwrap());
    world.kv.page.set(Some(2));
    let page = |cursor: Option<&str>| ended(site.kv_list("k", cursor)).unwrap();
    let names = |page: &KvPage| page.listings.iter().map(|listing| listing.key.clone()).collect::<Vec<_>>();
    let first = page(None);
    assert_eq!(names(&first), ["k1", "k2"]);
    let last = page(first.cursor.as_deref());
    assert_eq!((names(&last), last.cursor), (vec!["k3".to_owned()], None));
}

#[test]
fn a_second_change_within_a_second_is_refused_from_anywhere() {
    let world = World::new();
    world.kv.throttles.set(true);
    let (here, there) = (world.site(), world.isolate_at(1));
    put(&here, "k", "one").unwrap();
    assert_eq!(put(&there, "k", "two"), Err(StoreFault::Put));
    assert_eq!(delete(&here, "k"), Err(StoreFault::Delete));
    put(&here, "another", "one").unwrap();
    world.advance(1);
    delete(&there, "k").unwrap();
    assert_eq!(put(&here, "k", "three"), Err(StoreFault::Put));
    assert_eq!(world.kv.keys(""), ["another"]);
}

#[test]
fn what_is_done_may_be_reported_as_failed() {
    let world = World::new();
    world.kv.lose_acknowledgements("k");
    assert_eq!(put(&world.site(), "k", "one"), Err(StoreFault::Put));
    assert_eq!(get(&world.site(), "k"), some("one"));
    assert_eq!(delete(&world.site(), "k"), Err(StoreFault::Delete));
    assert_eq!(get(&world.site(), "k"), None);
    put(&world.site(), "another", "one").unwrap();
    world.kv.recover();
    put(&world.site(), "k", "two").unwrap();
}

#[test]
fn a_new_value_may_take_its_time_to_get_elsewhere() {
    let world = World::new();
    let (here, there) = (world.site(), world.isolate_at(1));
    world.kv.lag_behind("k");
    put(&here, "k", "one").unwrap();
    assert_eq!((get(&here, "k"), get(&there, "k")), (some("one"), None));
    world.kv.deliver_late();
    assert_eq!(get(&there, "k"), None, "the miss is remembered");
    world.advance(60);
    assert_eq!(get(&there, "k"), some("one"));
}

#[test]
fn a_late_value_comes_over_what_was_done_meanwhile() {
    let world = World::new();
    let (here, there) = (world.site(), world.isolate_at(1));
    world.kv.delay_puts("k");
    assert_eq!(put(&here, "k", "late"), Err(StoreFault::Put));
    assert_eq!(get(&here, "k"), None);
    world.kv.recover();
    put(&there, "k", "early").unwrap();
    delete(&there, "k").unwrap();
    world.kv.deliver_late();
    assert_eq!((get(&here, "k"), get(&there, "k")), (some("late"), None));
    world.advance(60);
    assert_eq!(get(&there, "k"), some("late"));
    delete(&here, "k").unwrap();
    world.kv.deliver_late();
    assert_eq!(get(&here, "k"), None, "it comes once");
    let puts = world.kv.operations().into_iter().filter(|done| matches!(done, Operation::Put(..)));
    assert_eq!(puts.count(), 2, "a late one is recorded when it is asked for");
}
