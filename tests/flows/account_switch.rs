//! The account that comes back from a sign-in for an API is the one that left, unless the user chose to switch.

use serde_json::json;

use crate::api::{login_url, served};
use crate::browser::{Browser, SESSION};
use crate::consent::world;
use crate::deployment::PUBLIC;
use crate::op::{ADA, BOB, parameter};
use crate::world::World;

#[test]
fn another_account_changes_nothing_and_can_be_chosen_on_purpose() {
    let world = world();
    let browser = Browser::signed_in(&world, &ADA);
    let before = (browser.session(), world.kv.dump(), world.accounts.dump());
    let answer = browser.interact("/api/Orders/x", &BOB);
    assert_eq!((answer.status, answer.header("location")), (403, None));
    assert!(answer.body.contains(&format!("href=\"{PUBLIC}/.auth/login?prompt=login\"")), "{}", answer.body);
    assert!(!answer.set_cookies().any(|cookie| cookie.starts_with(SESSION)));
    assert_eq!((browser.session(), world.kv.dump(), world.accounts.dump()), before);
    assert_eq!(browser.fetch("/.auth/me").json()["sub"], ADA.sub);
    served(&browser.fetch("/api/Billing/x"));

    let request = browser.begin("/.auth/login?prompt=login");
    assert_eq!(parameter(&request, "prompt").as_deref(), Some("login"));
    assert_eq!(parameter(&request, "login_hint"), None, "nobody is suggested");
    let returned = browser.come_back(&world.op.authorize(&request, &BOB));
    assert_eq!(returned.status, 303);
    assert_eq!(browser.fetch("/.auth/me").json()["sub"], BOB.sub);
    assert_eq!(world.kv.keys("account/").len(), 1);
}

#[test]
fn a_script_is_told_of_another_account() {
    let world = world();
    let browser = Browser::signed_in(&world, &ADA);
    let url = login_url(&browser.fetch("/api/Orders/x"));
    let callback = world.op.authorize(&browser.begin(&url), &BOB);
    assert_eq!(browser.come_back_as_script(&callback).problem(), (403, "account_mismatch".to_owned()));
}

#[test]
fn it_is_the_account_of_the_sign_in_that_counts_and_not_the_one_of_the_moment() {
    let world = world();
    let browser = Browser::signed_in(&world, &ADA);
    let ada = browser.follow("/api/Orders/x").location().to_owned();
    browser.sign_in("/.auth/login?prompt=login", &BOB);
    let answer = browser.come_back_as_script(&world.op.authorize(&ada, &BOB));
    assert_eq!(answer.problem(), (403, "account_mismatch".to_owned()));
    assert_eq!(browser.fetch("/.auth/me").json()["sub"], BOB.sub);
}

#[test]
fn what_one_account_had_is_not_taken_over_by_the_next() {
    let world = world();
    let browser = Browser::signed_in(&world, &ADA);
    served(&browser.interact_and_return("/api/Orders/x", &ADA));
    let ada = crate::api::bearer(&world);
    browser.sign_in("/.auth/login?prompt=login", &BOB);
    login_url(&browser.fetch("/api/Orders/x"));
    served(&browser.interact_and_return("/api/Orders/x", &BOB));
    assert_ne!(crate::api::bearer(&world), ada);
    assert_eq!(world.op.issued(&crate::api::bearer(&world)).sub, BOB.sub);
}

/// The address is Ada's, and so is what it asks for; whoever is signed in by now is neither suggested nor inherited from.
#[test]
fn an_address_that_one_account_was_given_suggests_no_other() {
    let world = world();
    let browser = Browser::signed_in(&world, &ADA);
    let url = login_url(&browser.fetch("/api/Orders/x"));
    *world.op.claims.borrow_mut() = json!({ "preferred_username": "bob@example.com" });
    browser.sign_in("/.auth/login?prompt=login", &BOB);
    let request = browser.begin(&url);
    assert_eq!(parameter(&request, "login_hint"), None);
    assert_eq!(browser.come_back(&world.op.authorize(&request, &ADA)).status, 303);
    assert_eq!(browser.fetch("/.auth/me").json()["sub"], ADA.sub);
    served(&browser.fetch("/api/Orders/x"));
}

/// Who was signed in between has nothing to do with whoever comes back: not even a claim is taken over.
#[test]
fn claims_of_one_account_are_never_those_of_another() {
    for user_info in [true, false] {
        let world = World::with(&json!({
            "OpenIdConnect": { "UserInfo": user_info },
            "DownstreamApis": { "Orders": { "IncrementalConsent": true } },
        }));
        world.op.grants_any_scope.set(false);
        let browser = Browser::signed_in(&world, &ADA);
        let url = login_url(&browser.fetch("/api/Orders/x"));
        *world.op.claims.borrow_mut() = json!({ "groups": ["admins-of-bob"] });
        browser.sign_in("/.auth/login?prompt=login", &BOB);
        *world.op.claims.borrow_mut() = json!({});
        assert_eq!(browser.interact(&url, &ADA).status, 303);
        let me = browser.fetch("/.auth/me").json();
        assert_eq!((&me["sub"], me["claims"].get("groups")), (&json!(ADA.sub), None), "{user_info}");
    }
}
