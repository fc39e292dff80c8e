//! The Microsoft identity platform: many tenants behind one authority, and accounts by their home.

use serde_json::{Value, json};

use crate::browser::Browser;
use crate::deployment;
use crate::op::{ADA, Endpoint, Instead, parameter};
use crate::world::World;

const TENANT: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";

fn world() -> World {
    world_with(&json!({}))
}

/// The same with some variables changed.
pub(crate) fn world_with(vars: &Value) -> World {
    let world = World::of(deployment::changed(deployment::microsoft(), vars));
    world.op.is_microsoft.set(true);
    *world.op.issuer.borrow_mut() = format!("https://login.microsoftonline.com/{TENANT}/v2.0");
    *world.op.signing_key.borrow_mut() = "rsa".to_owned();
    world
}

#[test]
fn a_user_of_any_tenant_signs_in_and_calls_apis() {
    let world = world();
    let browser = Browser::signed_in(&world, &ADA);
    for path in ["/api/Orders/x", "/api/Billing/x"] {
        assert!(browser.fetch(path).is_forwarded);
    }
    let location = browser.post("/.auth/logout").location().to_owned();
    assert_eq!(parameter(&location, "logout_hint").as_deref(), Some("O.hint&x=1"));
    assert_eq!((world.kv.keys("account/"), world.kv.keys("sid/")), (vec![], vec![]));
}

#[test]
fn the_issuer_must_be_that_of_the_tenant_in_the_token() {
    for claims in [
        json!({ "iss": "https://login.microsoftonline.com/{tenantid}/v2.0" }),
        json!({ "tid": "9188040d-6c67-4c5b-b112-36a304b66dad" }),
        json!({ "tid": null }),
        json!({ "iss": format!("https://sts.windows.net/{TENANT}/") }),
    ] {
        let world = world();
        *world.op.claims.borrow_mut() = claims;
        let browser = Browser::new(&world);
        let callback = world.op.authorize(&browser.begin("/"), &ADA);
        assert_eq!(browser.come_back_as_script(&callback).code(), "op_error");
        assert_eq!(world.kv.changes(), [""; 0]);
    }
}

#[test]
fn no_refresh_moves_a_session_to_another_tenant() {
    let world = world();
    let browser = Browser::signed_in(&world, &ADA);
    let other = "9188040d-6c67-4c5b-b112-36a304b66dad";
    *world.op.claims.borrow_mut() =
        json!({ "tid": other, "iss": format!("https://login.microsoftonline.com/{other}/v2.0") });
    assert_eq!(browser.fetch("/api/Orders/x").code(), "op_error");
}

#[test]
fn the_account_is_named_by_the_token_endpoint_only() {
    for client_info in [json!(null), json!("garbage"), json!("eyJ1aWQiOiJ1In0")] {
        let world = world();
        world.op.instead(Endpoint::Token, Instead::Merged(json!({ "client_info": client_info })));
        let browser = Browser::new(&world);
        // The browser's own client_info, which its user can edit, changes nothing.
        let forged = "&client_info=eyJ1aWQiOiJ1IiwidXRpZCI6InQifQ";
        let callback = format!("{}{forged}", world.op.authorize(&browser.begin("/"), &ADA));
        assert_eq!(browser.come_back_as_script(&callback).problem(), (502, "op_error".to_owned()));
        assert_eq!(world.kv.changes(), [""; 0]);
    }
}

#[test]
fn an_attempt_at_one_provider_does_not_end_at_another() {
    let world = World::new();
    let browser = Browser::new(&world);
    let callback = world.op.authorize(&browser.begin("/"), &ADA);
    let mut vars = deployment::microsoft()["vars"].clone();
    vars["OpenIdConnect"] = json!(null);
    vars["OpenIdConnect__ClientSecret"] = json!(null);
    world.redeploy(&vars);
    world.op.is_microsoft.set(true);
    let (without_iss, _) = callback.split_once("&iss=").unwrap();
    assert_eq!(browser.come_back_as_script(without_iss).problem(), (400, "login_attempt_invalid".to_owned()));
    assert_eq!(world.op.count(Endpoint::Token), 0);
}
