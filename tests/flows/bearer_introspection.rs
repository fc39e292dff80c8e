//! Access tokens that the OP is asked about: when, how often, and what its answers and failures do.

use serde_json::{Value, json};
use vestibule::runtime::TransportFault;

use crate::bearer::{send, served, vars};
use crate::deployment::{changed, two_providers};
use crate::op::{Endpoint, Instead};
use crate::request::Received;
use crate::world::{NOW, World};

fn world(more: &Value) -> World {
    let mut bearer = json!({ "Introspection": "Opaque" });
    crate::deployment::merge(&mut bearer, more);
    World::with(&vars(&json!({ "Bearer": bearer, "OpenIdConnect": { "ClockSkewSeconds": 0 } })))
}

fn asked(world: &World) -> usize {
    world.op.count(Endpoint::Introspection)
}

fn invalid(received: &Received) {
    assert_eq!(received.problem(), (401, "access_token_invalid".to_owned()));
    assert!(received.header("www-authenticate").unwrap().starts_with("Bearer error=\"invalid_token\", "));
}

/// Seconds after which it makes sense to try again.
fn unavailable(received: &Received) -> u64 {
    assert_eq!(received.problem(), (503, "op_unreachable".to_owned()));
    assert_eq!(received.header("www-authenticate"), None, "nothing is said about the token");
    received.header("retry-after").unwrap().parse().unwrap()
}

#[test]
fn which_tokens_the_op_is_asked_about_is_the_operators_choice() {
    for (introspection, jwts, opaques) in [("Off", 0, None), ("Opaque", 0, Some(1)), ("Always", 1, Some(1))] {
        let world = world(&json!({ "Introspection": introspection }));
        let (jwt, opaque) = (world.op.jwt(NOW, &json!({})), world.op.opaque(NOW, &json!({})));
        served(&send(&world, "/machine/a", &jwt));
        assert_eq!(asked(&world), jwts, "{introspection}");
        let answer = send(&world, "/machine/a", &opaque);
        match opaques {
            Some(opaques) => {
                served(&answer);
                assert_eq!(asked(&world), jwts + opaques, "{introspection}");
            }
            None => invalid(&answer),
        }
    }
}

#[test]
fn a_yes_is_believed_for_a_while_and_a_revoked_token_no_longer() {
    for (introspection, seconds) in [("Opaque", 30), ("Always", 30), ("Always", 0)] {
        let world = world(&json!({ "Introspection": introspection, "IntrospectionCacheSeconds": seconds }));
        let token =
            if introspection == "Always" { world.op.jwt(NOW, &json!({})) } else { world.op.opaque(NOW, &json!({})) };
        served(&send(&world, "/machine/a", &token));
        served(&send(&world, "/machine/a", &token));
        assert_eq!(asked(&world), if seconds == 0 { 2 } else { 1 });
        world.op.revoke_access_token(&token);
        if seconds > 0 {
            world.advance(seconds - 1);
            served(&send(&world, "/machine/a", &token));
            world.advance(1);
        }
        invalid(&send(&world, "/machine/a", &token));
        assert_eq!(world.kv.dump().len(), 0);
    }
}

#[test]
fn a_no_is_remembered_for_a_few_seconds_only() {
    let world = world(&json!({}));
    for _ in 0..50 {
        invalid(&send(&world, "/machine/a", "nobody-has-issued-this-token"));
    }
    assert_eq!(asked(&world), 1);
    assert_eq!(world.log().last().unwrap()["reason"], "access token rejected: the OP refused it a moment ago");
    world.advance(5);
    invalid(&send(&world, "/machine/a", "nobody-has-issued-this-token"));
    assert_eq!(asked(&world), 2);
}

#[test]
fn garbage_cannot_make_the_op_be_asked_without_end_nor_push_out_who_is_known() {
    let world = world(&json!({ "IntrospectionCacheSeconds": 300 }));
    let known = world.op.opaque(NOW, &json!({}));
    served(&send(&world, "/machine/a", &known));
    for number in 0..150 {
        let answer = send(&world, "/machine/a", &format!("made-up-by-somebody-{number}"));
        if number < 100 {
            invalid(&answer);
        } else {
            assert_eq!(unavailable(&answer), 10);
        }
    }
    assert_eq!(asked(&world), 101);
    let paused = world.log().iter().filter(|line| line["event"] == "introspection.paused").count();
    assert_eq!(paused, 1);
    served(&send(&world, "/machine/a", &known));
    let fresh = world.op.opaque(NOW, &json!({ "sub": "two" }));
    unavailable(&send(&world, "/machine/a", &fresh));
    world.advance(10);
    served(&send(&world, "/machine/a", &fresh));
    assert_eq!(asked(&world), 102);
}

#[test]
fn any_number_of_honest_clients_is_asked_about() {
    let world = world(&json!({}));
    for number in 0..150 {
        served(&send(&world, "/machine/a", &world.op.opaque(NOW, &json!({ "sub": format!("c{number}") }))));
    }
    assert_eq!(asked(&world), 150);
}

