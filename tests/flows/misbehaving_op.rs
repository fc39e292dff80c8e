//! An OP that breaks one rule at the callback: the sign-in ends, and nothing was written.

use serde_json::{Value, json};
use vestibule::runtime::TransportFault;

use crate::browser::{Browser, LOGIN};
use crate::callback::assert_nobody_is_signed_in;
use crate::op::{ADA, Endpoint, Instead};
use crate::request::Received;
use crate::world::World;

fn says(status: u16, headers: &[(&'static str, &'static str)], body: &str) -> Instead {
    Instead::Says(status, headers.to_vec(), body.to_owned())
}

/// The answer to a callback after `break_it` has changed the OP, with everything undone.
fn outcome(vars: &Value, break_it: impl Fn(&World)) -> Received {
    let world = World::with(vars);
    let browser = Browser::new(&world);
    let request = browser.begin("/page");
    break_it(&world);
    let answer = browser.come_back_as_script(&world.op.authorize(&request, &ADA));
    assert_eq!(browser.jar.names(LOGIN), [""; 0]);
    world.op.behave();
    assert_nobody_is_signed_in(&world, &browser);
    answer
}

#[test]
fn an_id_token_that_is_wrong_in_one_way_signs_nobody_in() {
    let vectors: Vec<Value> = serde_json::from_str(include_str!("../vectors/flows/id_token.json")).unwrap();
    assert!(vectors.len() > 30);
    for vector in vectors {
        let answer = outcome(&json!({}), |world| {
            if let Some(claims) = vector.get("claims") {
                *world.op.claims.borrow_mut() = claims.clone();
            }
            if let Some(header) = vector.get("header") {
                *world.op.header.borrow_mut() = header.clone();
            }
            if let Some(key) = vector["key"].as_str() {
                *world.op.signing_key.borrow_mut() = key.to_owned();
            }
            if let Some(response) = vector.get("response") {
                world.op.instead(Endpoint::Token, Instead::Merged(response.clone()));
            }
        });
        assert_eq!(answer.problem(), (502, "op_error".to_owned()), "{}", vector["name"]);
    }
}

#[test]
fn a_token_endpoint_that_does_not_answer_as_it_should_has_its_code() {
    let oauth = |error: &str| json!({ "error": error, "error_description": "invalid_grant <b>" }).to_string();
    let cases = [
        (says(302, &[("location", "https://evil.example/")], ""), 502, "op_error"),
        (says(307, &[("location", "https://evil.example/")], ""), 502, "op_error"),
        (says(200, &[], "<html>"), 502, "op_error"),
        (says(200, &[], ""), 502, "op_error"),
        (says(200, &[], "{}"), 502, "op_error"),
        (says(200, &[], "[]"), 502, "op_error"),
        (says(204, &[], ""), 502, "op_error"),
        (says(400, &[], "not json"), 502, "op_error"),
        (says(500, &[], "oops"), 503, "op_unreachable"),
        (says(502, &[], &oauth("invalid_grant")), 503, "op_unreachable"),
        (says(429, &[("retry-after", "17")], ""), 503, "op_unreachable"),
        (says(503, &[("retry-after", "never")], ""), 503, "op_unreachable"),
        (Instead::Fails(TransportFault::TimedOut), 503, "op_unreachable"),
        (Instead::Fails(TransportFault::TooLarge), 503, "op_unreachable"),
        (says(401, &[], &oauth("invalid_client")), 500, "misconfigured"),
        (says(400, &[], &oauth("unauthorized_client")), 500, "misconfigured"),
        (says(400, &[], &oauth("invalid_grant")), 400, "login_attempt_invalid"),
        (says(400, &[], &oauth("interaction_required")), 403, "sign_in_incomplete"),
        (says(400, &[], &oauth("temporarily_unavailable")), 503, "op_unreachable"),
        (says(400, &[], &oauth("<script>")), 503, "op_unreachable"),
        (Instead::Merged(json!({ "token_type": "mac" })), 502, "op_error"),
        (Instead::Merged(json!({ "access_token": "a\r\nx: y" })), 502, "op_error"),
        (Instead::Merged(json!({ "access_token": null })), 502, "op_error"),
        (Instead::Merged(json!({ "expires_in": -1 })), 502, "op_error"),
    ];
    for (instead, status, code) in cases {
        let answer = outcome(&json!({}), |world| world.op.instead(Endpoint::Token, instead.clone()));
        assert_eq!(answer.problem(), (status, code.to_owned()), "{instead:?}");
        assert_eq!(answer.header("retry-after").is_some(), status == 503, "{instead:?}");
    }
}

