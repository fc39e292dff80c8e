//! Several credentials: the next one is tried once, what works is remembered, and what cannot be used is passed over.

use serde_json::{Value, json};
use vestibule::runtime::TransportFault;

use crate::api::served;
use crate::browser::Browser;
use crate::client_assertions::{environment, file, rsa, rsa_pem, world};
use crate::crowd::ORDERS;
use crate::deployment::CLIENT_SECRET;
use crate::op::{ADA, Endpoint, Instead, Proof};
use crate::request::Received;
use crate::world::{NOW, World};

fn secrets(entries: usize) -> Value {
    json!(vec![json!({ "SourceType": "ClientSecret" }); entries])
}

/// Lists of secrets, of which the OP takes one.
fn world_of_secrets(values: &[&str]) -> World {
    let names: Vec<_> = (0..values.len()).map(|position| format!("{position}__ClientSecret")).collect();
    let named: Vec<_> = names.iter().map(String::as_str).zip(values.iter().copied()).collect();
    World::of(environment(&secrets(values.len()), &named))
}

fn events(world: &World, name: &str) -> Vec<Value> {
    world.log().into_iter().filter(|line| line["event"] == name).collect()
}

/// A sign-in that does not come about: what the callback answers.
fn refused(browser: &Browser<'_>) -> Received {
    let callback = browser.world.op.authorize(&browser.begin("/"), &ADA);
    let answer = browser.come_back(&callback);
    assert_ne!(answer.status, 303, "{:?}", browser.world.log().last());
    answer
}

#[test]
fn the_next_secret_is_tried_once_and_remembered() {
    let world = world_of_secrets(&["an old one", CLIENT_SECRET]);
    Browser::signed_in(&world, &ADA);
    assert_eq!(world.op.count(Endpoint::Token), 2, "the code is redeemed at the second try");
    let rolled_over = events(&world, "client_credential.rolled_over");
    assert_eq!(rolled_over.len(), 1);
    assert_eq!((&rolled_over[0]["credential"], &rolled_over[0]["refused"]), (&json!(1), &json!(0)));
    Browser::signed_in(&world, &ADA);
    assert_eq!(world.op.count(Endpoint::Token), 3, "the isolate knows which one works");
    world.new_isolate();
    Browser::signed_in(&world, &ADA);
    assert_eq!(world.op.count(Endpoint::Token), 5);
}

#[test]
fn the_old_secret_is_taken_again_should_the_new_one_fail() {
    let world = world_of_secrets(&["an old one", CLIENT_SECRET]);
    Browser::signed_in(&world, &ADA);
    // The operator takes the new secret back.
    let refusal = || Instead::Says(401, vec![], json!({ "error": "invalid_client" }).to_string());
    world.op.instead_once(Endpoint::Token, refusal());
    refused(&Browser::new(&world));
    assert_eq!(world.op.count(Endpoint::Token), 4, "after the last comes the first");
    assert_eq!(events(&world, "client_credential.rolled_over").len(), 1, "that one was refused as well");
}

#[test]
fn two_refusals_are_enough_for_one_request() {
    let world = world_of_secrets(&["one", "two", CLIENT_SECRET]);
    let browser = Browser::new(&world);
    assert_eq!(refused(&browser).status, 500);
    assert_eq!(world.op.count(Endpoint::Token), 2);
    assert!(events(&world, "client_credential.rolled_over").is_empty());
    let refused = world.logged("request.refused");
    assert_eq!((&refused["code"], &refused["fault"]), (&json!("misconfigured"), &json!("Operator")));
}

#[test]
fn nothing_but_invalid_client_is_tried_again() {
    for (status, error) in
        [(400, "invalid_grant"), (400, "unauthorized_client"), (401, "invalid_request"), (403, "invalid_client")]
    {
        let world = world_of_secrets(&[CLIENT_SECRET, "another"]);
        world.op.instead(Endpoint::Token, Instead::Says(status, vec![], json!({ "error": error }).to_string()));
        refused(&Browser::new(&world));
        assert_eq!(world.op.count(Endpoint::Token), 1, "{error}");
    }
    let world = world_of_secrets(&["one", CLIENT_SECRET]);
    world.op.instead(Endpoint::Token, Instead::Fails(TransportFault::TimedOut));
    refused(&Browser::new(&world));
    assert_eq!(world.op.count(Endpoint::Token), 1);
}

#[test]
fn an_outage_after_the_roll_over_proves_nothing() {
    let world = world_of_secrets(&["an old one", CLIENT_SECRET]);
    let refusal = Instead::Says(401, vec![], json!({ "error": "invalid_client" }).to_string());
    world.op.instead_once(Endpoint::Token, refusal);
    world.op.instead_once(Endpoint::Token, Instead::Says(503, vec![], String::new()));
    assert_eq!(refused(&Browser::new(&world)).status, 503);
    assert!(events(&world, "client_credential.rolled_over").is_empty());
    Browser::signed_in(&world, &ADA);
    assert_eq!(world.op.count(Endpoint::Token), 4, "it begins with the first again");
}

