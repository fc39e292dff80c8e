//! Sign-ins that the OP refuses: what a person reads and can do, what a script is told, and what is in the log.

use serde_json::{Value, json};

use crate::api::login_url;
use crate::browser::{Browser, LOGIN};
use crate::callback::assert_nobody_is_signed_in;
use crate::microsoft;
use crate::op::{ADA, Endpoint, Instead, parameter};
use crate::request::Received;
use crate::world::World;

const TRACE: &str = "8a6d6b1c-0f1e-4c6e-9a54-6d1f3a1b2c3d";
const CORRELATION: &str = "0f0e0d0c-0b0a-0908-0706-050403020100";
/// What no answer and no log line may repeat.
const TEXT: &str = "<b>hostile-text</b> of ada@example.com";

fn world() -> World {
    microsoft::world_with(&json!({}))
}

fn description(number: &str) -> String {
    format!("{number}: {TEXT}\r\nTrace ID: {TRACE}\r\nCorrelation ID: {CORRELATION}\r\nTimestamp: 2026-01-01 00:00:00Z")
}

/// The OP sends the browser back with an error, as a page and as a script.
fn sent_back(world: &World, path: &str, error: &str, description: &str) -> (Received, Received) {
    let answers = [false, true].map(|is_script| {
        let browser = Browser::new(world);
        let state = parameter(&browser.begin(path), "state").unwrap();
        let parameters = [("error", error), ("error_description", description), ("state", &*state)];
        let callback = world.op.callback(&parameters);
        let answer = if is_script { browser.come_back_as_script(&callback) } else { browser.come_back(&callback) };
        assert_eq!(browser.jar.names(LOGIN), [""; 0]);
        assert_nobody_is_signed_in(world, &browser);
        answer
    });
    let [page, problem] = answers;
    (page, problem)
}

fn assert_no_text(world: &World, answer: &Received) {
    for place in [&answer.body, &format!("{:?}", answer.headers), &format!("{:?}", world.log())] {
        assert!(!place.contains("hostile-text") && !place.contains("ada@example.com"), "{place}");
    }
    assert!(!answer.body.contains("AADSTS") && !answer.body.contains("AADB2C"), "{}", answer.body);
}

#[test]
fn a_number_chooses_what_a_person_reads_and_is_in_the_log_alone() {
    for (error, number, status, code, heading, other_account) in [
        ("access_denied", "AADSTS65004", 403, "access_denied", "Sign-in was declined", false),
        ("access_denied", "AADB2C90091", 403, "access_denied", "Sign-in was declined", false),
        ("access_denied", "AADSTS90094", 403, "admin_consent_required", "An administrator has to allow", true),
        ("consent_required", "AADSTS65001", 403, "admin_consent_required", "An administrator has to allow", true),
        ("unauthorized_client", "AADSTS700016", 403, "admin_consent_required", "An administrator has to allow", true),
        ("interaction_required", "AADSTS50105", 403, "not_assigned", "You are not assigned", true),
        ("invalid_request", "AADSTS50020", 403, "wrong_account", "This account cannot be used here", true),
        ("server_error", "AADSTS500202", 403, "wrong_account", "This account cannot be used here", true),
        ("access_denied", "AADSTS53003", 403, "sign_in_blocked", "Your organization blocks this sign-in", true),
        ("server_error", "AADSTS50196", 429, "sign_in_loop", "Too many sign-ins", false),
        // A number that says nothing, or none: the class decides.
        ("interaction_required", "AADSTS50076", 403, "sign_in_incomplete", "The sign-in is not complete", false),
        (
            "temporarily_unavailable",
            "AADSTS90033",
            503,
            "op_unreachable",
            "The sign-in service cannot be reached",
            false,
        ),
        ("invalid_scope", "AADSTS70011", 500, "misconfigured", "This application is not set up correctly", false),
    ] {
        let world = world();
        let (page, problem) = sent_back(&world, "/page?x=%26", error, &description(number));
        assert_eq!((page.status, problem.problem()), (status, (status, code.to_owned())), "{number}");
        assert!(page.body.contains(&format!("<h1>{heading}")), "{number}: {}", page.body);
        let again =
            "/.auth/login?prompt=select_account&amp;return_to=%2Fpage%3Fx%3D%2526\">Try again with another account<";
        assert_eq!(page.body.contains(again), other_account, "{number}: {}", page.body);
        let start = "https://app.example/page?x=%26\">Start again<";
        assert_eq!(page.body.contains(start), !other_account, "{number}: {}", page.body);
        let line = world.logged("op.error");
        assert_eq!((&line["error"], &line["op_error_code"]), (&json!(error), &json!(number)));
        assert_eq!((&line["op_trace_id"], &line["op_correlation_id"]), (&json!(TRACE), &json!(CORRELATION)));
        let refused = world.log().into_iter().rfind(|line| line["code"] == code).unwrap();
        assert_eq!((&refused["event"], &refused["trace"]), (&json!("request.refused"), &line["trace"]));
        assert!(page.body.contains("Reference: <code>"), "{}", page.body);
        for answer in [&page, &problem] {
            assert_no_text(&world, answer);
        }
    }
}

