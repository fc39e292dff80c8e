//! No header that a client sends chooses a rule or a destination, and what is stripped is stripped in every spelling.

use proptest::prelude::*;
use serde_json::{Value, json};
use vestibule::app::App;
use vestibule::forwarding::headers_to_remove;
use vestibule::request::RequestHead;
use vestibule::router::{self, Route};

use crate::browser::{Browser, absolute};
use crate::deployment;
use crate::op::ADA;
use crate::request::Request;
use crate::world::World;

/// Rules that can stand beside each other.
fn rules() -> Vec<Value> {
    vec![
        json!({ "Path": "/**", "Access": "Optional" }),
        json!({ "Path": "/open/**", "Access": "Anonymous" }),
        json!({ "Path": "/open/admin/**", "Require": { "Roles": ["Admin"] } }),
        json!({ "Path": "/*/x", "Access": "Api" }),
        json!({ "Path": "/open/*", "Methods": ["POST"], "Access": "Login" }),
        json!({ "Path": "/admin/**", "Require": { "Roles": ["reader"] } }),
        json!({ "Path": "/open/**", "Host": "www.example", "Access": "Login" }),
        json!({ "Path": "/api/Billing/**", "Require": { "Roles": ["Admin"] } }),
        json!({ "Path": "/api/**", "AntiForgery": false }),
    ]
}

const PATHS: [&str; 16] = [
    "/",
    "/open",
    "/open/x",
    "/open/admin/x",
    "/open/%61dmin/x",
    "/open//admin/x",
    "/open/x;/../admin",
    "/admin/x",
    "/ADMIN/x",
    "/other/x?path=/open/x",
    "/api/Billing/x",
    "/api/Orders/open/x",
    "/api/None/x",
    "/.auth/me",
    "/.auth/login",
    "/signin-oidc",
];

const HEADERS: [&str; 40] = [
    "x-forwarded-uri",
    "x-forwarded-url",
    "x-forwarded-path",
    "x-forwarded-prefix",
    "x-forwarded-host",
    "x-forwarded-server",
    "x-forwarded-proto",
    "x-forwarded-scheme",
    "x-forwarded-port",
    "x-forwarded-for",
    "x-forwarded-method",
    "x-forwarded-user",
    "x-forwarded-groups",
    "x_forwarded_uri",
    "x-original-url",
    "x-original-uri",
    "x-original-host",
    "x-original-method",
    "x-rewrite-url",
    "x-rewrite-uri",
    "x-envoy-original-path",
    "x-envoy-decorator-operation",
    "x-accel-redirect",
    "x-proxy-url",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-middleware-subrequest",
    "x-auth-request-redirect",
    "x-host",
    "host",
    "forwarded",
    "via",
    "true-client-ip",
    "user-agent",
    "from",
    "te",
    "accept-language",
    "cf-worker",
    "x-vestibule-assertion",
];

const VALUES: [&str; 10] = [
    "/open/x",
    "/.auth/health",
    "https://app.example/open/x",
    "www.example",
    "evil.example",
    "POST",
    "GET",
    "kube-probe/1.26 GoogleHC/1.0",
    "for=127.0.0.1;host=www.example;proto=http",
    "middleware:middleware:middleware:middleware:middleware",
];

/// What a request is, and by which rule.
fn decision(app: &App, head: &RequestHead<'_>) -> String {
    let route = router::route(&app.config, head);
    let kind = format!("{route:?}");
    let kind = kind.split(['(', ' ']).next().unwrap_or_default().to_owned();
    let target = if let Route::Api(_, target, _) = route { target.path_and_query() } else { String::new() };
    format!("{kind} {target} {:?}", route.rule().map(|rule| &rule.name))
}

fn hostile_headers() -> impl Strategy<Value = Vec<(usize, usize)>> {
    proptest::collection::vec((0..HEADERS.len(), 0..VALUES.len()), 1..8)
}

