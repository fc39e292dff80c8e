//! Azure AD B2C: one account behind several user flows, each with documents, keys and endpoints of its own.

use serde_json::{Value, json};

use crate::api::{scopes, served, value};
use crate::authorities;
use crate::browser::{Browser, LOGIN};
use crate::deployment::{self, CLIENT_ID};
use crate::op::{ADA, BOB, Directory, Endpoint, Instead, TENANT, keys, parameter};
use crate::world::World;

const BASE: &str = "https://contoso.b2clogin.com/contoso.onmicrosoft.com";

fn world() -> World {
    world_with(&json!({}), &json!({}))
}

/// With some settings of the section, and some variables, changed.
fn world_with(changes: &Value, vars: &Value) -> World {
    let mut section = json!({
        "Instance": "https://contoso.b2clogin.com/", "TenantId": null, "Domain": "contoso.onmicrosoft.com",
        "SignUpSignInPolicyId": "B2C_1_susi", "ResetPasswordPolicyId": "B2C_1_reset", "EditProfilePolicyId": "B2C_1A_edit",
    });
    deployment::merge(&mut section, changes);
    let mut apis = json!({ "DownstreamApis": {
        "Billing": { "Scopes": "https://contoso.example/billing/read" },
        "Orders": { "Scopes": "https://contoso.example/orders/read https://contoso.example/orders/write" },
    } });
    if vars.get("DownstreamApis").is_some() {
        apis = json!({});
    }
    apis.as_object_mut().unwrap().extend(vars.as_object().unwrap().clone());
    let issuer = format!("https://contoso.b2clogin.com/{TENANT}/v2.0/");
    let policies = vec!["B2C_1_susi", "B2C_1_reset", "B2C_1A_edit"];
    authorities::world(&section, &apis, Directory { base: BASE, issuer, policies })
}

/// The end-user leaves the user flow that they were sent to.
fn leaves(world: &World, location: &str, number: &str) -> String {
    let description = format!("{number}: <b>The user</b> left.\r\nCorrelation ID: 1\r\nTimestamp: 2\r\n");
    let state = parameter(location, "state").unwrap();
    world.op.callback(&[("error", "access_denied"), ("error_description", &description), ("state", &state)])
}

fn policy(location: &str) -> &str {
    location.strip_prefix(BASE).unwrap().split('/').nth(1).unwrap()
}

/// Goes through the user flow that the browser is sent to.
fn goes_through(browser: &Browser<'_>, location: &str) {
    let callback = browser.world.op.authorize(location, &ADA);
    assert_eq!(browser.come_back(&callback).status, 303, "{:?}", browser.world.log().last());
}

#[test]
fn a_user_signs_in_calls_each_api_and_signs_out() {
    let world = world();
    let browser = Browser::signed_in(&world, &ADA);
    // One resource for each authorization request: AADB2C90146.
    assert_eq!(scopes(&world.op.last_authorization()), ["https://contoso.example/billing/read"]);
    for path in ["/api/Billing/x", "/api/Orders/x", "/api/Billing/y", "/api/Orders/y"] {
        served(&browser.fetch(path));
    }
    assert_eq!(world.op.count(Endpoint::Token), 2);
    world.advance(3400);
    served(&browser.fetch("/api/Orders/x"));
    let location = browser.post("/.auth/logout").location().to_owned();
    assert!(location.starts_with(&format!("{BASE}/B2C_1_susi/logout?")));
    assert_eq!(parameter(&location, "id_token_hint"), None);
    assert_eq!((world.kv.keys("account/"), world.kv.keys("sid/")), (vec![], vec![]));
}

#[test]
fn an_access_token_is_asked_for_even_if_no_api_wants_one() {
    let world = world_with(&json!({}), &json!({ "DownstreamApis": null }));
    let browser = Browser::signed_in(&world, &ADA);
    assert!(browser.is_signed_in());
    assert_eq!(scopes(&world.op.last_authorization()), [CLIENT_ID]);
    assert_eq!(scopes(&world.op.last_form()), [CLIENT_ID]);
    let world = world_with(&json!({ "Scope": "https://contoso.example/own/read" }), &json!({ "DownstreamApis": null }));
    Browser::signed_in(&world, &ADA);
    assert_eq!(scopes(&world.op.last_authorization()), ["https://contoso.example/own/read"]);
}

