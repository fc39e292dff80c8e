//! The application's own tokens: by client credentials, for all users, apart from theirs.

use serde_json::{Value, json};
use vestibule::runtime::TransportFault;

use crate::api::{bearer, bearers, optional, scopes, served, value};
use crate::browser::{Browser, absolute};
use crate::claims_challenge::{asked, challenge, claims, encoded};
use crate::crowd::{calls, in_turns};
use crate::deployment::{self, KEY, OTHER_KEY};
use crate::op::{ADA, BOB, Endpoint, Instead};
use crate::request::Request;
use crate::schedule::all_at_once;
use crate::world::World;

pub(crate) const REPORTS: &str = "https://reports.example";
const RESOURCE: &str = "urn:reports";

/// An API for the application, and one for users that takes tokens of the same resource and scopes.
pub(crate) fn vars() -> Value {
    json!({
        "DownstreamApis": {
            "Reports": {
                "BaseUrl": REPORTS, "Scopes": "reports.all", "Resource": RESOURCE, "RequestAppToken": true,
            },
            "Mine": { "BaseUrl": "https://mine.example", "Scopes": "reports.all", "Resource": RESOURCE },
        },
        "Session": { "IdleSeconds": 28_800 },
    })
}

pub(crate) fn world() -> World {
    World::with(&vars())
}

pub(crate) fn world_with_objects() -> World {
    World::of(deployment::changed(deployment::with_accounts(deployment::environment()), &vars()))
}

fn both_ways() -> [World; 2] {
    let at_once = world();
    at_once.forwards_at_once.set(true);
    [world(), at_once]
}

#[test]
fn the_application_asks_for_itself_and_for_one_api() {
    let world = world();
    let browser = Browser::signed_in(&world, &ADA);
    assert!(!scopes(&world.op.last_authorization()).is_empty());
    served(&browser.fetch("/api/Reports/x"));
    let form = world.op.last_form();
    assert_eq!(value(&form, "grant_type"), "client_credentials");
    assert_eq!((value(&form, "scope"), value(&form, "resource")), ("reports.all", RESOURCE));
    for absent in ["refresh_token", "code", "claims", "client_info", "redirect_uri"] {
        assert_eq!(optional(&form, absent), None, "{absent}");
    }
    assert_eq!(world.op.issued(&bearer(&world)).sub, "app");
}

#[test]
fn a_sign_in_does_not_ask_for_what_is_the_applications() {
    let world = World::with(&json!({ "DownstreamApis": {
        "Reports": { "BaseUrl": REPORTS, "Scopes": "reports.all", "Resource": RESOURCE, "RequestAppToken": true },
    } }));
    Browser::signed_in(&world, &ADA);
    let authorization = world.op.last_authorization();
    assert_eq!(scopes(&authorization), ["billing.read", "orders.read", "orders.write"]);
    assert!(!authorization.iter().any(|(name, value)| name == "resource" && value == RESOURCE));
}

#[test]
fn all_users_share_it_and_no_users_token_is_mixed_up_with_it() {
    for world in both_ways() {
        let (ada, bob) = (Browser::signed_in(&world, &ADA), Browser::signed_in(&world, &BOB));
        served(&ada.fetch("/api/Reports/x"));
        let (token, requests) = (bearer(&world), world.op.count(Endpoint::Token));
        for _ in 0..2 {
            for (browser, user) in [(&ada, &ADA), (&bob, &BOB)] {
                served(&browser.fetch("/api/Reports/x"));
                assert_eq!(bearer(&world), token);
                served(&browser.fetch("/api/Mine/x"));
                assert_eq!(world.op.issued(&bearer(&world)).sub, user.sub);
            }
        }
        assert_eq!(world.op.count(Endpoint::Token), requests + 2, "one more for each user");
    }
}

