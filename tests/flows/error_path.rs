//! `ErrorPath`: the origin's own page explains a sign-in that failed.

use serde_json::{Value, json};

use crate::browser::{Browser, absolute};
use crate::op::{ADA, Endpoint, Instead, parameter};
use crate::request::{Received, Request};
use crate::world::World;

fn vars() -> Value {
    json!({
        "OpenIdConnect": { "ErrorPath": "/oops" },
        "Gateway": { "Routes": [{ "Path": "/oops", "Access": "Anonymous" }] },
    })
}

fn world() -> World {
    World::with(&vars())
}

/// The code that a browser brings to the page; the page has it, and the log.
fn explained(world: &World, browser: &Browser<'_>, answer: &Received) -> String {
    assert_eq!(answer.status, 303, "{answer:?}");
    let location = answer.location();
    let refused = world.logged("request.refused");
    let [code, trace] = ["error", "trace"].map(|name| parameter(location, name).unwrap());
    assert_eq!(location, absolute(&format!("/oops?error={code}&trace={trace}")), "nothing else");
    assert_eq!((&refused["code"], &refused["trace"]), (&json!(code), &json!(trace)));
    assert_eq!(answer.body, "");
    let page = browser.copy().send(Request::navigation("GET", location, "cross-site"));
    assert!(page.is_forwarded, "no way round and round: {page:?}");
    code
}

#[test]
fn whatever_the_op_answers_a_person_gets_to_the_page() {
    for (parameters, code) in [
        (&[("error", "access_denied"), ("error_description", "<b>no</b>")][..], "access_denied"),
        (&[("error", "server_error")], "op_unreachable"),
        (&[("error", "<script>")], "login_attempt_invalid"),
        (&[("code", "x"), ("code", "y")], "login_attempt_invalid"),
        (&[("error", "unauthorized_client")], "misconfigured"),
    ] {
        let world = world();
        let browser = Browser::new(&world);
        let state = parameter(&browser.begin("/"), "state").unwrap();
        let mut parameters = parameters.to_vec();
        parameters.push(("state", &state));
        let answer = browser.come_back(&world.op.callback(&parameters));
        assert_eq!(explained(&world, &browser, &answer), code);
        assert!(!browser.is_signed_in());
    }
}

#[test]
fn so_does_whoever_comes_back_from_nowhere() {
    let world = world();
    let browser = Browser::signed_in(&world, &ADA);
    let answer = Browser::new(&world).come_back("https://app.example/signin-oidc");
    assert_eq!(explained(&world, &browser, &answer), "login_attempt_invalid");
    assert!(browser.is_signed_in());
}

#[test]
fn the_cookie_of_the_attempt_is_cleared_all_the_same() {
    let world = world();
    let browser = Browser::new(&world);
    let state = parameter(&browser.begin("/"), "state").unwrap();
    let (id, _) = state.split_once('.').unwrap();
    let answer = browser.come_back(&world.op.callback(&[("error", "access_denied"), ("state", &state)]));
    assert!(answer.expires(&format!("__Host-login-{id}")), "{answer:?}");
}

#[test]
fn a_sign_in_that_cannot_begin_is_explained_there_too() {
    for path in ["/page?secret=1", "/.auth/login?return_to=/page", "/.auth/login?request=garbage"] {
        let world = world();
        let browser = Browser::new(&world);
        world.op.instead(Endpoint::Metadata, Instead::Says(503, vec![], String::new()));
        let answer = browser.visit(path);
        let expected = if path.contains("garbage") { "login_request_invalid" } else { "op_unreachable" };
        assert_eq!(explained(&world, &browser, &answer), expected);
    }
}

#[test]
fn a_script_is_told_what_is_wrong_and_other_errors_have_our_page() {
    let world = world();
    let browser = Browser::new(&world);
    let answer = browser.come_back_as_script(&world.op.callback(&[("error", "access_denied")]));
    assert_eq!(answer.problem(), (400, "login_attempt_invalid".to_owned()));
    for path in ["/.auth/nothing", "/signout-callback-oidc?state=x"] {
        let answer = browser.visit(path);
        assert!(answer.status >= 400 && answer.body.contains("Reference"), "{answer:?}");
    }
}

#[test]
fn each_provider_has_its_own() {
    let two = crate::deployment::two_providers();
    let world = World::of(crate::deployment::changed(two, &vars()));
    let staff = Browser::new(&world).come_back("https://app.example/signin-oidc/Staff?error=access_denied");
    assert_eq!(staff.status, 400);
    let section = Browser::new(&world).come_back("https://app.example/signin-oidc?error=access_denied");
    assert_eq!(section.status, 303);
}
