//! `Session.TokenCache = "DurableObject"`: the accounts' objects keep everything, and there is no copy of anything.

use serde_json::json;
use vestibule::config::TokenCache;
use vestibule::runtime::StoreFault;

use crate::app_tokens;
use crate::browser::{Browser, SESSION};
use crate::crowd::{BILLING, ORDERS, caller, crowd, everywhere, is_served};
use crate::deployment;
use crate::op::{ADA, BOB, Endpoint};
use crate::op_logout::{frame, query};
use crate::operator::{asked, vars};
use crate::request::Received;
use crate::sessions::listed;
use crate::world::World;

fn strict() -> World {
    let vars = json!({ "Session": { "IdleSeconds": 28_800, "RevocationDelay": 0 } });
    World::of(deployment::changed(deployment::on_objects_alone(deployment::environment()), &vars))
}

fn assert_unavailable(answer: &Received) {
    assert_eq!(answer.problem(), (503, "cache_unavailable".to_owned()));
    assert!(answer.header("retry-after").is_some() && answer.set_cookies().count() == 0, "{answer:?}");
}

fn assert_no_store(world: &World) {
    assert_eq!(world.kv.operations(), [], "there is nothing to ask or to tell");
    assert_eq!(world.accounts.to_delete(), [""; 0]);
    assert_eq!((world.background.count(), world.has_logged("store.failed")), (0, false));
}

#[test]
fn a_session_lives_from_its_sign_in_to_its_sign_out_without_a_store() {
    let world = strict();
    assert_eq!(world.isolate().config.token_cache, TokenCache::DurableObject);
    let (browser, other) = (caller(&world, &ADA), caller(&world, &BOB));
    for site in everywhere(&world) {
        browser.moves_to(&site);
        for path in ["/page", "/.auth/me", ORDERS, BILLING] {
            assert_eq!(browser.fetch(path).status, 200, "{path}");
        }
    }
    world.advance(3600);
    let asked = world.op.count(Endpoint::Token);
    for received in crowd(&world, &everywhere(&world), &vec![browser.script("GET", ORDERS); 20], 1) {
        assert!(received.is_forwarded);
    }
    assert_eq!(world.op.count(Endpoint::Token), asked + 1);
    assert_eq!(listed(&browser).len(), 1);
    let replay = browser.copy();
    assert_eq!(browser.post("/.auth/logout").status, 303);
    assert!(!is_served(&world, &[world.site()], &replay) && is_served(&world, &[], &other));
    assert_no_store(&world);
}

