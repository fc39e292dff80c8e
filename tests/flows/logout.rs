//! Sign-out: everything of the account is removed, then the browser goes to the OP, or neither.

use serde_json::json;
use vestibule::runtime::StoreFault;

use crate::browser::{Browser, LOGOUT, SESSION, absolute};
use crate::op::{ADA, BOB, Endpoint, Instead, parameter};
use crate::request::Request;
use crate::world::World;

#[test]
fn a_sign_out_deletes_every_entry_of_the_account_and_its_index_and_no_other() {
    let world = World::new();
    let (laptop, phone, other) =
        (Browser::signed_in(&world, &ADA), Browser::signed_in(&world, &ADA), Browser::signed_in(&world, &BOB));
    assert_eq!((world.kv.keys("account/").len(), world.kv.keys("sid/").len()), (3, 2));
    let before = laptop.copy();
    let answer = laptop.post("/.auth/logout");
    assert_eq!(answer.status, 303);
    assert!(answer.expires(SESSION));
    assert_eq!((world.kv.keys("account/").len(), world.kv.keys("sid/").len()), (1, 1));
    assert!(other.is_signed_in());
    for isolate in ["the same isolate", "another one"] {
        for browser in [&before, &phone, &laptop] {
            assert!(!browser.is_signed_in(), "{isolate}");
        }
        world.new_isolate();
    }
}

#[test]
fn a_new_sign_in_ends_the_session_before_it_with_its_index_unless_it_took_that_over() {
    let world = World::new();
    let browser = Browser::signed_in(&world, &ADA);
    let index = world.kv.keys("sid/");
    assert!(browser.sign_in("/.auth/login", &ADA).is_forwarded);
    assert_eq!((world.kv.keys("account/").len(), world.kv.keys("sid/")), (1, index.clone()));
    assert!(browser.sign_in("/.auth/login", &BOB).is_forwarded);
    assert_eq!((world.kv.keys("account/").len(), world.kv.keys("sid/").len()), (1, 1));
    assert_ne!(world.kv.keys("sid/"), index);
}

#[test]
fn the_index_of_the_last_session_goes_with_it() {
    let world = World::new();
    let browser = Browser::signed_in(&world, &ADA);
    assert_eq!(world.kv.keys("sid/").len(), 1);
    browser.post("/.auth/logout");
    assert_eq!((world.kv.keys("account/"), world.kv.keys("sid/")), (vec![], vec![]));
}

#[test]
fn a_listing_that_lags_behind_hides_neither_the_own_entry_nor_its_index() {
    let world = World::new();
    let browser = Browser::signed_in(&world, &ADA);
    world.kv.hide_from_listings();
    world.new_isolate();
    browser.post("/.auth/logout");
    assert_eq!((world.kv.keys("account/"), world.kv.keys("sid/")), (vec![], vec![]));
}

#[test]
fn the_op_learns_who_signs_out_and_where_to_send_them() {
    let world = World::new();
    let browser = Browser::signed_in(&world, &ADA);
    let location = browser.post("/.auth/logout").location().to_owned();
    assert!(location.starts_with("https://op.example/logout?policy=p%26q&"), "{location}");
    let asked = |name| parameter(&location, name).unwrap_or_default();
    assert_eq!(asked("client_id"), crate::deployment::CLIENT_ID);
    assert_eq!(asked("post_logout_redirect_uri"), absolute("/signout-callback-oidc"));
    assert!(world.op.secrets().contains(&asked("id_token_hint")));
    assert!(asked("state").len() >= 22);
}

#[test]
fn the_way_back_needs_the_state_of_this_browser() {
    let world = World::new();
    let browser = Browser::signed_in(&world, &ADA);
    let state = parameter(browser.post("/.auth/logout").location(), "state").unwrap();
    let back = |browser: &Browser<'_>, query: &str| {
        browser.come_back_as_script(&absolute(&format!("/signout-callback-oidc{query}")))
    };
    let wrong = format!("?state={}x", &state[1..]);
    for query in ["", "?", "?state=", "?state=evil", &wrong, &format!("?state={state}x"), &format!("?STATE={state}")] {
        assert_eq!(back(&browser, query).problem(), (400, "logout_response_invalid".to_owned()), "{query}");
    }
    let elsewhere = back(&Browser::new(&world), &format!("?state={state}"));
    assert_eq!(elsewhere.code(), "logout_response_invalid");
    let returned = back(&browser, &format!("?state={state}"));
    assert_eq!(returned.status, 200);
    assert!(returned.body.contains("You are signed out") && returned.expires(LOGOUT));
    assert_eq!(back(&browser, &format!("?state={state}")).code(), "logout_response_invalid");
}

#[test]
fn a_configured_page_follows_the_sign_out() {
    for (target, expected) in
        [("/bye?a=b", absolute("/bye?a=b")), ("https://www.example/x", "https://www.example/x".to_owned())]
    {
        let world = World::with(&json!({ "OpenIdConnect": { "SignedOutRedirectUri": target } }));
        let browser = Browser::signed_in(&world, &ADA);
        let state = parameter(browser.post("/.auth/logout").location(), "state").unwrap();
        let returned = browser.come_back(&absolute(&format!("/signout-callback-oidc?state={state}")));
        assert_eq!((returned.status, returned.location()), (303, expected.as_str()));
    }
}

