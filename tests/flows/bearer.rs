//! Programs that bring an access token: what is served to them, and what the origin is told.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::browser::{Browser, absolute};
use crate::deployment::{PUBLIC, changed, merge, microsoft, two_providers};
use crate::op::{ADA, Endpoint};
use crate::providers;
use crate::request::{Received, Request};
use crate::world::{NOW, World};

/// A route for each thing that a rule can demand, and variables beside them.
pub(crate) fn vars(more: &Value) -> Value {
    let mut vars = json!({
        "Bearer": { "Audiences": PUBLIC },
        "Gateway": { "Routes": [
            { "Path": "/machine/**", "Access": "Bearer", "Scopes": ["orders.read"] },
            { "Path": "/machine/write", "Name": "write", "Access": "Bearer", "Scopes": ["orders.write", "orders.read"] },
            { "Path": "/machine/admin", "Name": "admin", "Access": "Bearer", "Require": { "Roles": ["Admin"] } },
            {
                "Path": "/machine/hidden", "Name": "hidden", "Access": "Bearer", "Require": { "Roles": ["Admin"] },
                "Hide": true,
            },
            {
                "Path": "/machine/fresh", "Name": "fresh", "Access": "Bearer", "AcrValues": ["mfa", "hw\"k"],
                "MaxAgeSeconds": 300,
            },
            { "Path": "/machine/spa", "Access": "Bearer", "CorsOrigins": ["https://spa.example"] },
            { "Path": "/perhaps", "Access": "Optional" },
        ] },
    });
    merge(&mut vars, more);
    vars
}

pub(crate) fn world() -> World {
    World::with(&vars(&json!({})))
}

/// What a program sends: nothing of a browser.
pub(crate) fn call(path: &str, token: &str) -> Request {
    Request::new("GET", &absolute(path)).with("authorization", &format!("Bearer {token}"))
}

pub(crate) fn send(world: &World, path: &str, token: &str) -> Received {
    world.serve(&call(path, token))
}

pub(crate) fn served(received: &Received) {
    assert!(received.is_forwarded && received.set_cookies().count() == 0, "{received:?}");
}

fn principal(world: &World) -> Value {
    let header = world.downstream.last().header("x-ms-client-principal").unwrap().to_owned();
    serde_json::from_slice(&STANDARD.decode(header).unwrap()).unwrap()
}

fn told(world: &World) -> [Option<String>; 3] {
    let arrival = world.downstream.last();
    ["id", "name", "idp"].map(|name| arrival.header(&format!("x-ms-client-principal-{name}")).map(str::to_owned))
}

#[test]
fn a_good_token_is_served_and_judged_once_while_it_is_remembered() {
    for forwards_at_once in [false, true] {
        let world = world();
        world.forwards_at_once.set(forwards_at_once);
        let token = world.op.jwt(NOW, &json!({}));
        for method in ["GET", "POST", "DELETE", "PROPFIND"] {
            served(&world.serve(&Request { method: method.to_owned(), ..call("/machine/a?b=c", &token) }));
        }
        assert_eq!((world.op.count(Endpoint::Metadata), world.op.count(Endpoint::Jwks)), (1, 1));
        assert_eq!(world.op.count(Endpoint::Introspection), 0);
        assert!(!world.downstream.last().plan.may_be_cached);
        assert_eq!(world.kv.dump().len(), 0, "nothing is written for whoever is not signed in");
    }
}

#[test]
fn the_scheme_is_read_in_any_letter_case_and_nothing_else_is_a_token() {
    let world = world();
    let token = world.op.jwt(NOW, &json!({}));
    for scheme in ["Bearer", "bearer", "BEARER"] {
        served(&world.serve(&call("/machine/a", &token).with("authorization", &format!("{scheme} {token}"))));
    }
    for elsewhere in [
        Request::new("GET", &absolute(&format!("/machine/a?access_token={token}"))),
        Request::new("POST", &absolute("/machine/a")).form(&format!("access_token={token}")),
        Request::new("GET", &absolute("/machine/a")).with("x-ms-token-aad-access-token", &token),
        Request::new("GET", &absolute("/machine/a")).with("proxy-authorization", &format!("Bearer {token}")),
    ] {
        assert_eq!(world.serve(&elsewhere).problem(), (401, "access_token_required".to_owned()));
    }
}

