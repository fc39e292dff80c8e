//! The address that a script is given for its user: what is asked for is sealed into it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use url::Url;

use crate::api::{login_url, scopes, served};
use crate::browser::{Browser, LOGIN, absolute};
use crate::claims_challenge::demands;
use crate::consent::world;
use crate::deployment::{KEY, OTHER_KEY};
use crate::op::{ADA, Endpoint, parameter};
use crate::request::Request;
use crate::world::World;

fn address(browser: &Browser<'_>) -> String {
    login_url(&browser.fetch("/api/Orders/x"))
}

fn is_refused(browser: &Browser<'_>, address: &str) {
    let asked = browser.world.op.count(Endpoint::Token);
    let answer = browser.fetch(address);
    assert_eq!(answer.problem(), (400, "login_request_invalid".to_owned()), "{address}");
    assert_eq!(answer.json().get("login_url"), None);
    assert_eq!((answer.header("location"), answer.set_cookies().count()), (None, 0));
    let page = browser.visit(address);
    assert_eq!((page.status, page.header("location")), (400, None));
    assert_eq!(browser.world.op.count(Endpoint::Token), asked);
}

#[test]
fn nothing_of_what_is_asked_for_can_be_read_in_it() {
    let world = World::new();
    let browser = Browser::signed_in(&world, &ADA);
    let claims = json!({ "access_token": { "acrs": { "value": "very-readable" } } });
    (0..2).for_each(|_| demands(&world, &claims));
    let url = login_url(&browser.fetch("/api/Billing/x"));
    let sealed = parameter(&absolute(&url), "request").unwrap();
    let bytes = URL_SAFE_NO_PAD.decode(&sealed).unwrap();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    for hidden in ["very-readable", "acrs", "Billing", "billing.read", "api", "account", ADA.sub] {
        assert!(!text.contains(hidden) && !url.contains(hidden), "{hidden}");
    }
    (0..2).for_each(|_| demands(&world, &claims));
    world.advance(5);
    let again = parameter(&absolute(&login_url(&browser.fetch("/api/Billing/x"))), "request").unwrap();
    assert_ne!(again, sealed, "two of the same look different");
}

#[test]
fn a_changed_one_is_refused() {
    let world = world();
    let browser = Browser::signed_in(&world, &ADA);
    let url = address(&browser);
    let sealed = parameter(&absolute(&url), "request").unwrap();
    for position in [0, 1, 5, sealed.len() / 2, sealed.len() - 2] {
        let other = if &sealed[position..=position] == "A" { "B" } else { "A" };
        let mut changed = sealed.clone();
        changed.replace_range(position..=position, other);
        is_refused(&browser, &format!("/.auth/login?request={changed}"));
    }
    for other in ["", "x", "%00", &sealed[..sealed.len() - 4], &format!("{sealed}AAAA"), "eyJhcGkiOiJPcmRlcnMifQ"] {
        is_refused(&browser, &format!("/.auth/login?request={other}"));
    }
    assert_eq!(browser.visit(&url).status, 302);
}

#[test]
fn what_was_sealed_for_anything_else_is_refused() {
    let world = world();
    let browser = Browser::signed_in(&world, &ADA);
    browser.begin("/.auth/login");
    let attempt = browser.jar.get(&browser.jar.names(LOGIN)[0]).unwrap();
    for other in [attempt, browser.session().unwrap()] {
        is_refused(&browser, &format!("/.auth/login?request={other}"));
    }
    let sealed = parameter(&absolute(&address(&browser)), "request").unwrap();
    let stranger = Browser::new(&world);
    stranger.jar.plant(crate::browser::SESSION, &sealed);
    assert_eq!(stranger.fetch("/page").problem(), (401, "session_expired".to_owned()));
}

#[test]
fn it_lasts_an_hour() {
    let world = World::with(&json!({
        "DownstreamApis": { "Orders": { "IncrementalConsent": true } }, "Session": { "IdleSeconds": 28_800 },
    }));
    world.op.grants_any_scope.set(false);
    let browser = Browser::signed_in(&world, &ADA);
    let url = address(&browser);
    world.advance(3599);
    assert_eq!(browser.visit(&url).status, 302);
    world.advance(1);
    is_refused(&browser, &url);
}

