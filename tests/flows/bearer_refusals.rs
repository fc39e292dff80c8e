//! Programs that are refused: each check by itself, what they are told, and what an outage of the OP does.

use serde_json::{Value, json};
use vestibule::runtime::TransportFault;

use crate::bearer::{METADATA, call, send, served, vars, world};
use crate::browser::absolute;
use crate::deployment::{CLIENT_ID, PUBLIC};
use crate::op::{Endpoint, Instead};
use crate::request::{Received, Request};
use crate::world::{NOW, World};

/// Status, code and the challenge without where the metadata are; never a page, a redirect or a cookie.
fn refused(received: &Received) -> (u16, String, Option<String>) {
    assert!(!received.is_forwarded && received.set_cookies().count() == 0, "{received:?}");
    assert_eq!((received.header("location"), received.header("cache-control")), (None, Some("no-store")));
    assert!(received.json().get("login_url").is_none());
    let (status, code) = received.problem();
    let field = received.header("www-authenticate").map(str::to_owned);
    let end = format!("resource_metadata=\"{PUBLIC}{METADATA}\"");
    (status, code, field.map(|field| field.strip_suffix(&end).unwrap_or_else(|| panic!("{field}")).to_owned()))
}

fn invalid() -> (u16, String, Option<String>) {
    (401, "access_token_invalid".to_owned(), Some("Bearer error=\"invalid_token\", ".to_owned()))
}

fn reason(world: &World) -> String {
    world.log().last().unwrap()["reason"].as_str().unwrap().to_owned()
}

#[test]
fn whoever_brings_no_token_is_told_where_one_is_to_be_had() {
    let world = world();
    let bare = Request::new("GET", &absolute("/machine/a"));
    let page = Request::navigation("GET", &absolute("/machine/a"), "none");
    let basic = bare.clone().with("authorization", "Basic YTpi");
    for request in [bare, page, basic, Request::script("POST", &absolute("/machine/a"))] {
        let expected = (401, "access_token_required".to_owned(), Some("Bearer ".to_owned()));
        assert_eq!(refused(&world.serve(&request)), expected);
    }
    let token = world.op.jwt(NOW, &json!({}));
    for field in ["Bearer", "Bearer ", "Bearer a b", "Bearer a, Bearer b", "Bearer \u{e9}", "Bearer\ta", "bearer =a"] {
        let request = call("/machine/a", &token).with("authorization", field);
        let expected =
            (400, "access_token_malformed".to_owned(), Some("Bearer error=\"invalid_request\", ".to_owned()));
        assert_eq!(refused(&world.serve(&request)), expected, "{field:?}");
    }
    let twice = call("/machine/a", &token).with("authorization", &format!("Bearer {token}, Bearer {token}"));
    assert_eq!(refused(&world.serve(&twice)).0, 400);
    assert_eq!(world.op.count(Endpoint::Metadata) + world.downstream.count(), 0, "nobody was asked");
}

#[test]
fn each_check_refuses_and_only_the_log_knows_which() {
    let world = world();
    served(&send(&world, "/machine/a", &world.op.jwt(NOW, &json!({}))));
    for (claims, header, expected) in [
        (json!({ "iss": "https://op.example/" }), json!({}), "iss"),
        (json!({ "aud": "https://other.example" }), json!({}), "aud"),
        (json!({ "aud": CLIENT_ID }), json!({}), "aud"),
        (json!({ "aud": null }), json!({}), "aud"),
        (json!({ "exp": NOW - 61 }), json!({}), "exp has passed"),
        (json!({ "exp": null }), json!({}), "exp"),
        (json!({ "nbf": NOW + 61 }), json!({}), "nbf"),
        (json!({ "iat": NOW + 61 }), json!({}), "iat"),
        (json!({ "sub": null }), json!({}), "sub"),
        (json!({ "client_id": null }), json!({}), "client"),
        (json!({ "cnf": { "jkt": "x" } }), json!({}), "key"),
        (json!({ "scope": 1 }), json!({}), "type"),
        (json!({}), json!({ "typ": null }), "typ"),
        (json!({}), json!({ "typ": "JWT" }), "typ"),
        (json!({}), json!({ "typ": "logout+jwt" }), "typ"),
        (json!({}), json!({ "alg": "none" }), "alg"),
        (json!({}), json!({ "alg": "HS256" }), "alg"),
        (json!({}), json!({ "kid": "rsa" }), "signature"),
        (json!({}), json!({ "crit": ["b64"] }), "crit"),
    ] {
        let token = world.op.jwt_with(NOW, &claims, &header);
        assert_eq!(refused(&send(&world, "/machine/a", &token)), invalid(), "{claims} {header}");
        assert!(reason(&world).starts_with("access token rejected: "), "{}", reason(&world));
        assert!(reason(&world).to_lowercase().contains(expected), "{} of {claims} {header}", reason(&world));
    }
    assert_eq!(refused(&send(&world, "/machine/a", "an-opaque-token-of-somebody")), invalid());
    assert_eq!(reason(&world), "access token rejected: it is no JWT, and introspection is off");
    assert_eq!((world.op.count(Endpoint::Introspection), world.downstream.count()), (0, 1));
}

