//! Claims that no refresh can bring: a sign-in carries them to the OP, and its token has them.

use serde_json::{Value, json};

use crate::api::{bearer, login_url, optional, served, value};
use crate::browser::{Browser, absolute};
use crate::claims_challenge::{asked, both_ways, claims, demands};
use crate::deployment::BILLING_RESOURCE;
use crate::microsoft;
use crate::op::{ADA, Endpoint, Instead, parameter};
use crate::world::World;

/// The claims of the last authorization request.
fn demanded(world: &World) -> Value {
    serde_json::from_str(value(&world.op.last_authorization(), "claims")).unwrap()
}

fn refusal(claims: Option<&Value>) -> Instead {
    let mut body = json!({ "error": "interaction_required", "suberror": "basic_action" });
    if let Some(claims) = claims {
        body["claims"] = claims.to_string().into();
    }
    Instead::Says(400, vec![], body.to_string())
}

#[test]
fn a_second_challenge_sends_a_page_to_the_op_with_its_claims() {
    let second = json!({ "access_token": { "acrs": { "value": "c2" } } });
    for world in both_ways() {
        let browser = Browser::signed_in(&world, &ADA);
        demands(&world, &claims());
        demands(&world, &second);
        served(&browser.interact_and_return("/api/Billing/x?y", &ADA));
        assert_eq!((demanded(&world), asked(&world)), (second.clone(), second.clone()));
        let form = world.op.last_form();
        assert_eq!((value(&form, "grant_type"), value(&form, "resource")), ("authorization_code", BILLING_RESOURCE));
        let token = bearer(&world);
        let requests = world.op.count(Endpoint::Token);
        demands(&world, &second);
        let answer = browser.fetch("/api/Billing/x");
        assert_eq!(world.op.count(Endpoint::Token), requests + 1, "the token that was refused is not taken again");
        served(&answer);
        assert_ne!(bearer(&world), token);
    }
}

#[test]
fn a_token_of_a_sign_in_with_the_claims_meets_the_challenge() {
    let world = World::new();
    let browser = Browser::signed_in(&world, &ADA);
    let warm = world.isolate();
    (0..2).for_each(|_| demands(&world, &claims()));
    let url = login_url(&browser.fetch("/api/Billing/x"));
    let callback = world.op.authorize(&browser.begin(&url), &ADA);
    assert_eq!(browser.come_back(&callback).status, 303);
    let requests = world.op.count(Endpoint::Token);
    served(&browser.fetch("/api/Billing/x"));
    world.resume(warm);
    served(&browser.fetch("/api/Billing/x"));
    assert_eq!(world.op.count(Endpoint::Token), requests);
}

#[test]
fn a_refusal_of_the_op_sends_its_own_claims_and_else_those_of_the_api() {
    let ops = json!({ "access_token": { "polids": { "essential": true, "values": ["p-1"] } } });
    for (body, expected) in [(Some(&ops), &ops), (None, &claims())] {
        for world in both_ways() {
            let browser = Browser::signed_in(&world, &ADA);
            demands(&world, &claims());
            world.op.instead_once(Endpoint::Token, refusal(body));
            served(&browser.interact_and_return("/api/Billing/x", &ADA));
            assert_eq!((&demanded(&world), &asked(&world)), (expected, expected));
        }
    }
}

#[test]
fn claims_of_a_refusal_come_through_without_any_challenge() {
    let ops = json!({ "access_token": { "polids": { "values": ["p-2"] } } });
    let world = World::new();
    let browser = Browser::signed_in(&world, &ADA);
    world.op.instead_once(Endpoint::Token, refusal(Some(&ops)));
    let url = login_url(&browser.fetch("/api/Orders/x"));
    assert!(!url.contains("p-2"));
    let request = browser.begin(&url);
    assert_eq!(serde_json::from_str::<Value>(&parameter(&request, "claims").unwrap()).unwrap(), ops);
    assert_eq!(browser.come_back(&world.op.authorize(&request, &ADA)).status, 303);
    served(&browser.fetch("/api/Orders/x"));
}

#[test]
fn claims_of_a_refusal_that_are_no_claims_are_left_out() {
    for claims in [json!("garbage"), json!("[]"), json!(7), json!({ "a": 1 })] {
        let world = World::new();
        let browser = Browser::signed_in(&world, &ADA);
        let body = json!({ "error": "interaction_required", "claims": claims });
        world.op.instead_once(Endpoint::Token, Instead::Says(400, vec![], body.to_string()));
        let request = browser.begin(&login_url(&browser.fetch("/api/Orders/x")));
        assert_eq!(parameter(&request, "claims"), None, "{claims}");
    }
}

#[test]
fn claims_are_for_one_sign_in_and_not_for_the_next_refresh() {
    let world = World::new();
    let browser = Browser::signed_in(&world, &ADA);
    demands(&world, &claims());
    served(&browser.fetch("/api/Billing/x"));
    world.advance(3400);
    served(&browser.fetch("/api/Billing/x"));
    assert_eq!(optional(&world.op.last_form(), "claims"), None);
    assert_eq!(parameter(&browser.begin("/.auth/login"), "claims"), None);
}

#[test]
fn no_log_line_names_the_claims() {
    let world = World::new();
    let browser = Browser::signed_in(&world, &ADA);
    let personal = json!({ "access_token": { "acrs": { "value": "session-of-ada" } } });
    (0..2).for_each(|_| demands(&world, &personal));
    login_url(&browser.fetch("/api/Billing/x"));
    assert!(!world.log().iter().any(|line| line.to_string().contains("session-of-ada")));
}

#[test]
fn the_clients_capabilities_are_in_every_request_and_beside_every_demand() {
    let world = microsoft::world_with(&json!({ "AzureAd": { "ClientCapabilities": ["cp1"] } }));
    let capable = json!({ "access_token": { "xms_cc": { "values": ["cp1"] } } });
    let browser = Browser::signed_in(&world, &ADA);
    assert_eq!((demanded(&world), asked(&world)), (capable.clone(), capable.clone()));
    served(&browser.fetch("/api/Orders/x"));
    assert_eq!(value(&world.op.last_form(), "grant_type"), "refresh_token");
    assert_eq!(asked(&world), capable);

    let nbf = json!({ "essential": true, "value": "1800000001" });
    let challenge = json!({ "access_token": { "nbf": nbf, "xms_cc": { "values": ["other"] } }, "id_token": {} });
    let merged = json!({ "access_token": { "nbf": nbf, "xms_cc": { "values": ["cp1"] } }, "id_token": {} });
    demands(&world, &challenge);
    served(&browser.fetch("/api/Billing/x"));
    assert_eq!(asked(&world), merged);
    (0..2).for_each(|_| demands(&world, &challenge));
    served(&browser.interact_and_return("/api/Billing/x", &ADA));
    assert_eq!((demanded(&world), asked(&world)), (merged.clone(), merged));
}

#[test]
fn without_capabilities_nobody_is_asked_for_claims() {
    let world = microsoft::world_with(&json!({}));
    let browser = Browser::signed_in(&world, &ADA);
    served(&browser.fetch("/api/Orders/x"));
    assert_eq!(optional(&world.op.last_authorization(), "claims"), None);
    assert_eq!(optional(&world.op.last_form(), "claims"), None);
    assert!(browser.begin("/.auth/login").starts_with("https://login.microsoftonline.com/"));
    assert_eq!(browser.fetch(&absolute("/.auth/me")).status, 200);
}
