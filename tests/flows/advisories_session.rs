//! Published advisories of proxies that sign people in: those about the session, its cookies and its end. Each test has the
//! name of its advisory.

use proptest::prelude::*;
use serde_json::json;

use crate::browser::{Browser, LOGIN, SESSION, absolute};
use crate::op::{ADA, BOB, Endpoint, parameter};
use crate::op_logout::{by_both, framed_at, posted};
use crate::request::Request;
use crate::world::World;

#[test]
fn cve_2026_34454_whoever_left_is_out_with_any_copy_of_the_cookie() {
    let world = World::new();
    let browser = Browser::signed_in(&world, &ADA);
    let copies = [browser.copy(), browser.copy()];
    // By then a miss in the store is one.
    world.advance(120);
    let left = browser.post("/.auth/logout");
    assert!(left.expires(SESSION));
    for copy in copies {
        assert_eq!(copy.fetch("/page").problem(), (401, "session_expired".to_owned()));
        assert!(!copy.is_signed_in() && !browser.is_signed_in());
        // On Workers KV alone an isolate that knows nothing cannot be sure so soon.
        world.new_isolate();
        world.advance(180);
    }
}

#[test]
fn cve_2025_46344_a_cookie_ends_by_itself_whatever_the_browser_keeps() {
    let world = World::with(&json!({ "Session": { "IdleSeconds": 600, "AbsoluteSeconds": 900 } }));
    let browser = Browser::signed_in(&world, &ADA);
    let kept = Browser::new(&world);
    kept.jar.plant(SESSION, &browser.session().unwrap());
    world.advance(599);
    assert!(kept.is_signed_in());
    browser.visit("/page");
    kept.jar.plant(SESSION, &browser.session().unwrap());
    world.advance(300);
    assert!(kept.is_signed_in());
    world.advance(1);
    assert_eq!(kept.fetch("/page").problem(), (401, "session_expired".to_owned()), "the absolute end");
}

#[test]
fn cve_2025_48947_and_cve_2025_64762_an_answer_with_a_cookie_is_for_nobody_else() {
    let world = World::new();
    *world.downstream.answer_headers.borrow_mut() =
        vec![("cache-control".to_owned(), "public, s-maxage=86400".to_owned())];
    let browser = Browser::signed_in(&world, &ADA);
    world.advance(1801);
    let rolled = browser.visit("/page");
    assert!(rolled.is_forwarded && rolled.set_cookies().any(|cookie| cookie.starts_with(SESSION)));
    assert_eq!(rolled.header("cache-control"), Some("no-store"));
    for path in ["/.auth/login", "/.auth/logout", "/.auth/me", "/signin-oidc", "/page"] {
        let answer = Browser::new(&world).visit(path);
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
    }
}

#[test]
fn nxa_2530_a_rolled_cookie_brings_no_session_back() {
    let world = World::with(&json!({ "Session": { "RevocationDelay": 10 } }));
    let browser = Browser::signed_in(&world, &ADA);
    let elsewhere = browser.copy();
    elsewhere.moves_to(&world.isolate_at(0));
    world.advance(1801);
    assert!(elsewhere.visit("/page").is_forwarded);
    world.advance(1900);
    elsewhere.fetch("/page");
    browser.jar.plant(SESSION, &elsewhere.session().unwrap());
    assert_eq!(browser.post("/.auth/logout").status, 303);
    let rolled = elsewhere.visit("/page");
    assert_eq!(rolled.set_cookies().count(), 1, "the isolate does not know yet: {rolled:?}");
    world.advance(71);
    assert_eq!(elsewhere.fetch("/page").problem().0, 401);
    assert!(
        world.kv.keys("account/").is_empty()
            && world.accounts.all_sessions().iter().all(|(_, one)| one.entry.is_none())
    );
}

#[test]
fn cve_2025_3891_odd_bodies_break_nothing() {
    let world = World::new();
    for browser in [Browser::new(&world), Browser::signed_in(&world, &ADA)] {
        for path in [
            "/.auth/logout",
            "/.auth/backchannel-logout",
            "/.auth/login",
            "/.auth/me",
            "/.auth/sessions",
            "/signin-oidc",
            "/signout-oidc",
            "/page",
        ] {
            for (content_type, body) in [
                ("", ""),
                ("application/x-www-form-urlencoded", ""),
                ("application/x-www-form-urlencoded; charset=\"", "%"),
                ("multipart/form-data; boundary=", "--"),
                ("text/plain\0", "a"),
                (";", "&&&=&"),
            ] {
                let request = Request::navigation("POST", &absolute(path), "cross-site").form(body);
                let answer = browser.copy().send(request.with("content-type", content_type));
                assert!((400..500).contains(&answer.status), "{path} {content_type:?}: {answer:?}");
            }
        }
    }
}

#[test]
fn cve_2024_24814_nobody_counts_chunks_of_a_cookie() {
    let world = World::new();
    for count in ["99999999", "-1", "NaN", "18446744073709551616", "0", ""] {
        let browser = Browser::new(&world);
        browser.jar.plant(&format!("{SESSION}_chunks"), count);
        browser.jar.plant(&format!("{SESSION}.0"), "AAAA");
        assert_eq!(browser.fetch("/page").problem(), (401, "login_required".to_owned()), "{count}");
    }
}

