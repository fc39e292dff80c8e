//! Claims that are demanded on the way to an API: by the OP, of the token that is exchanged, or by the API, of the one it
//! got. Whoever called is told what to come back with.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::api::{bearer, bearers, served};
use crate::bearer::{METADATA, call};
use crate::claims_challenge::{asked, claims, demands};
use crate::deployment::{ORDERS, PUBLIC};
use crate::on_behalf_of::{both_ways, exchanges, microsoft_token, microsoft_world, send, token_of};
use crate::op::{Endpoint, Instead};
use crate::request::{Received, Request};

/// The claims of a challenge of ours, which has nothing else of note.
fn challenged(answer: &Received, authorization_uri: &str) -> Value {
    assert_eq!(answer.problem(), (401, "insufficient_claims".to_owned()));
    assert!(!answer.is_forwarded && answer.set_cookies().count() == 0, "{answer:?}");
    assert!(answer.json().get("login_url").is_none());
    assert_eq!(answer.json()["api"], "Orders");
    let field = answer.header("www-authenticate").unwrap();
    let rest = field.strip_prefix("Bearer error=\"insufficient_claims\", claims=\"").unwrap();
    let (claims, rest) = rest.split_once('"').unwrap();
    let expected = format!(", authorization_uri=\"{authorization_uri}\", resource_metadata=\"{PUBLIC}{METADATA}\"");
    assert_eq!(rest, expected);
    serde_json::from_slice(&STANDARD.decode(claims).unwrap()).unwrap()
}

const AUTHORIZE: &str = "https://op.example/authorize?policy=p%26q";

fn refusal(error: &str, claims: Option<&str>) -> Instead {
    let body =
        json!({ "error": error, "suberror": "basic_action", "claims": claims, "error_description": "AADSTS50076" });
    Instead::Says(400, vec![], body.to_string())
}

#[test]
fn what_the_op_demands_is_relayed_and_remembered_for_a_moment() {
    for error in ["interaction_required", "invalid_grant"] {
        for world in both_ways() {
            let token = token_of(&world, "user");
            world.op.instead(Endpoint::Token, refusal(error, Some(&claims().to_string())));
            for _ in 0..3 {
                assert_eq!(challenged(&send(&world, "/api/Orders/1", &token), AUTHORIZE), claims());
            }
            assert_eq!((exchanges(&world), world.downstream.count()), (1, 0), "a loop does not reach the OP");
            let logged = world.logged("token.exchange_failed");
            assert_eq!((&logged["api"], &logged["code"]), (&json!("Orders"), &json!("insufficient_claims")));
            // The stronger token is another one, about which nothing is known.
            world.op.behave();
            served(&send(&world, "/api/Orders/1", &token_of(&world, "user")));
            assert_eq!(challenged(&send(&world, "/api/Orders/1", &token), AUTHORIZE), claims());
            world.advance(5);
            served(&send(&world, "/api/Orders/1", &token));
            assert_eq!(exchanges(&world), 3);
        }
    }
}

#[test]
fn nothing_but_a_usable_demand_is_relayed() {
    for unusable in ["", "[]", "not json", "{\"a\":1.5}", "\"\r\nX-Evil: 1\""] {
        let [world, _] = both_ways();
        let token = token_of(&world, "user");
        world.op.instead(Endpoint::Token, refusal("interaction_required", Some(unusable)));
        let answer = send(&world, "/api/Orders/1", &token);
        assert_eq!((answer.problem(), answer.header("www-authenticate")), ((403, "consent_required".to_owned()), None));
    }
    let [world, _] = both_ways();
    let token = token_of(&world, "user");
    let hostile = "{ \"x\" : \"\\\"\\r\\nSet-Cookie: a=b\\u2028<script>\" }";
    world.op.instead(Endpoint::Token, refusal("interaction_required", Some(hostile)));
    let expected: Value = serde_json::from_str(hostile).unwrap();
    assert_eq!(challenged(&send(&world, "/api/Orders/1", &token), AUTHORIZE), expected);
}

#[test]
fn an_api_that_demands_claims_gets_another_token_once() {
    for world in both_ways() {
        let token = token_of(&world, "user");
        served(&send(&world, "/api/Orders/warm", &token));
        let first = bearer(&world);
        demands(&world, &claims());
        served(&send(&world, "/api/Orders/1", &token));
        assert_eq!((asked(&world), exchanges(&world), world.downstream.discarded()), (claims(), 2, 1));
        let second = bearer(&world);
        assert_ne!(first, second);
        served(&send(&world, "/api/Orders/1", &token));
        assert_eq!((bearer(&world), exchanges(&world)), (second, 2), "the old token is dropped");
    }
}

