//! Programs that call APIs: the API gets a token that was exchanged for the caller's, and never the caller's own.

use serde_json::{Value, json};

use crate::api::{bearer, bearers, optional, served, value};
use crate::bearer::call;
use crate::browser::{Browser, absolute};
use crate::deployment::{self, BILLING, BILLING_RESOURCE, ORDERS, ORDERS_RESOURCE, PUBLIC, changed, merge, microsoft};
use crate::op::{ADA, BOB, Endpoint};
use crate::request::{Received, Request};
use crate::world::{NOW, World};

const RFC_8693: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
pub(crate) const TENANT: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";
const AUDIENCE: &str = "5c1d0f2e-93a7-4a39-8f0b-5f3f8a1b2c3d";

/// Orders for programs, one path of it for browsers; Billing the other way round; and APIs of the other kinds.
pub(crate) fn vars(more: &Value) -> Value {
    let mut vars = json!({
        "Bearer": { "Audiences": PUBLIC },
        "DownstreamApis": {
            "Reports": { "BaseUrl": "https://reports.example", "Scopes": "reports.all", "RequestAppToken": true },
            "Open": { "BaseUrl": "https://open.example", "Anonymous": true },
        },
        "Gateway": { "Routes": [
            { "Path": "/api/Orders/**", "Access": "Bearer", "Scopes": ["orders.read"] },
            { "Path": "/api/Orders/people/**", "Access": "Api" },
            { "Path": "/api/Orders/admin", "Name": "admin", "Access": "Bearer", "Require": { "Roles": ["Admin"] } },
            { "Path": "/api/Orders/fresh", "Access": "Bearer", "AcrValues": ["mfa"], "MaxAgeSeconds": 300 },
            { "Path": "/api/Orders/spa", "Access": "Bearer", "CorsOrigins": ["https://spa.example"] },
            { "Path": "/api/Billing/machine/**", "Access": "Bearer" },
            { "Path": "/api/Billing/**", "Methods": ["POST"], "Access": "Bearer" },
            { "Path": "/api/Reports/**", "Access": "Bearer" },
            { "Path": "/api/Open/**", "Access": "Bearer" },
        ] },
    });
    merge(&mut vars, more);
    vars
}

pub(crate) fn world() -> World {
    World::with(&vars(&json!({})))
}

/// A world whose isolates never decide at once, and one whose isolates do where they can.
pub(crate) fn both_ways() -> [World; 2] {
    let at_once = world();
    at_once.forwards_at_once.set(true);
    [world(), at_once]
}

/// A token of a program that acts for that person.
pub(crate) fn token_of(world: &World, sub: &str) -> String {
    world.op.jwt(NOW, &json!({ "sub": sub, "client_id": "app" }))
}

pub(crate) fn send(world: &World, path: &str, token: &str) -> Received {
    world.serve(&call(path, token))
}

/// How often a token was exchanged.
pub(crate) fn exchanges(world: &World) -> usize {
    let forms = world.op.forms(Endpoint::Token);
    forms.iter().filter(|form| optional(form, "assertion").or(optional(form, "subject_token")).is_some()).count()
}

/// Behind the Microsoft identity platform, where programs act for people of one tenant.
pub(crate) fn microsoft_world(more: &Value) -> World {
    let routes = vars(&json!({ "Bearer": { "Audiences": AUDIENCE }, "DownstreamApis": { "Reports": null } }));
    let environment = changed(microsoft(), &routes);
    let world = World::of(changed(environment, more));
    world.op.is_microsoft.set(true);
    *world.op.issuer.borrow_mut() = format!("https://login.microsoftonline.com/{TENANT}/v2.0");
    *world.op.signing_key.borrow_mut() = "rsa".to_owned();
    world
}

pub(crate) fn microsoft_token(world: &World, claims: &Value) -> String {
    let mut all =
        json!({ "aud": AUDIENCE, "tid": TENANT, "client_id": null, "scope": null, "azp": "app-id", "oid": "o1" });
    merge(&mut all, claims);
    world.op.jwt_with(NOW, &all, &json!({ "typ": "JWT" }))
}