#[test]
fn the_origin_is_told_who_it_is_and_never_gets_the_token() {
    let world = World::with(&vars(&json!({ "Gateway": { "ClaimHeaders": { "X-Shop-Client": "client_id" } } })));
    let user = json!({
        "sub": "user+1", "client_id": "app", "name": "Zo\u{eb}", "roles": ["a", "b"], "scope": "orders.read x",
    });
    let user = world.op.jwt(NOW, &user);
    let spoofed = call("/machine/a", &user)
        .with("x-ms-client-principal-name", "root")
        .with("x-shop_client", "root")
        .with("cookie", "__Host-session=stolen; theme=dark");
    served(&world.serve(&spoofed));
    assert_eq!(told(&world), ["user+1", "Zo%C3%AB", "openidconnect"].map(|text| Some(text.to_owned())));
    let arrival = world.downstream.last();
    assert_eq!((arrival.header("authorization"), arrival.header("x-shop-client")), (None, Some("app")));
    assert_eq!((arrival.header("cookie"), arrival.header("x-shop_client")), (Some("theme=dark"), None));
    let claims = principal(&world)["claims"].clone();
    for (name, value) in [("sub", "user+1"), ("client_id", "app"), ("scope", "orders.read x"), ("roles", "b")] {
        assert!(claims.as_array().unwrap().contains(&json!({ "typ": name, "val": value })), "{name} in {claims}");
    }
    let machine = world.op.jwt(NOW, &json!({}));
    served(&send(&world, "/machine/a", &machine));
    assert_eq!(told(&world), ["machine", "machine", "openidconnect"].map(|text| Some(text.to_owned())));
    let unnamed = world.op.jwt(NOW, &json!({ "sub": "user+2", "client_id": "app" }));
    served(&send(&world, "/machine/a", &unnamed));
    assert_eq!(told(&world)[1].as_deref(), Some("user+2"), "a client's id is no name of its user");
}

#[test]
fn the_assertion_is_about_the_token() {
    let world = World::with(&vars(&json!({ "Gateway": { "OriginAssertion": true } })));
    let token = world.op.jwt(NOW, &json!({ "sub": "user+1", "client_id": "app", "email": "a@example.com" }));
    for _ in 0..2 {
        served(&send(&world, "/machine/a", &token));
        let assertion = world.downstream.last().header("x-vestibule-assertion").unwrap().to_owned();
        let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(assertion.split('.').nth(1).unwrap());
        let claims: Value = serde_json::from_slice(&claims.unwrap()).unwrap();
        for (name, value) in [
            ("sub", "user+1"),
            ("client_id", "app"),
            ("scope", "orders.read"),
            ("email", "a@example.com"),
            ("idp", "https://op.example"),
            ("path", "/machine/a"),
        ] {
            assert_eq!(claims[name], value, "{name}");
        }
        assert!(claims.get("sid_hash").is_none() && claims.get("jti") != Some(&json!("jti-1")));
    }
    world.signs.set(false);
    assert_eq!(send(&world, "/machine/a", &token).problem(), (500, "internal".to_owned()));
}

