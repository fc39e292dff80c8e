//! Which tenants' users may come: `AllowedTenants`, for people and for programs.

use serde_json::{Value, json};

use crate::api::{optional, served};
use crate::bearer;
use crate::browser::Browser;
use crate::microsoft;
use crate::op::{ADA, BOB, Endpoint, parameter};
use crate::world::{NOW, World};

const HERE: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";
const THERE: &str = "11111111-aaaa-4bbb-8ccc-222222222222";
const PERSONAL: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

fn world(allowed: &Value) -> World {
    microsoft::world_with(&json!({ "AzureAd": { "AllowedTenants": allowed }, "Session": { "IdleSeconds": 28_800 } }))
}

fn is_from(world: &World, tenant: &str) {
    *world.op.claims.borrow_mut() =
        json!({ "tid": tenant, "iss": format!("https://login.microsoftonline.com/{tenant}/v2.0") });
}

#[test]
fn users_of_a_tenant_on_the_list_sign_in() {
    for allowed in [json!(HERE), json!([THERE, HERE.to_uppercase()]), json!(format!("{THERE} {HERE}"))] {
        let world = world(&allowed);
        let browser = Browser::signed_in(&world, &ADA);
        served(&browser.fetch("/api/Orders/x"));
    }
}

#[test]
fn users_of_other_tenants_are_told_so_and_leave_no_trace() {
    for tenant in [THERE, PERSONAL] {
        let world = world(&json!([HERE]));
        is_from(&world, tenant);
        let browser = Browser::new(&world);
        let callback = world.op.authorize(&browser.begin("/"), &ADA);
        let page = browser.copy().come_back(&callback);
        assert_eq!(page.status, 403);
        assert!(page.body.contains("This account cannot be used here") && page.body.contains("prompt=select_account"));
        assert!(!page.body.contains(tenant) && page.set_cookies().all(|cookie| cookie.contains("Max-Age=0")));
        let callback = world.op.authorize(&browser.begin("/"), &ADA);
        assert_eq!(browser.come_back_as_script(&callback).problem(), (403, "tenant_not_allowed".to_owned()));
        assert_eq!(world.kv.changes(), [""; 0]);
        assert_eq!(world.logged("request.refused")["reason"], format!("tenant {tenant} is not in AllowedTenants"));
        assert!(!browser.is_signed_in());
    }
}

#[test]
fn a_session_of_a_tenant_that_is_struck_off_is_over() {
    for forwards_at_once in [false, true] {
        let world = world(&json!([HERE, THERE]));
        world.forwards_at_once.set(forwards_at_once);
        let kept = Browser::signed_in(&world, &ADA);
        is_from(&world, THERE);
        let browser = Browser::signed_in(&world, &BOB);
        served(&browser.fetch("/api/Orders/x"));
        let requests = world.op.count(Endpoint::Token);
        world.redeploy(&json!({ "AzureAd": { "AllowedTenants": [HERE] } }));
        world.advance(3590);
        assert_eq!(browser.copy().fetch("/page").problem(), (401, "session_expired".to_owned()));
        assert_eq!(browser.fetch("/api/Orders/x").problem(), (401, "session_expired".to_owned()));
        assert_eq!(world.op.count(Endpoint::Token), requests, "nothing is renewed for it");
        assert_eq!(browser.session(), None);
        assert!(kept.is_signed_in());
    }
}

#[test]
fn nobody_is_left_out_where_there_is_no_list() {
    for tenant in [HERE, THERE, PERSONAL] {
        let world = microsoft::world_with(&json!({}));
        is_from(&world, tenant);
        Browser::signed_in(&world, &ADA);
    }
}

#[test]
fn programs_bring_tokens_of_a_tenant_on_the_list() {
    let audience = "5c1d0f2e-93a7-4a39-8f0b-5f3f8a1b2c3d";
    let routes = bearer::vars(&json!({ "Bearer": { "Audiences": audience }, "AzureAd": { "AllowedTenants": HERE } }));
    let world = microsoft::world_with(&routes);
    let mint = |tenant: &str| {
        *world.op.issuer.borrow_mut() = format!("https://login.microsoftonline.com/{tenant}/v2.0");
        let claims = json!({
            "aud": audience, "tid": tenant, "client_id": null, "scope": null, "azp": "app-id", "scp": "orders.read",
        });
        world.op.jwt_with(NOW, &claims, &json!({ "typ": "JWT" }))
    };
    let token = mint(THERE);
    for _ in 0..2 {
        let refused = bearer::send(&world, "/machine/a", &token);
        assert_eq!(refused.problem(), (401, "access_token_invalid".to_owned()));
        assert_eq!(
            world.logged("request.refused")["reason"],
            "access token rejected: its tenant is not in AllowedTenants"
        );
    }
    bearer::served(&bearer::send(&world, "/machine/a", &mint(HERE)));
}

#[test]
fn no_hint_names_a_kind_of_home_where_one_tenant_is_asked() {
    for (tenant, hint) in [("common", Some("organizations")), ("organizations", Some("organizations")), (HERE, None)] {
        let world = microsoft::world_with(&json!({ "AzureAd": { "TenantId": tenant }, "Gateway": { "Routes": [
            { "Path": "/strong/**", "AcrValues": ["c2"] },
        ] } }));
        world.op.at_tenant(tenant);
        let browser = Browser::signed_in(&world, &ADA);
        assert_eq!(optional(&world.op.last_authorization(), "login_hint"), None, "nobody knows at first");
        let location = browser.visit("/strong/x").location().to_owned();
        assert_eq!(parameter(&location, "login_hint").as_deref(), Some("O.hint&x=1"));
        assert_eq!(parameter(&location, "domain_hint").as_deref(), hint, "{tenant}");
    }
}

#[test]
fn a_page_that_says_who_is_to_sign_in_is_not_gainsaid() {
    let world = microsoft::world_with(&json!({}));
    let browser = Browser::signed_in(&world, &ADA);
    for (asked, login_hint) in [
        ("prompt=select_account&max_age=5", None),
        ("login_hint=bob&acr_values=c2", Some("bob")),
        ("domain_hint=contoso.example&max_age=5", None),
        ("max_age=5", Some("O.hint&x=1")),
        ("prompt=login", None),
    ] {
        let location = browser.follow(&format!("/.auth/login?{asked}")).location().to_owned();
        assert_eq!(parameter(&location, "login_hint").as_deref(), login_hint, "{asked}");
    }
}
