//! What reaches the origin and the APIs: who is signed in, in our words only, and each API's own token.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use serde_json::Value;

use crate::browser::{Browser, SESSION, absolute};
use crate::deployment::{BILLING, ORDERS, ORIGIN};
use crate::op::ADA;
use crate::request::Request;
use crate::world::World;

const SPOOFED: [&str; 14] = [
    "x-ms-client-principal",
    "x-ms-client-principal-id",
    "x-ms-client-principal-name",
    "x-ms-client-principal-idp",
    "x-ms-token-aad-access-token",
    "x-forwarded-user",
    "x-forwarded-host",
    "x-forwarded-email",
    "x-auth-request-user",
    "remote-user",
    "x-remote-user",
    "x-real-ip",
    "forwarded",
    "proxy-authorization",
];

#[test]
fn the_origin_learns_who_is_signed_in() {
    let world = World::new();
    let browser = Browser::signed_in(&world, &ADA);
    let request = Request::script("GET", &absolute("/page")).with("cf-connecting-ip", "192.0.2.1");
    browser.send(request.with("x-forwarded-for", "203.0.113.9").with("host", "evil.example"));
    let arrival = world.downstream.last();
    assert_eq!(arrival.header("x-ms-client-principal-id"), Some(ADA.sub));
    assert_eq!(arrival.header("x-ms-client-principal-idp"), Some("openidconnect"));
    assert_eq!(arrival.header("x-ms-client-principal-name"), Some("Zo%C3%AB \"Z\" <b>%25%0D%0AX-Evil: 1"));
    let principal = STANDARD.decode(arrival.header("x-ms-client-principal").unwrap()).unwrap();
    let principal: Value = serde_json::from_slice(&principal).unwrap();
    let claims = principal["claims"].as_array().unwrap();
    let roles: Vec<_> = claims.iter().filter(|claim| claim["typ"] == "roles").map(|claim| &claim["val"]).collect();
    assert_eq!(roles, ["reader", "wri,ter"]);
    assert!(!claims.iter().any(|claim| claim["typ"] == "nonce" || claim["typ"] == "uti"));
    assert_eq!(arrival.header("x-forwarded-host"), Some("app.example"));
    assert_eq!(arrival.header("x-forwarded-proto"), Some("https"));
    assert_eq!(arrival.header("x-forwarded-for"), Some("192.0.2.1"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_disguise_of_an_identity_header_passes(
        index in 0..SPOOFED.len(),
        flips in proptest::collection::vec(any::<(bool, bool)>(), 40),
        api in any::<bool>(),
    ) {
        let world = World::new();
        let browser = Browser::signed_in(&world, &ADA);
        let disguised: String = SPOOFED[index].chars().zip(flips).map(|(character, (upper, underscore))| {
            let character = if character == '-' && underscore { '_' } else { character };
            if upper { character.to_ascii_uppercase() } else { character }
        }).collect();
        let path = if api { "/api/Billing/x" } else { "/page" };
        browser.send(Request::script("GET", &absolute(path)).with(&disguised, "spoofed"));
        let arrival = world.downstream.last();
        prop_assert!(!arrival.headers.iter().any(|(_, value)| value.contains("spoofed")), "{} {:?}", disguised, arrival);
    }
}

#[test]
fn our_cookies_stay_here_and_others_pass_to_the_origin_only() {
    let world = World::new();
    let browser = Browser::signed_in(&world, &ADA);
    browser.jar.plant("theme", "dark=1");
    browser.jar.plant("a__Host-session", "kept");
    browser.begin("/.auth/login");
    browser.post("/other");
    assert_eq!(world.downstream.last().header("cookie"), Some("a__Host-session=kept; theme=dark=1"));
    browser.fetch("/api/Billing/x");
    assert_eq!(world.downstream.last().header("cookie"), None);
    let alone = Browser::signed_in(&world, &ADA);
    alone.fetch("/page");
    assert_eq!(world.downstream.last().header("cookie"), None);
}

#[test]
fn an_authorization_header_of_the_client_never_passes() {
    let world = World::new();
    let browser = Browser::signed_in(&world, &ADA);
    for path in ["/page", "/api/Billing/x"] {
        for name in ["Authorization", "AUTHORIZATION", "authorization"] {
            browser.send(Request::script("GET", &absolute(path)).with(name, "Bearer spoofed"));
            let sent = world.downstream.last().header("authorization").map(str::to_owned);
            assert_eq!(sent.is_some(), path != "/page");
            assert!(!sent.unwrap_or_default().contains("spoofed"));
        }
    }
}

#[test]
fn an_api_learns_neither_the_page_nor_the_identity_headers() {
    let world = World::new();
    let browser = Browser::signed_in(&world, &ADA);
    let request = Request::script("POST", &absolute("/api/Orders/1?x=%2F"))
        .with("origin", "https://app.example")
        .with("referer", "https://app.example/secret-page")
        .with("if-match", "\"etag\"");
    assert!(browser.send(request).is_forwarded);
    let arrival = world.downstream.last();
    assert_eq!((arrival.url, arrival.method.as_str()), (format!("{ORDERS}/1?x=%2F"), "POST"));
    let names: Vec<&str> = arrival.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(arrival.headers.iter().find(|(name, _)| name == "if-match").unwrap().1, "\"etag\"");
    for absent in ["origin", "referer", "cookie", "x-ms-client-principal", "x-forwarded-host"] {
        assert!(!names.contains(&absent), "{names:?}");
    }
}

#[test]
fn connection_removes_headers_of_the_client_and_none_of_ours() {
    let world = World::new();
    let browser = Browser::signed_in(&world, &ADA);
    browser.jar.plant("theme", "dark");
    let request = Request::script("GET", &absolute("/page"))
        .with("connection", "x-private, X-Ms-Client-Principal, x-forwarded-host, Cookie, upgrade")
        .with("x-private", "1")
        .with("upgrade", "websocket");
    browser.send(request);
    let arrival = world.downstream.last();
    assert_eq!((arrival.header("x-private"), arrival.header("upgrade")), (None, Some("websocket")));
    assert!(arrival.header("x-ms-client-principal").is_some() && arrival.header("x-forwarded-host").is_some());
    assert!(!arrival.header("cookie").unwrap_or_default().contains("__Host-"));
}

#[test]
fn an_unknown_api_is_nothing_and_never_the_origin() {
    let world = World::new();
    let browser = Browser::signed_in(&world, &ADA);
    let arrived = world.downstream.count();
    for path in ["/api", "/api/", "/api/Unknown/x", "/api/orders/x", "/api/Orders%20/x", "/api/Order", "/api//Orders/x"]
    {
        assert_eq!(browser.fetch(path).problem(), (404, "not_found".to_owned()), "{path}");
    }
    for path in ["/.auth", "/.auth/", "/.auth/unknown", "/.auth/me/", "/.auth/login/x", "/.auth/operator"] {
        assert_eq!(browser.fetch(path).problem(), (404, "not_found".to_owned()), "{path}");
    }
    assert_eq!(world.downstream.count(), arrived);
    assert!(browser.fetch("/apis/Orders").is_forwarded && browser.fetch("/.authority").is_forwarded);
}

#[test]
fn only_pages_of_ours_change_anything_or_call_an_api() {
    let world = World::new();
    let browser = Browser::signed_in(&world, &ADA);
    let arrived = world.downstream.count();
    for (method, path) in [
        ("POST", "/page"),
        ("PUT", "/page"),
        ("DELETE", "/page"),
        ("PATCH", "/page"),
        ("POST", "/api/Billing/x"),
        ("GET", "/api/Billing/x"),
        ("DELETE", "/api/Billing/x"),
        ("OPTIONS", "/api/Billing/x"),
    ] {
        let bare = Request::new(method, &absolute(path));
        for request in [
            bare.clone(),
            bare.clone().with("sec-fetch-site", "cross-site").with("x-csrf", "1").with("origin", "https://app.example"),
            bare.clone().with("sec-fetch-site", "same-site"),
            bare.clone().with("origin", "https://evil.example").with("x-csrf", "1"),
            bare.clone().with("origin", "null"),
        ] {
            assert_eq!(browser.send(request).problem(), (403, "csrf_rejected".to_owned()), "{method} {path}");
        }
        assert_eq!(world.downstream.count(), arrived);
    }
    for request in [
        Request::new("POST", &absolute("/api/Billing/x")).with("sec-fetch-site", "same-origin"),
        Request::new("POST", &absolute("/api/Billing/x")).with("origin", "https://app.example"),
        Request::new("DELETE", &absolute("/page")).with("x-csrf", "anything"),
    ] {
        assert!(browser.send(request).is_forwarded);
    }
}

#[test]
fn an_api_can_set_no_cookie_and_fill_no_cache() {
    let world = World::new();
    let browser = Browser::signed_in(&world, &ADA);
    *world.downstream.answer_headers.borrow_mut() = vec![
        ("set-cookie".to_owned(), format!("{SESSION}=evil; Path=/; Secure")),
        ("cache-control".to_owned(), "public, max-age=600".to_owned()),
    ];
    let answer = browser.fetch("/api/Billing/x");
    assert_eq!((answer.set_cookies().count(), answer.header("cache-control")), (0, Some("no-store")));
    let plan = world.downstream.last().plan;
    assert!(plan.answer.drop_cookies && plan.answer.force_no_store);
}

#[test]
fn what_is_kept_of_a_base_url_is_all_of_it() {
    let world = World::new();
    let browser = Browser::signed_in(&world, &ADA);
    for (path, expected) in [
        ("/api/Billing", BILLING.to_owned()),
        ("/api/Billing/", format!("{BILLING}/")),
        ("/api/Billing?a=b", format!("{BILLING}?a=b")),
        ("/api/Billing//evil.example/x", format!("{BILLING}//evil.example/x")),
        ("/api/Orders/@evil.example:1/", format!("{ORDERS}/@evil.example:1/")),
        ("//evil.example/x", format!("{ORIGIN}//evil.example/x")),
    ] {
        assert!(browser.fetch(&absolute(path)).is_forwarded);
        assert_eq!(world.downstream.last().url, expected);
    }
}