#[test]
fn tokens_of_two_users_in_one_isolate_are_never_mixed() {
    for forwards_at_once in [false, true] {
        let world = World::with(&vars(&json!({ "Bearer": { "Introspection": "Opaque" } })));
        world.forwards_at_once.set(forwards_at_once);
        let claims = |sub: &str| json!({ "sub": sub, "client_id": "app" });
        let tokens = [
            ("one", world.op.jwt(NOW, &claims("one"))),
            ("two", world.op.jwt(NOW, &claims("two"))),
            ("three", world.op.opaque(NOW, &claims("three"))),
            ("four", world.op.opaque(NOW, &claims("four"))),
        ];
        for _ in 0..3 {
            for (sub, token) in &tokens {
                served(&send(&world, "/machine/a", token));
                assert_eq!(told(&world)[0].as_deref(), Some(*sub));
            }
        }
        assert_eq!(world.op.count(Endpoint::Introspection), 2);
    }
}

#[test]
fn cve_2022_29226_a_token_opens_no_session_route_and_a_session_no_route_for_tokens() {
    for forwards_at_once in [false, true] {
        let world = world();
        world.forwards_at_once.set(forwards_at_once);
        let token = world.op.jwt(NOW, &json!({}));
        served(&send(&world, "/machine/a", &token));
        for credential in [token.as_str(), "garbage", "a.b.c"] {
            for path in ["/page", "/api/Orders/1", "/.auth/me", "/.auth/sessions"] {
                assert_eq!(send(&world, path, credential).problem(), (401, "login_required".to_owned()), "{path}");
            }
        }
        let browser = Browser::signed_in(&world, &ADA);
        assert!(browser.fetch("/page").is_forwarded);
        assert_eq!(browser.fetch("/machine/a").problem(), (401, "access_token_required".to_owned()));
        let with_both = browser.with_cookies(call("/machine/a", "garbage"));
        assert_eq!(world.serve(&with_both).problem(), (401, "access_token_invalid".to_owned()));
        served(&world.serve(&browser.with_cookies(call("/machine/a", &token))));
        assert_eq!(told(&world)[0].as_deref(), Some("machine"));
        let both = browser.send(call("/page", &token));
        assert!(both.is_forwarded);
        assert_eq!(told(&world)[0].as_deref(), Some(ADA.sub), "on its own routes the session counts");
    }
}

#[test]
fn cve_2021_21378_a_bad_token_is_not_taken_for_none() {
    let world = world();
    let stranger = world.op.jwt(NOW, &json!({ "iss": "https://evil.example" }));
    for path in ["/machine/a", "/machine/spa"] {
        assert_eq!(send(&world, path, &stranger).problem(), (401, "access_token_invalid".to_owned()));
    }
    // Where a session is optional, a token is no identity, good or not.
    let good = world.op.jwt(NOW, &json!({}));
    for token in [&stranger, &good] {
        served(&send(&world, "/perhaps", token));
        let arrival = world.downstream.last();
        assert_eq!((arrival.header("authorization"), told(&world)), (None, [None, None, None]));
    }
    let browser = Browser::signed_in(&world, &ADA);
    browser.jar.plant("__Host-session", "broken");
    assert!(browser.fetch("/perhaps").expires("__Host-session"));
}

#[test]
fn a_websocket_ends_with_its_token() {
    let world = World::with(&vars(&json!({ "Bearer": { "Introspection": "Opaque" } })));
    for (claims, ends_at) in [(json!({}), NOW + 3600), (json!({ "exp": NOW + 90 }), NOW + 90)] {
        let token = world.op.jwt(NOW, &claims);
        let handshake = Request::handshake(&absolute("/machine/a")).without("origin").without("sec-fetch-site");
        assert!(world.serve(&handshake.with("authorization", &format!("Bearer {token}"))).is_forwarded);
        let carried = world.downstream.last().plan.carried.unwrap();
        assert_eq!((carried.session, carried.object, carried.ends_at.as_unix()), (None, None, ends_at));
    }
    let endless = world.op.opaque(NOW, &json!({ "exp": null }));
    let handshake = Request::handshake(&absolute("/machine/a"));
    assert!(world.serve(&handshake.with("authorization", &format!("Bearer {endless}"))).is_forwarded);
    assert_eq!(world.downstream.last().plan.carried.unwrap().ends_at.as_unix(), NOW + 3600);
    let refused = world.serve(&Request::handshake(&absolute("/machine/a")));
    assert_eq!(refused.problem(), (401, "access_token_required".to_owned()));
}

