//! Sign-in: from a page that was asked for to the same page, through the OP, in any number of tabs.

use crate::browser::{Browser, LOGIN, SESSION, absolute};
use crate::op::{ADA, BOB, Endpoint, parameter};
use crate::request::Request;
use crate::world::World;

#[test]
fn sign_in_lands_on_the_page_asked_for() {
    let world = World::new();
    for path in ["/", "/a%2fb/c?d=e&f=%26%20/..//x&g", "/caf%C3%A9?return_to=//evil.example", "/?code=1&state=2"] {
        let landed = Browser::new(&world).sign_in(path, &ADA);
        assert!(landed.is_forwarded);
        assert_eq!(world.downstream.last().url, format!("{}{path}", crate::deployment::ORIGIN));
    }
}

#[test]
fn a_login_for_a_call_goes_on_by_a_page_since_after_redirects_browsers_call_it_cross_site() {
    let world = World::new();
    let browser = Browser::new(&world);
    let page = browser.come_back(&world.op.authorize(&browser.begin("/api/Orders/1?x=;%22"), &ADA));
    let address = absolute("/api/Orders/1?x=;%22");
    assert_eq!((page.status, page.header("refresh")), (200, Some(format!("0; url={address}").as_str())));
    assert!(page.body.contains(&format!("href=\"{address}\"")), "{}", page.body);
    assert!(browser.follow("/api/Orders/1?x=;%22").is_forwarded);
}

#[test]
fn a_foreign_link_to_an_api_leads_through_a_login_to_the_start_page() {
    let world = World::new();
    for path in ["/api/Orders/1", "/.auth/login?return_to=%2Fapi%2FOrders%2F1"] {
        for site in ["cross-site", "same-site"] {
            let browser = Browser::new(&world);
            let redirect = browser.send(Request::navigation("GET", &absolute(path), site));
            let landed = browser.come_back(&world.op.authorize(redirect.location(), &ADA));
            assert_eq!((landed.status, landed.location()), (303, absolute("/").as_str()), "{path} {site}");
        }
    }
}

#[test]
fn several_tabs_sign_in_at_once_in_any_order() {
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let world = World::new();
        let browser = Browser::new(&world);
        let pages = ["/one?tab=1", "/two", "/three#"];
        let callbacks = pages.map(|page| world.op.authorize(&browser.begin(page), &ADA));
        assert_eq!(browser.jar.names(LOGIN).len(), 3);
        for tab in order {
            let landed = browser.come_back(&callbacks[tab]);
            assert_eq!((landed.status, landed.location()), (303, absolute(pages[tab].trim_end_matches('#')).as_str()));
        }
        assert_eq!(browser.jar.names(LOGIN), [""; 0]);
        assert_eq!(world.kv.keys("account/").len(), 1, "each sign-in replaces the one before it");
        assert!(browser.is_signed_in());
    }
}

#[test]
fn a_browser_keeps_eight_attempts_at_most_and_the_latest_work() {
    let world = World::new();
    let browser = Browser::new(&world);
    let requests: Vec<String> = (0..12)
        .map(|page| {
            world.advance(1);
            let request = browser.begin(&format!("/{page}"));
            assert!(browser.jar.names(LOGIN).len() <= 8);
            request
        })
        .collect();
    assert_eq!(browser.jar.names(LOGIN).len(), 8);
    for (page, request) in requests.iter().enumerate() {
        let landed = browser.come_back_as_script(&world.op.authorize(request, &ADA));
        assert_eq!(landed.status, if page < 4 { 400 } else { 303 }, "{page}");
    }
}

#[test]
fn an_unreadable_attempt_is_given_up_at_the_next_login() {
    let world = World::new();
    let browser = Browser::new(&world);
    for name in ["AAAAAAAAAAA", "", "x y"] {
        browser.jar.plant(&format!("{LOGIN}{name}"), "garbage\u{e9}");
    }
    browser.begin("/");
    assert_eq!(browser.jar.names(LOGIN).len(), 1);
}

#[test]
fn an_attempt_ends_after_fifteen_minutes() {
    let world = World::new();
    let browser = Browser::new(&world);
    let first = world.op.authorize(&browser.begin("/"), &ADA);
    let kept = browser.copy();
    for name in kept.jar.names(LOGIN) {
        // A browser that ignores Max-Age.
        kept.jar.plant(&name, &kept.jar.get(&name).unwrap());
    }
    world.advance(899);
    let second = world.op.authorize(&browser.begin("/"), &ADA);
    world.advance(1);
    for browser in [&browser, &kept] {
        assert_eq!(browser.come_back_as_script(&first).problem(), (400, "login_attempt_invalid".to_owned()));
    }
    assert_eq!(world.op.count(Endpoint::Token), 0, "no code is redeemed for an attempt that is over");
    assert_eq!(browser.come_back(&second).status, 303);
}