#[test]
fn every_way_out_of_a_session_writes_nothing_beside_the_objects() {
    let ends: [fn(&World, &Browser<'_>); 4] = [
        |world, _| assert_eq!(world.serve(&frame(&query(ADA.sid, None))).status, 200),
        |_, browser| assert_eq!(browser.post("/.auth/logout").status, 303),
        |world, _| assert_eq!(asked(world, &[("sub", ADA.sub)]).status, 200),
        |world, _| assert_eq!(asked(world, &[("everybody", "true")]).json()["cursor"], json!(null)),
    ];
    for end in ends {
        let world = strict();
        world.redeploy(&vars());
        let browser = caller(&world, &ADA);
        let replay = browser.copy();
        assert!(replay.fetch("/page").is_forwarded);
        end(&world, &browser);
        assert!(!is_served(&world, &[world.site()], &replay));
        // Half an hour later, too, and a sign-in is one again.
        world.advance(1800);
        assert!(!is_served(&world, &[world.site()], &replay));
        assert!(caller(&world, &ADA).is_signed_in());
        assert_no_store(&world);
    }
}

#[test]
fn an_object_out_of_reach_is_503_wherever_one_asks_and_signs_nobody_out() {
    let world = strict();
    let browser = caller(&world, &ADA);
    let cookie = browser.session();
    for outage in [&world.accounts.is_down, &*world.accounts.storage_fails] {
        outage.set(true);
        // The isolate that served the sign-in remembers the entry, and does not go by that.
        for site in [vec![world.site()], everywhere(&world)].concat() {
            browser.moves_to(&site);
            for path in ["/page", "/.auth/me", ORDERS] {
                assert_unavailable(&browser.fetch(path));
            }
        }
        assert_unavailable(&browser.post("/.auth/logout"));
        assert_eq!(browser.session(), cookie);
        outage.set(false);
        assert!(browser.fetch("/page").is_forwarded && browser.fetch(ORDERS).is_forwarded);
    }
    assert_eq!(world.kv.operations(), []);
}

#[test]
fn within_the_delay_an_object_out_of_reach_is_not_noticed() {
    let world = World::on_objects_alone();
    let browser = caller(&world, &ADA);
    world.accounts.is_down.set(true);
    for (seconds, is_forwarded) in [(0, true), (9, true), (1, false)] {
        world.advance(seconds);
        assert_eq!(browser.fetch("/page").is_forwarded, is_forwarded, "{seconds}");
    }
}

#[test]
fn a_session_that_no_object_knows_is_over_however_young_it_is() {
    let world = World::on_kv_alone();
    let browser = Browser::signed_in(&world, &ADA);
    world.keep_in_objects_alone();
    let answer = browser.fetch("/page");
    assert_eq!(answer.problem(), (401, "session_expired".to_owned()), "its entry is in Workers KV, where nobody looks");
    assert!(answer.expires(SESSION));
    assert!(browser.sign_in("/", &ADA).is_forwarded);
}

#[test]
fn whoever_has_objects_may_give_the_store_up_and_nobody_notices() {
    let world = World::with_accounts();
    let (browser, other, left) = (caller(&world, &ADA), caller(&world, &BOB), caller(&world, &ADA));
    // What a sign-out could not delete, and nobody will.
    world.kv.fail_at(StoreFault::Delete, "account/");
    world.background.is_held.set(true);
    let replay = left.copy();
    left.post("/.auth/logout");
    assert_ne!(world.accounts.to_delete(), [""; 0]);
    world.background.is_held.set(false);
    world.background.forget();
    world.keep_in_objects_alone();
    let operations = world.kv.operations().len();
    assert!(!is_served(&world, &[], &replay) && !is_served(&world, &[], &browser), "her whole account was signed out");
    assert!(is_served(&world, &[], &other) && other.fetch(ORDERS).is_forwarded);
    world.advance(60);
    world.fire_alarms();
    assert_eq!((world.accounts.to_delete(), world.kv.operations().len()), (vec![], operations));
}

#[test]
fn an_isolate_fetches_the_documents_of_the_op_once_and_stores_none() {
    let world = strict();
    let count = || (world.op.count(Endpoint::Metadata), world.op.count(Endpoint::Jwks));
    let (first, second) = (Browser::new(&world), Browser::new(&world));
    first.sign_in("/", &ADA);
    second.sign_in("/", &BOB);
    assert_eq!(count(), (1, 1));
    world.new_isolate();
    Browser::new(&world).sign_in("/", &ADA);
    assert_eq!(count(), (2, 2));
    assert_no_store(&world);
}

#[test]
fn the_applications_own_token_is_in_an_object() {
    let environment = deployment::on_objects_alone(deployment::environment());
    let world = World::of(deployment::changed(environment, &app_tokens::vars()));
    for user in [&ADA, &BOB] {
        world.new_isolate();
        assert!(Browser::signed_in(&world, user).fetch("/api/Reports/x").is_forwarded);
    }
    let asked = world.op.forms(Endpoint::Token);
    let is_its_own = |form: &&Vec<(String, String)>| form.iter().any(|(_, value)| value == "client_credentials");
    assert_eq!(asked.iter().filter(is_its_own).count(), 1);
    assert_no_store(&world);
}