#[test]
fn what_another_token_does_not_mend_is_for_the_caller() {
    for world in both_ways() {
        let token = token_of(&world, "user");
        served(&send(&world, "/api/Orders/warm", &token));
        for _ in 0..2 {
            demands(&world, &claims());
        }
        assert_eq!(challenged(&send(&world, "/api/Orders/1", &token), AUTHORIZE), claims());
        assert_eq!((world.downstream.count(), world.downstream.discarded(), exchanges(&world)), (3, 2, 2));
        // A client that comes again with the same token does not make the OP be asked for the same again.
        demands(&world, &claims());
        assert_eq!(challenged(&send(&world, "/api/Orders/1", &token), AUTHORIZE), claims());
        assert_eq!((world.downstream.count(), exchanges(&world)), (4, 2));
        let other = json!({ "access_token": { "acrs": { "essential": true, "value": "c2" } } });
        demands(&world, &other);
        served(&send(&world, "/api/Orders/1", &token));
        assert_eq!((asked(&world), exchanges(&world)), (other, 3));
    }
}

#[test]
fn what_the_op_wants_the_user_for_is_relayed_from_the_retry_too() {
    for world in both_ways() {
        let token = token_of(&world, "user");
        served(&send(&world, "/api/Orders/warm", &token));
        let stronger = json!({ "access_token": { "acrs": { "essential": true, "value": "c9" } } });
        world.op.instead(Endpoint::Token, refusal("interaction_required", Some(&stronger.to_string())));
        demands(&world, &claims());
        assert_eq!(challenged(&send(&world, "/api/Orders/1", &token), AUTHORIZE), stronger);
        assert_eq!((world.downstream.discarded(), exchanges(&world)), (1, 2));
        served(&send(&world, "/api/Orders/1", &token));
        assert_eq!(exchanges(&world), 2, "the token is as good as before for whoever does not demand more");
    }
}

#[test]
fn a_body_is_never_sent_twice() {
    for world in both_ways() {
        let token = token_of(&world, "user");
        served(&send(&world, "/api/Orders/warm", &token));
        let post = || {
            let request = Request { method: "POST".to_owned(), ..call("/api/Orders/1", &token) };
            Request { body: Some("{}".to_owned()), ..request.with("content-length", "2") }
        };
        demands(&world, &claims());
        let answer = world.serve(&post());
        assert_eq!((answer.status, answer.is_forwarded), (401, true), "the challenge is passed on");
        assert!(answer.header("www-authenticate").unwrap().contains("insufficient_claims"));
        assert_eq!((world.downstream.count(), exchanges(&world)), (2, 2));
        served(&world.serve(&post()));
        assert_eq!(exchanges(&world), 2, "the next call finds the token");
        world.op.instead(Endpoint::Token, refusal("interaction_required", Some(&claims().to_string())));
        let other = json!({ "access_token": { "acrs": { "value": "c2" } } });
        demands(&world, &other);
        assert_eq!(challenged(&world.serve(&post()), AUTHORIZE), claims());
        world.advance(5);
        world.op.instead(Endpoint::Token, Instead::Says(500, vec![], String::new()));
        demands(&world, &other);
        let answer = world.serve(&post());
        assert_eq!((answer.status, answer.is_forwarded), (401, true));
    }
}

#[test]
fn a_token_that_the_api_calls_invalid_is_replaced_once_and_not_every_time() {
    for world in both_ways() {
        let token = token_of(&world, "user");
        served(&send(&world, "/api/Orders/warm", &token));
        world.advance(5);
        for _ in 0..2 {
            world.downstream.answer_next(401, &[("www-authenticate", "Bearer error=\"invalid_token\"")]);
        }
        let answer = send(&world, "/api/Orders/1", &token);
        assert_eq!((answer.status, answer.is_forwarded, exchanges(&world)), (401, true, 2));
        for _ in 0..5 {
            world.downstream.answer_next(401, &[("www-authenticate", "Bearer error=\"invalid_token\"")]);
            let answer = send(&world, "/api/Orders/1", &token);
            assert_eq!((answer.status, answer.is_forwarded, exchanges(&world)), (401, true, 2));
        }
        world.advance(5);
        world.downstream.answer_next(401, &[("www-authenticate", "Bearer error=\"invalid_token\"")]);
        served(&send(&world, "/api/Orders/1", &token));
        let sent = bearers(&world, ORDERS);
        assert_eq!(exchanges(&world), 3);
        assert_ne!(sent[sent.len() - 1], sent[sent.len() - 2]);
    }
}

#[test]
fn at_the_microsoft_identity_platform_the_capabilities_stay_beside_the_claims() {
    let world = microsoft_world(&json!({ "AzureAd": { "ClientCapabilities": "cp1" } }));
    let token = microsoft_token(&world, &json!({ "sub": "pairwise", "scp": "orders.read" }));
    demands(&world, &claims());
    served(&send(&world, "/api/Orders/1", &token));
    let mut expected = claims();
    expected["access_token"]["xms_cc"] = json!({ "values": ["cp1"] });
    assert_eq!(asked(&world), expected);
    world.op.instead(Endpoint::Token, refusal("interaction_required", Some(&claims().to_string())));
    let other = microsoft_token(&world, &json!({ "sub": "pairwise", "scp": "orders.read", "uti": "2" }));
    let authorize = "https://login.microsoftonline.com/common/authorize?policy=p%26q";
    assert_eq!(challenged(&send(&world, "/api/Orders/1", &other), authorize), claims());
}