#[test]
fn no_other_site_can_sign_a_user_out() {
    let world = World::new();
    let browser = Browser::signed_in(&world, &ADA);
    let changes = world.kv.changes();
    let logout = absolute("/.auth/logout");
    for site in ["cross-site", "same-site", "none", ""] {
        let asked = browser.send(Request::navigation("GET", &logout, site));
        assert_eq!(asked.status, 200);
        assert!(asked.body.contains("<form method=\"post\" action=\"https://app.example/.auth/logout\">"));
        let posted = browser.send(Request::script("POST", &logout).with("sec-fetch-site", site));
        assert_eq!(posted.problem(), (403, "csrf_rejected".to_owned()), "{site}");
    }
    let old = Request::script("POST", &logout).without("sec-fetch-site");
    for origin in ["https://evil.example", "null", "https://app.example.evil.example", "http://app.example", ""] {
        assert_eq!(browser.send(old.clone().with("origin", origin).with("x-csrf", "1")).status, 403, "{origin}");
    }
    assert_eq!(browser.send(old).status, 403);
    assert_eq!(world.kv.changes(), changes);
    assert!(browser.is_signed_in());
}

#[test]
fn a_page_of_ours_signs_out_by_link_or_form() {
    for request in [
        Request::navigation("GET", &absolute("/.auth/logout"), "same-origin"),
        Request::navigation("POST", &absolute("/.auth/logout"), "same-origin"),
        Request::new("POST", &absolute("/.auth/logout")).with("origin", "https://app.example"),
        Request::new("POST", &absolute("/.auth/logout")).with("x-csrf", ""),
    ] {
        let world = World::new();
        let browser = Browser::signed_in(&world, &ADA);
        assert_eq!(browser.send(request).status, 303);
        assert_eq!(world.kv.keys(""), world.kv.keys("op/"));
    }
}

#[test]
fn a_store_that_fails_to_remove_signs_nobody_out() {
    for (fault, prefix) in
        [(StoreFault::Delete, "account/"), (StoreFault::List, "account/"), (StoreFault::Delete, "sid/")]
    {
        let world = World::new();
        let (browser, other) = (Browser::signed_in(&world, &ADA), Browser::signed_in(&world, &ADA));
        world.kv.fail_at(fault, prefix);
        for _ in 0..2 {
            let answer = browser.post("/.auth/logout");
            assert_eq!(answer.problem(), (503, "cache_unavailable".to_owned()), "{fault:?}");
            assert!(answer.header("retry-after").is_some() && !answer.expires(SESSION));
        }
        world.kv.recover();
        // The user tries again, and only then is it done.
        assert_eq!(browser.post("/.auth/logout").status, 303, "{fault:?}");
        assert_eq!((world.kv.keys("account/"), world.kv.keys("sid/")), (vec![], vec![]), "{fault:?}");
        world.new_isolate();
        assert!(!other.is_signed_in());
    }
}

#[test]
fn a_sign_out_needs_no_op_and_no_readable_entry() {
    let world = World::new();
    let browser = Browser::signed_in(&world, &ADA);
    world.op.outage();
    world.new_isolate();
    world.kv.fail_at(StoreFault::Get, "");
    let answer = browser.post("/.auth/logout");
    assert_eq!(answer.status, 200);
    assert!(answer.body.contains("You are signed out") && answer.expires(SESSION));
    assert_eq!(world.kv.keys("account/"), [""; 0]);
    assert!(!browser.is_signed_in());
}

#[test]
fn an_op_without_an_end_session_endpoint_ends_nothing_itself() {
    let world = World::new();
    world.op.instead(Endpoint::Metadata, Instead::Merged(json!({ "end_session_endpoint": null })));
    let browser = Browser::signed_in(&world, &ADA);
    let answer = browser.post("/.auth/logout");
    assert_eq!(answer.status, 200);
    assert!(answer.body.contains("You are signed out") && answer.expires(SESSION));
    assert_eq!(browser.jar.names("__Host-"), [""; 0]);
}

#[test]
fn a_sign_out_without_a_session_touches_no_store() {
    let world = World::new();
    for planted in [None, Some("AAAA"), Some("")] {
        let browser = Browser::new(&world);
        planted.into_iter().for_each(|value| browser.jar.plant(SESSION, value));
        let answer = browser.post("/.auth/logout");
        assert!(answer.status == 303 && answer.expires(SESSION));
        assert_eq!(parameter(answer.location(), "id_token_hint"), None);
    }
    assert_eq!(world.kv.changes(), [""; 0]);
}

#[test]
fn other_methods_sign_nobody_out() {
    let world = World::new();
    let browser = Browser::signed_in(&world, &ADA);
    for method in ["HEAD", "PUT", "DELETE", "OPTIONS"] {
        let answer = browser.send(Request::script(method, &absolute("/.auth/logout")));
        assert_eq!(answer.problem(), (405, "method_not_allowed".to_owned()));
        assert_eq!(answer.header("allow"), Some("GET, POST"));
    }
    assert!(browser.is_signed_in());
}

#[test]
fn a_user_who_signed_out_can_sign_in_again() {
    let world = World::new();
    let browser = Browser::signed_in(&world, &ADA);
    browser.post("/.auth/logout");
    world.advance(1);
    browser.sign_in("/", &ADA);
    assert!(browser.is_signed_in());
}

#[test]
fn a_sign_out_within_a_second_of_the_sign_in_waits_for_the_store_and_is_done() {
    let world = World::new();
    world.kv.throttles.set(true);
    world.sleeping_takes_time.set(true);
    let browser = Browser::signed_in(&world, &ADA);
    assert_eq!(browser.post("/.auth/logout").status, 303);
    assert_eq!((world.kv.keys("account/"), world.kv.keys("sid/")), (vec![], vec![]));
}
