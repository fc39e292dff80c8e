//! The signed assertion to the origin, verified as `docs/identity.md` tells an origin to, with `ring` and the published
//! keys.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use serde_json::{Value, json};

use crate::api::served;
use crate::browser::{Browser, absolute};
use crate::deployment::{KEY, ORIGIN, OTHER_KEY, PUBLIC};
use crate::downstream::Arrival;
use crate::op::{ADA, BOB, keys};
use crate::request::{Received, Request};
use crate::world::{NOW, World};

const HEADER: &str = "x-vestibule-assertion";
const KEYS: &str = "/.auth/jwks";

fn asserting() -> World {
    World::with(&json!({ "Gateway": { "OriginAssertion": true } }))
}

fn published(world: &World) -> Received {
    world.serve(&Request::new("GET", &absolute(KEYS)))
}

fn part(assertion: &str, index: usize) -> Value {
    let bytes = URL_SAFE_NO_PAD.decode(assertion.split('.').nth(index).unwrap()).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

fn sha256(text: &str) -> String {
    keys::encode(digest(&SHA256, text.as_bytes()))
}

/// What an origin does: the claims, or why there are none.
fn verified(arrival: &Arrival, jwks: &Value, audience: &str, now: u64) -> Result<Value, &'static str> {
    let assertion = arrival.header(HEADER).ok_or("none")?;
    let (header, claims) = (part(assertion, 0), part(assertion, 1));
    let key = jwks["keys"].as_array().unwrap().iter().find(|key| key["kid"] == header["kid"]).ok_or("kid")?;
    let coordinate = |name: &str| URL_SAFE_NO_PAD.decode(key[name].as_str().unwrap()).unwrap();
    let point = [vec![4], coordinate("x"), coordinate("y")].concat();
    let (input, signature) = assertion.rsplit_once('.').unwrap();
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
        .verify(input.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap())
        .map_err(|_| "signature")?;
    let target = arrival.url.strip_prefix(ORIGIN).unwrap();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    for (is_right, reason) in [
        (header["alg"] == "ES256" && header["typ"] == "vestibule-assertion+jwt", "header"),
        (claims["iss"] == PUBLIC, "iss"),
        (claims["aud"] == audience, "aud"),
        (claims["iat"].as_u64().unwrap() <= now && now < claims["exp"].as_u64().unwrap(), "time"),
        (claims["htm"] == arrival.method, "htm"),
        (claims["path"] == path, "path"),
        (claims["query_sha256"] == sha256(query), "query_sha256"),
    ] {
        if !is_right {
            return Err(reason);
        }
    }
    Ok(claims)
}

fn verified_last(world: &World) -> Value {
    verified(&world.downstream.last(), &published(world).json(), ORIGIN, world.time()).unwrap()
}

#[test]
fn every_request_to_the_origin_is_bound_to_its_method_path_and_query() {
    for forwards_at_once in [false, true] {
        let world = asserting();
        world.forwards_at_once.set(forwards_at_once);
        let browser = Browser::signed_in(&world, &ADA);
        let mut ids = Vec::new();
        for (method, target) in [
            ("GET", "/page"),
            ("GET", "/page"),
            ("GET", "/page?a=b&c=%20?"),
            ("GET", "/page?"),
            ("POST", "/a%2fb//c;d"),
            ("PROPFIND", "/caf%C3%A9?caf%C3%A9"),
            ("HEAD", "//evil.example/x"),
        ] {
            served(&browser.send(Request::script(method, &absolute(target))));
            let claims = verified_last(&world);
            assert_eq!((&claims["htm"], &claims["iat"]), (&json!(method), &json!(NOW)));
            assert_eq!(claims["exp"], NOW + 60);
            ids.push(claims["jti"].as_str().unwrap().to_owned());
        }
        assert!(ids.iter().all(|id| id.len() == 22));
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 7);
    }
}

