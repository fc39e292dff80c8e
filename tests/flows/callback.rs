//! The callback: one answer for one attempt of one browser, and nothing for anything else.

use serde_json::json;

use crate::browser::{Browser, LOGIN};
use crate::op::{ADA, BOB, Endpoint, parameter};
use crate::request::{Received, Request};
use crate::world::World;

/// Begins a sign-in and answers it with `callback`, made from the request: nobody may be signed in afterwards.
fn refused(callback: impl Fn(&World, &str) -> String) -> Received {
    let world = World::new();
    let browser = Browser::new(&world);
    let request = browser.begin("/page");
    let answer = browser.come_back_as_script(&callback(&world, &request));
    assert_nobody_is_signed_in(&world, &browser);
    answer
}

pub(crate) fn assert_nobody_is_signed_in(world: &World, browser: &Browser<'_>) {
    assert_eq!(browser.session(), None);
    assert!(!browser.is_signed_in());
    assert_eq!(world.kv.changes(), [""; 0]);
    assert_eq!(world.downstream.count(), 0);
}

fn state(request: &str) -> String {
    parameter(request, "state").unwrap()
}

#[test]
fn a_foreign_missing_duplicated_or_changed_state_signs_nobody_in() {
    let invalid = (400, "login_attempt_invalid".to_owned());
    let callback = |parameters: fn(&str) -> Vec<(&'static str, String)>| {
        refused(|world, request| {
            let parameters = parameters(&state(request));
            let pairs: Vec<_> = parameters.iter().map(|(name, value)| (*name, value.as_str())).collect();
            world.op.callback(&pairs)
        })
    };
    for answer in [
        callback(|_| vec![]),
        callback(|_| vec![("code", "code-x".to_owned())]),
        callback(|state| vec![("state", state.to_owned())]),
        callback(|state| vec![("code", String::new()), ("state", state.to_owned())]),
        callback(|_| vec![("code", "c".to_owned()), ("state", "AAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAA".to_owned())]),
        callback(|state| vec![("code", "c".to_owned()), ("state", format!("{state}A"))]),
        callback(|state| vec![("code", "c".to_owned()), ("state", state[..state.len() - 1].to_owned())]),
        callback(|state| vec![("code", "c".to_owned()), ("state", state.split('.').next().unwrap().to_owned() + ".")]),
        callback(|state| vec![("code", "c".to_owned()), ("state", state.to_owned()), ("state", state.to_owned())]),
        callback(|state| vec![("code", "c".to_owned()), ("code", "d".to_owned()), ("state", state.to_owned())]),
        callback(|state| vec![("code", "c\u{e9}\n".to_owned()), ("state", state.to_owned())]),
        callback(|state| vec![("code", "c".repeat(20_000)), ("state", state.to_owned())]),
    ] {
        assert_eq!(answer.problem(), invalid);
    }
}

#[test]
fn a_state_that_matches_but_for_its_last_part_ends_the_attempt_before_the_token_request() {
    let world = World::new();
    let browser = Browser::new(&world);
    let callback = world.op.authorize(&browser.begin("/"), &ADA);
    let (id, _) = state(&callback).split_once('.').map(|(id, rest)| (id.to_owned(), rest.len())).unwrap();
    let code = parameter(&callback, "code").unwrap();
    let forged = world.op.callback(&[("code", &code), ("state", &format!("{id}.AAAAAAAAAAAAAAAAAAAAAA"))]);
    assert_eq!(browser.come_back_as_script(&forged).code(), "login_attempt_invalid");
    assert_eq!(world.op.count(Endpoint::Token), 0);
    assert_nobody_is_signed_in(&world, &browser);
}

#[test]
fn the_callback_of_one_browser_signs_in_no_other() {
    let world = World::new();
    let (attacker, victim) = (Browser::new(&world), Browser::new(&world));
    let callback = world.op.authorize(&attacker.begin("/"), &BOB);
    assert_eq!(victim.come_back_as_script(&callback).problem(), (400, "login_attempt_invalid".to_owned()));
    victim.begin("/own-attempt");
    assert_eq!(victim.come_back_as_script(&callback).problem(), (400, "login_attempt_invalid".to_owned()));
    assert_nobody_is_signed_in(&world, &victim);
    assert_eq!(world.op.count(Endpoint::Token), 0);
}

#[test]
fn the_code_of_another_attempt_fails_by_its_verifier() {
    let world = World::new();
    let browser = Browser::new(&world);
    let attacker = Browser::new(&world);
    let stolen = parameter(&world.op.authorize(&attacker.begin("/"), &BOB), "code").unwrap();
    let own = browser.begin("/");
    let answer = browser.come_back_as_script(&world.op.callback(&[("code", &stolen), ("state", &state(&own))]));
    assert_eq!(answer.problem(), (400, "login_attempt_invalid".to_owned()));
    assert_nobody_is_signed_in(&world, &browser);
}

