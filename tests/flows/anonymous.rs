//! Nobody: anonymous traffic writes nothing anywhere and reaches nothing behind us.

use proptest::prelude::*;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::browser::{Browser, LOGIN, LOGOUT, SESSION, absolute};
use crate::op::ADA;
use crate::request::Request;
use crate::world::World;

const METHODS: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"];

const PATHS: [&str; 19] = [
    "/",
    "/page?x=/.auth/health",
    "/.auth/events",
    "/.auth/health",
    "/.auth/login?return_to=/x&prompt=login",
    "/.auth/logout",
    "/.auth/me",
    "/.auth/sessions",
    "/signin-oidc",
    "/signin-oidc?code=1&state=AAAAAAAAAAA.AAAA",
    "/signin-oidc?error=access_denied",
    "/signin-oidc?state=&code=",
    "/signout-callback-oidc?state=x",
    "/signout-oidc?sid=sid-of-bob&iss=https://op.example",
    "/api/Orders/x",
    "/api/Billing",
    "/api/Nothing",
    "/%2e%2e/x",
    "/login;/.auth/health",
];

const HEADERS: [(&str, &str); 13] = [
    ("authorization", "Bearer eyJhbGciOiJub25lIn0.e30."),
    ("authorization", "Basic YTpi"),
    ("x-csrf", "1"),
    ("origin", "https://app.example"),
    ("origin", "null"),
    ("sec-fetch-site", "same-origin"),
    ("sec-fetch-site", "cross-site"),
    ("sec-fetch-mode", "navigate"),
    ("accept", "text/html"),
    ("x-ms-client-principal-id", "admin"),
    ("x-forwarded-user", "admin"),
    ("upgrade", "websocket"),
    ("user-agent", "kube-probe/1.26"),
];

#[test]
fn a_thousand_anonymous_requests_of_every_kind_write_nothing() {
    let world = World::new();
    let mut served = 0;
    while served < 1000 {
        for (number, method) in METHODS.iter().enumerate() {
            for path in PATHS {
                let request = match (served + number) % 3 {
                    0 => Request::navigation(method, &absolute(path), "none"),
                    1 => Request::script(method, &absolute(path)),
                    _ => Request::new(method, &absolute(path)).with("x-csrf", "1"),
                };
                let garbage = format!("{SESSION}=AAAA; {LOGIN}AAAAAAAAAAA=AAAA; {LOGOUT}=; x");
                let request = if served % 2 == 0 { request } else { request.with("cookie", &garbage) };
                assert!(!world.serve(&request).is_forwarded);
                served += 1;
            }
        }
        world.advance(7);
    }
    assert_eq!(world.kv.changes(), [""; 0]);
    assert_eq!(world.downstream.count(), 0);
    assert!(world.op.count(crate::op::Endpoint::Metadata) == 1 && world.op.count(crate::op::Endpoint::Token) == 0);
}

/// Whatever claims to be a session.
fn cookie() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        "[A-Za-z0-9_-]{0,300}".prop_map(|value| format!("{SESSION}={value}")),
        "[ -~]{0,80}".prop_map(|value| format!("{SESSION}={value}")),
        proptest::collection::vec(any::<u8>(), 0..250)
            .prop_map(|bytes| format!("a=b; {SESSION}={}", URL_SAFE_NO_PAD.encode(bytes))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn without_a_session_nothing_is_reached(
        method in proptest::sample::select(METHODS.as_slice()),
        path in prop_oneof![
            proptest::sample::select(PATHS.as_slice()).prop_map(str::to_owned),
            "/[a-zA-Z0-9/._~%;:@!$&'()*+,=-]{0,40}",
        ],
        headers in proptest::collection::vec(proptest::sample::select(HEADERS.as_slice()), 0..5),
        cookie in cookie(),
    ) {
        let world = World::new();
        let request = Request::new(method, &absolute(&path)).with("cookie", &cookie);
        let request = headers.iter().fold(request, |request, (name, value)| request.with(name, value));
        prop_assert!(!world.serve(&request).is_forwarded);
        prop_assert_eq!(world.downstream.count(), 0);
        prop_assert_eq!(world.kv.changes(), [""; 0]);
    }
}

#[test]
fn no_flipped_bit_of_a_session_cookie_is_a_session() {
    let world = World::new();
    let browser = Browser::signed_in(&world, &ADA);
    let sealed = URL_SAFE_NO_PAD.decode(browser.session().unwrap()).unwrap();
    let arrived = world.downstream.count();
    for bit in 0..sealed.len() * 8 {
        let mut flipped = sealed.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let forged = Browser::new(&world);
        forged.jar.plant(SESSION, &URL_SAFE_NO_PAD.encode(flipped));
        let answer = forged.fetch("/page");
        assert_eq!(answer.problem(), (401, "session_expired".to_owned()), "bit {bit}");
        assert!(answer.expires(SESSION));
    }
    assert_eq!(world.downstream.count(), arrived);
    assert!(browser.is_signed_in());
}

#[test]
fn no_cookie_of_another_kind_is_a_session() {
    let world = World::new();
    let browser = Browser::signed_in(&world, &ADA);
    browser.begin("/.auth/login");
    browser.copy().post("/.auth/logout");
    let leaving = browser.copy();
    leaving.post("/.auth/logout");
    let mut values: Vec<String> = browser.jar.names(LOGIN).iter().filter_map(|name| browser.jar.get(name)).collect();
    values.extend(leaving.jar.get(LOGOUT));
    assert_eq!(values.len(), 2);
    for value in values {
        let forged = Browser::new(&world);
        forged.jar.plant(SESSION, &value);
        assert_eq!(forged.fetch("/page").code(), "session_expired");
    }
}

#[test]
fn a_session_cookie_under_another_name_is_none() {
    let world = World::new();
    let browser = Browser::signed_in(&world, &ADA);
    let value = browser.session().unwrap();
    for name in ["__host-session", "__Host-Session", "session", "__Secure-session", "__Host-session ", "__Host-logout"]
    {
        let forged = Browser::new(&world);
        forged.jar.plant(name, &value);
        assert_eq!(forged.fetch("/page").code(), "login_required", "{name}");
    }
}
