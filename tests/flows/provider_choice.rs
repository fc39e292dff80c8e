//! The page on which people choose their provider: what it keeps of its address, and what it does not.

use crate::browser::{Browser, absolute};
use crate::op::{BOB, parameter};
use crate::providers::world;
use crate::request::Request;

/// The link to a provider on the page of a choice.
fn link(page: &str, provider: &str) -> String {
    let begin = absolute(&format!("/.auth/login/{provider}"));
    let from = page.find(&format!("\"{begin}")).unwrap_or_else(|| panic!("no link to {provider}: {page}")) + 1;
    page[from..].split('"').next().unwrap().replace("&amp;", "&")
}

#[test]
fn it_keeps_what_a_page_may_ask_a_sign_in_for() {
    let world = world();
    let browser = Browser::new(&world);
    let query = "login_hint=b%26b%40x.example&prompt=login&acr_values=c1&max_age=60&domain_hint=x&return_to=%2Fa%3Fb";
    let choice = browser.follow(&format!("/.auth/login?{query}"));
    let request = browser.begin(&link(&choice.body, "Staff"));
    let asked = |name| parameter(&request, name);
    for (name, value) in [("login_hint", "b&b@x.example"), ("prompt", "login"), ("acr_values", "c1"), ("max_age", "60")]
    {
        assert_eq!(asked(name).as_deref(), Some(value), "{request}");
    }
    *world.staff.claims.borrow_mut() = serde_json::json!({ "acr": "c1", "auth_time": world.time() });
    assert_eq!(browser.come_back(&world.staff.authorize(&request, &BOB)).location(), absolute("/a?b"));
}

#[test]
fn no_other_site_gets_an_api_called_by_way_of_it() {
    let world = world();
    let address = absolute("/.auth/login?return_to=%2Fapi%2FOrders%2Fdelete&return_to=%2Fapi%2FOrders%2F2");
    for (site, returns_to) in [("cross-site", "/"), ("same-site", "/"), ("same-origin", "/api/Orders/delete")] {
        let browser = Browser::new(&world);
        let choice = browser.send(Request::navigation("GET", &address, site));
        let link = link(&choice.body, "Staff");
        assert_eq!(parameter(&link, "return_to").as_deref(), Some(returns_to), "{site}");
        assert_eq!(link.matches("return_to").count(), 1);
        // Whatever led to the page, the link itself is followed from one of ours.
        let request = browser.follow(&link).location().to_owned();
        let back = browser.come_back(&world.staff.authorize(&request, &BOB));
        assert_eq!(back.header("location").is_some(), returns_to == "/", "{back:?}");
        assert_eq!(world.downstream.count(), 0);
    }
}

#[test]
fn nobody_comes_back_to_what_only_a_provider_sends_anybody_to() {
    let world = world();
    for path in ["/signout-oidc/Staff?sid=x", "/signin-oidc/Staff", "/signout-callback-oidc", "/.auth/login/Staff"] {
        let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("return_to", path).finish();
        let choice = Browser::new(&world).follow(&format!("/.auth/login?{query}"));
        assert_eq!(parameter(&link(&choice.body, "OpenIdConnect"), "return_to").as_deref(), Some("/"), "{path}");
    }
}

#[test]
fn it_is_a_page_like_our_others_and_changes_nothing() {
    let world = world();
    for method in ["GET", "HEAD"] {
        let choice = world.serve(&Request::navigation(method, &absolute("/.auth/login"), "none"));
        assert_eq!((choice.status, choice.set_cookies().count()), (200, 0), "{method}");
        let policy = choice.header("content-security-policy").unwrap();
        assert!(
            policy.starts_with("default-src 'none'; style-src 'sha256-") && policy.contains("frame-ancestors 'none'")
        );
        assert_eq!(choice.header("cache-control"), Some("no-store"));
        assert!(
            choice.body.contains("<ul class=\"choice\">") && choice.body.contains("/login/Staff\">"),
            "{}",
            choice.body
        );
    }
    for method in ["POST", "PUT", "DELETE"] {
        let refused = world.serve(&Request::script(method, &absolute("/.auth/login")));
        assert_eq!(refused.problem(), (405, "method_not_allowed".to_owned()), "{method}");
    }
    assert_eq!(world.kv.operations().len() + world.accounts.calls(), 0);
}

#[test]
fn attempts_at_all_providers_together_do_not_pile_up() {
    let world = world();
    let browser = Browser::new(&world);
    for round in 0..6 {
        for provider in ["OpenIdConnect", "Staff"] {
            browser.begin(&format!("/.auth/login/{provider}"));
            world.advance(1);
        }
        let kept = browser.jar.names("__Host-login");
        assert_eq!(kept.len(), (2 * round + 2).min(8), "{kept:?}");
        assert!(round < 4 || kept.iter().filter(|name| name.starts_with("__Host-login.Staff.")).count() == 4);
    }
}

#[test]
fn a_provider_whose_name_begins_like_anothers_has_attempts_of_its_own() {
    let named = |authority| serde_json::json!({ "Authority": authority, "ClientId": "c", "ClientSecret": null });
    let world = world();
    world.redeploy(&serde_json::json!({
        "Providers": { "Staff-2": named("https://op.example") }, "Providers__Staff-2__ClientSecret": "s",
    }));
    let browser = Browser::new(&world);
    browser.begin("/.auth/login/Staff-2");
    browser.begin("/.auth/login/Staff");
    assert_eq!(browser.jar.names("__Host-login").len(), 2, "neither gives up that of the other");
}