#[test]
fn an_api_gets_the_token_that_the_op_gave_for_the_callers() {
    for world in both_ways() {
        let token = token_of(&world, "user+1");
        let request = Request { method: "DELETE".to_owned(), ..call("/api/Orders/a%2fb?c=%20", &token) };
        let request = request.with("cookie", "__Host-session=x; a=b").with("origin", "https://evil.example");
        served(&world.serve(&request.with("x-ms-client-principal-name", "root").with("if-match", "\"1\"")));
        let arrival = world.downstream.last();
        assert_eq!((arrival.method.as_str(), arrival.url.clone()), ("DELETE", format!("{ORDERS}/a%2fb?c=%20")));
        let issued = world.op.issued(arrival.bearer());
        assert_eq!((issued.sub, issued.resource.as_deref()), ("user+1", Some(ORDERS_RESOURCE)));
        assert_eq!(issued.scope, "orders.read orders.write");
        for absent in ["cookie", "origin", "x-ms-client-principal-name"] {
            assert_eq!(arrival.header(absent), None, "{absent}");
        }
        assert_eq!(arrival.header("if-match"), Some("\"1\""));
        assert_eq!(arrival.headers.iter().filter(|(name, _)| name == "authorization").count(), 1);
        let form = world.op.last_form();
        assert_eq!((value(&form, "grant_type"), value(&form, "subject_token")), (RFC_8693, token.as_str()));
        assert_eq!(form.iter().filter(|(name, _)| name == "grant_type").count(), 1);
        assert_eq!(optional(&form, "claims"), None);
        assert_eq!(world.logged("token.exchanged")["api"], "Orders");
        assert!(!arrival.plan.may_be_cached && arrival.plan.answer.drop_cookies && arrival.plan.answer.force_no_store);
        assert_eq!(world.kv.dump().len(), 0, "nothing is written for whoever is not signed in");
    }
}

#[test]
fn a_token_is_exchanged_once_for_each_api_and_caller() {
    for world in both_ways() {
        let (one, other) = (token_of(&world, "one"), token_of(&world, "other"));
        for _ in 0..3 {
            for (token, sub) in [(&one, "one"), (&other, "other")] {
                for (path, resource) in
                    [("/api/Orders/1", ORDERS_RESOURCE), ("/api/Billing/machine/1", BILLING_RESOURCE)]
                {
                    served(&send(&world, path, token));
                    let issued = world.op.issued(&bearer(&world));
                    assert_eq!((issued.sub, issued.resource.as_deref()), (sub, Some(resource)));
                }
            }
        }
        assert_eq!(exchanges(&world), 4);
        world.new_isolate();
        served(&send(&world, "/api/Orders/1", &one));
        assert_eq!(exchanges(&world), 5, "an isolate remembers by itself");
    }
}

#[test]
fn a_program_without_an_end_user_is_told_so_before_anybody_is_asked() {
    let microsoft = microsoft_world(&json!({}));
    let app =
        microsoft_token(&microsoft, &json!({ "sub": "o2", "oid": "o2", "roles": ["orders.read"], "idtyp": "app" }));
    let generic = world();
    let machine = generic.op.jwt(NOW, &json!({}));
    for (world, token) in [(microsoft, app), (generic, machine)] {
        for _ in 0..2 {
            let answer = send(&world, "/api/Orders/1", &token);
            assert_eq!(answer.problem(), (403, "end_user_required".to_owned()));
            assert_eq!((answer.header("www-authenticate"), answer.json()["api"].as_str()), (None, Some("Orders")));
            assert_eq!(answer.set_cookies().count(), 0);
        }
        assert_eq!((world.op.count(Endpoint::Token), world.downstream.count()), (0, 0));
        served(&send(&world, "/api/Open/1", &token));
        assert_eq!(world.downstream.last().header("authorization"), None);
    }
}

#[test]
fn other_apis_get_the_applications_token_or_none_and_never_the_callers() {
    for world in both_ways() {
        for token in [token_of(&world, "user"), world.op.jwt(NOW, &json!({}))] {
            for _ in 0..2 {
                served(&send(&world, "/api/Reports/1", &token));
                assert_eq!(world.op.issued(&bearer(&world)).sub, "app");
                served(&send(&world, "/api/Open/1", &token));
                assert_eq!(world.downstream.last().header("authorization"), None);
            }
        }
        assert_eq!((exchanges(&world), world.op.count(Endpoint::Token)), (0, 1));
    }
}

