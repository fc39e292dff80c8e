//! Exchanges that fail: what the caller is told, what is remembered of it, and that an OP that breaks the rules gets
//! nothing through.

use serde_json::json;
use vestibule::runtime::TransportFault;

use crate::api::{bearer, served};
use crate::browser::Browser;
use crate::on_behalf_of::{both_ways, exchanges, microsoft_token, microsoft_world, send, token_of, world};
use crate::op::{ADA, Endpoint, Instead};
use crate::request::Received;
use crate::world::World;

fn says(status: u16, error: &str) -> Instead {
    Instead::Says(status, vec![], json!({ "error": error, "error_description": "<b>AADSTS1</b>" }).to_string())
}

fn with_suberror(error: &str, suberror: &str) -> Instead {
    Instead::Says(400, vec![], json!({ "error": error, "suberror": suberror }).to_string())
}

/// What a caller is told, and how often it is not told by the OP anew.
fn told(world: &World, token: &str) -> (u16, String, Option<String>) {
    let mut answers: Vec<Received> = (0..3).map(|_| send(world, "/api/Orders/1", token)).collect();
    let answer = answers.remove(0);
    for other in &answers {
        assert_eq!((other.problem(), other.header("retry-after")), (answer.problem(), answer.header("retry-after")));
    }
    assert_eq!((exchanges(world), world.downstream.count()), (exchanges(world).min(2), 0));
    assert!(!answer.body.contains("AADSTS") && !answer.body.contains("<b>"));
    let challenge = answer.header("www-authenticate").and_then(|field| field.split(", ").next()).map(str::to_owned);
    (answer.status, answer.code(), challenge)
}

#[test]
fn each_refusal_of_the_op_has_its_own_answer() {
    let invalid = (401, "access_token_invalid", Some("Bearer error=\"invalid_token\""));
    let consent = (403, "consent_required", None);
    let operator = (500, "misconfigured", None);
    let wait = (503, "op_unreachable", None);
    for (instead, (status, code, challenge), is_generic_only) in [
        (says(400, "invalid_grant"), invalid, false),
        (with_suberror("invalid_grant", "bad_token"), invalid, false),
        (with_suberror("invalid_grant", "token_expired"), invalid, false),
        (with_suberror("invalid_grant", "consent_required"), consent, false),
        (says(400, "interaction_required"), consent, false),
        (says(400, "consent_required"), consent, false),
        (says(400, "login_required"), consent, false),
        (says(401, "invalid_client"), operator, false),
        (says(400, "unauthorized_client"), operator, false),
        (says(400, "unsupported_grant_type"), operator, false),
        (says(400, "invalid_scope"), operator, false),
        (says(400, "invalid_target"), operator, false),
        (with_suberror("invalid_grant", "client_mismatch"), operator, false),
        // RFC 8693 §2.2.2: about the subject token.
        (says(400, "invalid_request"), invalid, true),
        (says(400, "temporarily_unavailable"), wait, false),
        (says(400, "never_heard_of"), wait, false),
        (Instead::Fails(TransportFault::TimedOut), wait, false),
        (Instead::Fails(TransportFault::NoConnection), wait, false),
        (Instead::Says(500, vec![], String::new()), wait, false),
        (Instead::Says(200, vec![], "no json".to_owned()), wait, false),
        (Instead::Says(302, vec![("location", "https://evil.example")], String::new()), wait, false),
    ] {
        let expected = (status, code.to_owned(), challenge.map(str::to_owned));
        let mut worlds: Vec<World> = both_ways().into_iter().collect();
        if !is_generic_only {
            worlds.push(microsoft_world(&json!({})));
        }
        for world in worlds {
            let token = if world.op.is_microsoft.get() {
                microsoft_token(&world, &json!({ "sub": "pairwise", "scp": "orders.read" }))
            } else {
                token_of(&world, "user")
            };
            world.op.instead(Endpoint::Token, instead.clone());
            assert_eq!(told(&world, &token), expected, "{instead:?}");
            assert_eq!(world.logged("token.exchange_failed")["code"], code, "{instead:?}");
            world.op.behave();
            world.advance(5);
            served(&send(&world, "/api/Orders/1", &token));
        }
    }
}

#[test]
fn at_the_microsoft_identity_platform_a_malformed_request_is_ours() {
    let world = microsoft_world(&json!({}));
    let token = microsoft_token(&world, &json!({ "sub": "pairwise", "scp": "orders.read" }));
    world.op.instead(Endpoint::Token, says(400, "invalid_request"));
    assert_eq!(send(&world, "/api/Orders/1", &token).problem(), (500, "misconfigured".to_owned()));
}

