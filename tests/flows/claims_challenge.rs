//! An API that demands claims: another attempt with a token that was asked for with them, once, where nothing is lost.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::api::{bearer, login_url, served, value};
use crate::browser::{Browser, absolute};
use crate::deployment::{BILLING, ORDERS};
use crate::op::{ADA, Endpoint, Instead};
use crate::request::Request;
use crate::schedule::all_at_once;
use crate::world::World;

/// Claims whose base64 has all that its alphabets differ in.
pub(crate) fn claims() -> Value {
    json!({ "access_token": { "acrs": { "essential": true, "value": "c1,>>>???~~~\"ÿ" } } })
}

pub(crate) fn challenge(claims: &str) -> String {
    format!("Bearer realm=\"\", error=\"insufficient_claims\", claims=\"{claims}\"")
}

pub(crate) fn encoded(claims: &Value) -> String {
    STANDARD.encode(claims.to_string())
}

/// The next request to an API is answered with a demand for these claims.
pub(crate) fn demands(world: &World, claims: &Value) {
    world.downstream.answer_next(401, &[("www-authenticate", &challenge(&encoded(claims)))]);
}

/// The claims of the last token request.
pub(crate) fn asked(world: &World) -> Value {
    serde_json::from_str(value(&world.op.last_form(), "claims")).unwrap()
}

/// A world whose isolates decide at once where they can, and one whose isolates never do.
pub(crate) fn both_ways() -> [World; 2] {
    let (at_once, later) = (World::new(), World::new());
    at_once.forwards_at_once.set(true);
    [at_once, later]
}

fn forms() -> Vec<Vec<String>> {
    let text = claims().to_string();
    let quoted = text.replace('\\', "\\\\").replace('"', "\\\"");
    let bearer = challenge(&encoded(&claims()));
    assert!(encoded(&claims()).contains(['+', '/']) && encoded(&claims()).ends_with('='));
    vec![
        vec![bearer.clone()],
        vec![challenge(&URL_SAFE.encode(&text))],
        vec![challenge(&URL_SAFE_NO_PAD.encode(&text))],
        vec![challenge(&quoted)],
        vec![format!("bearer CLAIMS={}, Error=insufficient_claims", encoded(&claims()))],
        vec![format!("Basic realm=\"a, Bearer error=\\\"invalid\\\"\", {bearer}, PoP nonce=\"x==\"")],
        vec!["Negotiate YII=".to_owned(), "Bearer error=\"insufficient_scope\"".to_owned(), bearer],
    ]
}

#[test]
fn every_form_of_a_challenge_is_met_by_one_retry_with_a_token_of_those_claims() {
    for world in both_ways() {
        let browser = Browser::signed_in(&world, &ADA);
        for (number, form) in forms().into_iter().enumerate() {
            let headers: Vec<_> = form.iter().map(|field| ("www-authenticate", field.as_str())).collect();
            world.downstream.answer_next(401, &headers);
            let before = (world.downstream.count(), world.op.count(Endpoint::Token));
            served(&browser.fetch("/api/Billing/x?y"));
            let (first, second) = (world.downstream.arrivals()[before.0].clone(), world.downstream.last());
            assert_eq!(world.downstream.count(), before.0 + 2, "{form:?}");
            assert_eq!((&first.method, &first.url), (&second.method, &second.url));
            assert_ne!(first.bearer(), second.bearer());
            assert_eq!(world.downstream.discarded(), number + 1);
            assert_eq!(world.op.count(Endpoint::Token), before.1 + 1, "{form:?}");
            assert_eq!(asked(&world), claims());
            served(&browser.fetch("/api/Billing/x"));
            assert_eq!(bearer(&world), second.bearer(), "the old token is dropped");
            assert_eq!(world.op.count(Endpoint::Token), before.1 + 1);
        }
    }
}