#[test]
fn nobody_calls_the_api_without_being_signed_in() {
    let world = world();
    let stranger = Browser::new(&world);
    assert_eq!(stranger.fetch("/api/Reports/x").problem(), (401, "login_required".to_owned()));
    assert_eq!(stranger.visit("/api/Reports/x").status, 302);
    let browser = Browser::signed_in(&world, &ADA);
    served(&browser.fetch("/api/Reports/x"));
    assert_eq!(stranger.fetch("/api/Reports/x").code(), "login_required");
    let foreign = browser.send(Request::new("GET", &absolute("/api/Reports/x")).with("sec-fetch-site", "cross-site"));
    assert_eq!(foreign.code(), "csrf_rejected");
    browser.post("/.auth/logout");
    assert!(!browser.fetch("/api/Reports/x").is_forwarded);
    assert_eq!(bearers(&world, REPORTS).len(), 1);
}

#[test]
fn it_outlives_the_session_of_whoever_came_first() {
    let world = world();
    let (ada, bob) = (Browser::signed_in(&world, &ADA), Browser::signed_in(&world, &BOB));
    served(&ada.fetch("/api/Reports/x"));
    let (token, requests) = (bearer(&world), world.op.count(Endpoint::Token));
    ada.post("/.auth/logout");
    world.new_isolate();
    served(&bob.fetch("/api/Reports/x"));
    assert_eq!((bearer(&world), world.op.count(Endpoint::Token)), (token, requests));
}

#[test]
fn it_is_renewed_in_its_window_and_not_before() {
    for world in both_ways() {
        let browser = Browser::signed_in(&world, &ADA);
        served(&browser.fetch("/api/Reports/x"));
        world.advance(3299);
        served(&browser.fetch("/api/Reports/x"));
        let sent = bearers(&world, REPORTS);
        assert_eq!(sent[0], sent[1]);
        let requests = world.op.count(Endpoint::Token);
        world.advance(1);
        served(&browser.fetch("/api/Reports/x"));
        assert_ne!(bearer(&world), sent[0]);
        assert_eq!(world.op.count(Endpoint::Token), requests + 1);
    }
}

#[test]
fn other_isolates_and_restarts_find_it_where_it_is_kept() {
    for world in [world(), world_with_objects()] {
        let browser = Browser::signed_in(&world, &ADA);
        served(&browser.fetch("/api/Reports/x"));
        let (token, requests) = (bearer(&world), world.op.count(Endpoint::Token));
        for _ in 0..3 {
            world.new_isolate();
            world.accounts.restart_all();
            served(&browser.fetch("/api/Reports/x"));
            assert_eq!((bearer(&world), world.op.count(Endpoint::Token)), (token.clone(), requests));
        }
    }
}

#[test]
fn two_apis_that_want_the_same_share_one() {
    let twin = json!({ "BaseUrl": "https://twin.example", "Scopes": "reports.all", "Resource": RESOURCE });
    for (scopes, shares) in [("reports.all", true), ("reports.other", false)] {
        let mut twin = twin.clone();
        deployment::merge(&mut twin, &json!({ "RequestAppToken": true, "Scopes": scopes }));
        let mut vars = vars();
        vars["DownstreamApis"]["Twin"] = twin;
        let world = World::with(&vars);
        let browser = Browser::signed_in(&world, &ADA);
        served(&browser.fetch("/api/Reports/x"));
        let first = bearer(&world);
        served(&browser.fetch("/api/Twin/x"));
        assert_eq!(bearer(&world) == first, shares, "{scopes}");
    }
}

#[test]
fn a_token_that_is_called_invalid_is_renewed_once() {
    for world in both_ways() {
        let browser = Browser::signed_in(&world, &ADA);
        served(&browser.fetch("/api/Reports/warm"));
        let (first, requests) = (bearer(&world), world.op.count(Endpoint::Token));
        for _ in 0..2 {
            world.downstream.answer_next(401, &[("www-authenticate", "Bearer error=\"invalid_token\"")]);
        }
        let answer = browser.fetch("/api/Reports/x");
        assert_eq!((answer.status, answer.is_forwarded), (401, true));
        let sent = bearers(&world, REPORTS);
        assert_eq!((sent.len(), world.op.count(Endpoint::Token)), (3, requests + 1));
        assert_ne!(sent[2], first);
        world.new_isolate();
        served(&browser.fetch("/api/Reports/x"));
        assert_eq!(bearer(&world), sent[2]);
    }
}

