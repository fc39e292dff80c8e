//! One parse of the URL: what was authorised is what is forwarded, whatever else the request says.

use proptest::prelude::*;
use url::Url;

use crate::browser::{Browser, absolute};
use crate::deployment::{ORDERS, ORIGIN};
use crate::op::ADA;
use crate::request::{Received, Request};
use crate::world::World;

/// Pieces of paths that parsers disagree about.
const PIECES: [&str; 26] = [
    "/",
    "//",
    "..",
    ".",
    "%2e%2e",
    "%2E",
    ".%2e",
    "%252e%252e",
    "%2f",
    "%5c",
    "\\",
    "%00",
    "%0d%0a",
    "%23",
    "%3f",
    "#",
    "?",
    ";a=b",
    "@evil.example",
    ":80",
    "a",
    "caf\u{e9}",
    "%",
    "%zz",
    ".auth/me",
    "signin-oidc",
];

fn path() -> impl Strategy<Value = String> {
    proptest::collection::vec(proptest::sample::select(PIECES.as_slice()), 0..7).prop_map(|pieces| pieces.concat())
}

/// Whether some server behind us could climb: an oracle of its own, by decoding as often as anyone might.
fn climbs(path: &str) -> bool {
    let mut text = path.to_owned();
    for _ in 0..3 {
        if text.split(['/', '\\']).any(|segment| segment == ".." || segment == ".") || text.contains('\0') {
            return true;
        }
        text = text.replace("%2e", ".").replace("%2E", ".").replace("%2f", "/").replace("%5c", "\\");
        text = text.replace("%00", "\0").replace("%25", "%");
    }
    false
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn the_forwarded_url_is_the_base_and_the_authorised_path_and_query(path in path(), api in any::<bool>()) {
        let world = World::new();
        let browser = Browser::signed_in(&world, &ADA);
        let prefix = if api { "/api/Orders/" } else { "/x/" };
        // As the Fetch standard hands it over: parsed and serialised.
        let url = Url::parse(&absolute(&format!("{prefix}{path}"))).unwrap();
        let arrived = world.downstream.count();
        let answer = browser.send(Request::script("GET", url.as_str()));
        if !answer.is_forwarded {
            prop_assert_eq!(world.downstream.count(), arrived);
            return Ok(());
        }
        prop_assert!(!climbs(url.path()), "{}", url);
        let forwarded = world.downstream.last().url;
        let rest = url.path().strip_prefix("/api/Orders").filter(|rest| rest.is_empty() || rest.starts_with('/'));
        let (base, rest) = rest.map_or((ORIGIN, url.path()), |rest| (ORDERS, rest));
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        prop_assert_eq!(&forwarded, &format!("{base}{rest}{query}"));
        // Parsed again, it is still the same place under the same base.
        let parsed = Url::parse(&forwarded).unwrap();
        prop_assert_eq!(parsed.origin(), Url::parse(base).unwrap().origin());
        prop_assert!(parsed.path().starts_with(Url::parse(base).unwrap().path()));
    }

    #[test]
    fn no_header_of_the_client_changes_the_route_or_the_answer(
        headers in proptest::collection::vec((0..HEADERS.len(), 0..VALUES.len()), 1..6),
        path in proptest::sample::select(PATHS.as_slice()),
        signed_in in any::<bool>(),
    ) {
        let world = World::new();
        let browser = if signed_in { Browser::signed_in(&world, &ADA) } else { Browser::new(&world) };
        let plain = Request::script("GET", &absolute(path)).with("cf-ray", "1");
        let dressed = headers.iter().fold(plain.clone(), |request, (name, value)| {
            request.with(HEADERS[*name], VALUES[*value])
        });
        let arrived = world.downstream.count();
        let answers = [plain, dressed].map(|request| browser.copy().send(request));
        prop_assert_eq!(shape(&answers[0]), shape(&answers[1]));
        if answers[0].is_forwarded {
            let arrivals = world.downstream.arrivals();
            prop_assert_eq!(&arrivals[arrived].url, &arrivals[arrived + 1].url);
            for name in ["x-ms-client-principal", "x-forwarded-host", "x-forwarded-proto", "x-forwarded-for"] {
                prop_assert_eq!(arrivals[arrived].header(name), arrivals[arrived + 1].header(name));
            }
        }
    }
}

const HEADERS: [&str; 19] = [
    "x-forwarded-uri",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-forwarded-prefix",
    "x-forwarded-path",
    "x-forwarded-for",
    "x-forwarded-user",
    "x-forwarded-method",
    "x-http-method-override",
    "x-original-url",
    "x-original-uri",
    "x-rewrite-url",
    "x-envoy-original-path",
    "x-middleware-subrequest",
    "host",
    "user-agent",
    "forwarded",
    "x-auth-request-redirect",
    "x_forwarded_uri",
];

const VALUES: [&str; 7] = [
    "/.auth/health",
    "evil.example",
    "http",
    "POST",
    "kube-probe/1.26",
    "for=1;host=evil.example;proto=http",
    "middleware:middleware:middleware",
];

const PATHS: [&str; 9] = [
    "/",
    "/page?x=/.auth/health",
    "/.auth/health",
    "/.auth/me",
    "/.auth/login",
    "/api/Billing/x",
    "/api/Nothing/x",
    "/signin-oidc?code=1&state=2",
    "/.auth/none",
];

/// An answer without what is drawn anew for each.
fn shape(received: &Received) -> (u16, bool, String, Vec<String>) {
    let body = if received.body.contains("expires_in") { String::new() } else { received.body.clone() };
    (received.status, received.is_forwarded, body, received.headers.iter().map(|(name, _)| name.clone()).collect())
}

#[test]
fn encoded_dot_segments_backslashes_and_controls_are_refused() {
    let world = World::new();
    let browser = Browser::signed_in(&world, &ADA);
    let arrived = world.downstream.count();
    for path in [
        "/a/..%2fadmin",
        "/%2e%2e/x",
        "/a/.%2E/b",
        "/a%5cb",
        "/a%00",
        "/%252e%252e%252fx",
        "/a/%0d%0aX",
        "/api/Orders/..%2fx",
        "/api/Orders/%2e%2e%2f",
        "/api/..%2f.auth/me",
    ] {
        let answer = browser.send(Request::script("GET", &absolute(path)));
        assert_eq!(answer.problem(), (400, "bad_request".to_owned()), "{path}");
    }
    assert_eq!(world.downstream.count(), arrived);
}

#[test]
fn a_head_without_a_url_is_refused() {
    let world = World::new();
    for url in ["", "/page", "app.example/page", "https:", "https://app.example"] {
        assert_eq!(world.serve(&Request::script("GET", url)).problem(), (400, "bad_request".to_owned()), "{url}");
    }
}

#[test]
fn monitors_see_that_we_are_up_and_nothing_else() {
    let world = World::new();
    let answer = world.serve(&Request::new("GET", &absolute("/.auth/health")));
    assert_eq!((answer.status, answer.body.as_str()), (200, "ok\n"));
    assert_eq!((world.kv.operations(), world.log().len()), (vec![], 0));
}