#[test]
fn an_attempt_finishes_once() {
    let world = World::new();
    let browser = Browser::new(&world);
    let callback = world.op.authorize(&browser.begin("/page"), &ADA);
    let before = browser.copy();
    assert_eq!(browser.come_back(&callback).status, 303);
    let writes = world.kv.changes();
    // The same page again, and a raw replay with the attempt's old cookie.
    assert_eq!(browser.come_back_as_script(&callback).problem(), (400, "login_attempt_invalid".to_owned()));
    assert_eq!(before.come_back_as_script(&callback).problem(), (400, "login_attempt_invalid".to_owned()));
    assert_eq!(world.kv.changes(), writes);
    assert_eq!(before.session(), None);
}

#[test]
fn every_error_of_the_op_has_its_code_and_ends_the_attempt() {
    for (error, status, code) in [
        ("access_denied", 403, "access_denied"),
        ("server_error", 503, "op_unreachable"),
        ("temporarily_unavailable", 503, "op_unreachable"),
        ("invalid_request", 500, "misconfigured"),
        ("invalid_scope", 500, "misconfigured"),
        ("unauthorized_client", 500, "misconfigured"),
        ("unsupported_response_type", 500, "misconfigured"),
        ("login_required", 403, "sign_in_incomplete"),
        ("consent_required", 403, "admin_consent_required"),
        ("interaction_required", 403, "sign_in_incomplete"),
        ("account_selection_required", 403, "sign_in_incomplete"),
        ("<script>alert(1)</script>", 400, "login_attempt_invalid"),
    ] {
        let world = World::new();
        let browser = Browser::new(&world);
        let state = state(&browser.begin("/"));
        let hostile = "<img src=x onerror=alert(1)>\"'";
        let parameters = [("error", error), ("state", &state), ("error_description", hostile), ("error_uri", hostile)];
        let answer = browser.copy().come_back(&world.op.callback(&parameters));
        assert!(!answer.body.contains("<img") && !answer.body.contains("<script"), "{}", answer.body);
        let answer = browser.come_back_as_script(&world.op.callback(&parameters));
        assert_eq!(answer.problem(), (status, code.to_owned()), "{error}");
        assert_eq!(answer.header("retry-after").is_some(), status == 503);
        assert_eq!(browser.jar.names(LOGIN), [""; 0], "{error}");
        assert_nobody_is_signed_in(&world, &browser);
    }
}

#[test]
fn an_error_from_another_issuer_is_not_believed() {
    for iss in ["https://evil.example", "https://op.example/", ""] {
        let answer = refused(|_, request| {
            let state: String = url::form_urlencoded::byte_serialize(state(request).as_bytes()).collect();
            format!("{}/signin-oidc?error=access_denied&state={state}&iss={iss}", crate::deployment::PUBLIC)
        });
        assert_eq!(answer.problem(), (400, "login_attempt_invalid".to_owned()), "{iss}");
    }
}

#[test]
fn a_code_with_the_wrong_issuer_is_not_redeemed() {
    let world = World::new();
    for iss in ["https%3A%2F%2Fevil.example", ""] {
        let browser = Browser::new(&world);
        let callback = world.op.authorize(&browser.begin("/"), &ADA);
        let (before, _) = callback.split_once("&iss=").unwrap();
        let answer = browser.come_back_as_script(&format!("{before}&iss={iss}"));
        assert_eq!(answer.code(), "login_attempt_invalid");
        assert_eq!(world.op.count(Endpoint::Token), 0);
    }
}

#[test]
fn the_attempt_ends_with_every_outcome_that_names_it() {
    for method in ["GET", "HEAD", "POST", "PUT", "OPTIONS"] {
        let world = World::new();
        let browser = Browser::new(&world);
        let callback = world.op.authorize(&browser.begin("/"), &ADA);
        let answer = browser.send(Request::navigation(method, &callback, "cross-site"));
        assert_eq!(answer.status, if method == "GET" { 303 } else { 405 });
        assert_eq!(browser.jar.names(LOGIN), [""; 0], "{method}");
        assert_eq!(browser.session().is_some(), method == "GET");
    }
}

#[test]
fn the_code_is_redeemed_with_everything_that_proves_whose_it_is() {
    let world = World::new();
    Browser::signed_in(&world, &ADA);
    let form = world.op.last_form();
    let names: Vec<&str> = form.iter().map(|(name, _)| name.as_str()).collect();
    for needed in ["grant_type", "code", "code_verifier", "redirect_uri", "resource"] {
        assert!(names.contains(&needed), "{names:?}");
    }
    assert_eq!(world.op.count(Endpoint::Token), 1);
}

#[test]
fn what_is_stored_opens_with_the_cookie_only_and_names_nobody() {
    let world = World::new();
    Browser::signed_in(&world, &ADA);
    for (key, value, metadata) in world.kv.dump() {
        let text = format!("{key} {metadata} {}", String::from_utf8_lossy(&value));
        for private in [ADA.sub, ADA.sid.unwrap(), "Zoë"] {
            assert!(!text.contains(private), "{private} in {text}");
        }
    }
    let metadata = &world.kv.dump()[0].2;
    let metadata: serde_json::Value = serde_json::from_str(metadata).unwrap();
    assert_eq!(metadata["created"], json!(crate::world::NOW));
}