#[test]
fn cve_2026_55689_a_token_without_our_audience_is_never_taken() {
    let world = World::with(&vars(&json!({ "Bearer": { "Introspection": "Opaque" } })));
    for audience in [json!(null), json!([]), json!(""), json!([""]), json!("*"), json!(["https://app.example/"])] {
        let claims = json!({ "aud": audience });
        for token in [world.op.jwt(NOW, &claims), world.op.opaque(NOW, &claims)] {
            assert_eq!(refused(&send(&world, "/machine/a", &token)), invalid(), "{audience}");
        }
    }
    let claims = json!({ "aud": ["https://other.example", PUBLIC] });
    for token in [world.op.jwt(NOW, &claims), world.op.opaque(NOW, &claims)] {
        served(&send(&world, "/machine/a", &token));
    }
}

#[test]
fn cve_2021_32701_scopes_and_claims_are_judged_anew_for_every_route() {
    for forwards_at_once in [false, true] {
        let world = World::with(&vars(&json!({ "Bearer": { "Introspection": "Opaque" } })));
        world.forwards_at_once.set(forwards_at_once);
        let claims = json!({ "roles": ["Reader"] });
        for token in [world.op.jwt(NOW, &claims), world.op.opaque(NOW, &claims)] {
            for _ in 0..2 {
                served(&send(&world, "/machine/a", &token));
                let challenge =
                    Some("Bearer error=\"insufficient_scope\", scope=\"orders.write orders.read\", ".to_owned());
                let answer = send(&world, "/machine/write", &token);
                assert_eq!(refused(&answer), (403, "insufficient_scope".to_owned(), challenge));
                assert_eq!(answer.json()["scopes"], json!(["orders.write", "orders.read"]));
                let answer = send(&world, "/machine/admin", &token);
                assert_eq!(refused(&answer), (403, "forbidden".to_owned(), None));
                let answer = send(&world, "/machine/hidden", &token);
                assert_eq!(refused(&answer), (404, "not_found".to_owned(), None));
                assert_eq!(reason(&world), "rule hidden requires other claims");
            }
        }
        let claims = json!({ "roles": ["Admin"], "scope": "orders.read orders.write" });
        for token in [world.op.jwt(NOW, &claims), world.op.opaque(NOW, &claims)] {
            for path in ["/machine/a", "/machine/write", "/machine/admin", "/machine/hidden"] {
                served(&send(&world, path, &token));
            }
        }
    }
}

#[test]
fn an_end_user_who_must_authenticate_better_or_anew_is_asked_for_by_the_challenge() {
    let world = world();
    let challenge = "Bearer error=\"insufficient_user_authentication\", acr_values=\"mfa hw\\\"k\", max_age=\"300\", ";
    let expected = (401, "step_up_required".to_owned(), Some(challenge.to_owned()));
    for claims in [
        json!({}),
        json!({ "acr": "mfa" }),
        json!({ "auth_time": NOW }),
        json!({ "acr": "pwd", "auth_time": NOW }),
        json!({ "acr": "mfa", "auth_time": NOW - 361 }),
    ] {
        let token = world.op.jwt(NOW, &claims);
        assert_eq!(refused(&send(&world, "/machine/fresh", &token)), expected, "{claims}");
    }
    let token = world.op.jwt(NOW, &json!({ "acr": "hw\"k", "auth_time": NOW - 200 }));
    served(&send(&world, "/machine/fresh", &token));
    world.advance(161);
    assert_eq!(refused(&send(&world, "/machine/fresh", &token)), expected, "while it is remembered, too");
    served(&send(&world, "/machine/a", &token));
}

#[test]
fn a_token_ends_with_its_exp_though_it_is_remembered() {
    for forwards_at_once in [false, true] {
        let world = World::with(&vars(&json!({
            "Bearer": { "Introspection": "Opaque", "IntrospectionCacheSeconds": 300 },
            "OpenIdConnect": { "ClockSkewSeconds": 0 },
        })));
        world.forwards_at_once.set(forwards_at_once);
        let claims = json!({ "exp": NOW + 100 });
        let tokens = [world.op.jwt(NOW, &claims), world.op.opaque(NOW, &claims)];
        for (seconds, is_served) in [(0, true), (99, true), (1, false), (1, false)] {
            world.advance(seconds);
            for token in &tokens {
                let answer = send(&world, "/machine/a", token);
                assert_eq!(answer.is_forwarded, is_served, "{answer:?}");
                if !is_served {
                    assert_eq!(refused(&answer), invalid());
                }
            }
        }
    }
}

