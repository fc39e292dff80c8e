//! What the back-channel endpoint takes for a logout request (Back-Channel Logout 1.0 §2.4 to §2.8), and what it does not.

use serde_json::{Value, json};
use vestibule::runtime::TransportFault;

use crate::browser::{Browser, absolute};
use crate::crowd::strict_world;
use crate::op::{ADA, Endpoint, Instead};
use crate::op_logout::{BACK_CHANNEL, assert_done, assert_invalid, by_both, by_sub, posted, request};
use crate::request::Request;
use crate::world::World;

/// Everything that is stored, and everything that was ever written.
fn stored(world: &World) -> impl PartialEq + std::fmt::Debug {
    (world.kv.dump(), world.kv.changes(), world.accounts.everything(), world.accounts.to_delete())
}

#[test]
fn only_a_form_with_one_token_is_a_request() {
    let world = strict_world();
    let browser = Browser::signed_in(&world, &ADA);
    let before = stored(&world);
    let token = world.logout_token(&by_sub(&ADA));
    let form = |body: &str| Request::new("POST", &absolute(BACK_CHANNEL)).form(body);
    let good = request(&token);
    let never_ends = Request { body: None, ..good.clone() };
    let refused = [
        form(""),
        form("logout_token="),
        form(&format!("logout_token={token}&logout_token={token}")),
        form(&format!("logout_token={token}&logout_token=")),
        form(&format!("LOGOUT_TOKEN={token}")),
        form(&format!("token={token}")),
        form(&format!("logout_token={token}&padding={}", "x".repeat(32 * 1024))),
        form("logout_token=%ff%fe&%"),
        good.clone().with("content-type", "application/json"),
        good.clone().with("content-type", "multipart/form-data; boundary=x"),
        good.clone().with("content-type", ""),
        good.clone().without("content-type"),
        never_ends,
        Request::new("POST", &absolute(&format!("{BACK_CHANNEL}?logout_token={token}"))).form(""),
    ];
    for request in refused {
        let answer = browser.world.serve(&request);
        assert_invalid(&answer, &format!("{request:?}"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
    assert_eq!(stored(&world), before);
    assert!(browser.is_signed_in());
    let good = good.with("content-type", "Application/X-WWW-Form-Urlencoded; charset=UTF-8");
    let good = Request { body: good.body.map(|body| format!("unknown=1&{body}&x")), ..good };
    assert_done(&world.serve(&good), "parameters that are not known are none of our business");
    assert!(!browser.is_signed_in());
}

#[test]
fn only_a_post_is_a_request() {
    let world = strict_world();
    let browser = Browser::signed_in(&world, &ADA);
    let token = world.logout_token(&by_sub(&ADA));
    for method in ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"] {
        let answer = world.serve(&Request { method: method.to_owned(), ..request(&token) });
        assert_eq!(answer.problem(), (405, "method_not_allowed".to_owned()), "{method}");
        assert_eq!((answer.header("allow"), answer.header("cache-control")), (Some("POST"), Some("no-store")));
    }
    assert!(browser.is_signed_in());
}

/// Claims that make a logout token something else.
fn wrong_claims() -> Vec<Value> {
    let event = "http://schemas.openid.net/event/backchannel-logout";
    vec![
        json!({ "iss": "https://evil.example" }),
        json!({ "iss": null }),
        json!({ "aud": "other" }),
        json!({ "aud": ["other", "others"] }),
        json!({ "aud": null }),
        json!({ "iat": crate::world::NOW + 61 }),
        json!({ "iat": null }),
        json!({ "iat": "now" }),
        json!({ "exp": crate::world::NOW - 61 }),
        json!({ "exp": null }),
        json!({ "sub": null, "sid": null }),
        json!({ "sub": 7 }),
        json!({ "sid": 7 }),
        json!({ "sid": "" }),
        json!({ "events": null }),
        json!({ "events": [event] }),
        json!({ "events": { event: null } }),
        json!({ "events": { event: true } }),
        json!({ "events": { event: null, "http://schemas.openid.net/event/other": {} } }),
        json!({ "nonce": "n" }),
        json!({ "nonce": 0 }),
        json!({ "jti": null }),
        json!({ "jti": "" }),
        json!({ "jti": 5 }),
        json!({ "jti": "x".repeat(513) }),
    ]
}

#[test]
fn a_token_with_any_wrong_claim_changes_nothing() {
    let world = strict_world();
    let browser = Browser::signed_in(&world, &ADA);
    let before = stored(&world);
    for wrong in wrong_claims() {
        let mut claims = by_both(&ADA);
        claims.as_object_mut().unwrap().extend(wrong.as_object().unwrap().clone());
        let answer = posted(&world, &world.logout_token(&claims));
        assert_invalid(&answer, &wrong.to_string());
        assert!(world.log().last().unwrap()["reason"].as_str().unwrap().contains("logout token"), "{wrong}");
    }
    assert_eq!(stored(&world), before);
    assert!(browser.is_signed_in());
    assert_done(&posted(&world, &world.logout_token(&by_both(&ADA))), "and with none it is good");
}

#[test]
fn a_token_of_another_kind_or_signed_by_somebody_else_changes_nothing() {
    let world = strict_world();
    let browser = Browser::signed_in(&world, &ADA);
    let before = stored(&world);
    for header in [
        json!({ "typ": "at+jwt" }),
        json!({ "typ": "secevent+jwt" }),
        json!({ "alg": "none" }),
        json!({ "alg": "HS256" }),
        json!({ "crit": ["x"], "x": 1 }),
        json!({ "kid": "unknown" }),
    ] {
        let token = world.op.logout_token_with(world.time(), &by_sub(&ADA), &header);
        assert_invalid(&posted(&world, &token), &header.to_string());
    }
    for key in ["another key", "nothing", "hmac_of_public_key", "hmac_of_client_secret", "rsa_other"] {
        *world.op.signing_key.borrow_mut() = key.to_owned();
        for header in [json!({}), json!({ "kid": "first key" }), json!({ "kid": "rsa" })] {
            let token = world.op.logout_token_with(world.time(), &by_sub(&ADA), &header);
            assert_invalid(&posted(&world, &token), key);
        }
    }
    assert_eq!(stored(&world), before);
    assert!(browser.is_signed_in());
    // Neither typ is demanded (§2.4).
    *world.op.signing_key.borrow_mut() = "first key".to_owned();
    for header in [json!({ "typ": "JWT" }), json!({ "typ": null })] {
        let token = world.op.logout_token_with(world.time(), &by_sub(&ADA), &header);
        assert_done(&posted(&world, &token), &header.to_string());
    }
}

#[test]
fn an_id_token_of_our_own_is_no_logout_token() {
    let world = strict_world();
    let browser = Browser::signed_in(&world, &ADA);
    let id_tokens: Vec<String> = world.op.secrets().into_iter().filter(|secret| secret.starts_with("eyJ")).collect();
    assert!(!id_tokens.is_empty());
    for token in id_tokens.iter().map(String::as_str).chain(["", ".", "..", "a.b.c", "e30.e30.", "\u{0}"]) {
        assert_invalid(&posted(&world, token), token);
    }
    assert!(browser.is_signed_in());
}

#[test]
fn a_new_key_of_the_op_is_fetched() {
    let world = strict_world();
    let browser = Browser::signed_in(&world, &ADA);
    world.advance(61);
    *world.op.signing_key.borrow_mut() = "second key".to_owned();
    world.op.published_keys.borrow_mut().push("second key".to_owned());
    assert_done(&posted(&world, &world.logout_token(&by_sub(&ADA))), "signed with it");
    assert!(!browser.is_signed_in());
}

#[test]
fn while_the_keys_cannot_be_had_the_op_is_asked_to_come_again() {
    for endpoint in [Endpoint::Jwks, Endpoint::Metadata] {
        let world = strict_world();
        let browser = Browser::signed_in(&world, &ADA);
        let token = world.logout_token(&by_sub(&ADA));
        world.new_isolate();
        let keys = ["op/"].iter().flat_map(|prefix| world.kv.keys(prefix)).collect::<Vec<_>>();
        world.kv.fail_at(vestibule::runtime::StoreFault::Get, "op/");
        assert!(!keys.is_empty());
        world.op.instead(endpoint, Instead::Fails(TransportFault::NoConnection));
        let answer = posted(&world, &token);
        assert_eq!(answer.status, 503, "{answer:?}");
        assert!(answer.header("retry-after").is_some());
        world.op.behave();
        world.kv.recover();
        world.advance(60);
        assert_done(&posted(&world, &token), "once they can");
        assert!(!browser.is_signed_in());
    }
}