#[test]
fn no_page_is_asked_for_the_origin_of_a_call_and_listed_ones_read_it_without_credentials() {
    let world = world();
    let token = world.op.jwt(NOW, &json!({}));
    let foreign = |path: &str, origin: &str| {
        let request = Request { method: "POST".to_owned(), ..call(path, &token) };
        request.with("origin", origin).with("sec-fetch-site", "cross-site")
    };
    served(&world.serve(&foreign("/machine/a", "https://evil.example")));
    let listed = world.serve(&foreign("/machine/spa", "https://spa.example"));
    served(&listed);
    assert_eq!(listed.header("access-control-allow-origin"), Some("https://spa.example"));
    assert_eq!(listed.header("access-control-allow-credentials"), None);
    let unlisted = world.serve(&foreign("/machine/spa", "https://evil.example"));
    assert_eq!(unlisted.header("access-control-allow-origin"), None);
    let preflight = |origin: &str| {
        let request = Request::new("OPTIONS", &absolute("/machine/spa")).with("origin", origin);
        let request = request.with("access-control-request-headers", "authorization");
        world.serve(&request.with("access-control-request-method", "POST"))
    };
    let allowed = preflight("https://spa.example");
    assert_eq!((allowed.status, allowed.header("access-control-allow-headers")), (204, Some("authorization")));
    assert_eq!(allowed.header("access-control-allow-credentials"), None);
    assert_eq!(preflight("https://evil.example").problem(), (403, "csrf_rejected".to_owned()));
    let refused = world.serve(&foreign("/machine/spa", "https://spa.example").with("authorization", "Bearer x"));
    assert_eq!(refused.problem().0, 401);
    assert_eq!(refused.header("access-control-allow-origin"), Some("https://spa.example"));
}

#[test]
fn the_metadata_tell_where_tokens_are_to_be_had() {
    let world = World::with(&vars(&json!({ "Bearer": { "ResourceName": "Orders <&>" } })));
    let ask = |method: &str| world.serve(&Request::new(method, &absolute(METADATA)));
    let answer = ask("GET");
    let expected = json!({
        "resource": PUBLIC, "authorization_servers": ["https://op.example"], "bearer_methods_supported": ["header"],
        "scopes_supported": ["orders.read", "orders.write"], "resource_name": "Orders <&>",
    });
    assert_eq!((answer.status, answer.json()), (200, expected));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.all("cache-control").collect::<Vec<_>>(), ["public, max-age=300"]);
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert_eq!(answer.header("access-control-allow-credentials"), None);
    assert_eq!((ask("HEAD").status, ask("POST").problem()), (200, (405, "method_not_allowed".to_owned())));
    let preflight = Request::new("OPTIONS", &absolute(METADATA)).with("origin", "https://client.example");
    let preflight = world.serve(&preflight.with("access-control-request-method", "GET"));
    assert_eq!((preflight.status, preflight.header("access-control-allow-origin")), (204, Some("*")));
    for below in ["/orders", "/", "x"] {
        let path = format!("{METADATA}{below}");
        assert_eq!(world.serve(&Request::script("GET", &absolute(&path))).problem().1, "login_required", "{path}");
    }
    assert_eq!(world.op.count(Endpoint::Metadata) + world.downstream.count(), 0);
}

#[test]
fn without_access_tokens_the_path_of_the_metadata_is_the_origins() {
    let world = World::new();
    assert_eq!(world.serve(&Request::script("GET", &absolute(METADATA))).problem().1, "login_required");
    let browser = Browser::signed_in(&world, &ADA);
    assert!(browser.fetch(METADATA).is_forwarded);
}