#[test]
fn the_retry_keeps_the_request_and_asks_for_that_api_only() {
    for world in both_ways() {
        let browser = Browser::signed_in(&world, &ADA);
        served(&browser.fetch("/api/Billing/warm"));
        let billing = bearer(&world);
        served(&browser.fetch("/api/Orders/warm"));
        world.downstream.answer_next_at(ORDERS, 401, &[("www-authenticate", &challenge(&encoded(&claims())))]);
        let request = Request::script("DELETE", &absolute("/api/Orders/a%2fb?c=%20")).with("if-match", "\"1\"");
        served(&browser.send(request));
        let second = world.downstream.last();
        assert_eq!((second.method.as_str(), second.url), ("DELETE", format!("{ORDERS}/a%2fb?c=%20")));
        assert_eq!(second.headers.iter().find(|(name, _)| name == "if-match").unwrap().1, "\"1\"");
        served(&browser.fetch("/api/Billing/x"));
        assert_eq!(bearer(&world), billing, "the other API's token is as good as before");
        assert_eq!(asked(&world), claims(), "no further token request");
    }
}

#[test]
fn a_request_is_sent_twice_at_most_and_then_the_user_is_asked() {
    for world in both_ways() {
        let browser = Browser::signed_in(&world, &ADA);
        for _ in 0..5 {
            demands(&world, &claims());
        }
        let before = (world.downstream.count(), world.op.count(Endpoint::Token));
        let answer = browser.fetch("/api/Billing/x");
        assert!(login_url(&answer).contains("request="));
        assert_eq!(answer.json()["api"], "Billing");
        assert_eq!((world.downstream.count(), world.op.count(Endpoint::Token)), (before.0 + 2, before.1 + 1));
        assert_eq!(world.downstream.discarded(), 2, "no answer is left unread");
        assert!(browser.is_signed_in());
    }
}

#[test]
fn an_answer_that_no_token_can_mend_is_passed_on_untouched() {
    let good = encoded(&claims());
    let number = encoded(&json!({ "access_token": { "nbf": { "value": 1.5 } } }));
    let cases = [
        (401, challenge("%%%")),
        (401, challenge(&STANDARD.encode("[]"))),
        (401, challenge(&STANDARD.encode("{"))),
        (401, challenge(&number)),
        (401, challenge(&STANDARD.encode(format!("{{\"a\":\"{}\"}}", "x".repeat(1500))))),
        (401, "Bearer error=\"insufficient_claims\"".to_owned()),
        (401, format!("Bearer claims=\"{good}\"")),
        (401, format!("Bearer error=\"insufficient_scope\", claims=\"{good}\"")),
        (401, format!("Basic error=\"insufficient_claims\", claims=\"{good}\"")),
        (401, "Bearer".to_owned()),
        (401, "Basic realm=\"Bearer error=insufficient_claims\"".to_owned()),
        (403, challenge(&good)),
        (400, challenge(&good)),
        (200, challenge(&good)),
        (500, challenge(&good)),
    ];
    for world in both_ways() {
        let browser = Browser::signed_in(&world, &ADA);
        for (status, field) in &cases {
            world.downstream.answer_next(*status, &[("www-authenticate", field), ("x-detail", "of the API")]);
            let (arrived, asked) = (world.downstream.count(), world.op.count(Endpoint::Token));
            let answer = browser.fetch("/api/Billing/x");
            assert_eq!((answer.status, answer.is_forwarded), (*status, true), "{field}");
            assert_eq!(answer.header("www-authenticate"), Some(field.as_str()));
            assert_eq!(answer.header("x-detail"), Some("of the API"));
            assert_eq!((world.downstream.count(), world.op.count(Endpoint::Token)), (arrived + 1, asked), "{field}");
        }
        world.downstream.answer_next(401, &[]);
        assert_eq!(browser.fetch("/api/Billing/x").status, 401);
        assert_eq!(world.downstream.discarded(), 0);
    }
}