#[test]
fn an_op_that_cannot_answer_says_nothing_against_a_token() {
    let busy = |status, seconds| Instead::Says(status, vec![("retry-after", seconds)], String::new());
    for (instead, wait) in [
        (Instead::Fails(TransportFault::TimedOut), 5),
        (Instead::Fails(TransportFault::NoConnection), 5),
        (Instead::Says(500, vec![], r#"{"active":false}"#.to_owned()), 5),
        (Instead::Says(503, vec![], String::new()), 5),
        (Instead::Says(429, vec![], String::new()), 5),
        (busy(429, "7"), 7),
        (busy(503, "20"), 20),
    ] {
        let world = world(&json!({}));
        let known = world.op.opaque(NOW, &json!({}));
        served(&send(&world, "/machine/a", &known));
        world.op.instead(Endpoint::Introspection, instead.clone());
        let token = world.op.opaque(NOW, &json!({ "sub": "two" }));
        assert_eq!(unavailable(&send(&world, "/machine/a", &token)), wait, "{instead:?}");
        assert_eq!(asked(&world), 2);
        served(&send(&world, "/machine/a", &known));
        world.op.behave();
        world.advance(wait - 1);
        unavailable(&send(&world, "/machine/a", &token));
        assert_eq!(asked(&world), 2, "a crowd does not ask one by one");
        world.advance(1);
        served(&send(&world, "/machine/a", &token));
    }
}

#[test]
fn who_is_remembered_is_not_believed_longer_because_the_op_is_away() {
    let world = world(&json!({}));
    let token = world.op.opaque(NOW, &json!({}));
    served(&send(&world, "/machine/a", &token));
    world.op.outage();
    world.advance(30);
    assert_eq!(unavailable(&send(&world, "/machine/a", &token)), 5);
}

#[test]
fn an_op_that_refuses_us_has_said_nothing_about_the_token() {
    for (status, body) in [(401, r#"{"error":"invalid_client"}"#), (403, ""), (400, r#"{"error":"invalid_request"}"#)] {
        let world = world(&json!({}));
        world.op.instead(Endpoint::Introspection, Instead::Says(status, vec![], body.to_owned()));
        let answer = send(&world, "/machine/a", &world.op.opaque(NOW, &json!({})));
        assert_eq!(answer.problem(), (500, "misconfigured".to_owned()));
        assert_eq!(answer.header("www-authenticate"), None);
    }
}

#[test]
fn an_answer_that_is_none_is_the_ops_fault() {
    for (status, body) in [
        (200, ""),
        (200, "{}"),
        (200, r#"{"active":"true"}"#),
        (200, r#"{"active":true,"active":false}"#),
        (204, ""),
        (302, ""),
        (404, ""),
    ] {
        let world = world(&json!({}));
        world.op.instead(Endpoint::Introspection, Instead::Says(status, vec![], body.to_owned()));
        let token = world.op.opaque(NOW, &json!({}));
        assert_eq!(send(&world, "/machine/a", &token).problem(), (502, "op_error".to_owned()), "{status} {body}");
        world.op.behave();
        served(&send(&world, "/machine/a", &token));
    }
    let world = world(&json!({}));
    world.op.introspects.set(false);
    let answer = send(&world, "/machine/a", &world.op.opaque(NOW, &json!({})));
    assert_eq!(answer.problem(), (502, "op_error".to_owned()));
    assert_eq!(asked(&world), 0);
}

#[test]
fn an_active_token_must_fit_like_any_other() {
    for claims in [
        json!({ "aud": "https://other.example" }),
        json!({ "aud": null }),
        json!({ "iss": "https://evil.example" }),
        json!({ "client_id": null }),
        json!({ "token_type": "DPoP" }),
        json!({ "cnf": { "jkt": "x" } }),
        json!({ "nbf": NOW + 1 }),
    ] {
        let world = world(&json!({}));
        let token = world.op.opaque(NOW, &claims);
        invalid(&send(&world, "/machine/a", &token));
        world.op.instead(Endpoint::Introspection, Instead::Merged(json!({ "exp": NOW })));
        invalid(&send(&world, "/machine/a", &world.op.opaque(NOW, &json!({}))));
    }
}

#[test]
fn cve_2026_33496_the_yes_of_one_provider_is_not_that_of_another() {
    let bearer = |provider: &str| {
        vars(
            &json!({ "Bearer": { "Introspection": "Opaque", "Provider": provider, "IntrospectionCacheSeconds": 300 } }),
        )
    };
    let world = World::of(changed(two_providers(), &bearer("Staff")));
    let token = world.staff.opaque(NOW, &json!({}));
    served(&send(&world, "/machine/a", &token));
    world.redeploy(&json!({ "Bearer": { "Provider": "OpenIdConnect" } }));
    invalid(&send(&world, "/machine/a", &token));
    assert_eq!((world.staff.count(Endpoint::Introspection), asked(&world)), (1, 1));
}

#[test]
fn cve_2026_33496_the_yes_of_one_endpoint_is_not_that_of_another() {
    let world = world(&json!({ "IntrospectionCacheSeconds": 300 }));
    let mint = |sub: &str| world.op.opaque(NOW, &json!({ "sub": sub, "exp": NOW + 100_000 }));
    let (early, token, late) = (mint("early"), mint("token"), mint("late"));
    served(&send(&world, "/machine/a", &early));
    world.advance(12 * 3600 - 10);
    served(&send(&world, "/machine/a", &token));
    served(&send(&world, "/machine/a", &token));
    assert_eq!(asked(&world), 2);
    let moved = json!({ "introspection_endpoint": "https://op.example/introspect?policy=moved" });
    world.op.instead(Endpoint::Metadata, Instead::Merged(moved));
    world.advance(10);
    served(&send(&world, "/machine/a", &late));
    served(&send(&world, "/machine/a", &token));
    assert_eq!(asked(&world), 4);
}

#[test]
fn the_secret_goes_where_the_op_wants_it() {
    for method in ["client_secret_basic", "client_secret_post"] {
        let world = World::with(&vars(&json!({
            "Bearer": { "Introspection": "Opaque" }, "OpenIdConnect": { "TokenEndpointAuthMethod": method },
        })));
        world.op.takes_secret_in_body.set(method == "client_secret_post");
        served(&send(&world, "/machine/a", &world.op.opaque(NOW, &json!({}))));
        world.op.takes_secret_in_body.set(method != "client_secret_post");
    }
}
