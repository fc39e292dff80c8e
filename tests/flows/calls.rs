//! Calls of APIs as they are configured: without a token, with headers and parameters of the operator's own, and with a
//! time to wait.

use serde_json::json;

use crate::api::served;
use crate::browser::{Browser, absolute};
use crate::deployment::{BILLING, PUBLIC};
use crate::op::{ADA, Endpoint};
use crate::request::Request;
use crate::world::World;

fn worlds(apis: &serde_json::Value) -> [World; 2] {
    let world = || World::with(&json!({ "DownstreamApis": apis }));
    let at_once = world();
    at_once.forwards_at_once.set(true);
    [world(), at_once]
}

#[test]
fn an_anonymous_api_gets_no_token_and_no_visitor_without_a_session() {
    for world in worlds(&json!({ "Open": { "BaseUrl": "https://open.example", "Anonymous": true } })) {
        let stranger = Browser::new(&world);
        assert_eq!(stranger.fetch("/api/Open/x").problem(), (401, "login_required".to_owned()));
        assert_eq!(stranger.visit("/api/Open/x").status, 302);
        assert_eq!(world.downstream.count(), 0);
        let browser = Browser::signed_in(&world, &ADA);
        for method in ["GET", "POST", "DELETE"] {
            let request = Request::script(method, &absolute("/api/Open/x?y")).with("authorization", "Bearer mine");
            served(&browser.send(request.with("cookie2", "x")));
            let arrival = world.downstream.last();
            assert_eq!((arrival.url.as_str(), arrival.header("authorization")), ("https://open.example/x?y", None));
            assert_eq!(arrival.header("cookie"), None);
        }
        assert_eq!(world.op.count(Endpoint::Token), 1);
    }
}

/// A token of another API, or a new one, would be sent to somebody who was never to have any.
#[test]
fn an_anonymous_api_gets_no_token_by_asking_for_one() {
    let apis = json!({
        "Billing": { "Resource": null },
        "Open": { "BaseUrl": "https://open.example", "Anonymous": true },
    });
    for world in worlds(&apis) {
        let browser = Browser::signed_in(&world, &ADA);
        for field in ["Bearer error=\"invalid_token\"", "Bearer error=\"insufficient_claims\", claims=\"e30=\""] {
            world.downstream.answer_next(401, &[("www-authenticate", field)]);
            let answer = browser.fetch("/api/Open/x");
            assert_eq!((answer.status, answer.is_forwarded), (401, true));
            assert_eq!(world.downstream.last().header("authorization"), None);
        }
        let arrived = world.downstream.arrivals();
        assert_eq!(arrived.iter().filter(|arrival| arrival.url.starts_with("https://open.example")).count(), 2);
        assert_eq!(world.op.count(Endpoint::Token), 1);
        world.downstream.answer_next(503, &[("retry-after", "1")]);
        served(&browser.fetch("/api/Open/x"));
        assert_eq!(world.downstream.last().header("authorization"), None);
    }
}

#[test]
fn headers_of_the_operator_take_the_place_of_the_callers() {
    let headers = json!({ "X-Api-Version": "2; a=\"b\"", "X-Empty-Of-Caller": "ours" });
    for world in worlds(&json!({ "Billing": { "ExtraHeaderParameters": headers } })) {
        let browser = Browser::signed_in(&world, &ADA);
        let request = Request::script("GET", &absolute("/api/Billing/x"))
            .with("X-API-Version", "1")
            .with("x-empty-of-caller", "")
            .with("x_api_version", "3")
            .with("X-Api_Version", "4")
            .with("x-other", "kept")
            .with("Authorization", "Bearer mine");
        served(&browser.send(request));
        let arrival = world.downstream.last();
        let all = |name: &str| -> Vec<&str> {
            arrival.headers.iter().filter(|(other, _)| other == name).map(|(_, value)| value.as_str()).collect()
        };
        assert_eq!(all("x-api-version"), ["2; a=\"b\""]);
        // Servers that hand headers on as variables cannot tell those apart.
        assert!(!arrival.headers.iter().any(|(name, _)| name.contains('_')));
        assert_eq!((all("x-empty-of-caller"), all("x-other")), (vec!["ours"], vec!["kept"]));
        assert_eq!(all("authorization").len(), 1);
        assert_eq!(world.op.issued(arrival.bearer()).sub, ADA.sub);
        served(&browser.fetch("/api/Orders/x"));
        assert_eq!(world.downstream.last().header("x-api-version"), None);
    }
}

#[test]
fn parameters_of_the_operator_take_the_place_of_the_callers_and_nothing_else_changes() {
    let parameters = json!({ "api-version": "1 & 2", "key": "ö=+" });
    for world in worlds(&json!({ "Billing": { "ExtraQueryParameters": parameters } })) {
        let browser = Browser::signed_in(&world, &ADA);
        let ours = "api-version=1+%26+2&key=%C3%B6%3D%2B";
        for (query, kept) in [
            ("", ""),
            ("?", ""),
            ("?a=b", "a=b&"),
            ("?a=%2F+%20&b&=c&a=%e4&d==;e", "a=%2F+%20&b&=c&a=%e4&d==;e&"),
            ("?api-version=9&x=1", "x=1&"),
            ("?API-Version=9&x=1&aPi-vErSiOn", "x=1&"),
            ("?%61pi%2Dversion=9&x=1&%6B%65%79=k", "x=1&"),
            ("?key=1&key=2&keys=3&xkey=4&my.key=5", "keys=3&xkey=4&my.key=5&"),
            ("?x=api-version=9&y=key", "x=api-version=9&y=key&"),
            ("?x&&y", "x&y&"),
        ] {
            served(&browser.fetch(&format!("/api/Billing/a%2Fb{query}")));
            assert_eq!(world.downstream.last().url, format!("{BILLING}/a%2Fb?{kept}{ours}"), "{query}");
        }
        served(&browser.fetch("/api/Orders/x?api-version=9"));
        assert!(world.downstream.last().url.ends_with("/x?api-version=9"));
    }
}

#[test]
fn each_api_is_waited_for_as_long_as_its_operator_says() {
    for world in worlds(&json!({ "Billing": { "TimeoutSeconds": 7 } })) {
        let browser = Browser::signed_in(&world, &ADA);
        for (path, seconds) in [("/api/Billing/x", 7), ("/api/Orders/x", 30)] {
            served(&browser.fetch(path));
            assert_eq!(world.downstream.last().plan.timeout.as_seconds(), seconds);
        }
    }
}

#[test]
fn the_page_that_a_script_runs_on_is_where_its_user_comes_back_to() {
    for (referer, expected) in [
        (format!("{PUBLIC}/a%2fb?c=d&e"), Some("/a%2fb?c=d&e")),
        (format!("{PUBLIC}.evil.example/x"), None),
        ("https://evil.example/x".to_owned(), None),
        (format!("{PUBLIC}//evil.example/x"), None),
    ] {
        let world = World::new();
        let request = Request::script("GET", &absolute("/api/Billing/x")).with("referer", &referer);
        let answer = Browser::new(&world).send(request);
        let url = url::Url::parse(answer.json()["login_url"].as_str().unwrap()).unwrap();
        let return_to = url.query_pairs().find(|(name, _)| name == "return_to").map(|(_, value)| value.into_owned());
        assert_eq!(return_to.as_deref(), expected, "{referer}");
    }
}
