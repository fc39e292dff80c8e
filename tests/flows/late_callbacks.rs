//! Callbacks that come too late, or twice: reloads, the back button, a double post. Nobody is told off for those.

use serde_json::json;

use crate::browser::{Browser, LOGIN};
use crate::op::{ADA, BOB, Endpoint, Instead, parameter};
use crate::request::{Received, Request};
use crate::world::World;

fn goes_to(answer: &Received, location: &str) {
    assert_eq!((answer.status, answer.location()), (303, location), "{answer:?}");
}

/// To the OP, and a sign-in that leads to where it says.
fn signs_in_again(browser: &Browser<'_>, answer: &Received, location: &str) {
    assert_eq!(answer.status, 302, "{answer:?}");
    goes_to(&browser.come_back(&browser.world.op.authorize(answer.location(), &ADA)), location);
    assert!(browser.is_signed_in());
}

fn spent() -> Instead {
    Instead::Says(400, vec![], json!({ "error": "invalid_grant" }).to_string())
}

#[test]
fn a_callback_that_comes_again_leads_into_the_application() {
    let world = World::new();
    let browser = Browser::new(&world);
    let callback = world.op.authorize(&browser.begin("/page?x=1"), &ADA);
    goes_to(&browser.come_back(&callback), "https://app.example/page?x=1");
    let (session, writes, requests) = (browser.session(), world.kv.changes(), world.op.count(Endpoint::Token));
    for again in [browser.come_back(&callback), browser.visit(&callback), browser.follow(&callback)] {
        goes_to(&again, "https://app.example/");
    }
    assert_eq!((browser.session(), world.kv.changes(), world.op.count(Endpoint::Token)), (session, writes, requests));
    assert!(browser.is_signed_in());
}

#[test]
fn the_second_of_two_at_once_leads_to_the_page_as_the_first_does() {
    let world = World::new();
    let browser = Browser::new(&world);
    let callback = world.op.authorize(&browser.begin("/page"), &ADA);
    let attempts = browser.jar.header(world.time()).unwrap();
    goes_to(&browser.come_back(&callback), "https://app.example/page");
    // Sent before the answer to the first was there, and served after it: with the attempt and the session.
    world.op.instead_once(Endpoint::Token, spent());
    let both = format!("{attempts}; {}", browser.jar.header(world.time()).unwrap());
    let second = Request::navigation("GET", &callback, "cross-site").with("cookie", &both);
    goes_to(&world.site().serve(&second), "https://app.example/page");
}

#[test]
fn a_code_that_was_used_up_leads_to_the_op_once_more_and_to_the_page() {
    let world = World::new();
    let browser = Browser::new(&world);
    let callback = world.op.authorize(&browser.begin("/page"), &ADA);
    world.op.instead_once(Endpoint::Token, spent());
    let answer = browser.come_back(&callback);
    assert_eq!(world.logged("login.started")["for"], "another");
    assert_eq!(world.logged("request.refused")["code"], "login_attempt_invalid");
    signs_in_again(&browser, &answer, "https://app.example/page");
}

#[test]
fn a_callback_of_yesterday_leads_to_the_op_once_more() {
    let world = World::new();
    let browser = Browser::new(&world);
    let callback = world.op.authorize(&browser.begin("/page"), &ADA);
    world.advance(86_400);
    let answer = browser.come_back(&callback);
    assert_eq!(world.op.count(Endpoint::Token), 0);
    signs_in_again(&browser, &answer, "https://app.example/");
}

#[test]
fn nobody_is_sent_round_and_round() {
    // A browser that keeps no cookies at all.
    let world = World::new();
    let lost = |url: &str| Browser::new(&world).come_back(url);
    let first = lost(&world.op.authorize(&Browser::new(&world).begin("/page"), &ADA));
    assert_eq!(first.status, 302);
    let second = lost(&world.op.authorize(first.location(), &ADA));
    assert_eq!((second.status, second.is_forwarded), (400, false), "{second:?}");
    assert!(second.body.contains("Sign-in could not be completed"));
    // An OP that takes no code.
    let browser = Browser::new(&world);
    world.op.instead(Endpoint::Token, spent());
    let first = browser.come_back(&world.op.authorize(&browser.begin("/page"), &ADA));
    let second = browser.come_back(&world.op.authorize(first.location(), &ADA));
    assert_eq!((first.status, second.status), (302, 400));
    assert!(second.body.contains("https://app.example/page\">Start again<"), "{}", second.body);
    assert_eq!(browser.jar.names(LOGIN), [""; 0]);
}

#[test]
fn a_session_from_before_is_no_answer_to_a_sign_in_that_failed() {
    let world = World::new();
    let browser = Browser::signed_in(&world, &ADA);
    world.advance(10);
    let redirect = browser.follow("/.auth/login?return_to=/page&prompt=login");
    let callback = world.op.authorize(redirect.location(), &BOB);
    world.op.instead_once(Endpoint::Token, spent());
    let answer = browser.come_back(&callback);
    assert_eq!((answer.status, answer.header("location")), (400, None), "{answer:?}");
    assert!(browser.is_signed_in());
}

#[test]
fn what_was_forged_mixed_up_or_declined_is_not_repeated() {
    let world = World::new();
    let browser = Browser::new(&world);
    let state = parameter(&browser.begin("/page"), "state").unwrap();
    let (id, _) = state.split_once('.').unwrap();
    for parameters in [
        vec![("code", "c"), ("state", "short")],
        vec![("code", "c")],
        vec![("state", "AAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAA")],
        vec![("error", "access_denied"), ("state", "AAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAA")],
        vec![("error", "x"), ("code", "c"), ("state", "AAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAA")],
        vec![("code", "c"), ("state", &*format!("{id}.AAAAAAAAAAAAAAAAAAAAAA"))],
    ] {
        let answer = browser.copy().come_back(&world.op.callback(&parameters));
        assert_eq!((answer.status, answer.header("location")), (400, None), "{parameters:?}");
    }
    let whole = [("code", "c"), ("state", "AAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAA")];
    let callback = world.op.callback(&whole);
    assert_eq!(browser.come_back_as_script(&callback).problem(), (400, "login_attempt_invalid".to_owned()));
    assert_eq!(browser.send(Request::navigation("HEAD", &callback, "none")).status, 405);
    assert_eq!(browser.come_back(&callback).status, 302, "the last of these would be one");
}
