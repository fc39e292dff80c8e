//! The operator signs everybody out: at once here, elsewhere within the delay, and what is stored page by page.

use serde_json::{Value, json};
use vestibule::runtime::StoreFault;

use crate::back_channel::ADA_AGAIN;
use crate::browser::Browser;
use crate::crowd::{ORDERS, caller, is_served};
use crate::kv::Operation;
use crate::op::{ADA, BOB, EndUser};
use crate::operator::{OPERATOR, asked, vars};
use crate::request::Received;
use crate::schedule::{Task, explored};
use crate::sessions::listed;
use crate::site::Site;
use crate::world::World;

const EVE: EndUser = EndUser { sub: "eve", sid: Some("sid-of-eve") };

/// Asks for page after page; returns how many there were.
fn asked_to_the_end(world: &World, before: Option<&str>) -> usize {
    let mut cursor: Option<String> = None;
    for pages in 1..20 {
        let mut pairs = vec![("everybody", "true")];
        pairs.extend(before.map(|before| ("before", before)));
        pairs.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
        let answer = asked(world, &pairs);
        assert_eq!(answer.status, 200, "{answer:?}");
        cursor = answer.json()["cursor"].as_str().map(str::to_owned);
        if cursor.is_none() {
            return pages;
        }
    }
    panic!("there is always another page");
}

#[test]
fn everybody_is_signed_out_and_nothing_is_kept() {
    for page in [1, 2, 100] {
        let world = World::with(&vars());
        world.kv.page.set(Some(page));
        let all = [&ADA, &ADA_AGAIN, &BOB, &EVE].map(|user| caller(&world, user));
        let pages = asked_to_the_end(&world, None);
        assert_eq!(pages == 1, page > 4);
        assert!(!all.iter().any(|browser| is_served(&world, &[world.site()], browser)), "{page}");
        assert_eq!((world.kv.keys("account/"), world.kv.keys("sid/")), (vec![], vec![]), "{page}");
        assert_eq!(world.accounts.all_sessions(), []);
    }
}

#[test]
fn whoever_signs_in_after_that_even_in_the_same_second_is_signed_in() {
    let world = World::with(&vars());
    world.kv.page.set(Some(1));
    let _old = [&ADA, &BOB].map(|user| caller(&world, user));
    let first = asked(&world, &[("everybody", "true")]).json();
    let new = [&EVE, &ADA].map(|user| caller(&world, user));
    let mut cursor = first["cursor"].as_str().map(str::to_owned);
    while let Some(next) = cursor {
        let answer = asked(&world, &[("everybody", "true"), ("cursor", &next)]).json();
        cursor = answer["cursor"].as_str().map(str::to_owned);
    }
    for browser in &new {
        assert!(is_served(&world, &[world.site()], browser) && browser.fetch(ORDERS).is_forwarded);
        assert_eq!(listed(browser).len(), 1, "and it is among one's own");
    }
    world.advance(100);
    assert!(new.iter().all(|browser| is_served(&world, &[world.site()], browser)));
    assert_eq!((world.kv.keys("account/").len(), world.kv.keys("sid/").len()), (2, 2));
}

#[test]
fn however_late_the_next_page_is_asked_for_it_is_about_the_same_moment() {
    let world = World::with(&vars());
    world.kv.page.set(Some(1));
    let old = [&ADA, &BOB, &EVE].map(|user| caller(&world, user));
    let first = asked(&world, &[("everybody", "true")]).json();
    world.advance(300);
    let new = [&ADA, &BOB, &EVE].map(|user| caller(&world, user));
    assert!(new.iter().all(|browser| listed(browser).len() == 1), "some of the others are still stored");
    let mut cursor = first["cursor"].as_str().map(str::to_owned);
    while let Some(next) = cursor {
        let answer = asked(&world, &[("everybody", "true"), ("cursor", &next)]).json();
        assert_eq!(answer["ended_until"], first["ended_until"]);
        cursor = answer["cursor"].as_str().map(str::to_owned);
    }
    assert!(new.iter().all(|browser| is_served(&world, &[world.site()], browser)));
    assert!(!old.iter().any(|browser| is_served(&world, &[world.site()], browser)));
    assert_eq!((world.kv.keys("account/").len(), world.kv.keys("sid/").len()), (3, 3));
    for wrong in ["", "x", "/", "x/y", "-1/y", &format!("{}/y", world.time() + 1)] {
        let answer = asked(&world, &[("everybody", "true"), ("cursor", wrong)]);
        assert_eq!(answer.problem(), (400, "operator_request_invalid".to_owned()), "{wrong}");
    }
}

#[test]
fn sessions_that_began_after_the_moment_go_on_and_are_listed() {
    let world = World::with(&vars());
    let old = caller(&world, &ADA);
    world.advance(100);
    let new = caller(&world, &ADA_AGAIN);
    assert_eq!(listed(&new).len(), 2);
    let before = (world.time() - 50).to_string();
    assert_eq!(asked_to_the_end(&world, Some(&before)), 1);
    assert!(!is_served(&world, &[world.site()], &old) && is_served(&world, &[world.site()], &new));
    assert_eq!(listed(&new).len(), 1);
    // An earlier moment takes nothing back.
    asked_to_the_end(&world, Some("1"));
    assert!(!is_served(&world, &[world.site()], &old) && is_served(&world, &[world.site()], &new));
}