#[test]
fn a_token_of_another_user_flow_is_refused() {
    for claims in [
        json!({ "tfp": "B2C_1_reset" }),
        json!({ "tfp": null, "acr": "B2C_1_reset" }),
        json!({ "tfp": "B2C_1_reset", "acr": "B2C_1_susi" }),
        json!({ "tfp": null }),
        json!({ "tfp": ["B2C_1_susi"] }),
        json!({ "iss": format!("https://contoso.b2clogin.com/tfp/{TENANT}/b2c_1_susi/v2.0/") }),
    ] {
        let world = world();
        *world.op.claims.borrow_mut() = claims;
        let browser = Browser::new(&world);
        let callback = world.op.authorize(&browser.begin("/"), &ADA);
        assert_eq!(browser.come_back_as_script(&callback).code(), "op_error");
        assert_eq!(world.kv.changes(), [""; 0]);
    }
    for claims in [json!({ "tfp": "b2c_1_SUSI" }), json!({ "tfp": null, "acr": "b2c_1_susi" })] {
        let world = world();
        *world.op.claims.borrow_mut() = claims;
        served(&Browser::signed_in(&world, &ADA).fetch("/api/Orders/x"));
    }
}

#[test]
fn no_refresh_moves_a_session_to_another_user_flow() {
    let world = world();
    let browser = Browser::signed_in(&world, &ADA);
    *world.op.claims.borrow_mut() = json!({ "tfp": "B2C_1_reset" });
    assert_eq!(browser.fetch("/api/Orders/x").code(), "op_error");
}

#[test]
fn an_issuer_of_one_user_flow_is_refused_with_the_reason() {
    let world = world();
    let issuer = format!("https://contoso.b2clogin.com/tfp/{TENANT}/b2c_1_susi/v2.0/");
    world.op.instead(Endpoint::Metadata, Instead::Merged(json!({ "issuer": issuer })));
    assert_eq!(Browser::new(&world).fetch("/.auth/login").code(), "op_error");
    assert!(world.logged("request.refused")["reason"].as_str().unwrap().contains("IssuerOfUserFlow"));
}

#[test]
fn whoever_forgot_their_password_is_sent_to_choose_another_and_comes_back_where_they_wanted_to() {
    let world = world();
    let browser = Browser::new(&world);
    let sign_in = browser.begin("/page?x=1");
    assert_eq!(policy(&sign_in), "B2C_1_susi");
    let sent_on = browser.come_back(&leaves(&world, &sign_in, "AADB2C90118"));
    assert_eq!((sent_on.status, policy(sent_on.location())), (302, "B2C_1_reset"));
    assert_eq!(world.logged("login.started")["user_flow"], "reset_password");
    assert!(!world.has_logged("login.completed"));
    let attempts = browser.jar.names(LOGIN).len();
    assert_eq!(attempts, 1, "the first attempt is over");
    let callback = world.op.authorize(sent_on.location(), &ADA);
    let redirect = browser.come_back(&callback);
    assert_eq!((redirect.status, redirect.location()), (303, "https://app.example/page?x=1"));
    // The refresh token is good at the user flow that it came from, and nowhere else.
    served(&browser.fetch("/api/Orders/x"));
    world.new_isolate();
    world.advance(3400);
    served(&browser.fetch("/api/Orders/x"));
    let location = browser.post("/.auth/logout").location().to_owned();
    assert_eq!(policy(&location), "B2C_1_reset");
}

#[test]
fn nobody_is_sent_round_and_round_for_a_password() {
    let world = world();
    let browser = Browser::new(&world);
    let sent_on = browser.come_back(&leaves(&world, &browser.begin("/"), "AADB2C90118"));
    let again = browser.come_back_as_script(&leaves(&world, sent_on.location(), "AADB2C90118"));
    assert_eq!(again.problem(), (403, "access_denied".to_owned()));
    let world = world_with(&json!({ "ResetPasswordPolicyId": null }), &json!({}));
    let browser = Browser::new(&world);
    let refused = browser.come_back_as_script(&leaves(&world, &browser.begin("/"), "AADB2C90118"));
    assert_eq!(refused.problem(), (403, "access_denied".to_owned()));
}

#[test]
fn only_the_answer_to_an_attempt_of_this_browser_is_sent_on() {
    let world = world();
    let (browser, other) = (Browser::new(&world), Browser::new(&world));
    let callback = leaves(&world, &browser.begin("/"), "AADB2C90118");
    assert_eq!(other.come_back_as_script(&callback).code(), "login_attempt_invalid");
    let forged =
        world.op.callback(&[("error", "access_denied"), ("error_description", "AADB2C90118: x"), ("state", "x.y")]);
    assert_eq!(browser.come_back_as_script(&forged).code(), "login_attempt_invalid");
    assert_eq!(browser.come_back(&callback).status, 302);
    assert_eq!(browser.come_back_as_script(&callback).code(), "login_attempt_invalid", "once only");
}