#[test]
fn the_origins_challenges_are_its_own() {
    for world in both_ways() {
        let browser = Browser::signed_in(&world, &ADA);
        world.downstream.answer_next_at("http://", 401, &[("www-authenticate", &challenge(&encoded(&claims())))]);
        let answer = browser.fetch("/page");
        assert_eq!((answer.status, answer.is_forwarded), (401, true));
        assert_eq!(world.op.count(Endpoint::Token), 1);
    }
}

fn upload() -> Request {
    Request::script("POST", &absolute("/api/Billing/upload")).with("content-length", "7")
}

#[test]
fn a_body_is_never_sent_twice_but_the_next_call_has_the_new_token() {
    for (world, is_chunked) in both_ways().into_iter().chain(both_ways()).zip([false, false, true, true]) {
        let browser = Browser::signed_in(&world, &ADA);
        demands(&world, &claims());
        let chunked = Request::script("PUT", &absolute("/api/Billing/upload")).with("transfer-encoding", "chunked");
        let before = world.downstream.count();
        let answer = browser.send(if is_chunked { chunked } else { upload() });
        assert_eq!((answer.status, answer.is_forwarded), (401, true));
        assert!(answer.header("www-authenticate").is_some());
        assert_eq!((world.downstream.count(), world.downstream.discarded()), (before + 1, 0));
        assert_eq!(asked(&world), claims());
        let old = bearer(&world);
        let asked = world.op.count(Endpoint::Token);
        served(&browser.send(upload()));
        assert_ne!(bearer(&world), old);
        assert_eq!(world.op.count(Endpoint::Token), asked);
    }
}

#[test]
fn with_a_body_the_user_is_asked_at_once_if_nobody_else_can_help() {
    for world in both_ways() {
        let browser = Browser::signed_in(&world, &ADA);
        demands(&world, &claims());
        let refusal = json!({ "error": "interaction_required" }).to_string();
        world.op.instead_once(Endpoint::Token, Instead::Says(400, vec![], refusal));
        login_url(&browser.send(upload()));
        assert_eq!(world.downstream.discarded(), 1);
        world.advance(10);
        demands(&world, &claims());
        world.op.instead(Endpoint::Token, Instead::Says(400, vec![], json!({ "error": "x" }).to_string()));
        let answer = browser.send(upload());
        assert_eq!((answer.status, answer.is_forwarded), (401, true), "the API's own word is better than an outage's");
    }
}

#[test]
fn without_a_body_an_outage_during_the_retry_is_said() {
    for world in both_ways() {
        let browser = Browser::signed_in(&world, &ADA);
        demands(&world, &claims());
        world.op.outage();
        assert_eq!(browser.fetch("/api/Billing/x").problem(), (503, "op_unreachable".to_owned()));
        assert_eq!(world.downstream.discarded(), 1);
        world.op.behave();
        served(&browser.fetch("/api/Billing/x"));
    }
}

/// Two requests at once, each answered with a demand for its claims: how many token requests that makes.
fn concurrently(first: &Value, second: &Value) -> usize {
    let world = World::with_accounts();
    let browser = Browser::signed_in(&world, &ADA);
    demands(&world, first);
    demands(&world, second);
    let before = world.op.count(Endpoint::Token);
    world.pauses.set(true);
    let request = || browser.with_cookies(Request::script("GET", &absolute("/api/Billing/x")));
    let requests = [request(), request()];
    let tasks = requests.iter().map(|request| Box::pin(world.serving(request)) as _).collect();
    for answer in all_at_once(tasks) {
        served(&answer);
    }
    let arrived = world.downstream.arrivals().into_iter().filter(|arrival| arrival.url.starts_with(BILLING));
    assert_eq!(arrived.count(), 4);
    assert_eq!(world.op.reuses.get(), 0);
    world.op.count(Endpoint::Token) - before
}

#[test]
fn the_same_demand_of_two_requests_is_one_token_request_and_two_demands_are_two() {
    assert_eq!(concurrently(&claims(), &claims()), 1);
    assert_eq!(concurrently(&claims(), &json!({ "access_token": { "acrs": { "value": "c2" } } })), 2);
}
