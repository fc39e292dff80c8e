//! Accounts of the Microsoft identity platform by their home: what a token response says of it is held against its ID
//! token.

use serde_json::{Value, json};

use crate::api::served;
use crate::browser::Browser;
use crate::microsoft;
use crate::op::{ADA, Endpoint, Instead, keys};
use crate::request::Received;
use crate::world::World;

const HERE: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";
const THERE: &str = "11111111-aaaa-4bbb-8ccc-222222222222";
const PERSONAL: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";
const OBJECT: &str = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee";
const OTHER: &str = "00000000-0000-0000-40c0-3bac188d0d10";

fn world() -> World {
    microsoft::world_with(&json!({}))
}

fn client_info(uid: &str, utid: &str) -> Value {
    json!({ "client_info": keys::encode(json!({ "uid": uid, "utid": utid }).to_string()) })
}

/// What comes of a sign-in with these claims and that home account.
fn sign_in(world: &World, claims: Value, home: Value) -> Received {
    *world.op.claims.borrow_mut() = claims;
    world.op.instead(Endpoint::Token, Instead::Merged(home));
    let browser = Browser::new(world);
    let callback = world.op.authorize(&browser.begin("/"), &ADA);
    browser.come_back_as_script(&callback)
}

fn of_tenant(tenant: &str, object: &Value) -> Value {
    json!({ "iss": format!("https://login.microsoftonline.com/{tenant}/v2.0"), "tid": tenant, "oid": object })
}

#[test]
fn whoever_is_at_home_is_one_user_by_both_names() {
    for (tenant, object, uid, utid) in [
        (HERE, OBJECT, OBJECT, HERE),
        (HERE, OBJECT, &OBJECT.to_uppercase(), &HERE.to_uppercase()),
        (PERSONAL, OTHER, OTHER, PERSONAL),
    ] {
        let answer = sign_in(&world(), of_tenant(tenant, &json!(object)), client_info(uid, utid));
        assert_eq!(answer.status, 303, "{uid}.{utid}");
    }
}

#[test]
fn a_home_account_of_somebody_else_is_refused_before_anything_is_written() {
    for (object, uid, utid) in [
        (json!(OBJECT), OTHER, HERE),
        (json!(OBJECT), &*OBJECT.replace('a', "b"), HERE),
        // Only a directory of Azure AD B2C has user flows.
        (json!(OBJECT), &format!("{OBJECT}-b2c_1_susi"), HERE),
        (json!(OBJECT), &format!("{OBJECT}x"), HERE),
        (json!(OBJECT), &OBJECT[..35], HERE),
        // Without `oid` there is nothing to hold it against.
        (json!(null), OBJECT, HERE),
        (json!([OBJECT]), OBJECT, HERE),
        (json!(""), OBJECT, HERE),
        // Whoever is a guest has a home of that platform's.
        (json!(OBJECT), "home", THERE),
        (json!(OBJECT), OTHER, "contoso.example"),
        (json!(OBJECT), OTHER, "common"),
    ] {
        let world = world();
        let answer = sign_in(&world, of_tenant(HERE, &object), client_info(uid, utid));
        assert_eq!(answer.problem(), (502, "op_error".to_owned()), "{object} {uid}.{utid}");
        assert_eq!(world.kv.changes(), [""; 0]);
    }
}

#[test]
fn a_guest_is_known_by_the_home_account_and_by_no_object_of_any_tenant() {
    let world = world();
    let home = client_info(OTHER, PERSONAL);
    assert_eq!(sign_in(&world, of_tenant(HERE, &json!(OBJECT)), home.clone()).status, 303);
    let prefix = |world: &World| {
        let keys = world.kv.keys("account/");
        keys.iter().map(|key| key.rsplit_once('/').unwrap().0.to_owned()).collect::<Vec<_>>()
    };
    let here = prefix(&world);
    // The same person as a guest of another tenant: one account.
    assert_eq!(sign_in(&world, of_tenant(THERE, &json!(HERE)), home).status, 303);
    let both = prefix(&world);
    assert!(both.len() == 2 && both.iter().all(|account| *account == here[0]), "{both:?}");
    // At home, too.
    assert_eq!(sign_in(&world, of_tenant(PERSONAL, &json!(OTHER)), client_info(OTHER, PERSONAL)).status, 303);
    assert!(prefix(&world).iter().all(|account| *account == here[0]));
}

#[test]
fn a_guest_keeps_the_account_at_each_refresh() {
    for (at_refresh, code) in [
        (client_info(OTHER, THERE), None),
        (json!({ "client_info": null }), None),
        (client_info(OBJECT, HERE), Some((502, "op_error".to_owned()))),
        (client_info(OTHER, HERE), Some((502, "op_error".to_owned()))),
        // Nothing is known against the session, and soon it may be told better.
        (json!({ "client_info": "garbage" }), Some((503, "op_unreachable".to_owned()))),
    ] {
        let world = world();
        *world.op.claims.borrow_mut() = of_tenant(HERE, &json!(OBJECT));
        world.op.instead(Endpoint::Token, Instead::Merged(client_info(OTHER, THERE)));
        let browser = Browser::signed_in(&world, &ADA);
        world.op.instead(Endpoint::Token, Instead::Merged(at_refresh));
        let answer = browser.fetch("/api/Orders/x");
        match code {
            None => served(&answer),
            Some(code) => assert_eq!(answer.problem(), code),
        }
        assert!(browser.is_signed_in());
    }
}
