//! The operator's own endpoint: who may call it, what for, and that nobody notices where there is no operator.

use serde_json::{Value, json};
use vestibule::runtime::StoreFault;

use crate::back_channel::ADA_AGAIN;
use crate::browser::{Browser, absolute};
use crate::crowd::{ORDERS, caller, is_served, strict_world};
use crate::deployment::{KEY, OTHER_KEY};
use crate::microsoft;
use crate::op::{ADA, BOB};
use crate::request::{Received, Request};
use crate::world::World;

pub(crate) const PATH: &str = "/.auth/operator/sign-out";
pub(crate) const OPERATOR: &str = "//79/Pv6+fj39vX08/Lx8O/u7ezr6uno5+bl5OPi4eA=";

pub(crate) fn vars() -> Value {
    json!({ "Operator__Key": OPERATOR, "Session": { "IdleSeconds": 28_800, "RevocationDelay": 0 } })
}

pub(crate) fn form(pairs: &[(&str, &str)]) -> Request {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(pairs);
    let request = Request::new("POST", &absolute(PATH)).form(&form.finish());
    request.with("authorization", &format!("Bearer {OPERATOR}"))
}

/// The operator asks.
pub(crate) fn asked(world: &World, pairs: &[(&str, &str)]) -> Received {
    let received = world.serve(&form(pairs));
    assert_eq!((received.header("cache-control"), received.set_cookies().count()), (Some("no-store"), 0));
    received
}

#[test]
fn without_a_key_there_is_no_such_endpoint() {
    let world = strict_world();
    let browser = Browser::signed_in(&world, &ADA);
    for request in [form(&[("sub", ADA.sub)]), form(&[]).without("authorization"), form(&[("everybody", "true")])] {
        assert_eq!(world.serve(&request).problem(), (404, "not_found".to_owned()));
    }
    assert!(browser.is_signed_in());
}

#[test]
fn nobody_else_is_the_operator() {
    let world = World::with(&vars());
    let browser = Browser::signed_in(&world, &ADA);
    let good = form(&[("sub", ADA.sub)]);
    let (changes, calls) = (world.kv.changes(), world.accounts.calls());
    for authorization in [
        "",
        "Bearer",
        "Bearer ",
        OPERATOR,
        &format!("Basic {OPERATOR}"),
        &format!("Bearer  {OPERATOR}"),
        &format!("Bearer {OPERATOR}x"),
        &format!("Bearer {}", &OPERATOR[..40]),
        &format!("Bearer {KEY}"),
        &format!("Bearer {OTHER_KEY}"),
        &format!("Bearer {OPERATOR}, Bearer {OPERATOR}"),
        "Bearer é",
    ] {
        let answer = world.serve(&good.clone().with("authorization", authorization));
        assert_eq!(answer.problem(), (401, "operator_refused".to_owned()), "{authorization}");
        assert!(answer.header("www-authenticate").unwrap().starts_with("Bearer"));
    }
    // Not even what is asked is looked at before.
    for request in [
        good.clone().without("authorization"),
        form(&[("nonsense", "1")]).without("authorization"),
        Request { method: "GET".to_owned(), ..good.clone().without("authorization") },
        browser.with_cookies(good.clone().without("authorization")),
    ] {
        assert_eq!(world.serve(&request).status, 401);
    }
    assert_eq!((world.kv.changes(), world.accounts.calls()), (changes, calls));
    assert!(browser.is_signed_in());
    assert_eq!(world.serve(&good.with("authorization", &format!("bEARER {OPERATOR}"))).status, 200);
}

#[test]
fn only_a_form_that_says_whose_sessions_is_a_request() {
    let world = World::with(&vars());
    let browser = Browser::signed_in(&world, &ADA);
    let changes = world.kv.changes();
    let future = (world.time() + 1).to_string();
    let mut refused: Vec<Request> = [
        &[][..],
        &[("sub", "")],
        &[("sub", ADA.sub), ("sub", ADA.sub)],
        &[("sub", ADA.sub), ("everybody", "true")],
        &[("everybody", "false")],
        &[("everybody", "")],
        &[("everybody", "true"), ("everybody", "true")],
        &[("account", "uid.utid")],
        &[("sub", ADA.sub), ("unknown", "1")],
        &[("sub", ADA.sub), ("before", "")],
        &[("sub", ADA.sub), ("before", "-1")],
        &[("sub", ADA.sub), ("before", "1.5")],
        &[("sub", ADA.sub), ("before", future.as_str())],
        &[("sub", ADA.sub), ("before", "1"), ("before", "1")],
        &[("sub", ADA.sub), ("cursor", "x")],
        &[("everybody", "true"), ("cursor", "a"), ("cursor", "b")],
        &[("before", "1")],
    ]
    .into_iter()
    .map(form)
    .collect();
    let good = form(&[("sub", ADA.sub)]);
    refused.push(good.clone().with("content-type", "application/json"));
    refused.push(Request { body: None, ..good.clone() });
    refused.push(Request { body: Some(format!("sub=a&x={}", "y".repeat(33_000))), ..good.clone() });
    for request in refused {
        assert_eq!(world.serve(&request).problem(), (400, "operator_request_invalid".to_owned()), "{request:?}");
    }
    for method in ["GET", "HEAD", "PUT", "DELETE"] {
        let answer = world.serve(&Request { method: method.to_owned(), ..good.clone() });
        assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")));
    }
    assert_eq!(world.kv.changes(), changes);
    assert!(browser.is_signed_in());
}