#[test]
fn it_says_who_is_signed_in_and_how() {
    let world = asserting();
    *world.op.claims.borrow_mut() = json!({
        "acr": "mfa", "auth_time": NOW - 5, "email": "ada@example.com", "groups": ["g,1"], "oid": "o", "tid": "t",
        "preferred_username": "ada", "address": { "country": "GB" },
    });
    let (ada, bob) = (Browser::signed_in(&world, &ADA), Browser::signed_in(&world, &BOB));
    ada.fetch("/page");
    let mut claims = verified_last(&world);
    ada.fetch("/other");
    let later = verified_last(&world);
    bob.fetch("/page");
    let others = verified_last(&world);
    assert_eq!((&later["sub"], &later["sid_hash"]), (&claims["sub"], &claims["sid_hash"]));
    assert_ne!((&others["sub"], &others["sid_hash"]), (&claims["sub"], &claims["sid_hash"]));
    let sessions = ada.fetch("/.auth/sessions").body;
    let members = claims.as_object_mut().unwrap();
    let hash = members.remove("sid_hash").unwrap();
    assert!(hash.as_str().unwrap().len() == 43 && !sessions.contains(hash.as_str().unwrap()));
    for name in ["iss", "aud", "iat", "exp", "jti", "htm", "path", "query_sha256"] {
        members.remove(name).unwrap();
    }
    let expected = json!({
        "sub": ADA.sub, "idp": "https://op.example", "name": "Zo\u{eb} \"Z\" <b>%\r\nX-Evil: 1", "acr": "mfa",
        "auth_time": NOW - 5, "email": "ada@example.com", "groups": ["g,1"], "roles": ["reader", "wri,ter"], "oid": "o",
        "tid": "t", "preferred_username": "ada",
    });
    assert_eq!(claims, expected);
}

#[test]
fn a_captured_assertion_is_good_for_nothing_else() {
    let world = asserting();
    let browser = Browser::signed_in(&world, &ADA);
    browser.fetch("/page?a=1");
    let (jwks, captured) = (published(&world).json(), world.downstream.last());
    let judged = |arrival: &Arrival, now| verified(arrival, &jwks, ORIGIN, now).map(drop);
    assert_eq!(judged(&captured, NOW), Ok(()));
    assert_eq!(judged(&captured, NOW + 60), Err("time"));
    assert_eq!(verified(&captured, &jwks, "https://other.example", NOW), Err("aud"));
    for (method, target, reason) in [
        ("DELETE", "/page?a=1", "htm"),
        ("GET", "/admin?a=1", "path"),
        ("GET", "/page/?a=1", "path"),
        ("GET", "/page?a=2", "query_sha256"),
        ("GET", "/page", "query_sha256"),
    ] {
        let replayed = Arrival { method: method.to_owned(), url: format!("{ORIGIN}{target}"), ..captured.clone() };
        assert_eq!(judged(&replayed, NOW), Err(reason));
    }
    let assertion = captured.header(HEADER).unwrap();
    let [header, claims, signature] = assertion.split('.').collect::<Vec<_>>()[..] else { panic!("{assertion}") };
    let mut forged = part(assertion, 1);
    forged["sub"] = json!("root");
    let with = |text: String| {
        let mut arrival = captured.clone();
        arrival.headers.iter_mut().find(|(name, _)| name == HEADER).unwrap().1 = text;
        judged(&arrival, NOW)
    };
    assert_eq!(with(format!("{header}.{claims}.{signature}")), Ok(()));
    assert_eq!(with(format!("{header}.{}.{signature}", keys::encode(forged.to_string()))), Err("signature"));
}

#[test]
fn a_websocket_is_opened_with_an_assertion() {
    let world = asserting();
    let browser = Browser::signed_in(&world, &ADA);
    assert!(browser.send(Request::handshake(&absolute("/chat?room=1"))).is_forwarded);
    assert_eq!(verified_last(&world)["sub"], ADA.sub);
    assert!(world.downstream.last().plan.carried.is_some());
}

#[test]
fn an_audience_of_the_operators_own_takes_the_place_of_the_origin() {
    let world = World::with(&json!({ "Gateway": { "OriginAssertion": true, "OriginAssertionAudience": "urn:shop" } }));
    let browser = Browser::signed_in(&world, &ADA);
    browser.fetch("/page");
    let jwks = published(&world).json();
    assert!(verified(&world.downstream.last(), &jwks, "urn:shop", NOW).is_ok());
}

#[test]
fn apis_get_no_assertion() {
    let world = asserting();
    let browser = Browser::signed_in(&world, &ADA);
    for path in ["/api/Billing/x", "/api/Orders/x"] {
        served(&browser.fetch(path));
        served(&browser.send(Request::script("POST", &absolute(path)).with("X-Vestibule_Assertion", "mine")));
        for arrival in world.downstream.arrivals().iter().filter(|arrival| arrival.url.starts_with("https://")) {
            assert!(!arrival.headers.iter().any(|(name, _)| name.contains("vestibule")), "{arrival:?}");
        }
    }
}