#[test]
fn the_route_judges_before_anything_is_exchanged() {
    for world in both_ways() {
        let poor = world.op.jwt(NOW, &json!({ "sub": "user", "client_id": "app", "scope": "other" }));
        assert_eq!(send(&world, "/api/Orders/1", &poor).problem(), (403, "insufficient_scope".to_owned()));
        let token = token_of(&world, "user");
        served(&send(&world, "/api/Orders/1", &token));
        assert_eq!(send(&world, "/api/Orders/admin", &token).problem(), (403, "forbidden".to_owned()));
        let stranger = world.op.jwt(NOW, &json!({ "sub": "user", "client_id": "app", "aud": "https://other.example" }));
        assert_eq!(send(&world, "/api/Orders/1", &stranger).problem(), (401, "access_token_invalid".to_owned()));
        let bare = world.serve(&Request::navigation("GET", &absolute("/api/Orders/1"), "none"));
        assert_eq!(bare.problem(), (401, "access_token_required".to_owned()), "nobody is sent to sign in");
        assert_eq!((exchanges(&world), world.downstream.count()), (1, 1));
    }
}

#[test]
fn a_better_sign_in_is_demanded_of_the_program_and_nobody_is_sent_there() {
    for world in both_ways() {
        let claims = |acr: &str| json!({ "sub": "user", "client_id": "app", "acr": acr, "auth_time": NOW });
        let (weak, strong) = (world.op.jwt(NOW, &claims("pwd")), world.op.jwt(NOW, &claims("mfa")));
        let page = Request::navigation("GET", &absolute("/api/Orders/fresh"), "none");
        for request in [call("/api/Orders/fresh", &weak), page.with("authorization", &format!("Bearer {weak}"))] {
            let answer = world.serve(&request);
            assert_eq!(answer.problem(), (401, "step_up_required".to_owned()));
            assert!(answer.header("www-authenticate").unwrap().contains("insufficient_user_authentication"));
        }
        assert_eq!(exchanges(&world), 0);
        served(&send(&world, "/api/Orders/fresh", &strong));
    }
}

#[test]
fn sessions_and_programs_have_each_their_own_paths_of_one_api() {
    for world in both_ways() {
        let browser = Browser::signed_in(&world, &ADA);
        let token = token_of(&world, "user");
        served(&browser.fetch("/api/Orders/people/1"));
        assert_eq!(world.op.issued(&bearer(&world)).sub, ADA.sub);
        for path in ["/api/Orders/1", "/api/Billing/machine/1"] {
            assert_eq!(browser.fetch(path).problem(), (401, "access_token_required".to_owned()), "{path}");
            assert_eq!(browser.visit(path).problem().0, 401, "no sign-in mends that");
            served(&world.serve(&browser.with_cookies(call(path, &token))));
            assert_eq!(world.op.issued(&bearer(&world)).sub, "user", "the session counts for nothing");
        }
        for path in ["/api/Orders/people/1", "/api/Billing/1"] {
            assert_eq!(send(&world, path, &token).problem(), (401, "login_required".to_owned()), "{path}");
        }
        served(&browser.fetch("/api/Billing/1"));
        let post = Request { method: "POST".to_owned(), ..call("/api/Billing/1", &token) };
        served(&world.serve(&post));
        assert_eq!(world.op.issued(&bearer(&world)).sub, "user");
        let posted = browser.send(Request::script("POST", &absolute("/api/Billing/1")));
        assert_eq!(posted.problem(), (401, "access_token_required".to_owned()));
        let exchanged = bearer(&world);
        served(&browser.fetch("/api/Orders/people/1"));
        assert_ne!(bearer(&world), exchanged);
    }
}

#[test]
fn a_sign_out_and_another_session_leave_programs_alone() {
    for world in both_ways() {
        let browser = Browser::signed_in(&world, &BOB);
        let token = token_of(&world, BOB.sub);
        served(&send(&world, "/api/Orders/1", &token));
        let exchanged = bearer(&world);
        browser.post("/.auth/logout");
        served(&send(&world, "/api/Orders/1", &token));
        assert_eq!((bearer(&world), exchanges(&world)), (exchanged, 1));
    }
}

