//! Directories of the Microsoft identity platform whose issuer only their metadata know: tenants by their domain, external
//! tenants, and Azure AD B2C.

use serde_json::{Value, json};
use vestibule::runtime::StoreFault;

use crate::browser::Browser;
use crate::deployment;
use crate::op::{ADA, Directory, Endpoint, Instead, TENANT, parameter};
use crate::request::Request;
use crate::world::World;

const OTHER_TENANT: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// A world whose provider is that section, at that directory.
pub(crate) fn world(section: &Value, vars: &Value, directory: Directory) -> World {
    let mut environment = deployment::changed(deployment::microsoft(), &json!({ "AzureAd": null }));
    deployment::merge(&mut environment["vars"]["AzureAd"], section);
    environment["vars"]["AzureAd"]["ClientId"] = deployment::CLIENT_ID.into();
    let world = World::of(deployment::changed(environment, vars));
    world.op.is_microsoft.set(true);
    directory.issuer.clone_into(&mut world.op.issuer.borrow_mut());
    *world.op.directory.borrow_mut() = Some(directory);
    *world.op.signing_key.borrow_mut() = "rsa".to_owned();
    world
}

fn by_domain() -> World {
    world_by_domain(&json!({}))
}

fn world_by_domain(vars: &Value) -> World {
    let issuer = format!("https://login.microsoftonline.com/{TENANT}/v2.0");
    let base = "https://login.microsoftonline.com/contoso.onmicrosoft.com";
    world(
        &json!({ "Instance": "https://login.windows.net/", "TenantId": "Contoso.onmicrosoft.com" }),
        vars,
        Directory { base, issuer, policies: vec![] },
    )
}

fn external(section: &Value, base: &'static str) -> World {
    let issuer = format!("https://{TENANT}.ciamlogin.com/{TENANT}/v2.0");
    world(section, &json!({}), Directory { base, issuer, policies: vec![] })
}

#[test]
fn users_of_a_directory_sign_in_and_out_by_the_issuer_that_its_metadata_name() {
    let custom = format!("https://login.contoso.example/{TENANT}");
    for world in [
        by_domain(),
        external(
            &json!({ "Authority": "https://contoso.ciamlogin.com/" }),
            "https://contoso.ciamlogin.com/contoso.onmicrosoft.com",
        ),
        external(
            &json!({ "Instance": "https://contoso.ciamlogin.com", "TenantId": TENANT }),
            "https://contoso.ciamlogin.com/72f988bf-86f1-41af-91ab-2d7cd011db47",
        ),
        external(
            &json!({ "Authority": format!("{custom}/v2.0") }),
            "https://login.contoso.example/72f988bf-86f1-41af-91ab-2d7cd011db47",
        ),
    ] {
        let browser = Browser::signed_in(&world, &ADA);
        for path in ["/api/Orders/x", "/api/Billing/x"] {
            assert!(browser.fetch(path).is_forwarded);
        }
        // An isolate that has to read the documents from the store first.
        world.new_isolate();
        world.advance(3400);
        assert!(browser.fetch("/api/Orders/x").is_forwarded);
        let location = browser.post("/.auth/logout").location().to_owned();
        assert!(location.starts_with(&format!("{}/logout?", world.op.directory.borrow().as_ref().unwrap().base)));
        assert_eq!((world.kv.keys("account/"), world.kv.keys("sid/")), (vec![], vec![]));
    }
}

#[test]
fn no_token_of_another_tenant_is_taken_for_one_of_the_directory() {
    let other = format!("https://login.microsoftonline.com/{OTHER_TENANT}/v2.0");
    for claims in [
        json!({ "iss": other, "tid": OTHER_TENANT }),
        json!({ "iss": other }),
        json!({ "iss": "https://login.microsoftonline.com/{tenantid}/v2.0" }),
        json!({ "iss": "https://login.microsoftonline.com/contoso.onmicrosoft.com/v2.0" }),
        json!({ "iss": null }),
    ] {
        let world = by_domain();
        *world.op.claims.borrow_mut() = claims;
        let browser = Browser::new(&world);
        let callback = world.op.authorize(&browser.begin("/"), &ADA);
        assert_eq!(browser.come_back_as_script(&callback).code(), "op_error");
        assert_eq!(world.kv.changes(), [""; 0]);
    }
}

#[test]
fn metadata_that_name_an_issuer_of_elsewhere_are_refused() {
    for issuer in [
        "https://login.microsoftonline.com/{tenantid}/v2.0".to_owned(),
        format!("https://sts.windows.net/{TENANT}/"),
        format!("https://{TENANT}.ciamlogin.com/{TENANT}/v2.0"),
        format!("https://evil.example/{TENANT}/v2.0"),
    ] {
        let world = by_domain();
        world.op.instead(Endpoint::Metadata, Instead::Merged(json!({ "issuer": issuer })));
        assert_eq!(
            Browser::new(&world).send(Request::script("GET", "https://app.example/.auth/login")).code(),
            "op_error"
        );
        assert!(world.logged("request.refused")["reason"].as_str().unwrap().contains("IssuerMismatch"));
    }
}