#[test]
fn what_a_client_sends_for_an_assertion_never_passes() {
    for world in [asserting(), World::new()] {
        let is_asserted = published(&world).status == 200;
        let browser = Browser::signed_in(&world, &ADA);
        for name in ["X-Vestibule-Assertion", "x_vestibule_assertion", "X-Vestibule_Assertion", "x-vestibule-other"] {
            for request in [Request::script("GET", &absolute("/page")), Request::handshake(&absolute("/page"))] {
                served_or_opened(
                    &browser.send(request.with(name, "spoofed").with("connection", "x-vestibule-assertion")),
                );
                let arrival = world.downstream.last();
                let ours: Vec<_> = arrival.headers.iter().filter(|(name, _)| name.contains("vestibule")).collect();
                assert_eq!(ours.len(), usize::from(is_asserted), "{name} {ours:?}");
                assert!(ours.iter().all(|(name, value)| name == HEADER && value != "spoofed"));
            }
        }
    }
}

fn served_or_opened(received: &Received) {
    assert!(received.is_forwarded, "{received:?}");
}

#[test]
fn without_a_signature_nothing_is_forwarded() {
    for forwards_at_once in [false, true] {
        let world = asserting();
        world.forwards_at_once.set(forwards_at_once);
        let browser = Browser::signed_in(&world, &ADA);
        let arrived = world.downstream.count();
        world.signs.set(false);
        assert_eq!(browser.fetch("/page").problem(), (500, "internal".to_owned()));
        assert_eq!(browser.post("/page").problem(), (500, "internal".to_owned()));
        assert_eq!(browser.send(Request::handshake(&absolute("/page"))).problem(), (500, "internal".to_owned()));
        assert_eq!(browser.visit("/page").status, 500);
        assert_eq!(published(&world).problem(), (500, "internal".to_owned()));
        assert_eq!(world.downstream.count(), arrived);
        assert!(browser.fetch("/api/Billing/x").is_forwarded);
        world.signs.set(true);
        assert!(browser.fetch("/page").is_forwarded);
    }
}

#[test]
fn a_rotation_breaks_no_origin() {
    let world = asserting();
    let browser = Browser::signed_in(&world, &ADA);
    browser.fetch("/page");
    let (early, old) = (world.downstream.last(), published(&world).json());
    world.redeploy(&json!({ "Session__Key": OTHER_KEY, "Session__PreviousKeys": KEY }));
    let both = published(&world).json();
    assert_eq!(both["keys"].as_array().unwrap().len(), 2);
    assert_eq!(both["keys"][1], old["keys"][0]);
    assert!(verified(&early, &both, ORIGIN, NOW).is_ok());
    browser.fetch("/page");
    let late = world.downstream.last();
    assert!(verified(&late, &both, ORIGIN, NOW).is_ok());
    assert_eq!(verified(&late, &old, ORIGIN, NOW), Err("kid"));
    world.redeploy(&json!({ "Session__PreviousKeys": null }));
    assert_eq!(verified(&early, &published(&world).json(), ORIGIN, NOW), Err("kid"));
}

#[test]
fn the_keys_are_for_everybody_and_hold_nothing_private() {
    let world = asserting();
    let answer = published(&world);
    assert_eq!((answer.status, answer.header("cache-control")), (200, Some("public, max-age=300")));
    assert_eq!((answer.all("cache-control").count(), answer.header("content-type")), (1, Some("application/json")));
    let jwks = answer.json();
    let names: Vec<&str> = jwks["keys"][0].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, ["alg", "crv", "kid", "kty", "use", "x", "y"]);
    let browser = Browser::signed_in(&world, &ADA);
    let visited = browser.visit(KEYS);
    assert_eq!((visited.headers, visited.body), (answer.headers, answer.body));
    assert_eq!(world.serve(&Request::new("HEAD", &absolute(KEYS))).status, 200);
    let refused = world.serve(&Request::new("POST", &absolute(KEYS)));
    assert_eq!((refused.status, refused.header("allow")), (405, Some("GET, HEAD")));
}

#[test]
fn there_are_no_keys_where_nothing_is_asserted() {
    let world = World::new();
    assert_eq!(published(&world).problem(), (404, "not_found".to_owned()));
    let browser = Browser::signed_in(&world, &ADA);
    browser.fetch("/page");
    assert_eq!(world.downstream.last().header(HEADER), None);
}

#[test]
fn a_list_that_is_too_long_is_left_out_and_logged_once() {
    let world = asserting();
    *world.op.claims.borrow_mut() = json!({ "groups": vec!["0123456789"; 800], "email": "ada@example.com" });
    let browser = Browser::signed_in(&world, &ADA);
    for _ in 0..3 {
        browser.fetch("/page");
    }
    let claims = verified_last(&world);
    assert_eq!((claims.get("groups"), &claims["email"]), (None, &json!("ada@example.com")));
    let logged: Vec<_> = world.log().into_iter().filter(|line| line["event"] == "identity.left_out").collect();
    assert_eq!(logged.iter().map(|line| &line["claim"]).collect::<Vec<_>>(), ["groups"]);
}