#[test]
fn whoever_cancels_is_told_so_and_no_number_is_shown() {
    for number in ["AADB2C90091", "AADB2C90117", "AADSTS65004", "AADB2C90118x", "AADB2C", ""] {
        let world = world();
        let browser = Browser::new(&world);
        let page = browser.come_back(&leaves(&world, &browser.begin("/page"), number));
        assert_eq!(page.status, 403, "{number}");
        assert!(page.body.contains("href=\"https://app.example/page\""));
        assert!(number.is_empty() || !page.body.contains(number));
        assert!(!page.body.contains("Correlation") && !page.body.contains("The user"));
        assert!(browser.jar.names(LOGIN).is_empty());
    }
}

#[test]
fn a_profile_is_edited_by_the_same_account() {
    let world = world();
    let browser = Browser::signed_in(&world, &ADA);
    let before = browser.session();
    let login = browser.follow("/.auth/login?policy=edit_profile&return_to=/profile");
    assert_eq!(policy(login.location()), "B2C_1A_edit");
    *world.op.claims.borrow_mut() = json!({ "name": "Ada Lovelace" });
    goes_through(&browser, login.location());
    assert_ne!(browser.session(), before);
    served(&browser.fetch("/api/Orders/x"));
    // One account: its entries have one prefix, and a sign-out ends them all.
    let other = Browser::signed_in(&world, &ADA);
    let prefixes: Vec<_> =
        world.kv.keys("account/").iter().map(|key| key.rsplit_once('/').unwrap().0.to_owned()).collect();
    assert!(prefixes.windows(2).all(|pair| pair[0] == pair[1]), "{prefixes:?}");
    world.advance(130);
    assert_eq!(policy(browser.post("/.auth/logout").location()), "B2C_1A_edit");
    assert!(!other.is_signed_in());
}

#[test]
fn whoever_does_not_edit_their_profile_goes_back_to_where_they_were() {
    let world = world();
    let browser = Browser::signed_in(&world, &ADA);
    let login = browser.follow("/.auth/login?policy=edit_profile&return_to=/profile");
    let back = browser.come_back(&leaves(&world, login.location(), "AADB2C90091"));
    assert_eq!((back.status, back.location()), (303, "https://app.example/profile"));
    assert!(browser.is_signed_in());
    // Without a session there is nothing to go back to.
    let stranger = Browser::new(&world);
    let login = stranger.follow("/.auth/login?policy=edit_profile&return_to=/profile");
    let told = stranger.come_back_as_script(&leaves(&world, login.location(), "AADB2C90091"));
    assert_eq!(told.problem(), (403, "access_denied".to_owned()));
}

#[test]
fn a_page_names_no_user_flow_but_those_that_are_configured() {
    let world = world_with(&json!({ "EditProfilePolicyId": null }), &json!({}));
    let browser = Browser::new(&world);
    for name in ["edit_profile", "B2C_1_reset", "b2c_1_evil", "", "sign_in%00", "SIGN_IN"] {
        let answer = browser.fetch(&format!("/.auth/login?policy={name}"));
        assert_eq!(answer.problem(), (404, "not_found".to_owned()), "{name}");
    }
    for (name, policy_id) in [("sign_in", "B2C_1_susi"), ("reset_password", "B2C_1_reset")] {
        assert_eq!(policy(browser.follow(&format!("/.auth/login?policy={name}")).location()), policy_id);
    }
    // No other provider has any: there the parameter means nothing.
    let world = World::new();
    assert_eq!(Browser::new(&world).follow("/.auth/login?policy=edit_profile").status, 302);
}

#[test]
fn an_attempt_in_a_user_flow_ends_with_its_configuration() {
    let world = world();
    let browser = Browser::new(&world);
    let login = browser.follow("/.auth/login?policy=edit_profile").location().to_owned();
    let callback = world.op.authorize(&login, &ADA);
    world.redeploy(&json!({ "AzureAd": { "EditProfilePolicyId": null } }));
    assert_eq!(browser.come_back_as_script(&callback).code(), "login_attempt_invalid");
    assert_eq!(world.op.count(Endpoint::Token), 0);
}