fn dressed(request: &Request, headers: &[(usize, usize)]) -> Request {
    headers.iter().fold(request.clone(), |request, (name, value)| request.with(HEADERS[*name], VALUES[*value]))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn cve_2026_40575_no_header_chooses_the_rule(
        rules in proptest::sample::subsequence(rules(), 0..9),
        method in proptest::sample::select(vec!["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PURGE"]),
        path in proptest::sample::select(PATHS.as_slice()),
        headers in hostile_headers(),
        more in proptest::collection::vec(("accept|referer|origin|cookie|sec-fetch-site|x-[a-z_-]{1,12}", "[ -~]{0,20}"), 0..4),
    ) {
        let environment = deployment::changed(
            deployment::environment(),
            &json!({ "Gateway": { "AlternateOrigins": ["https://www.example"], "Routes": rules } }),
        );
        let app = deployment::app(&environment);
        let plain = Request::new(method, &absolute(path));
        let dressed = more.iter().fold(dressed(&plain, &headers), |request, (name, value)| request.with(name, value));
        let (plain, dressed) = (plain.text(), dressed.text());
        let (plain, dressed) = (RequestHead::parse(&plain), RequestHead::parse(&dressed));
        match (plain, dressed) {
            (Ok(plain), Ok(dressed)) => prop_assert_eq!(decision(&app, &plain), decision(&app, &dressed)),
            (plain, dressed) => prop_assert_eq!(plain.err(), dressed.err()),
        }
    }

    #[test]
    fn whatever_headers_lead_nowhere_else(
        rules in proptest::sample::subsequence(rules(), 0..9),
        method in proptest::sample::select(vec!["GET", "HEAD", "POST", "DELETE"]),
        path in proptest::sample::select(PATHS.as_slice()),
        headers in hostile_headers(),
        signed_in in any::<bool>(),
    ) {
        let world = World::with(&json!({ "Gateway": { "AlternateOrigins": ["https://www.example"], "Routes": rules } }));
        let browser = Browser::new(&world);
        if signed_in {
            let callback = world.op.authorize(&browser.begin("/.auth/login"), &ADA);
            prop_assert_eq!(browser.come_back(&callback).status, 303);
        }
        let plain = Request::script(method, &absolute(path));
        let arrived = world.downstream.count();
        let answers = [plain.clone(), dressed(&plain, &headers)].map(|request| browser.copy().send(request));
        prop_assert_eq!(answers[0].status, answers[1].status);
        prop_assert_eq!(answers[0].is_forwarded, answers[1].is_forwarded);
        if answers[0].is_forwarded {
            let arrivals = world.downstream.arrivals();
            let [one, two] = [&arrivals[arrived], &arrivals[arrived + 1]];
            prop_assert_eq!(&one.plan.destination, &two.plan.destination);
            prop_assert_eq!((&one.method, one.plan.timeout), (&two.method, two.plan.timeout));
            for (name, value) in &one.plan.set {
                prop_assert_eq!(Some(value.as_str()), two.header(name));
            }
        }
    }

    #[test]
    fn cve_2025_64484_what_is_stripped_is_stripped_in_every_spelling(
        start in proptest::sample::select(vec![
            "x-forwarded-", "x-ms-client-principal", "x-ms-token-", "x-original-", "x-rewrite-", "x-envoy-",
            "x-auth-request-", "x-vestibule-", "authorization", "forwarded", "remote-user", "x-real-ip", "x-shop-user",
            "x-remote-user", "proxy-authorization", "accept", "x-custom",
        ]),
        end in "[a-z_-]{0,8}",
        flips in proptest::collection::vec(any::<(bool, bool)>(), 40),
    ) {
        let mapped = [("x-shop_user".to_owned(), "sub".to_owned())];
        let is_removed = |name: &str| {
            let text = Request::new("GET", &absolute("/")).with(name, "spoofed").text();
            let head = RequestHead::parse(&text).unwrap();
            headers_to_remove(&head, &mapped).len() == 1
        };
        let name = format!("{start}{end}");
        let disguised: String = name.chars().zip(flips).map(|(character, (upper, swapped))| match character {
            '-' if swapped => '_',
            '_' if swapped => '-',
            other if upper => other.to_ascii_uppercase(),
            other => other,
        }).collect();
        prop_assert_eq!(is_removed(&name), is_removed(&disguised), "{} and {}", name, disguised);
        if end.is_empty() && !matches!(start, "accept" | "x-custom") {
            prop_assert!(is_removed(&disguised), "{}", disguised);
        }
    }
}