#[test]
fn the_login_page_takes_hints_from_an_allow_list_and_nothing_else() {
    let world = World::new();
    let browser = Browser::new(&world);
    let request = browser.begin(
        "/.auth/login?return_to=%2Fa%3Fb%3Dc%26scope%3Devil&prompt=select_account&login_hint=ada%2B%26state%3D1\
         &domain_hint=d&scope=evil&redirect_uri=https://evil.example&client_id=evil&nonce=evil&id_token_hint=evil",
    );
    let asked = |name| parameter(&request, name).unwrap_or_default();
    assert_eq!([asked("prompt"), asked("login_hint"), asked("domain_hint")], ["select_account", "ada+&state=1", "d"]);
    assert_eq!(parameter(&request, "max_age").or(parameter(&request, "acr_values")), None);
    assert!(!request.contains("evil"));
    let landed = browser.come_back(&world.op.authorize(&request, &ADA));
    assert_eq!(landed.location(), absolute("/a?b=c&scope=evil"));
}

#[test]
fn a_prompt_that_is_not_listed_and_an_overlong_hint_are_left_out() {
    let world = World::new();
    let long = "x".repeat(321);
    for query in ["prompt=none".to_owned(), "prompt=login%20consent".to_owned(), format!("login_hint={long}")] {
        let request = Browser::new(&world).begin(&format!("/.auth/login?{query}"));
        assert_eq!((parameter(&request, "prompt"), parameter(&request, "login_hint")), (None, None), "{query}");
    }
}

#[test]
fn no_return_to_leads_anywhere_but_to_a_page_of_ours() {
    let world = World::new();
    let hostile = [
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "/\t/evil.example",
        "https://evil.example/",
        "javascript:alert(1)",
        "/%2fevil.example",
        "/.//evil.example",
        "/\r\nLocation: x",
        "@evil.example",
        "",
        "/.auth/logout",
        "/signin-oidc?code=1",
        "/signout-callback-oidc",
        "/.auth/../.auth/logout",
    ];
    for wanted in hostile {
        let browser = Browser::new(&world);
        let encoded: String = url::form_urlencoded::byte_serialize(wanted.as_bytes()).collect();
        let request = browser.begin(&format!("/.auth/login?return_to={encoded}"));
        let landed = browser.come_back(&world.op.authorize(&request, &ADA));
        assert_eq!(landed.location(), absolute("/"), "{wanted:?}");
    }
}

#[test]
fn a_page_that_begins_with_two_slashes_is_not_returned_to() {
    let world = World::new();
    let browser = Browser::new(&world);
    let request = browser.begin("//evil.example/x");
    assert_eq!(browser.come_back(&world.op.authorize(&request, &ADA)).location(), absolute("/"));
}

#[test]
fn only_reading_navigations_start_a_login() {
    let world = World::new();
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"] {
        let answer = Browser::new(&world).send(Request::navigation(method, &absolute("/page"), "none"));
        assert_eq!(answer.status, 401, "{method}");
    }
    let prefetch = Request::navigation("GET", &absolute("/page"), "none").with("sec-purpose", "prefetch;prerender");
    assert_eq!(Browser::new(&world).send(prefetch).code(), "login_required");
    let frame = Request::navigation("GET", &absolute("/page"), "none").with("sec-fetch-dest", "iframe");
    assert_eq!(Browser::new(&world).send(frame).code(), "login_required");
    assert_eq!(Browser::new(&world).send(Request::navigation("HEAD", &absolute("/page"), "none")).status, 302);
}

#[test]
fn a_script_is_told_where_its_user_can_sign_in() {
    let world = World::new();
    let script = Request::script("GET", &absolute("/api/Orders/1"));
    let told = |referer: &str| Browser::new(&world).send(script.clone().with("referer", referer)).json();
    assert_eq!(told(&absolute("/cart?x=1&y"))["login_url"], absolute("/.auth/login?return_to=%2Fcart%3Fx%3D1%26y"));
    for elsewhere in ["https://evil.example/", "https://app.example.evil.example/x", "https://app.example//evil"] {
        assert_eq!(told(elsewhere)["login_url"], absolute("/.auth/login"), "{elsewhere}");
    }
}

#[test]
fn another_sign_in_replaces_the_session_of_this_browser() {
    let world = World::new();
    let browser = Browser::signed_in(&world, &ADA);
    let before = browser.copy();
    world.advance(120);
    assert!(browser.sign_in("/.auth/login", &BOB).is_forwarded);
    assert_ne!(before.session(), browser.session());
    assert_eq!(world.kv.keys("account/").len(), 1);
    assert_eq!(browser.fetch("/.auth/me").json()["sub"], BOB.sub);
    assert_eq!(before.fetch("/page").code(), "session_expired");
}

#[test]
fn a_cookie_planted_before_the_sign_in_is_not_the_session_after_it() {
    let world = World::new();
    let browser = Browser::new(&world);
    for planted in ["AAAA", "", "%00", &"x".repeat(5000)] {
        browser.jar.plant(SESSION, planted);
        assert!(browser.sign_in("/.auth/login", &ADA).is_forwarded);
        assert_ne!(browser.session().as_deref(), Some(planted));
        assert!(browser.is_signed_in());
    }
}