#[test]
fn a_key_that_the_op_rotated_is_fetched_once_and_unknown_ones_at_most_once_a_minute() {
    let world = world();
    served(&send(&world, "/machine/a", &world.op.jwt(NOW, &json!({}))));
    world.advance(61);
    *world.op.signing_key.borrow_mut() = "second key".to_owned();
    *world.op.published_keys.borrow_mut() = vec!["second key".to_owned()];
    served(&send(&world, "/machine/a", &world.op.jwt(world.time(), &json!({}))));
    assert_eq!(world.op.count(Endpoint::Jwks), 2);
    *world.op.signing_key.borrow_mut() = "nobody knows it".to_owned();
    for seconds in 0..30 {
        let token = world.op.jwt(world.time(), &json!({}));
        assert_eq!(refused(&send(&world, "/machine/a", &token)), invalid());
        world.advance(10);
        assert!(world.op.count(Endpoint::Jwks) <= 2 + 1 + seconds / 6, "{seconds}");
    }
    assert!(world.op.count(Endpoint::Jwks) > 3);
}

#[test]
fn a_key_that_was_withdrawn_signs_nothing_any_more() {
    let world = world();
    let token = world.op.jwt(NOW, &json!({ "exp": NOW + 100_000 }));
    served(&send(&world, "/machine/a", &token));
    *world.op.published_keys.borrow_mut() = vec!["second key".to_owned()];
    world.advance(12 * 3600);
    assert_eq!(refused(&send(&world, "/machine/a", &token)), invalid());
}

#[test]
fn an_outage_of_the_op_is_never_the_tokens_fault() {
    let unavailable = |answer: &Received| {
        assert_eq!(refused(answer), (503, "op_unreachable".to_owned(), None));
        answer.header("retry-after").unwrap().parse::<u64>().unwrap()
    };
    let world = world();
    world.op.outage();
    let token = world.op.jwt(NOW, &json!({}));
    assert_eq!(unavailable(&send(&world, "/machine/a", &token)), 5);
    world.op.behave();
    world.advance(5);
    served(&send(&world, "/machine/a", &token));
    world.op.outage();
    served(&send(&world, "/machine/a", &token));
    served(&send(&world, "/machine/a", &world.op.jwt(NOW, &json!({ "sub": "another", "client_id": "c" }))));
    // A key that may be new is no reason to refuse as long as the OP cannot be asked for it.
    world.advance(61);
    *world.op.signing_key.borrow_mut() = "second key".to_owned();
    *world.op.published_keys.borrow_mut() = vec!["second key".to_owned()];
    let fresh = world.op.jwt(world.time(), &json!({}));
    assert_eq!(unavailable(&send(&world, "/machine/a", &fresh)), 5);
    world.op.behave();
    world.advance(5);
    served(&send(&world, "/machine/a", &fresh));
}

#[test]
fn an_op_whose_documents_are_none_is_the_ops_fault() {
    for endpoint in [Endpoint::Metadata, Endpoint::Jwks] {
        let world = world();
        world.op.instead(endpoint, Instead::Says(200, vec![], "[]".to_owned()));
        let token = world.op.jwt(NOW, &json!({}));
        assert_eq!(refused(&send(&world, "/machine/a", &token)), (502, "op_error".to_owned(), None));
    }
}

#[test]
fn an_origin_that_fails_is_reported_to_a_program_as_a_problem() {
    for forwards_at_once in [false, true] {
        let world = world();
        world.forwards_at_once.set(forwards_at_once);
        let token = world.op.jwt(NOW, &json!({}));
        served(&send(&world, "/machine/a", &token));
        *world.downstream.fault.borrow_mut() = Some(TransportFault::TimedOut);
        let page = Request::navigation("GET", &absolute("/machine/a"), "none");
        let page = page.with("authorization", &format!("Bearer {token}"));
        assert_eq!(refused(&world.serve(&page)), (502, "origin_unreachable".to_owned(), None));
    }
}

#[test]
fn the_origins_own_refusal_passes_untouched() {
    let world = world();
    let token = world.op.jwt(NOW, &json!({}));
    world.downstream.answer_next_at("http://", 401, &[("www-authenticate", "Bearer realm=\"origin\"")]);
    let answer = send(&world, "/machine/a", &token);
    assert!(answer.is_forwarded);
    assert_eq!((answer.status, answer.header("www-authenticate")), (401, Some("Bearer realm=\"origin\"")));
}

#[test]
fn claims_are_judged_on_every_kind_of_requirement() {
    let require = json!({
        "Any": [{ "Claims": { "client_id": "nightly" } }, { "Claims": { "sub": "user+1" }, "Present": ["email"] }],
    });
    let world = World::with(&vars(&json!({
        "Gateway": { "Routes": [{ "Path": "/machine/a", "Access": "Bearer", "Require": require }] },
    })));
    for (claims, is_served) in [
        (json!({ "client_id": "nightly" }), true),
        (json!({ "client_id": "Nightly" }), false),
        (json!({ "sub": "user+1", "email": "a@example.com" }), true),
        (json!({ "sub": "user+1" }), false),
        (json!({}), false),
    ] {
        let claims: Value = claims;
        let answer = send(&world, "/machine/a", &world.op.jwt(NOW, &claims));
        assert_eq!(answer.is_forwarded, is_served, "{claims}");
    }
}
