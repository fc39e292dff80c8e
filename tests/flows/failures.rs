//! The classes of failures of the token endpoint: what each means for a call whose token is still valid, and for one
//! whose token is not. Neither ends a session.

use serde_json::{Value, json};
use vestibule::runtime::TransportFault;

use crate::api::{bearer, served};
use crate::browser::{Browser, SESSION};
use crate::op::{ADA, Endpoint, Instead};
use crate::world::World;

/// A world where only the absolute end of a session counts.
fn world() -> World {
    World::with(&json!({ "Session": { "IdleSeconds": 28_800 } }))
}

pub(crate) fn vectors() -> Vec<Value> {
    let vectors: Vec<Value> = serde_json::from_str(include_str!("../vectors/flows/token_failures.json")).unwrap();
    assert!(vectors.len() > 40);
    vectors
}

pub(crate) fn fails(world: &World, vector: &Value) {
    let instead = match vector["fault"].as_str() {
        Some("TimedOut") => Instead::Fails(TransportFault::TimedOut),
        Some("NoConnection") => Instead::Fails(TransportFault::NoConnection),
        Some("TooLarge") => Instead::Fails(TransportFault::TooLarge),
        Some(other) => panic!("{other}"),
        None => says(world, vector),
    };
    world.op.instead(Endpoint::Token, instead);
}

fn says(world: &World, vector: &Value) -> Instead {
    let status = u16::try_from(vector["status"].as_u64().unwrap()).unwrap();
    let body = vector["raw"].as_str().map_or_else(|| vector["body"].to_string(), str::to_owned);
    let date = vector["retry_after_in"].as_u64().map(|wait| date(world.time() + wait));
    let wait = vector["retry_after"].as_str().map(str::to_owned).or(date);
    let headers = wait.map(|wait| ("retry-after", &*wait.leak())).into_iter().collect();
    Instead::Says(status, headers, body)
}

/// A moment of 15 January 2027, which is [`crate::world::NOW`]'s day.
fn date(unix: u64) -> String {
    let second = unix - 1_799_971_200;
    format!("Fri, 15 Jan 2027 {:02}:{:02}:{:02} GMT", second / 3600, second / 60 % 60, second % 60)
}

pub(crate) fn tries(vector: &Value) -> usize {
    if vector["tries"] == 2 { 2 } else { 1 }
}

/// How long the failure is remembered.
pub(crate) fn wait(vector: &Value) -> u64 {
    vector["wait"].as_u64().unwrap_or(5)
}

#[test]
fn a_token_that_is_still_valid_is_served_whatever_fails() {
    for vector in vectors() {
        let world = world();
        let browser = Browser::signed_in(&world, &ADA);
        browser.fetch("/api/Billing/x");
        let old = bearer(&world);
        world.advance(3350);
        fails(&world, &vector);
        for _ in 0..3 {
            let answer = browser.fetch("/api/Billing/x");
            served(&answer);
            assert_eq!((bearer(&world), answer.set_cookies().count()), (old.clone(), 0), "{vector}");
            assert_eq!(world.op.count(Endpoint::Token), 1 + tries(&vector), "{vector}");
        }
        assert!(browser.is_signed_in(), "{vector}");
    }
}

#[test]
fn without_a_valid_token_each_failure_has_its_answer_and_the_session_stays() {
    for vector in vectors() {
        let world = world();
        let browser = Browser::signed_in(&world, &ADA);
        world.advance(3600);
        fails(&world, &vector);
        let code = vector["expect"].as_str().unwrap();
        let status = [("interaction_required", 401), ("misconfigured", 500), ("op_unreachable", 503)];
        let status = status.iter().find(|(other, _)| *other == code).unwrap().1;
        let answer = browser.fetch("/api/Billing/x");
        assert_eq!(answer.problem(), (status, code.to_owned()), "{vector}");
        let shown = vector["wait"].as_u64().map(|wait| wait.to_string());
        assert_eq!(answer.header("retry-after").map(str::to_owned), shown, "{vector}");
        assert!(!answer.expires(SESSION) && browser.is_signed_in(), "{vector}");
        assert_eq!(world.op.count(Endpoint::Token), 1 + tries(&vector), "{vector}");
        let slept = if tries(&vector) == 2 { vec![1] } else { vec![] };
        assert_eq!(*world.slept.borrow(), slept, "{vector}");
    }
}

#[test]
fn a_failure_is_remembered_for_its_time_and_no_longer() {
    for vector in vectors() {
        let world = world();
        let browser = Browser::signed_in(&world, &ADA);
        world.advance(3600);
        fails(&world, &vector);
        let first = browser.fetch("/api/Billing/x").problem();
        let asked = world.op.count(Endpoint::Token);
        world.op.behave();
        world.advance(wait(&vector) - 1);
        assert_eq!(browser.fetch("/api/Billing/y").problem(), first, "{vector}");
        assert_eq!(world.op.count(Endpoint::Token), asked, "{vector}");
        world.advance(1);
        let last = browser.fetch("/api/Billing/z");
        // An object gives up what the OP will never take again; on Workers KV alone another isolate may have used it.
        if vector["spent"] == true && !world.accounts.names().is_empty() {
            assert_eq!((last.problem(), world.op.count(Endpoint::Token)), (first, asked), "{vector}");
        } else {
            served(&last);
            assert_eq!(world.op.count(Endpoint::Token), asked + 1, "{vector}");
        }
    }
}

#[test]
fn one_stumble_of_the_op_costs_a_second_and_nothing_else() {
    let world = world();
    let browser = Browser::signed_in(&world, &ADA);
    world.op.instead_once(Endpoint::Token, Instead::Says(502, vec![], String::new()));
    served(&browser.fetch("/api/Orders/x"));
    assert_eq!((world.op.count(Endpoint::Token), world.slept.borrow().clone()), (3, vec![1]));
    assert_eq!(world.op.reuses.get(), 0);
}

#[test]
fn a_code_is_redeemed_once_whatever_fails() {
    for vector in vectors() {
        let world = world();
        let browser = Browser::new(&world);
        let callback = world.op.authorize(&browser.begin("/"), &ADA);
        fails(&world, &vector);
        let answer = browser.come_back_as_script(&callback);
        assert!(answer.status >= 400 && browser.session().is_none(), "{vector}");
        assert_eq!((world.op.count(Endpoint::Token), world.slept.borrow().len()), (1, 0), "{vector}");
        world.op.behave();
        assert_eq!(browser.come_back_as_script(&callback).code(), "login_attempt_invalid", "{vector}");
        assert_eq!(world.op.count(Endpoint::Token), 1, "{vector}");
    }
}

#[test]
fn a_failure_for_one_api_says_nothing_about_another() {
    let world = world();
    let browser = Browser::signed_in(&world, &ADA);
    let refusal = json!({ "error": "interaction_required" }).to_string();
    world.op.instead_once(Endpoint::Token, Instead::Says(400, vec![], refusal));
    assert_eq!(browser.fetch("/api/Orders/x").code(), "interaction_required");
    world.advance(3600);
    served(&browser.fetch("/api/Billing/x"));
    served(&browser.fetch("/api/Orders/x"));
}