#[test]
fn cve_2022_23527_and_cve_2019_14857_and_cve_2019_20479_a_sign_out_leads_nowhere_else() {
    for wanted in ["/%09/evil.example", "///evil.example", "/%5Cevil.example", "https%3A%2F%2Fevil.example"] {
        let world = World::new();
        let browser = Browser::signed_in(&world, &ADA);
        let query = ["return_to", "post_logout_redirect_uri", "redirect", "rd", "logout"]
            .map(|name| format!("{name}={wanted}"));
        let away = browser.post(&format!("/.auth/logout?{}", query.join("&")));
        let back = parameter(away.location(), "post_logout_redirect_uri").unwrap();
        assert_eq!(back, absolute("/signout-callback-oidc"));
        let state = parameter(away.location(), "state").unwrap();
        let page = browser.come_back(&format!("{back}?state={state}&{}", query.join("&")));
        assert!(page.header("location").is_none() && !page.body.contains("evil"), "{page:?}");
    }
}

#[test]
fn mod_auth_openidc_2_4_20_a_logout_token_ends_no_later_session() {
    let world = World::new();
    Browser::signed_in(&world, &ADA);
    let token = world.logout_token(&by_both(&ADA));
    assert_eq!(posted(&world, &token).status, 200);
    world.advance(1);
    let browser = Browser::signed_in(&world, &ADA);
    posted(&world, &token);
    world.advance(20);
    assert!(browser.is_signed_in() || !crate::WITH_ACCOUNTS, "a replay is refused where there is somebody to notice");
}

#[test]
fn mod_auth_openidc_2_4_20_a_front_channel_logout_revokes_no_token() {
    let world = World::new();
    Browser::signed_in(&world, &ADA);
    framed_at(&world.site(), &ADA);
    world.finish_background();
    assert_eq!((world.op.count(Endpoint::Revocation), world.op.revoked()), (0, 0));
}

#[test]
fn mod_auth_openidc_2_4_20_and_cve_2021_41246_a_sign_in_begins_a_session_of_its_own() {
    let world = World::new();
    let mallory = Browser::signed_in(&world, &BOB);
    let planted = mallory.session().unwrap();
    let victim = Browser::new(&world);
    victim.jar.plant(SESSION, &planted);
    let request = victim.begin("/.auth/login");
    victim.come_back(&world.op.authorize(&request, &ADA));
    assert_ne!(victim.session().unwrap(), planted);
    assert_eq!(victim.fetch("/.auth/me").json()["sub"], ADA.sub);
    let mallory = mallory.fetch("/.auth/me");
    assert!(mallory.status == 401 || mallory.json()["sub"] == BOB.sub, "{mallory:?}");
}

#[test]
fn cve_2025_55162_a_cookie_is_deleted_with_the_attributes_that_it_was_set_with() {
    let world = World::new();
    let browser = Browser::signed_in(&world, &ADA);
    browser.begin("/.auth/login");
    let left = browser.post("/.auth/logout");
    let deleted = left.set_cookies().find(|cookie| cookie.starts_with(&format!("{SESSION}=;"))).unwrap();
    for attribute in ["Secure", "HttpOnly", "Path=/", "SameSite=Lax", "Max-Age=0"] {
        assert!(deleted.split("; ").any(|own| own == attribute), "{deleted}");
    }
    assert_eq!(browser.session(), None);
}

#[test]
fn cve_2026_55512_strangers_write_nothing_however_many_there_are() {
    let world = World::new();
    let paths = [
        "/",
        "/page",
        "/.auth/login",
        "/.auth/login?acr_values=c2&max_age=0",
        "/signin-oidc?state=AAAAAAAAAAA.x&code=1",
    ];
    let more = ["/api/Orders/x", "/.auth/me", "/.auth/logout", "/signout-oidc?sid=x", "/.auth/sessions"];
    world.serve(&Request::navigation("GET", &absolute("/"), "none"));
    let documents = world.kv.changes();
    for number in 0..1000 {
        let path = paths.iter().chain(&more).nth(number % 10).unwrap();
        world.serve(&Request::navigation("GET", &absolute(path), "none"));
    }
    assert_eq!((world.kv.changes(), world.accounts.all_sessions().len()), (documents.clone(), 0));
    assert!(documents.is_empty() || documents.iter().all(|key| key.starts_with("op/")), "{documents:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn cve_2023_28625_no_cookie_header_breaks_anything(
        pieces in proptest::collection::vec("__Host-session|__Host-logout|__Host-login-|;|=|; |,|\"|%|\u{e9}|[ -~]{0,6}", 0..24),
    ) {
        let world = World::with_routes(&json!([{ "Path": "/open", "Access": "Anonymous" }]));
        let cookie = pieces.concat();
        for path in ["/open", "/page", "/.auth/login", "/.auth/me", "/signin-oidc?state=AAAAAAAAAAA.x&code=1"] {
            let request = Request::script("GET", &absolute(path)).with("cookie", &cookie);
            let answer = world.serve(&request);
            prop_assert!(answer.status < 500, "{} {:?}", path, answer);
            if path == "/open" {
                let passed = world.downstream.last().header("cookie").unwrap_or("").to_owned();
                let ours = |name: &str| ["__Host-session", "__Host-logout"].contains(&name) || name.starts_with(LOGIN);
                let is_ours = |pair: &str| ours(pair.split('=').next().unwrap_or_default().trim());
                prop_assert!(!passed.split(';').any(is_ours), "{} from {}", passed, cookie);
            }
        }
    }
}