#[test]
fn no_page_is_asked_for_and_listed_ones_read_the_answer() {
    for world in both_ways() {
        let token = token_of(&world, "user");
        let foreign = |path: &str, origin: &str| {
            let request = Request { method: "POST".to_owned(), ..call(path, &token) };
            request.with("origin", origin).with("sec-fetch-site", "cross-site")
        };
        served(&world.serve(&foreign("/api/Orders/1", "https://evil.example")));
        let listed = world.serve(&foreign("/api/Orders/spa", "https://spa.example"));
        served(&listed);
        assert_eq!(listed.header("access-control-allow-origin"), Some("https://spa.example"));
        assert_eq!(listed.header("access-control-allow-credentials"), None);
        let preflight = Request::new("OPTIONS", &absolute("/api/Orders/spa")).with("origin", "https://spa.example");
        let preflight = world.serve(&preflight.with("access-control-request-method", "POST"));
        assert_eq!(preflight.status, 204);
        let machine = world.op.jwt(NOW, &json!({}));
        let refused = world.serve(
            &foreign("/api/Orders/spa", "https://spa.example").with("authorization", &format!("Bearer {machine}")),
        );
        assert_eq!(refused.problem().1, "end_user_required");
        assert_eq!(refused.header("access-control-allow-origin"), Some("https://spa.example"));
    }
}

#[test]
fn it_is_exchanged_again_when_its_token_ends_and_never_outlives_the_callers() {
    for world in both_ways() {
        world.op.expires_in.set(600);
        let token = token_of(&world, "user");
        served(&send(&world, "/api/Orders/1", &token));
        world.advance(299);
        served(&send(&world, "/api/Orders/1", &token));
        assert_eq!(exchanges(&world), 1);
        world.advance(1);
        served(&send(&world, "/api/Orders/1", &token));
        assert_eq!(exchanges(&world), 2, "in the window");
        // The OP gives tokens that live longer than the one that was presented.
        world.op.expires_in.set(86_400);
        world.advance(300);
        served(&send(&world, "/api/Orders/1", &token));
        let last = bearer(&world);
        world.advance(3600 - 601);
        served(&send(&world, "/api/Orders/1", &token));
        assert_eq!((bearer(&world), exchanges(&world)), (last.clone(), 3));
        // For the clock skew the token still passes here, but not at the OP, and the other one is not used any more.
        world.advance(1);
        assert_eq!(send(&world, "/api/Orders/1", &token).problem(), (401, "access_token_invalid".to_owned()));
        assert_eq!(exchanges(&world), 4);
        world.advance(60);
        assert_eq!(send(&world, "/api/Orders/1", &token).problem(), (401, "access_token_invalid".to_owned()));
        assert_eq!((exchanges(&world), bearers(&world, ORDERS).last()), (4, Some(&last)));
    }
}

#[test]
fn opaque_tokens_are_exchanged_too_and_end_with_their_introspection() {
    for forwards_at_once in [false, true] {
        let world = World::with(&vars(&json!({ "Bearer": { "Introspection": "Opaque" } })));
        world.forwards_at_once.set(forwards_at_once);
        let token = world.op.opaque(NOW, &json!({ "sub": "user", "client_id": "app", "exp": null }));
        for _ in 0..3 {
            served(&send(&world, "/api/Orders/1", &token));
            assert_eq!(world.op.issued(&bearer(&world)).sub, "user");
        }
        assert_eq!((exchanges(&world), world.op.count(Endpoint::Introspection)), (1, 1));
        world.op.revoke_access_token(&token);
        world.advance(31);
        assert_eq!(send(&world, "/api/Orders/1", &token).problem(), (401, "access_token_invalid".to_owned()));
        assert_eq!((exchanges(&world), world.downstream.count()), (1, 3));
    }
}

