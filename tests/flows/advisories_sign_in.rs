//! Published advisories of proxies that sign people in: those about the way back and what the OpenID Provider says. Each test has the name of its advisory.

use serde_json::{Value, json};
use url::Url;
use vestibule::session::return_to::ReturnTo;

use crate::browser::{Browser, SESSION, absolute};
use crate::callback::assert_nobody_is_signed_in;
use crate::deployment::PUBLIC;
use crate::op::{ADA, parameter};
use crate::request::Received;
use crate::requirements::refresh;
use crate::world::World;

/// Where a sign-in leads that is to return to `target`.
fn way_back(target: &str) -> String {
    let world = World::new();
    let browser = Browser::new(&world);
    let encoded: String = url::form_urlencoded::byte_serialize(target.as_bytes()).collect();
    let request = browser.begin(&format!("/.auth/login?return_to={encoded}"));
    browser.come_back(&world.op.authorize(&request, &ADA)).location().to_owned()
}

fn assert_start_page(targets: &[&str]) {
    for target in targets {
        assert_eq!(way_back(target), absolute("/"), "{target:?}");
    }
}

fn long_world(vars: &Value) -> World {
    let world = World::with(&json!({ "Session": { "IdleSeconds": 28_800 } }));
    world.redeploy(vars);
    world
}

/// Signs in and returns the answer to the callback.
fn callback(world: &World, browser: &Browser<'_>) -> Received {
    browser.come_back_as_script(&world.op.authorize(&browser.begin("/.auth/login"), &ADA))
}

#[test]
fn cve_2020_5233_and_cve_2020_11053_and_cve_2020_4037_no_blank_or_backslash_leads_away() {
    assert_start_page(&["/\\evil.example", "/%5cevil.example", "/\t/evil.example", "\\/evil.example"]);
    for target in ["/ /evil.example", "/%09/evil.example"] {
        assert!(way_back(target).starts_with("https://app.example/%"), "a path of ours, as it was written");
    }
}

#[test]
fn cve_2026_83589_neither_a_backslash_nor_a_tab_leads_away() {
    assert_start_page(&[
        "/\\evil.example",
        "/\t/evil.example",
        "/\t\\evil.example",
        "\\\\evil.example",
        "/\r\n/evil.example",
    ]);
}

#[test]
fn cve_2022_24794_a_page_that_looks_like_a_host_is_not_returned_to() {
    let world = World::new();
    let browser = Browser::new(&world);
    for path in ["//evil.example", "//evil.example/x", "///evil.example"] {
        let redirect = browser.visit(&format!("{PUBLIC}{path}"));
        let returned = browser.come_back(&world.op.authorize(redirect.location(), &ADA));
        assert_eq!(returned.location(), absolute("/"), "{path}");
        browser.post("/.auth/logout");
        browser.jar.plant(SESSION, "");
    }
}

#[test]
fn cve_2021_32702_nothing_that_the_op_says_is_markup() {
    const SCRIPT: &str = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>";
    let world = World::new();
    let state = parameter(&Browser::new(&world).begin("/"), "state").unwrap();
    for parameters in [
        vec![("error", SCRIPT), ("error_description", SCRIPT), ("error_uri", SCRIPT), ("state", &state)],
        vec![("error", "access_denied"), ("error_description", SCRIPT), ("state", SCRIPT)],
        vec![("code", SCRIPT), ("state", SCRIPT), ("session_state", SCRIPT)],
    ] {
        let browser = Browser::new(&world);
        browser.begin("/");
        let page = browser.come_back(&world.op.callback(&parameters));
        assert!(page.status >= 400 && !page.body.contains("<script") && !page.body.contains("<img"), "{}", page.body);
        assert!(!page.body.contains("alert(1)"), "not even escaped: {}", page.body);
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.contains("default-src 'none'"), "{policy}");
    }
}

#[test]
fn cve_2021_43812_a_return_to_elsewhere_is_the_start_page() {
    assert_start_page(&[
        "https://evil.example/",
        "//evil.example",
        "https://app.example.evil.example/",
        "javascript:alert(1)",
    ]);
}

#[test]
fn cve_2025_67716_a_return_to_changes_no_parameter_of_the_request() {
    let world = World::new();
    let names = |request: &str| -> Vec<String> {
        Url::parse(request).unwrap().query_pairs().map(|(name, _)| name.into_owned()).collect()
    };
    let plain = Browser::new(&world).begin("/.auth/login?return_to=%2Fx");
    for target in [
        "/x&scope=evil&redirect_uri=https://evil.example",
        "/x?scope=evil&client_id=evil#&nonce=1",
        "/x%26prompt%3Dnone",
    ] {
        let encoded: String = url::form_urlencoded::byte_serialize(target.as_bytes()).collect();
        for query in
            [format!("return_to={encoded}"), format!("return_to=%2Fx&scope=evil&redirect_uri={encoded}&state=x")]
        {
            let request = Browser::new(&world).begin(&format!("/.auth/login?{query}"));
            assert_eq!(names(&request), names(&plain));
            for name in ["scope", "redirect_uri", "client_id", "response_type"] {
                assert_eq!(parameter(&request, name), parameter(&plain, name), "{query}");
            }
        }
    }
}