#[test]
fn the_op_is_left_alone_for_as_long_as_it_says() {
    for world in both_ways() {
        let token = token_of(&world, "user");
        world.op.instead(Endpoint::Token, Instead::Says(429, vec![("retry-after", "30")], String::new()));
        let answer = send(&world, "/api/Orders/1", &token);
        assert_eq!((answer.problem().0, answer.header("retry-after")), (503, Some("30")));
        world.op.behave();
        world.advance(20);
        let answer = send(&world, "/api/Orders/1", &token);
        assert_eq!((answer.problem().0, answer.header("retry-after")), (503, Some("10")));
        served(&send(&world, "/api/Billing/machine/1", &token));
        served(&send(&world, "/api/Orders/1", &token_of(&world, "other")));
        world.advance(10);
        served(&send(&world, "/api/Orders/1", &token));
        assert_eq!(exchanges(&world), 4);
    }
}

#[test]
fn an_outage_ends_neither_a_session_nor_a_token_that_is_still_good() {
    for world in both_ways() {
        let browser = Browser::signed_in(&world, &ADA);
        served(&browser.fetch("/api/Orders/people/1"));
        world.op.expires_in.set(600);
        let token = token_of(&world, "user");
        served(&send(&world, "/api/Orders/1", &token));
        let first = bearer(&world);
        world.op.outage();
        world.advance(400);
        for _ in 0..3 {
            served(&send(&world, "/api/Orders/1", &token));
            assert_eq!(bearer(&world), first, "it is still good, and there is no other");
        }
        assert_eq!((exchanges(&world), world.logged("token.still_used")["api"].as_str()), (2, Some("Orders")));
        world.advance(200);
        assert_eq!(send(&world, "/api/Orders/1", &token).problem(), (503, "op_unreachable".to_owned()));
        assert!(browser.fetch("/api/Orders/people/1").is_forwarded && browser.is_signed_in());
    }
}

#[test]
fn a_token_that_the_op_refuses_is_not_served_from_what_is_left() {
    for world in both_ways() {
        world.op.expires_in.set(600);
        let token = token_of(&world, "user");
        served(&send(&world, "/api/Orders/1", &token));
        world.op.revoke_access_token(&token);
        world.advance(300);
        let count = world.downstream.count();
        assert_eq!(send(&world, "/api/Orders/1", &token).problem(), (401, "access_token_invalid".to_owned()));
        assert_eq!(world.downstream.count(), count);
    }
}

#[test]
fn what_is_no_access_token_is_not_sent_to_the_api() {
    for patch in [
        json!({ "issued_token_type": null }),
        json!({ "issued_token_type": "urn:ietf:params:oauth:token-type:refresh_token" }),
        json!({ "issued_token_type": "urn:ietf:params:oauth:token-type:id_token" }),
        json!({ "issued_token_type": 1 }),
        json!({ "token_type": "N_A" }),
        json!({ "token_type": "DPoP" }),
        json!({ "token_type": null }),
        json!({ "access_token": null }),
        json!({ "access_token": "" }),
        json!({ "access_token": "a b" }),
        json!({ "access_token": "a\r\nX-Evil: 1" }),
        json!({ "expires_in": -1 }),
    ] {
        let world = world();
        let token = token_of(&world, "user");
        world.op.instead(Endpoint::Token, Instead::Merged(patch.clone()));
        assert_eq!(send(&world, "/api/Orders/1", &token).problem(), (503, "op_unreachable".to_owned()), "{patch}");
        assert_eq!(world.downstream.count(), 0, "{patch}");
    }
}

#[test]
fn a_token_whose_life_is_not_stated_is_used_briefly_and_its_scopes_are_the_apis_business() {
    for world in both_ways() {
        let token = token_of(&world, "user");
        world.op.instead(Endpoint::Token, Instead::Merged(json!({ "expires_in": null, "scope": "less" })));
        served(&send(&world, "/api/Orders/1", &token));
        served(&send(&world, "/api/Orders/1", &token));
        assert_eq!(exchanges(&world), 1);
        world.advance(150);
        served(&send(&world, "/api/Orders/1", &token));
        assert_eq!(exchanges(&world), 2);
    }
}

#[test]
fn without_metadata_there_is_nobody_to_ask() {
    let world = world();
    let token = token_of(&world, "user");
    served(&send(&world, "/api/Open/1", &token));
    world.op.outage();
    world.advance(90_000);
    let fresh = world.op.jwt(world.time(), &json!({ "sub": "user", "client_id": "app" }));
    let answer = send(&world, "/api/Orders/1", &fresh);
    assert_eq!((answer.problem(), answer.set_cookies().count()), ((503, "op_unreachable".to_owned()), 0));
}