#[test]
fn the_issuer_in_an_answer_to_the_callback_must_be_the_directory_s() {
    let world = by_domain();
    let browser = Browser::new(&world);
    let callback = world.op.authorize(&browser.begin("/"), &ADA);
    let other = format!("&iss=https://login.microsoftonline.com/{OTHER_TENANT}/v2.0");
    assert_eq!(browser.come_back_as_script(&format!("{callback}{other}")).code(), "login_attempt_invalid");
    let callback = world.op.authorize(&browser.begin("/"), &ADA);
    let own = format!("&iss=https://login.microsoftonline.com/{TENANT}/v2.0");
    assert_eq!(browser.come_back(&format!("{callback}{own}")).status, 303);
}

#[test]
fn the_directory_s_own_logouts_find_its_sessions() {
    let frame = |world: &World, query: &str| {
        let url = format!("https://app.example/signout-oidc?sid=sid%20one%2F%C3%A9{query}");
        Browser::new(world).send(Request::navigation("GET", &url, "cross-site")).status
    };
    let own = format!("&iss=https://login.microsoftonline.com/{TENANT}/v2.0");
    for (query, status, is_signed_in) in [
        ("", 200, false),
        (own.as_str(), 200, false),
        ("&iss=https://login.microsoftonline.com/contoso.onmicrosoft.com/v2.0", 400, true),
        ("&iss=https://login.microsoftonline.com/%7Btenantid%7D/v2.0", 400, true),
    ] {
        let world = by_domain();
        let browser = Browser::signed_in(&world, &ADA);
        world.advance(130);
        world.new_isolate();
        assert_eq!((frame(&world, query), browser.is_signed_in()), (status, is_signed_in), "{query}");
    }
    // In an outage nobody knows the issuer, and the session is over all the same.
    let world = by_domain();
    let browser = Browser::signed_in(&world, &ADA);
    world.advance(130);
    world.new_isolate();
    world.kv.fail_at(StoreFault::Get, "op/");
    world.op.outage();
    assert_eq!((frame(&world, &own), browser.is_signed_in()), (200, false));
}

#[test]
fn a_logout_token_must_come_from_the_directory() {
    for (claims, status) in
        [(json!({}), 200), (json!({ "iss": format!("https://login.microsoftonline.com/{OTHER_TENANT}/v2.0") }), 400)]
    {
        let world = by_domain();
        let browser = Browser::signed_in(&world, &ADA);
        world.advance(130);
        let claims = with(json!({ "sid": ADA.sid }), &claims);
        let token = world.op.logout_token(world.time(), &claims);
        let body = format!("logout_token={token}");
        let request = Request::new("POST", "https://app.example/.auth/backchannel-logout").form(&body);
        assert_eq!(world.site().serve(&request).status, status);
        assert_eq!(browser.is_signed_in(), status != 200);
    }
}

fn with(mut claims: Value, more: &Value) -> Value {
    deployment::merge(&mut claims, more);
    claims
}

#[test]
fn an_access_token_for_us_must_come_from_the_directory() {
    let bearer = json!({
        "Bearer": { "Audiences": "api://us" },
        "Gateway": { "Routes": [{ "Path": "/jobs", "Access": "Bearer" }] },
    });
    for (claims, status) in
        [(json!({}), 200), (json!({ "iss": format!("https://login.microsoftonline.com/{OTHER_TENANT}/v2.0") }), 401)]
    {
        let world = world_by_domain(&bearer);
        let own = json!({ "aud": "api://us", "azp": "robot", "tid": TENANT, "client_id": null, "scope": null, "roles": ["x"] });
        let token = world.op.jwt_with(world.time(), &with(own, &claims), &json!({ "typ": "JWT" }));
        let request = Request::new("GET", "https://app.example/jobs").with("authorization", &format!("Bearer {token}"));
        assert_eq!(world.site().serve(&request).status, status);
        let metadata = Request::new("GET", "https://app.example/.well-known/oauth-protected-resource");
        let document = world.site().serve(&metadata).json();
        let authority = "https://login.microsoftonline.com/contoso.onmicrosoft.com/v2.0";
        assert_eq!(document["authorization_servers"], json!([authority]));
    }
}

#[test]
fn the_operator_names_an_account_of_the_directory_by_its_home() {
    let world = world_by_domain(&json!({ "Operator__Key": deployment::OTHER_KEY }));
    let browser = Browser::signed_in(&world, &ADA);
    world.advance(130);
    let home = format!("account=home-of-{}.{TENANT}", "ada%2B1%2F%26%3Cb%3E");
    let request = Request::new("POST", "https://app.example/.auth/operator/sign-out")
        .with("authorization", &format!("Bearer {}", deployment::OTHER_KEY))
        .form(&home);
    assert_eq!(world.site().serve(&request).status, 200);
    assert!(!browser.is_signed_in());
    assert_eq!(parameter(&browser.begin("/"), "client_id").as_deref(), Some(deployment::CLIENT_ID));
}