#[test]
fn an_account_is_signed_out_everywhere_and_no_other_is() {
    let world = World::with(&vars());
    let mine = [&ADA, &ADA_AGAIN].map(|user| caller(&world, user));
    let other = caller(&world, &BOB);
    let answer = asked(&world, &[("sub", ADA.sub)]);
    assert_eq!((answer.status, answer.json()), (200, json!({ "ended_until": world.time(), "cursor": null })));
    assert!(!mine.iter().any(|browser| is_served(&world, &[world.site()], browser)));
    assert!(is_served(&world, &[world.site()], &other));
    assert_eq!((world.kv.keys("account/").len(), world.kv.keys("sid/").len()), (1, 1));
    // Whoever signs in again, in the same second, is.
    assert!(mine[0].sign_in("/", &ADA).is_forwarded && mine[0].fetch(ORDERS).is_forwarded);
    assert!(is_served(&world, &[world.site()], &mine[0]));
    assert_eq!(asked(&world, &[("sub", "nobody")]).status, 200);
    // And is signed out again, although it counts from the next second and the clock stands still.
    assert_eq!(asked(&world, &[("sub", ADA.sub)]).status, 200);
    assert!(!is_served(&world, &[world.site()], &mine[0]) && is_served(&world, &[world.site()], &other));
}

#[test]
fn with_a_moment_only_what_began_up_to_it_ends() {
    let world = World::with(&vars());
    let old = caller(&world, &ADA);
    world.advance(100);
    let new = caller(&world, &ADA_AGAIN);
    let before = (world.time() - 100).to_string();
    let answer = asked(&world, &[("before", &before), ("sub", ADA.sub)]);
    assert_eq!(answer.json(), json!({ "ended_until": world.time() - 100, "cursor": null }));
    assert!(!is_served(&world, &[world.site()], &old) && is_served(&world, &[world.site()], &new));
    assert_eq!((world.kv.keys("account/").len(), world.kv.keys("sid/").len()), (1, 1));
    assert!(new.fetch(ORDERS).is_forwarded);
}

#[test]
fn sessions_under_both_keys_end() {
    let world = World::with(&vars());
    let old = caller(&world, &ADA);
    world.redeploy(&json!({ "Session__Key": OTHER_KEY, "Session__PreviousKeys": KEY }));
    let new = caller(&world, &ADA_AGAIN);
    assert_eq!(asked(&world, &[("sub", ADA.sub)]).status, 200);
    assert!(!is_served(&world, &[], &old) && !is_served(&world, &[], &new));
    assert_eq!((world.kv.keys("account/"), world.kv.keys("sid/")), (vec![], vec![]));
}

#[test]
fn behind_the_microsoft_identity_platform_an_account_is_named_by_its_home() {
    let world = microsoft::world_with(&vars());
    let (browser, other) = (Browser::signed_in(&world, &ADA), Browser::signed_in(&world, &BOB));
    for wrong in [("sub", ADA.sub), ("account", ""), ("account", "no-dot")] {
        assert_eq!(asked(&world, &[wrong]).code(), "operator_request_invalid", "{wrong:?}");
    }
    let home = format!("home-of-{}.72f988bf-86f1-41af-91ab-2d7cd011db47", ADA.sub);
    assert_eq!(asked(&world, &[("account", &home)]).status, 200);
    assert!(!is_served(&world, &[], &browser) && is_served(&world, &[], &other));
}

#[test]
fn a_store_that_fails_is_503_and_the_second_try_works() {
    for (fault, prefix) in [(StoreFault::Delete, "account/"), (StoreFault::List, "account/")] {
        let world = World::with(&vars());
        let browser = caller(&world, &ADA);
        world.kv.fail_at(fault, prefix);
        world.accounts.is_down.set(true);
        let answer = asked(&world, &[("sub", ADA.sub)]);
        assert!(answer.problem() == (503, "cache_unavailable".to_owned()) && answer.header("retry-after").is_some());
        world.accounts.is_down.set(false);
        assert_eq!(asked(&world, &[("sub", ADA.sub)]).status, 503, "what is stored is still there");
        world.kv.recover();
        world.advance(1);
        assert_eq!(asked(&world, &[("sub", ADA.sub)]).status, 200);
        assert_eq!((world.kv.keys("account/"), world.kv.keys("sid/")), (vec![], vec![]));
        assert!(!is_served(&world, &[], &browser));
    }
}
