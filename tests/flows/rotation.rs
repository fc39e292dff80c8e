//! Rotation of `Session__Key`: signs nobody out, and hides nothing from a sign-out.

use serde_json::{Value, json};

use crate::browser::{Browser, SESSION};
use crate::deployment::{KEY, OTHER_KEY};
use crate::op::{ADA, parameter};
use crate::world::World;

fn rotated() -> Value {
    json!({ "Session__Key": OTHER_KEY, "Session__PreviousKeys": KEY })
}

#[test]
fn a_rotated_key_signs_nobody_out_and_rolls_the_cookie_to_the_new_one() {
    let world = World::new();
    let browser = Browser::signed_in(&world, &ADA);
    world.redeploy(&rotated());
    assert!(browser.is_signed_in());
    assert!(browser.fetch("/api/Orders/x").is_forwarded);
    world.advance(2000);
    browser.visit("/page");
    world.new_isolate();
    assert!(browser.is_signed_in());
}

#[test]
fn an_attempt_and_a_sign_out_under_way_survive_the_rotation() {
    let world = World::new();
    let (arriving, leaving) = (Browser::new(&world), Browser::signed_in(&world, &ADA));
    let callback = world.op.authorize(&arriving.begin("/page"), &ADA);
    let state = parameter(leaving.post("/.auth/logout").location(), "state").unwrap();
    world.advance(60);
    world.redeploy(&rotated());
    assert_eq!(arriving.come_back(&callback).status, 303);
    assert!(arriving.is_signed_in());
    let returned = leaving.come_back(&format!("https://app.example/signout-callback-oidc?state={state}"));
    assert_eq!(returned.status, 200);
}

#[test]
fn a_sign_out_after_the_rotation_removes_what_the_old_key_named() {
    let world = World::new();
    let old = Browser::signed_in(&world, &ADA);
    world.redeploy(&rotated());
    let new = Browser::signed_in(&world, &ADA);
    assert_eq!(world.kv.keys("account/").len(), 2);
    for (leaving, other) in [(&new, &old), (&old, &new)] {
        let replay = leaving.copy();
        leaving.post("/.auth/logout");
        assert_eq!((world.kv.keys("account/"), world.kv.keys("sid/")), (vec![], vec![]));
        world.new_isolate();
        assert!(!other.is_signed_in() && !replay.is_signed_in());
        world.advance(120);
        world.redeploy(&json!({ "Session__Key": KEY, "Session__PreviousKeys": null }));
        old.sign_in("/", &ADA);
        world.redeploy(&rotated());
        new.sign_in("/", &ADA);
    }
}

#[test]
fn cookies_of_another_deployment_are_no_sessions() {
    let ours = World::new();
    let theirs = World::with(&json!({ "Session__Key": OTHER_KEY }));
    let foreign = Browser::signed_in(&theirs, &ADA);
    let browser = Browser::new(&ours);
    browser.jar.plant(SESSION, &foreign.session().unwrap());
    let answer = browser.fetch("/page");
    assert_eq!(answer.problem(), (401, "session_expired".to_owned()));
    assert!(answer.expires(SESSION));
}

#[test]
fn a_key_that_left_the_ring_opens_nothing_any_more() {
    let world = World::new();
    let browser = Browser::signed_in(&world, &ADA);
    world.redeploy(&json!({ "Session__Key": OTHER_KEY }));
    assert_eq!(browser.fetch("/page").code(), "session_expired");
}