#[test]
fn at_the_microsoft_identity_platform_it_is_on_behalf_of_in_the_tokens_own_tenant() {
    for forwards_at_once in [false, true] {
        let world = microsoft_world(&json!({ "DownstreamApis": { "Orders": { "Scopes": "api://orders/.default" } } }));
        world.forwards_at_once.set(forwards_at_once);
        let token =
            microsoft_token(&world, &json!({ "sub": "pairwise", "scp": "orders.read", "preferred_username": "ada" }));
        for _ in 0..2 {
            served(&send(&world, "/api/Orders/1", &token));
            assert_eq!(world.op.issued(&bearer(&world)).sub, "pairwise");
        }
        let form = world.op.last_form();
        assert_eq!(value(&form, "grant_type"), "urn:ietf:params:oauth:grant-type:jwt-bearer");
        assert_eq!((value(&form, "assertion"), value(&form, "scope")), (token.as_str(), "api://orders/.default"));
        assert_eq!(value(&form, "requested_token_use"), "on_behalf_of");
        assert_eq!(exchanges(&world), 1);
        assert!(
            world
                .op
                .last_url
                .borrow()
                .starts_with(&format!("https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token"))
        );
    }
}

#[test]
fn nothing_of_a_sign_in_is_asked_for() {
    let scopes = "openid orders.read offline_access orders.write profile";
    let world = World::with(&vars(&json!({ "DownstreamApis": { "Orders": { "Scopes": scopes } } })));
    served(&send(&world, "/api/Orders/1", &token_of(&world, "user")));
    assert_eq!(value(&world.op.last_form(), "scope"), "orders.read orders.write");
    let world = World::with(&vars(&json!({ "DownstreamApis": { "Orders": { "Scopes": "openid" } } })));
    served(&send(&world, "/api/Orders/1", &token_of(&world, "user")));
    assert_eq!(optional(&world.op.last_form(), "scope"), None);
}

#[test]
fn client_capabilities_are_told() {
    let world = microsoft_world(&json!({ "AzureAd": { "ClientCapabilities": "cp1" } }));
    let token = microsoft_token(&world, &json!({ "sub": "pairwise", "scp": "orders.read" }));
    served(&send(&world, "/api/Orders/1", &token));
    let claims: Value = serde_json::from_str(value(&world.op.last_form(), "claims")).unwrap();
    assert_eq!(claims, json!({ "access_token": { "xms_cc": { "values": ["cp1"] } } }));
}

#[test]
fn a_websocket_ends_with_the_callers_token() {
    let world = world();
    let token = world.op.jwt(NOW, &json!({ "sub": "user", "client_id": "app", "exp": NOW + 90 }));
    let handshake = Request::handshake(&absolute("/api/Orders/1")).without("origin").without("sec-fetch-site");
    let answer = world.serve(&handshake.with("authorization", &format!("Bearer {token}")));
    assert!(answer.is_forwarded);
    let carried = world.downstream.last().plan.carried.unwrap();
    assert_eq!((carried.session, carried.object, carried.ends_at.as_unix()), (None, None, NOW + 90));
    assert_eq!(world.op.issued(&bearer(&world)).sub, "user");
}

#[test]
fn what_programs_may_do_with_apis_is_among_the_metadata() {
    let world = world();
    let answer = world.serve(&Request::new("GET", &absolute(crate::bearer::METADATA)));
    assert_eq!(answer.json()["scopes_supported"], json!(["orders.read"]));
}

#[test]
fn of_several_providers_the_one_that_issued_the_token_exchanges_it() {
    let vars = json!({
        "Bearer": { "Audiences": PUBLIC, "Provider": "Staff" },
        "Gateway": { "Routes": [{ "Path": "/api/Orders/**", "Access": "Bearer" }] },
    });
    let world = World::of(changed(deployment::two_providers(), &vars));
    let browser = Browser::new(&world);
    crate::providers::sign_in(&browser, "OpenIdConnect", &world.op, &ADA);
    let before = world.op.count(Endpoint::Token);
    let token = world.staff.jwt(NOW, &json!({ "sub": "user", "client_id": "app" }));
    served(&world.serve(&browser.with_cookies(call("/api/Orders/1", &token))));
    assert_eq!(world.staff.issued(&bearer(&world)).sub, "user");
    assert_eq!((world.op.count(Endpoint::Token), world.staff.count(Endpoint::Token)), (before, 1));
    let others = world.op.jwt(NOW, &json!({ "sub": "user", "client_id": "app" }));
    assert_eq!(send(&world, "/api/Orders/1", &others).problem(), (401, "access_token_invalid".to_owned()));
    served(&browser.fetch("/api/Billing/1"));
    assert_eq!(bearers(&world, BILLING).len(), 1);
}