#[test]
fn cve_2021_39191_no_other_parameter_says_where_to_return() {
    let world = World::new();
    let browser = Browser::new(&world);
    let query = "target_link_uri=https%3A%2F%2Fevil.example&rd=%2F%2Fevil.example&returnTo=%2Fx&redirect=%2Fx&iss=x";
    let request = browser.begin(&format!("/.auth/login?{query}"));
    assert_eq!(browser.come_back(&world.op.authorize(&request, &ADA)).location(), absolute("/"));
}

#[test]
fn cve_2021_32786_a_backslash_is_what_browsers_take_it_for() {
    let ours = Url::parse(PUBLIC).unwrap();
    for target in ["/\\evil.example", "\\/evil.example", "/x\\..\\..\\evil", "https:\\\\evil.example"] {
        assert_eq!(ReturnTo::parse(target, &ours), None, "{target}");
        assert_ne!(ours.join(target).unwrap().path(), target, "browsers read it differently");
    }
}

#[test]
fn mod_auth_openidc_2_4_20_an_id_token_of_a_refresh_is_verified() {
    let world = long_world(&json!({}));
    let browser = Browser::signed_in(&world, &ADA);
    assert!(browser.fetch("/api/Orders/x").is_forwarded);
    *world.op.claims.borrow_mut() = json!({ "sub": "mallory", "roles": ["Admin"] });
    world.advance(3600);
    let arrived = world.downstream.count();
    assert_eq!(browser.fetch("/api/Orders/x").problem(), (502, "op_error".to_owned()));
    assert_eq!(world.downstream.count(), arrived);
    assert_eq!(browser.fetch("/.auth/me").json()["sub"], ADA.sub);
}

#[test]
fn cve_2025_46647_an_id_token_of_another_issuer_signs_nobody_in() {
    for issuer in
        ["https://evil.example", "https://op.example/", "https://OP.example", "", "https://op.example.evil.example"]
    {
        let world = World::new();
        *world.op.claims.borrow_mut() = json!({ "iss": issuer });
        let browser = Browser::new(&world);
        assert_eq!(callback(&world, &browser).problem(), (502, "op_error".to_owned()), "{issuer}");
        assert_nobody_is_signed_in(&world, &browser);
    }
}

#[test]
fn cve_2026_39999_a_public_key_is_no_secret_of_a_mac() {
    for key in ["hmac_of_public_key", "hmac_of_client_secret", "nothing"] {
        let world = World::new();
        *world.op.signing_key.borrow_mut() = key.to_owned();
        *world.op.header.borrow_mut() = json!({ "kid": "rsa" });
        let browser = Browser::new(&world);
        assert_eq!(callback(&world, &browser).problem(), (502, "op_error".to_owned()), "{key}");
        assert_nobody_is_signed_in(&world, &browser);
    }
}

#[test]
fn cve_2023_27490_state_nonce_and_verifier_each_fail_closed() {
    let world = World::new();
    let browser = Browser::new(&world);
    let request = browser.begin("/.auth/login");
    let good = world.op.authorize(&request, &ADA);
    let code = parameter(&good, "code").unwrap();
    let other = world.op.authorize(&browser.begin("/.auth/login"), &ADA);
    let other_state = parameter(&other, "state").unwrap();
    let swapped = world.op.callback(&[("code", &code), ("state", &other_state)]);
    assert_eq!(browser.come_back_as_script(&swapped).problem().0, 400, "the verifier is another attempt's");
    for claims in [json!({ "nonce": null }), json!({ "nonce": "other" }), json!({ "nonce": "" })] {
        *world.op.claims.borrow_mut() = claims;
        let browser = Browser::new(&world);
        assert_eq!(callback(&world, &browser).problem(), (502, "op_error".to_owned()));
        assert_nobody_is_signed_in(&world, &browser);
    }
    assert_nobody_is_signed_in(&world, &browser);
}

#[test]
fn cve_2026_23990_a_blank_subject_or_role_is_nobody() {
    for sub in [json!(""), json!(" "), json!("\t"), Value::Null, json!(0), json!([])] {
        let world = World::new();
        *world.op.claims.borrow_mut() = json!({ "sub": sub });
        let browser = Browser::new(&world);
        assert_eq!(callback(&world, &browser).problem(), (502, "op_error".to_owned()), "{sub}");
        assert_nobody_is_signed_in(&world, &browser);
    }
    let world = World::with_routes(&json!([{ "Path": "/x", "Require": { "Present": ["roles"] } }]));
    *world.op.claims.borrow_mut() = json!({ "roles": ["", " "] });
    assert_eq!(Browser::signed_in(&world, &ADA).fetch("/x").problem(), (403, "forbidden".to_owned()));
}

#[test]
fn cve_2021_41230_a_role_that_was_taken_away_is_gone() {
    let world =
        long_world(&json!({ "Gateway": { "Routes": [{ "Path": "/admin", "Require": { "Roles": ["Admin"] } }] } }));
    *world.op.claims.borrow_mut() = json!({ "roles": ["Admin"] });
    let browser = Browser::signed_in(&world, &ADA);
    assert!(browser.fetch("/admin").is_forwarded);
    *world.op.claims.borrow_mut() = json!({ "roles": [] });
    refresh(&browser);
    assert_eq!(browser.fetch("/admin").problem(), (403, "forbidden".to_owned()));
}