#[test]
fn ids_that_are_none_are_not_logged_and_neither_is_an_error_that_belongs_to_nobody() {
    let world = world();
    sent_back(&world, "/", "access_denied", &format!("{TEXT} Trace ID: {TEXT} Correlation ID: {CORRELATION}x"));
    let line = world.logged("op.error");
    assert_eq!((&line["op_error_code"], &line["op_trace_id"]), (&Value::Null, &Value::Null));
    assert_eq!(line["op_correlation_id"], CORRELATION);
    let forged = [("error", "access_denied"), ("error_description", "AADSTS50105: x"), ("state", "AAAAAAAAAAA.A")];
    let other = self::world();
    let answer = Browser::new(&other).come_back(&other.op.callback(&forged));
    assert_eq!(answer.status, 400);
    assert!(!other.has_logged("op.error"));
}

#[test]
fn the_link_to_another_account_works_at_every_provider() {
    for (world, prompt) in [(world(), "select_account"), (World::new(), "login")] {
        let browser = Browser::new(&world);
        let state = parameter(&browser.begin("/page"), "state").unwrap();
        let parameters = [("error", "access_denied"), ("error_description", "AADSTS50105: x"), ("state", &*state)];
        let page = browser.come_back(&world.op.callback(&parameters)).body;
        let (_, link) = page.split_once("href=\"").unwrap();
        let link = link.split_once('"').unwrap().0.replace("&amp;", "&");
        let redirect = browser.follow(&link);
        assert_eq!(parameter(redirect.location(), "prompt").as_deref(), Some(prompt));
        let returned = browser.come_back(&world.op.authorize(redirect.location(), &ADA));
        assert_eq!((returned.status, returned.location()), (303, "https://app.example/page"));
    }
}

fn refuses(error: &str, codes: &[u32]) -> Instead {
    let body = json!({
        "error": error, "suberror": "basic_action", "error_codes": codes, "error_description": TEXT,
        "trace_id": TRACE, "correlation_id": CORRELATION,
    });
    Instead::Says(400, vec![], body.to_string())
}

#[test]
fn a_code_that_is_refused_for_a_reason_shows_it() {
    for (error, codes, status, code) in [
        ("invalid_grant", vec![50_105], 403, "not_assigned"),
        ("invalid_grant", vec![53_003], 403, "sign_in_blocked"),
        ("interaction_required", vec![90_072, 50_105], 403, "wrong_account"),
        ("consent_required", vec![65_001], 403, "admin_consent_required"),
        ("invalid_grant", vec![50_196], 429, "sign_in_loop"),
        ("interaction_required", vec![50_079], 403, "sign_in_incomplete"),
        ("invalid_grant", vec![], 403, "sign_in_incomplete"),
        // The registration is wrong, whatever the number is.
        ("unauthorized_client", vec![700_016], 500, "misconfigured"),
        ("invalid_client", vec![50_105], 500, "misconfigured"),
    ] {
        let world = world();
        let browser = Browser::new(&world);
        let callback = world.op.authorize(&browser.begin("/"), &ADA);
        world.op.instead(Endpoint::Token, refuses(error, &codes));
        let answer = browser.come_back_as_script(&callback);
        assert_eq!(answer.problem(), (status, code.to_owned()), "{error} {codes:?}");
        let line = world.logged("op.error");
        assert_eq!((&line["error"], &line["suberror"]), (&json!(error), &json!("other")));
        assert_eq!(
            line["op_error_code"].as_str().map(str::to_owned),
            codes.first().map(|code| format!("AADSTS{code}"))
        );
        assert_no_text(&world, &answer);
        world.op.behave();
        assert_nobody_is_signed_in(&world, &browser);
    }
}

#[test]
fn the_platform_and_our_log_know_a_token_request_by_the_same_id() {
    let world = world();
    let browser = Browser::signed_in(&world, &ADA);
    let at_sign_in = world.op.last_request_id(Endpoint::Token).unwrap();
    world.op.instead_once(Endpoint::Token, refuses("interaction_required", &[50_076]));
    login_url(&browser.fetch("/api/Orders/x"));
    let at_refresh = world.op.last_request_id(Endpoint::Token).unwrap();
    assert_ne!(at_sign_in, at_refresh);
    let line = world.logged("op.error");
    assert_eq!((&line["client_request_id"], &line["op_error_code"]), (&json!(at_refresh), &json!("AADSTS50076")));
    assert_eq!(line["trace"], world.logged("token.refresh_failed")["trace"]);
    assert_eq!(world.op.last_request_id(Endpoint::Metadata), None);
    let lengths: Vec<_> = at_refresh.split('-').map(str::len).collect();
    assert_eq!(lengths, [8, 4, 4, 4, 12]);
}

#[test]
fn no_other_provider_is_told_an_id() {
    let world = World::new();
    let browser = Browser::signed_in(&world, &ADA);
    world.op.instead_once(Endpoint::Token, refuses("interaction_required", &[]));
    login_url(&browser.fetch("/api/Orders/x"));
    assert_eq!(world.op.last_request_id(Endpoint::Token), None);
    assert_eq!(world.logged("op.error")["client_request_id"], Value::Null);
}

#[test]
fn an_application_that_is_refused_a_token_of_its_own_says_why_in_the_log() {
    let apis = json!({ "Reports": { "BaseUrl": "https://reports.example", "Scopes": "api://r/.default", "RequestAppToken": true } });
    let world = World::with(&json!({ "DownstreamApis": apis }));
    let browser = Browser::signed_in(&world, &ADA);
    world.op.instead_once(Endpoint::Token, refuses("invalid_client", &[7_000_215]));
    assert_eq!(browser.fetch("/api/Reports/x").problem(), (500, "misconfigured".to_owned()));
    let line = world.logged("op.error");
    assert_eq!((&line["error"], &line["op_error_code"]), (&json!("invalid_client"), &json!("AADSTS7000215")));
}