#[test]
fn a_token_that_an_api_refused_is_not_sent_again_where_another_cannot_be_had() {
    for world in [world(), world_with_objects()] {
        let browser = Browser::signed_in(&world, &ADA);
        served(&browser.fetch("/api/Reports/warm"));
        *world.downstream.refused.borrow_mut() = world.op.access_tokens();
        world.op.instead(Endpoint::Token, Instead::Fails(TransportFault::TimedOut));
        let arrived = bearers(&world, REPORTS).len();
        in_turns(&world, &world.site(), &calls(&browser, &["/api/Reports/x"], 6));
        assert_eq!(bearers(&world, REPORTS).len(), arrived + 6);
    }
}

#[test]
fn claims_are_asked_for_once_and_never_of_the_user() {
    for world in both_ways() {
        let browser = Browser::signed_in(&world, &ADA);
        served(&browser.fetch("/api/Reports/warm"));
        for _ in 0..2 {
            world.downstream.answer_next(401, &[("www-authenticate", &challenge(&encoded(&claims())))]);
        }
        let answer = browser.follow("/api/Reports/x");
        assert_eq!((answer.status, answer.is_forwarded), (401, true));
        assert!(answer.header("www-authenticate").is_some());
        assert_eq!(asked(&world), claims());
        assert_eq!(
            (value(&world.op.last_form(), "grant_type"), bearers(&world, REPORTS).len()),
            ("client_credentials", 3)
        );
    }
}

#[test]
fn a_crowd_everywhere_makes_one_token_request() {
    let world = world_with_objects();
    let browser = Browser::signed_in(&world, &ADA);
    let requests = world.op.count(Endpoint::Token);
    world.pauses.set(true);
    let request = browser.with_cookies(Request::script("GET", &absolute("/api/Reports/x")));
    let isolates: Vec<_> = (0..4).map(|location| world.isolate_at(location)).collect();
    let crowd = isolates.iter().flat_map(|isolate| std::iter::repeat_n(isolate, 10));
    let tasks = crowd.map(|isolate| Box::pin(isolate.serving(&request)) as _).collect();
    all_at_once(tasks).iter().for_each(served);
    let sent = bearers(&world, REPORTS);
    assert_eq!((sent.len(), world.op.count(Endpoint::Token)), (40, requests + 1));
    assert!(sent.iter().all(|token| *token == sent[0]));
    let asked = world.accounts.called().iter().filter(|name| name.starts_with("app/")).count();
    assert_eq!(asked, isolates.len(), "of the ten at each isolate one asks the object");
}

/// That no token stands in a store is looked at for every world when it ends; here that the server's key is needed.
#[test]
fn a_store_opens_with_the_servers_key_only() {
    for world in [world(), world_with_objects()] {
        let browser = Browser::signed_in(&world, &ADA);
        served(&browser.fetch("/api/Reports/x"));
        let (token, requests) = (bearer(&world), world.op.count(Endpoint::Token));
        world.redeploy(&json!({ "Session__Key": OTHER_KEY, "Session__PreviousKeys": KEY }));
        served(&browser.fetch("/api/Reports/x"));
        assert_ne!(bearer(&world), token);
        assert_eq!(world.op.count(Endpoint::Token), requests + 1);
    }
}

#[test]
fn a_token_that_the_op_would_like_renewed_is_renewed_after_the_answer() {
    for world in both_ways() {
        world.op.instead(Endpoint::Token, Instead::Merged(json!({ "refresh_in": 1800 })));
        let browser = Browser::signed_in(&world, &ADA);
        served(&browser.fetch("/api/Reports/x"));
        let (old, asked) = (bearer(&world), world.op.count(Endpoint::Token));
        world.advance(1800);
        served(&browser.fetch("/api/Reports/x"));
        assert_eq!(
            (bearer(&world), world.op.count(Endpoint::Token)),
            (old.clone(), asked + 1),
            "the old one, and a new one"
        );
        served(&browser.fetch("/api/Reports/x"));
        assert_ne!(bearer(&world), old);
        assert_eq!(world.op.count(Endpoint::Token), asked + 1);
    }
}