#[test]
fn a_refresh_and_a_revocation_roll_over_as_well() {
    let world = world_of_secrets(&[CLIENT_SECRET, "a new one"]);
    let browser = Browser::signed_in(&world, &ADA);
    let refusal = || Instead::Says(400, vec![], json!({ "error": "invalid_client" }).to_string());
    world.op.instead_once(Endpoint::Token, refusal());
    // The second is none: the answer of the first counts, and nobody is signed out.
    let answer = browser.fetch(ORDERS);
    assert_eq!(answer.status, 500, "{answer:?}");
    assert!(browser.is_signed_in());
    world.advance(10);
    served(&browser.fetch(ORDERS));
    let world = world_of_secrets(&["an old one", CLIENT_SECRET]);
    let browser = Browser::signed_in(&world, &ADA);
    world.new_isolate();
    assert_eq!(browser.post("/.auth/logout").status, 303);
    assert_eq!((world.op.count(Endpoint::Revocation), world.op.revoked()), (2, 1));
}

#[test]
fn a_key_follows_a_secret_and_the_other_way_round() {
    let entries = json!([{ "SourceType": "ClientSecret" }, { "SourceType": "Pem" }]);
    let named = [("0__ClientSecret", CLIENT_SECRET), ("1__Pem", &rsa_pem())];
    // The OP knows the key alone, then both.
    for takes_secret in [false, true] {
        let world = world(&entries, &named, &rsa("RS256"));
        world.op.assertions.takes_secret.set(takes_secret);
        Browser::signed_in(&world, &ADA);
        assert_eq!(world.op.assertions.ids.borrow().len(), usize::from(!takes_secret));
        assert_eq!(events(&world, "client_credential.rolled_over").len(), usize::from(!takes_secret));
    }
}

#[test]
fn a_file_that_does_not_open_is_passed_over_and_said_once() {
    let entries = json!([{ "SourceType": "Base64Encoded" }, { "SourceType": "ClientSecret" }]);
    let contents = file("right");
    let named = [
        ("0__Base64EncodedValue", contents.as_str()),
        ("0__CertificatePassword", "wrong"),
        ("1__ClientSecret", CLIENT_SECRET),
    ];
    let world = World::of(environment(&entries, &named));
    for _ in 0..2 {
        Browser::signed_in(&world, &ADA);
    }
    assert_eq!((world.op.count(Endpoint::Token), world.files_opened.get()), (2, 1));
    let unusable = events(&world, "client_credential.unusable");
    assert_eq!(unusable.len(), 1);
    assert_eq!(unusable[0]["credential"], 0);
    assert_eq!(
        unusable[0]["reason"],
        "the PFX file does not open: CertificatePassword is wrong, or the file is damaged"
    );
    assert!(events(&world, "client_credential.rolled_over").is_empty(), "nobody refused anything");
}

#[test]
fn without_any_usable_credential_the_op_is_not_asked_and_the_operator_is_told() {
    let entries = json!([{ "SourceType": "Base64Encoded" }]);
    let world = World::of(environment(&entries, &[("0__Base64EncodedValue", "AAAA")]));
    for _ in 0..2 {
        let answer = refused(&Browser::new(&world));
        assert_eq!(answer.status, 500);
        assert!(!answer.body.contains("PFX"), "{}", answer.body);
    }
    assert_eq!((world.op.count(Endpoint::Token), world.files_opened.get()), (0, 1));
    let reason = &events(&world, "client_credential.unusable")[0]["reason"];
    assert_eq!(reason, "Base64EncodedValue is no PFX file, or one without a MAC");
    assert_eq!(world.logged("request.refused")["code"], "misconfigured");
}

#[test]
fn a_platform_that_does_not_sign_is_no_reason_to_send_nothing() {
    let entries = json!([{ "SourceType": "Pem" }]);
    let world = world(&entries, &[("0__Pem", &rsa_pem())], &rsa("RS256"));
    world.signs.set(false);
    assert_eq!(refused(&Browser::new(&world)).status, 500);
    assert_eq!(world.op.count(Endpoint::Token), 0);
    assert!(events(&world, "client_credential.unusable")[0]["reason"].as_str().unwrap().contains("does not sign"));
}

/// Assertions of somebody else, by a service binding or a URL.
fn federated(entry: &Value, expires_at: u64) -> (World, String) {
    let mut all = json!({ "SourceType": "CustomSignedAssertion" });
    crate::deployment::merge(&mut all, entry);
    let named: &[(&str, &str)] =
        if entry.get("AssertionUrl").is_some() { &[("0__AssertionToken", "TOKEN+for/the=issuer")] } else { &[] };
    let mut environment = environment(&json!([all]), named);
    environment["bindings"].as_array_mut().unwrap().push(json!("ISSUER"));
    let world = World::of(environment);
    let assertion = world.federation.assertion(1, expires_at);
    world.op.assertions.proofs.borrow_mut().push(Proof::Text(assertion.clone()));
    world.federation.says(200, &assertion);
    (world, assertion)
}