#[test]
fn the_wait_that_the_op_asks_for_is_passed_on_up_to_an_hour() {
    for (asked, told) in [("17", "17"), ("0", "0"), ("999999", "3600"), ("soon", "5"), ("-1", "5")] {
        let answer = outcome(&json!({}), |world| {
            world.op.instead(Endpoint::Token, says(429, &[("retry-after", asked)], ""));
        });
        assert_eq!(answer.header("retry-after"), Some(told));
    }
}

#[test]
fn a_code_is_sent_once_whatever_comes_of_it() {
    for instead in [Instead::Fails(TransportFault::TimedOut), says(503, &[], ""), says(200, &[], "x")] {
        let world = World::new();
        let browser = Browser::new(&world);
        let callback = world.op.authorize(&browser.begin("/"), &ADA);
        world.op.instead(Endpoint::Token, instead);
        browser.come_back(&callback);
        browser.come_back(&callback);
        assert_eq!(world.op.count(Endpoint::Token), 1);
    }
}

#[test]
fn user_info_about_anyone_else_signs_nobody_in() {
    let cases = [
        (Instead::Merged(json!({ "sub": "bob" })), 502, "op_error"),
        (Instead::Merged(json!({ "sub": null })), 502, "op_error"),
        (Instead::Merged(json!({ "sub": ["ada+1/&<b>"] })), 502, "op_error"),
        (says(200, &[], "<html>"), 502, "op_error"),
        (says(302, &[("location", "https://evil.example")], ""), 502, "op_error"),
        (says(401, &[], ""), 502, "op_error"),
        (says(500, &[], ""), 503, "op_unreachable"),
        (Instead::Fails(TransportFault::NoConnection), 503, "op_unreachable"),
    ];
    for (instead, status, code) in cases {
        let answer = outcome(&json!({ "OpenIdConnect": { "UserInfo": true } }), |world| {
            world.op.instead(Endpoint::UserInfo, instead.clone());
        });
        assert_eq!(answer.problem(), (status, code.to_owned()), "{instead:?}");
    }
}

#[test]
fn user_info_adds_claims_and_replaces_none() {
    let world = World::with(&json!({ "OpenIdConnect": { "UserInfo": true } }));
    let browser = Browser::signed_in(&world, &ADA);
    let me = browser.fetch("/.auth/me").json();
    assert_eq!(me["claims"]["email"], "ada@example.com");
    assert_eq!(me["name"], "Zoë \"Z\" <b>%\r\nX-Evil: 1");
}

#[test]
fn metadata_that_is_not_the_issuers_starts_no_login() {
    for (instead, status, code) in [
        (Instead::Merged(json!({ "issuer": "https://evil.example" })), 502, "op_error"),
        (Instead::Merged(json!({ "token_endpoint": "http://op.example/token" })), 502, "op_error"),
        (Instead::Merged(json!({ "authorization_endpoint": null })), 502, "op_error"),
        (says(200, &[], "garbage"), 502, "op_error"),
        (says(301, &[("location", "https://evil.example")], ""), 502, "op_error"),
        (says(404, &[], ""), 502, "op_error"),
        (says(500, &[], ""), 503, "op_unreachable"),
    ] {
        let world = World::new();
        world.op.instead(Endpoint::Metadata, instead);
        let answer = Browser::new(&world).fetch("/.auth/login");
        assert_eq!(answer.problem(), (status, code.to_owned()));
        assert_eq!(Browser::new(&world).visit("/page").status, status);
        assert_eq!(world.kv.changes(), [""; 0]);
    }
}
