//! Several public origins: each is a place of its own, with its sign-ins, cookies and pages; a made-up one is none.

use serde_json::{Value, json};
use url::Url;

use crate::browser::{Browser, SESSION};
use crate::op::{ADA, parameter};
use crate::request::{Received, Request};
use crate::route_rules::fate;
use crate::world::World;

const APP: &str = "https://app.example";
const WWW: &str = "https://www.example";
const PORT: &str = "https://app.example:8443";

/// Hosts that are nobody's, as the URL of a request has them.
const MADE_UP: [&str; 8] = [
    "https://evil.example",
    "https://www.example.evil.example",
    "https://xwww.example",
    "https://www.example.",
    "https://app.example.",
    "https://www.example:444",
    "https://x.www.example",
    "http://[::1]",
];

fn world(routes: &Value) -> World {
    let gateway = json!({ "AlternateOrigins": [WWW, PORT], "Routes": routes });
    let world = World::with(&json!({ "Gateway": gateway }));
    world.op.origins.borrow_mut().extend([WWW, PORT]);
    world
}

/// Asks for a page of an origin, signs in at the OP, and comes back.
fn sign_in(browser: &Browser<'_>, url: &str) -> Received {
    let redirect = browser.visit(url);
    assert_eq!(redirect.status, 302, "{redirect:?}");
    browser.come_back(&browser.world.op.authorize(redirect.location(), &ADA))
}

#[test]
fn a_sign_in_stays_at_the_origin_where_it_began() {
    let world = world(&json!([]));
    for origin in [APP, WWW, PORT] {
        let browser = Browser::new(&world);
        let redirect = browser.visit(&format!("{origin}/page?x=1"));
        let redirect_uri = parameter(redirect.location(), "redirect_uri").unwrap();
        assert_eq!(redirect_uri, format!("{origin}/signin-oidc"));
        let returned = browser.come_back(&world.op.authorize(redirect.location(), &ADA));
        assert_eq!((returned.status, returned.location()), (303, format!("{origin}/page?x=1").as_str()));
        // The jar refuses a Domain, so the cookie is that of this host alone.
        assert!(returned.set_cookies().any(|cookie| cookie.starts_with(SESSION)));
        assert!(browser.visit(returned.location()).is_forwarded);
        let arrival = world.downstream.last();
        let host = origin.trim_start_matches("https://");
        assert_eq!(arrival.header("x-forwarded-host"), Some(host));
        let me = browser.send(Request::script("GET", &format!("{origin}/.auth/me"))).json();
        assert_eq!(me["logout_url"], format!("{origin}/.auth/logout"), "{me}");
    }
}

#[test]
fn the_way_back_leads_to_no_other_origin_of_ours() {
    let world = world(&json!([]));
    for (origin, wanted, expected) in [
        (WWW, "/x?y", "/x?y"),
        (WWW, "https://app.example/x", "/"),
        (WWW, "//app.example/x", "/"),
        (APP, "https://www.example/x", "/"),
        (PORT, "https://app.example/x", "/"),
    ] {
        let wanted: String = url::form_urlencoded::byte_serialize(wanted.as_bytes()).collect();
        let returned = sign_in(&Browser::new(&world), &format!("{origin}/.auth/login?return_to={wanted}"));
        assert_eq!(returned.location(), format!("{origin}{expected}"));
    }
}

#[test]
fn a_sign_out_comes_back_to_where_it_began() {
    let world = world(&json!([]));
    for origin in [APP, WWW, PORT] {
        let browser = Browser::new(&world);
        sign_in(&browser, &format!("{origin}/page"));
        let away = browser.send(Request::script("POST", &format!("{origin}/.auth/logout")));
        let back = parameter(away.location(), "post_logout_redirect_uri").unwrap();
        assert_eq!(back, format!("{origin}/signout-callback-oidc"));
        let state = parameter(away.location(), "state").unwrap();
        assert_eq!(browser.come_back(&format!("{back}?state={state}")).status, 200);
        assert_eq!(browser.session(), None);
    }
}

#[test]
fn a_page_of_one_origin_is_a_stranger_at_another() {
    let world = world(&json!([]));
    let browser = Browser::new(&world);
    sign_in(&browser, &format!("{WWW}/page"));
    for (target, page, is_ours) in [
        (WWW, WWW, true),
        (APP, APP, true),
        (PORT, PORT, true),
        (WWW, APP, false),
        (APP, WWW, false),
        (APP, PORT, false),
        (PORT, APP, false),
        ("https://evil.example", "https://evil.example", false),
        ("https://evil.example", APP, true),
    ] {
        for path in ["/page", "/api/Orders/x"] {
            let request = Request::new("POST", &format!("{target}{path}")).with("origin", page);
            assert_eq!(browser.send(request).is_forwarded, is_ours, "{page} to {target}{path}");
        }
    }
}

#[test]
fn a_made_up_host_is_another_name_of_the_public_origin() {
    let world = world(&json!([]));
    for origin in MADE_UP {
        let browser = Browser::new(&world);
        let url = Url::parse(&format!("{origin}/page")).unwrap();
        let redirect = browser.visit(url.as_str());
        assert_eq!(parameter(redirect.location(), "redirect_uri").unwrap(), format!("{APP}/signin-oidc"), "{origin}");
        let returned = browser.come_back(&world.op.authorize(redirect.location(), &ADA));
        assert_eq!(returned.location(), format!("{APP}/page"));
        browser.visit(url.as_str());
        assert_eq!(world.downstream.last().header("x-forwarded-host"), Some("app.example"));
    }
}

#[test]
fn a_rule_with_a_host_is_for_this_host_alone() {
    let world = world(&json!([
        { "Path": "/**", "Host": "www.example", "Access": "Anonymous" },
        { "Path": "/json/**", "Host": "app.example:8443", "Access": "Api" },
    ]));
    let stranger = Browser::new(&world);
    let navigation = |url: &str| Request::navigation("GET", Url::parse(url).unwrap().as_str(), "none");
    for url in ["https://www.example/x", "https://WWW.Example:443/x"] {
        assert_eq!(fate(&stranger, navigation(url)), "passes as nobody", "{url}");
    }
    for origin in MADE_UP.into_iter().chain([APP, PORT]) {
        assert_eq!(fate(&stranger, navigation(&format!("{origin}/x"))), "is sent to the OP", "{origin}");
    }
    assert_eq!(fate(&stranger, navigation(&format!("{PORT}/json/x"))), "401 login_required");
    assert_eq!(fate(&stranger, navigation(&format!("{APP}/json/x"))), "is sent to the OP");
}

#[test]
fn nobody_gets_around_a_rule_by_making_up_a_host() {
    let world = world(&json!([
        { "Path": "/admin/**", "Host": "app.example", "Require": { "Roles": ["Admin"] } },
        { "Path": "/api/Billing/**", "Host": "app.example", "Require": { "Roles": ["Admin"] } },
    ]));
    let browser = Browser::new(&world);
    sign_in(&browser, &format!("{APP}/page"));
    for origin in MADE_UP.into_iter().chain([APP]) {
        for path in ["/admin/x", "/api/Billing/x"] {
            let url = Url::parse(&format!("{origin}{path}")).unwrap();
            assert_eq!(fate(&browser, Request::script("GET", url.as_str())), "403 forbidden", "{url}");
        }
    }
    for path in ["/admin/x", "/api/Billing/x"] {
        assert!(browser.send(Request::script("GET", &format!("{WWW}{path}"))).is_forwarded, "it has no such rule");
    }
}