#[test]
fn an_assertion_comes_from_a_binding_or_an_address_and_is_kept_until_it_ends() {
    let by_service = json!({ "AssertionService": "ISSUER" });
    let by_url = json!({ "AssertionUrl": "https://assertions.example/a?v=2", "TokenExchangeUrl": "api://x&y" });
    for (entry, call) in [
        (by_service, (Some("ISSUER".to_owned()), "https://assertion/".to_owned(), None)),
        (
            by_url,
            (
                None,
                "https://assertions.example/a?v=2&audience=api%3A%2F%2Fx%26y".to_owned(),
                Some("Bearer TOKEN+for/the=issuer".to_owned()),
            ),
        ),
    ] {
        let (world, assertion) = federated(&entry, NOW + 3600);
        Browser::signed_in(&world, &ADA);
        assert_eq!(world.federation.take_calls(), std::slice::from_ref(&call));
        world.advance(3539);
        Browser::signed_in(&world, &ADA);
        assert!(world.federation.take_calls().is_empty(), "it is good for a minute more");
        world.advance(1);
        let newer = world.federation.assertion(2, NOW + 7200);
        world.federation.says(200, &json!({ "count": 1, "value": newer }).to_string());
        *world.op.assertions.proofs.borrow_mut() = vec![Proof::Text(newer)];
        Browser::signed_in(&world, &ADA);
        assert_eq!(world.federation.take_calls(), [call]);
        assert!(!world.log().iter().any(|line| line.to_string().contains(&assertion)));
    }
}

#[test]
fn an_assertion_that_the_op_refuses_is_not_used_again() {
    let (world, _) = federated(&json!({ "AssertionService": "ISSUER" }), NOW + 3600);
    world.op.assertions.proofs.borrow_mut().clear();
    let newer = world.federation.assertion(2, NOW + 3600);
    world.op.assertions.proofs.borrow_mut().push(Proof::Text(newer.clone()));
    assert_eq!(refused(&Browser::new(&world)).status, 500);
    world.federation.says(200, &newer);
    Browser::signed_in(&world, &ADA);
    assert_eq!(world.federation.take_calls().len(), 2);
}

#[test]
fn a_source_that_fails_is_an_outage_and_one_that_talks_nonsense_is_not() {
    let (expired, good) =
        (|world: &World| world.federation.assertion(3, NOW), |world: &World| world.federation.assertion(4, NOW + 600));
    for (answer, status, reason) in [
        (Err(TransportFault::TimedOut), 503, "the source of signed assertions: TimedOut"),
        (Ok((500, String::new())), 503, "the source of signed assertions answered with status 500"),
        (Ok((302, String::new())), 500, "the source of signed assertions answered with status 302"),
        (
            Ok((403, "<SECRET?%Gclient&=+ x>".to_owned())),
            500,
            "the source of signed assertions answered with status 403",
        ),
        (Ok((200, "EXPIRED".to_owned())), 500, "the signed assertion has expired"),
        (Ok((200, "nonsense".to_owned())), 500, "no JWT with exp"),
        (Ok((200, "x".repeat(20_000))), 500, "too long"),
    ] {
        let (world, _) = federated(&json!({ "AssertionService": "ISSUER" }), NOW + 3600);
        let answer = match answer {
            Ok((200, text)) if text == "EXPIRED" => Ok((200, expired(&world))),
            other => other,
        };
        *world.federation.answer.borrow_mut() = Some(answer);
        let page = refused(&Browser::new(&world));
        assert_eq!((page.status, world.op.count(Endpoint::Token)), (status, 0), "{reason}");
        let logged = events(&world, "client_credential.unusable");
        assert!(logged[0]["reason"].as_str().unwrap().contains(reason), "{logged:?}");
        let assertion = good(&world);
        world.op.assertions.proofs.borrow_mut().push(Proof::Text(assertion.clone()));
        world.federation.says(200, &assertion);
        world.advance(10);
        Browser::signed_in(&world, &ADA);
    }
}

#[test]
fn an_outage_of_the_source_leaves_everybody_signed_in() {
    let (world, _) = federated(&json!({ "AssertionService": "ISSUER" }), NOW + 100);
    let browser = Browser::signed_in(&world, &ADA);
    *world.federation.answer.borrow_mut() = Some(Err(TransportFault::NoConnection));
    world.advance(60);
    assert_eq!(browser.fetch(ORDERS).status, 503);
    assert!(browser.is_signed_in());
}