#[test]
fn the_comparison_alone_ends_them_elsewhere_within_the_delay() {
    for (delay, bound) in [(0, 10), (10, 10), (30, 30)] {
        let mut vars = vars();
        vars["Session"]["RevocationDelay"] = json!(delay);
        let world = World::with(&vars);
        let browsers = [&ADA, &BOB].map(|user| Browser::signed_in(&world, user));
        let sites = [world.isolate_at(0), world.isolate_at(1)];
        let served = |site: &Site<'_>| {
            browsers.iter().any(|browser| {
                let answer = site.serve(&browser.script("GET", "/page"));
                assert!(answer.is_forwarded || answer.status == 401, "{answer:?}");
                answer.is_forwarded
            })
        };
        assert!(sites.iter().all(served));
        // Only one page of what is stored is gone through.
        world.kv.page.set(Some(1));
        assert!(asked(&world, &[("everybody", "true")]).json()["cursor"].is_string());
        let old = if crate::WITH_ACCOUNTS { 0 } else { 60 };
        world.advance(bound + old);
        assert!(!sites.iter().any(served), "{delay}");
        assert!(!served(&world.isolate_at(2)), "nor by one that begins now");
        // An earlier moment takes nothing back.
        assert_eq!(asked(&world, &[("everybody", "true"), ("before", "1")]).status, 200);
        assert!(!served(&world.isolate_at(3)), "{delay}");
    }
}

#[test]
fn a_crowd_at_an_isolate_that_has_just_begun_is_not_served_before_that_knows() {
    for seed in 0..60 {
        let world = World::with(&vars());
        let browsers = [&ADA, &BOB, &EVE].map(|user| Browser::signed_in(&world, user));
        world.kv.page.set(Some(1));
        assert_eq!(asked(&world, &[("everybody", "true")]).status, 200);
        world.advance(3600);
        let site = world.isolate_at(3);
        let requests = browsers.each_ref().map(|browser| browser.script("GET", "/page"));
        world.pauses.set(true);
        let tasks = requests.iter().map(|request| Box::pin(site.serving(request)) as Task<'_, Received>);
        let received = explored(tasks.collect(), seed);
        world.pauses.set(false);
        world.finish_background();
        assert!(received.iter().all(|received| received.status == 401), "seed {seed}: {received:?}");
    }
}

#[test]
fn a_moment_that_cannot_be_asked_for_ends_nobodys_session() {
    let world = World::with(&vars());
    let browser = caller(&world, &ADA);
    world.kv.fail_at(StoreFault::Get, "everybody");
    if crate::WITH_ACCOUNTS {
        world.accounts.is_down.set(true);
    }
    for site in [world.isolate_at(0), world.site()] {
        assert!(site.serve(&browser.script("GET", "/page")).is_forwarded);
        world.advance(60);
    }
    assert!(world.has_logged("store.failed"));
}

#[test]
fn a_failure_is_503_and_asking_again_goes_on() {
    for (fault, prefix) in
        [(StoreFault::List, "account/"), (StoreFault::Delete, "account/"), (StoreFault::Put, "every")]
    {
        let world = World::with(&vars());
        let browser = caller(&world, &ADA);
        world.kv.fail_at(fault, prefix);
        if fault == StoreFault::Put {
            world.accounts.is_down.set(true);
        }
        let answer = asked(&world, &[("everybody", "true")]);
        assert_eq!(answer.problem(), (503, "cache_unavailable".to_owned()), "{fault:?}");
        world.accounts.is_down.set(false);
        world.kv.recover();
        world.advance(1);
        assert_eq!(asked_to_the_end(&world, None), 1);
        assert!(!is_served(&world, &[world.site()], &browser));
        assert_eq!((world.kv.keys("account/"), world.kv.keys("sid/")), (vec![], vec![]));
    }
}

#[test]
fn without_an_operator_nobody_is_asked_for_the_moment() {
    let work = |vars: &Value| {
        let world = World::with(vars);
        let browser = caller(&world, &ADA);
        for seconds in [0, 10, 60] {
            world.advance(seconds);
            browser.fetch("/page");
            world.new_isolate();
        }
        browser.post("/.auth/logout");
        let of = |name: &str| world.accounts.called().iter().filter(|called| *called == name).count();
        let reads = world.kv.operations().into_iter().filter(|done| *done == Operation::Get("everybody".to_owned()));
        of("everybody") + reads.count()
    };
    assert_eq!(work(&json!({ "Session": { "RevocationDelay": 0 } })), 0);
    let asked = work(&json!({ "Operator__Key": OPERATOR, "Session": { "RevocationDelay": 0 } }));
    assert!((1..=4).contains(&asked), "{asked}");
}