#[test]
fn a_session_of_a_user_flow_that_is_gone_asks_for_a_sign_in() {
    let world = world_with(&json!({}), &json!({ "Session": { "IdleSeconds": 28_800 } }));
    let browser = Browser::new(&world);
    goes_through(&browser, browser.follow("/.auth/login?policy=edit_profile").location());
    served(&browser.fetch("/api/Orders/x"));
    world.redeploy(&json!({ "AzureAd": { "EditProfilePolicyId": null } }));
    world.advance(3700);
    let refused = browser.fetch("/api/Orders/x");
    assert_eq!(refused.problem(), (401, "interaction_required".to_owned()));
    assert_eq!(policy(browser.post("/.auth/logout").location()), "B2C_1_susi");
}

#[test]
fn the_id_token_is_a_hint_at_sign_out_where_the_operator_wants_it() {
    let world = world_with(&json!({ "OmitIdTokenHint": false }), &json!({}));
    let browser = Browser::signed_in(&world, &ADA);
    let location = browser.post("/.auth/logout").location().to_owned();
    assert!(parameter(&location, "id_token_hint").is_some_and(|hint| hint.split('.').count() == 3));
}

#[test]
fn an_api_that_needs_its_user_gets_them_by_the_sign_in() {
    let world = world();
    let browser = Browser::signed_in(&world, &ADA);
    world.op.instead_once(
        Endpoint::Token,
        Instead::Says(400, vec![], json!({ "error": "interaction_required" }).to_string()),
    );
    served(&browser.interact_and_return("/api/Orders/x", &ADA));
    let authorization = world.op.last_authorization();
    assert_eq!(scopes(&authorization), ["https://contoso.example/orders/read", "https://contoso.example/orders/write"]);
    assert!(!authorization.iter().any(|(name, _)| name == "domain_hint"), "there it names an identity provider");
    assert_eq!(value(&authorization, "client_info"), "1");
}

#[test]
fn another_account_by_another_user_flow_is_another_account() {
    let world = world();
    let browser = Browser::signed_in(&world, &ADA);
    let login = browser.follow("/.auth/login?policy=edit_profile");
    let callback = world.op.authorize(login.location(), &BOB);
    assert_eq!(browser.come_back(&callback).status, 303);
    served(&browser.fetch("/api/Orders/x"));
    let keys = world.kv.keys("account/");
    assert_eq!(keys.len(), 1, "the session before it has ended");
}

#[test]
fn the_documents_of_each_user_flow_are_kept_apart_and_bridge_an_outage() {
    let world = world();
    let browser = Browser::new(&world);
    goes_through(&browser, browser.follow("/.auth/login?policy=edit_profile").location());
    let other = Browser::signed_in(&world, &ADA);
    assert_eq!(world.kv.keys("op/").len(), 4);
    world.advance(130);
    world.new_isolate();
    let before = (world.op.count(Endpoint::Metadata), world.op.count(Endpoint::Jwks));
    for browser in [&browser, &other] {
        served(&browser.fetch("/api/Orders/x"));
        assert_eq!(browser.follow("/.auth/login").status, 302);
        assert_eq!(policy(browser.follow("/.auth/login?policy=edit_profile").location()), "B2C_1A_edit");
    }
    assert_eq!((world.op.count(Endpoint::Metadata), world.op.count(Endpoint::Jwks)), before, "from the store");
}

#[test]
fn the_account_is_the_object_of_the_id_token_and_the_user_flow_no_part_of_it() {
    for (uid, status) in [
        ("home-of-ada+1/&<b>-b2c_1_susi", 303),
        ("HOME-OF-ada+1/&<b>-B2C_1_SUSI", 303),
        ("home-of-ada+1/&<b>-b2c_1_reset", 502),
        ("home-of-bob-b2c_1_susi", 502),
        ("-b2c_1_susi", 502),
    ] {
        let world = world();
        let info = keys::encode(json!({ "uid": uid, "utid": TENANT }).to_string());
        world.op.instead(Endpoint::Token, Instead::Merged(json!({ "client_info": info })));
        let browser = Browser::new(&world);
        let callback = world.op.authorize(&browser.begin("/"), &ADA);
        assert_eq!(browser.come_back_as_script(&callback).status, status, "{uid}");
    }
}

#[test]
fn a_policy_that_sends_no_oid_has_it_as_sub() {
    let world = world();
    *world.op.claims.borrow_mut() = json!({ "oid": null, "sub": "home-of-ada" });
    let info = keys::encode(json!({ "uid": "home-of-ada-b2c_1_susi", "utid": TENANT }).to_string());
    world.op.instead(Endpoint::Token, Instead::Merged(json!({ "client_info": info })));
    Browser::signed_in(&world, &ADA);
}