#[test]
fn it_opens_with_a_key_of_the_ring_and_no_other() {
    let world = world();
    let browser = Browser::signed_in(&world, &ADA);
    let url = address(&browser);
    world.redeploy(&json!({ "Session__Key": OTHER_KEY, "Session__PreviousKeys": KEY }));
    assert_eq!(browser.visit(&url).status, 302);
    world.redeploy(&json!({ "Session__PreviousKeys": null }));
    is_refused(&Browser::new(&world), &url);
}

#[test]
fn it_works_after_the_session_has_ended_for_the_same_account() {
    let world = world();
    let browser = Browser::signed_in(&world, &ADA);
    let url = address(&browser);
    browser.post("/.auth/logout");
    assert!(!browser.is_signed_in());
    world.advance(2);
    let request = browser.begin(&url);
    assert_eq!(browser.come_back(&world.op.authorize(&request, &ADA)).status, 303);
    for path in ["/api/Orders/x", "/api/Billing/x"] {
        served(&browser.fetch(path));
    }
}

#[test]
fn the_page_adds_where_to_return_to_and_hints_and_nothing_else() {
    let world = world();
    let browser = Browser::signed_in(&world, &ADA);
    let url = address(&browser);
    let extra = "&return_to=%2Fback&scope=evil&claims=%7B%7D&resource=evil&login_hint=other&prompt=consent";
    let request = browser.begin(&format!("{url}{extra}"));
    assert!(!request.contains("evil"));
    assert_eq!(parameter(&request, "claims"), None);
    assert_eq!(parameter(&request, "login_hint").as_deref(), Some("other"));
    assert_eq!(parameter(&request, "prompt").as_deref(), Some("consent"));
    let returned = browser.come_back(&world.op.authorize(&request, &ADA));
    assert_eq!(returned.location(), absolute("/back"));
    assert_eq!(scopes(&world.op.last_authorization()), ["billing.read", "orders.read", "orders.write"]);
}

/// Claims of the length that is still taken, and the longest address that is returned to.
#[test]
fn an_attempt_that_would_not_fit_into_its_cookie_gives_up_the_way_back() {
    let long = json!({ "access_token": { "acrs": { "value": "x".repeat(1400) } } });
    for (length, is_kept) in [(20, true), (1900, false)] {
        let world = World::new();
        let browser = Browser::signed_in(&world, &ADA);
        (0..2).for_each(|_| demands(&world, &long));
        let path = format!("/api/Billing/{}", "y".repeat(length));
        let redirect = browser.follow(&path);
        let cookie = redirect.set_cookies().find(|cookie| cookie.starts_with(LOGIN)).unwrap();
        assert!(cookie.len() <= 4096, "{}", cookie.len());
        let returned = browser.come_back(&world.op.authorize(redirect.location(), &ADA));
        if is_kept {
            assert_eq!(returned.header("refresh"), Some(format!("0; url={}", absolute(&path)).as_str()));
        } else {
            assert_eq!((returned.status, returned.location()), (303, absolute("/").as_str()));
        }
        let asked: serde_json::Value =
            serde_json::from_str(crate::api::value(&world.op.last_form(), "claims")).unwrap();
        assert_eq!(asked, long, "the claims come through in either case");
    }
}

#[test]
fn two_requests_in_one_address_are_the_first() {
    let world = world();
    let browser = Browser::signed_in(&world, &ADA);
    let url = address(&browser);
    assert_eq!(browser.visit(&format!("{url}&request=garbage")).status, 302);
    let sealed = Url::parse(&absolute(&url)).unwrap().query().unwrap().to_owned();
    is_refused(&browser, &format!("/.auth/login?request=garbage&{sealed}"));
    assert_eq!(browser.send(Request::script("POST", &absolute(&url))).status, 405);
}