#[test]
fn the_metadata_and_the_challenge_name_the_origin_that_was_asked() {
    let other = "https://other.example";
    let world = World::with(&vars(&json!({ "Gateway": { "AlternateOrigins": [other] } })));
    let answer = world.serve(&Request::new("GET", &format!("{other}{METADATA}")));
    assert_eq!(answer.json()["resource"], other);
    let challenge = world.serve(&Request::new("GET", &format!("{other}/machine/a")));
    let expected = format!("Bearer resource_metadata=\"{other}{METADATA}\"");
    assert_eq!(challenge.header("www-authenticate"), Some(expected.as_str()));
}

#[test]
fn of_several_providers_only_the_one_that_is_named_issues_tokens() {
    let vars = vars(&json!({ "Bearer": { "Provider": "Staff" } }));
    let world = World::of(changed(two_providers(), &vars));
    let browser = Browser::new(&world);
    providers::sign_in(&browser, "OpenIdConnect", &world.op, &ADA);
    let (own, others) = (world.staff.jwt(NOW, &json!({})), world.op.jwt(NOW, &json!({})));
    // A session with the other provider does not turn the request into one of its realm.
    for _ in 0..2 {
        served(&world.serve(&browser.with_cookies(call("/machine/a", &own))));
        assert_eq!(told(&world)[2].as_deref(), Some("Staff"));
    }
    let refused = world.serve(&browser.with_cookies(call("/machine/a", &others)));
    assert_eq!(refused.problem(), (401, "access_token_invalid".to_owned()));
    let metadata = world.serve(&browser.with_cookies(Request::new("GET", &absolute(METADATA))));
    assert_eq!(metadata.json()["authorization_servers"], json!(["https://staff.example"]));
}

#[test]
fn tokens_of_the_microsoft_identity_platform_are_served_by_its_own_rules() {
    const TENANT: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";
    let routes = vars(&json!({ "Bearer": { "Audiences": "5c1d0f2e-93a7-4a39-8f0b-5f3f8a1b2c3d" } }));
    let world = World::of(changed(microsoft(), &routes));
    world.op.is_microsoft.set(true);
    *world.op.issuer.borrow_mut() = format!("https://login.microsoftonline.com/{TENANT}/v2.0");
    *world.op.signing_key.borrow_mut() = "rsa".to_owned();
    let common = json!({
        "aud": "5c1d0f2e-93a7-4a39-8f0b-5f3f8a1b2c3d", "tid": TENANT, "client_id": null, "scope": null, "azp": "app-id",
    });
    let mint = |claims: &Value| {
        let mut all = common.clone();
        merge(&mut all, claims);
        world.op.jwt_with(NOW, &all, &json!({ "typ": "JWT" }))
    };
    let user = mint(&json!({ "sub": "pairwise", "oid": "o1", "scp": "orders.read", "preferred_username": "ada" }));
    served(&send(&world, "/machine/a", &user));
    assert_eq!(told(&world), ["o1", "ada", "aad"].map(|text| Some(text.to_owned())));
    let app = mint(&json!({ "sub": "o2", "oid": "o2", "roles": ["orders.read", "Admin"] }));
    for path in ["/machine/a", "/machine/admin"] {
        served(&send(&world, path, &app));
        assert_eq!(told(&world), ["o2", "app-id", "aad"].map(|text| Some(text.to_owned())));
    }
    let id_token = mint(&json!({ "azp": null, "roles": ["orders.read"] }));
    assert_eq!(send(&world, "/machine/a", &id_token).problem(), (401, "access_token_invalid".to_owned()));
    let metadata = world.serve(&Request::new("GET", &absolute(METADATA)));
    let authority = "https://login.microsoftonline.com/common/v2.0";
    assert_eq!(metadata.json()["authorization_servers"], json!([authority]), "a template is no issuer");
}

pub(crate) const METADATA: &str = "/.well-known/oauth-protected-resource";
