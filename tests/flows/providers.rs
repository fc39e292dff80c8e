//! Several OpenID Providers: people choose, each answer is checked against the provider whose path it came to, and nothing
//! of one opens with the keys of another.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::browser::{Browser, LOGIN, SESSION, absolute};
use crate::deployment::{OTHER_KEY, two_providers};
use crate::op::{ADA, BOB, EndUser, Endpoint, Op};
use crate::request::{Received, Request};
use crate::world::World;

pub(crate) const OF_STAFF: &str = "__Host-session.Staff";
const OPERATOR: &str = OTHER_KEY;

pub(crate) fn world() -> World {
    World::of(two_providers())
}

/// Signs in where the link of the choice leads.
pub(crate) fn sign_in(browser: &Browser<'_>, provider: &str, op: &Op, user: &EndUser) -> Received {
    let request = browser.begin(&format!("/.auth/login/{provider}?return_to=%2Fpage"));
    let redirect = browser.come_back(&op.authorize(&request, user));
    assert_eq!((redirect.status, redirect.location()), (303, absolute("/page").as_str()), "{redirect:?}");
    browser.send(Request::navigation("GET", redirect.location(), "cross-site"))
}

pub(crate) fn both(world: &World) -> Browser<'_> {
    let browser = Browser::new(world);
    sign_in(&browser, "OpenIdConnect", &world.op, &ADA);
    world.advance(1);
    sign_in(&browser, "Staff", &world.staff, &BOB);
    browser
}

pub(crate) fn who(browser: &Browser<'_>) -> String {
    let me = browser.fetch("/.auth/me").json();
    let sub = me["sub"].as_str().unwrap();
    // In these tests Ada is a customer, and Bob of the staff.
    let provider = if sub == ADA.sub { "OpenIdConnect" } else { "Staff" };
    assert_eq!(me["provider"], provider, "{me}");
    sub.to_owned()
}

#[test]
fn whoever_asks_for_a_page_chooses_and_comes_back_to_it() {
    let world = world();
    let browser = Browser::new(&world);
    let redirect = browser.visit("/page?a=%26&b");
    assert_eq!(
        (redirect.status, redirect.location()),
        (302, absolute("/.auth/login?return_to=%2Fpage%3Fa%3D%2526%26b").as_str())
    );
    assert_eq!(browser.jar.names(LOGIN), [""; 0]);
    let choice = browser.follow("/.auth/login?return_to=%2Fpage%3Fa%3D%2526%26b");
    assert_eq!(choice.status, 200);
    for (name, label) in [("OpenIdConnect", "OpenIdConnect"), ("Staff", "&lt;Staff&gt; &amp; co")] {
        let link = absolute(&format!("/.auth/login/{name}?return_to=%2Fpage%3Fa%3D%2526%26b"));
        assert!(choice.body.contains(&format!("<a href=\"{link}\">{label}</a>")), "{}", choice.body);
    }
    let request = browser.begin("/.auth/login/Staff?return_to=%2Fpage%3Fa%3D%2526%26b");
    assert!(request.starts_with("https://staff.example/authorize"));
    let redirect = browser.come_back(&world.staff.authorize(&request, &BOB));
    assert_eq!(redirect.location(), absolute("/page?a=%26&b"));
    assert!(browser.follow("/page").is_forwarded);
    assert_eq!(world.op.count(Endpoint::Token), 0);
}

#[test]
fn a_script_is_told_where_its_user_can_choose() {
    let world = world();
    let answer = Browser::new(&world).fetch("/page");
    assert_eq!(answer.json()["login_url"], absolute("/.auth/login"));
    let answer = Browser::new(&world).fetch("/api/Orders/1");
    assert_eq!(answer.json()["login_url"], absolute("/.auth/login/Staff"));
}

#[test]
fn a_choice_echoes_no_markup_of_the_address() {
    let world = world();
    for address in ["/.auth/login?return_to=\"><script>alert(1)</script>", "/.auth/login?\"onclick=1'&<"] {
        let choice = Browser::new(&world).visit(address);
        assert!(
            choice.status == 200 && !choice.body.contains("<script>") && !choice.body.contains("\"onclick"),
            "{}",
            choice.body
        );
    }
    for path in ["/.auth/login/", "/.auth/login/staff", "/.auth/login/Nobody", "/.auth/backchannel-logout/staff"] {
        assert_eq!(Browser::new(&world).fetch(path).problem(), (404, "not_found".to_owned()), "{path}");
    }
}

#[test]
fn an_api_takes_the_token_of_its_own_provider_and_no_session_of_another() {
    let world = world();
    let browser = Browser::new(&world);
    sign_in(&browser, "OpenIdConnect", &world.op, &ADA);
    assert!(browser.fetch("/api/Billing/1").is_forwarded);
    assert_eq!(browser.fetch("/api/Orders/1").problem(), (401, "login_required".to_owned()));
    sign_in(&browser, "Staff", &world.staff, &BOB);
    for (path, op, sub) in [("/api/Orders/1", &world.staff, BOB.sub), ("/api/Billing/1", &world.op, ADA.sub)] {
        assert!(browser.fetch(path).is_forwarded, "{path}");
        let arrival = world.downstream.last();
        let token = arrival.header("authorization").unwrap().strip_prefix("Bearer ").unwrap().to_owned();
        assert_eq!(op.issued(&token).sub, sub);
    }
    let page = browser.visit("/api/Orders/1");
    assert!(page.is_forwarded, "{page:?}");
}

#[test]
fn a_sign_in_asks_each_provider_for_its_own_apis_alone() {
    let world = world();
    let browser = Browser::new(&world);
    for (provider, own, other) in
        [("OpenIdConnect", "billing.read", "orders.read"), ("Staff", "orders.read", "billing.read")]
    {
        let request = browser.begin(&format!("/.auth/login/{provider}"));
        assert!(request.contains(own) && !request.contains(other), "{request}");
    }
}

#[test]
fn the_answer_of_one_provider_is_none_at_the_path_of_another() {
    let world = world();
    let browser = Browser::new(&world);
    let callback = world.op.authorize(&browser.begin("/.auth/login/OpenIdConnect"), &ADA);
    let elsewhere = callback.replace("/signin-oidc?", "/signin-oidc/Staff?");
    assert_eq!(browser.come_back_as_script(&elsewhere).problem(), (400, "login_attempt_invalid".to_owned()));
    assert_eq!((world.op.count(Endpoint::Token), world.staff.count(Endpoint::Token)), (0, 0));
    assert_eq!(browser.come_back(&callback).status, 303);
    let callback = world.staff.authorize(&browser.begin("/.auth/login/Staff"), &BOB);
    let named_otherwise = callback.replace("staff.example", "op.example");
    assert_ne!(callback, named_otherwise);
    let refused = browser.come_back_as_script(&named_otherwise).problem();
    assert_eq!(refused, (400, "login_attempt_invalid".to_owned()), "RFC 9207");
    assert_eq!(world.staff.count(Endpoint::Token), 0);
}

#[test]
fn an_id_token_of_one_provider_signs_nobody_in_at_another() {
    let world = world();
    let browser = Browser::new(&world);
    *world.staff.issuer.borrow_mut() = "https://op.example".to_owned();
    let callback = world.staff.authorize(&browser.begin("/.auth/login/Staff"), &BOB);
    let callback = callback.replace("iss=https%3A%2F%2Fop.example", "iss=https%3A%2F%2Fstaff.example");
    assert_eq!(browser.come_back_as_script(&callback).problem(), (502, "op_error".to_owned()));
    assert_eq!(browser.jar.get(OF_STAFF), None);
}

#[test]
fn a_cookie_of_one_provider_opens_nothing_of_another() {
    let world = world();
    let browser = both(&world);
    let (own, of_staff) = (browser.jar.get(SESSION).unwrap(), browser.jar.get(OF_STAFF).unwrap());
    let swapped = Browser::new(&world);
    swapped.jar.plant(SESSION, &of_staff);
    swapped.jar.plant(OF_STAFF, &own);
    assert!(!swapped.is_signed_in());
    let attempt = browser.begin("/.auth/login/Staff");
    let cookie = browser.jar.names("__Host-login.Staff.");
    let moved = Browser::new(&world);
    moved.jar.plant(&cookie[0].replace(".Staff", ""), &browser.jar.get(&cookie[0]).unwrap());
    let callback = world.staff.authorize(&attempt, &BOB);
    for path in ["/signin-oidc?", "/signin-oidc/Staff?"] {
        let refused = moved.come_back_as_script(&callback.replace("/signin-oidc/Staff?", path)).problem();
        assert_eq!(refused, (400, "login_attempt_invalid".to_owned()));
    }
}

#[test]
fn the_same_subject_at_two_providers_is_two_accounts() {
    let world = world();
    let browser = Browser::new(&world);
    sign_in(&browser, "OpenIdConnect", &world.op, &BOB);
    sign_in(&browser, "Staff", &world.staff, &BOB);
    let mut accounts: Vec<_> =
        world.kv.keys("account/").iter().map(|key| key.split('/').nth(1).unwrap().to_owned()).collect();
    accounts.dedup();
    assert_eq!(accounts.len(), 2);
    let listed = browser.fetch("/.auth/sessions").json();
    assert_eq!(listed["sessions"].as_array().unwrap().len(), 1, "{listed}");
}

#[test]
fn where_the_path_does_not_say_the_last_session_counts() {
    let world = world();
    let browser = both(&world);
    assert_eq!(who(&browser), BOB.sub);
    browser.fetch("/page");
    assert_eq!(world.downstream.last().header("x-ms-client-principal-idp"), Some("Staff"));
    let principal = STANDARD.decode(world.downstream.last().header("x-ms-client-principal").unwrap()).unwrap();
    assert!(String::from_utf8(principal).unwrap().contains("\"auth_typ\":\"Staff\""));
    world.advance(1);
    sign_in(&browser, "OpenIdConnect", &world.op, &ADA);
    assert_eq!(who(&browser), ADA.sub);
    world.new_isolate();
    assert_eq!(who(&browser), ADA.sub);
}

#[test]
fn signing_out_ends_the_sessions_with_every_provider() {
    let world = world();
    let browser = both(&world);
    let copy = browser.copy();
    let gone = browser.post("/.auth/logout");
    assert!(gone.location().starts_with("https://staff.example/logout"), "{gone:?}");
    assert!(gone.location().contains("signout-callback-oidc%2FStaff"), "{gone:?}");
    assert_eq!((browser.jar.get(SESSION), browser.jar.get(OF_STAFF)), (None, None));
    assert_eq!(world.kv.keys("account/"), [""; 0]);
    assert!(!copy.is_signed_in());
    world.finish_background();
    assert_eq!((world.op.revoked(), world.staff.revoked()), (1, 1));
}

#[test]
fn the_answer_to_a_sign_out_belongs_to_its_provider() {
    let world = world();
    let browser = both(&world);
    let state = crate::op::parameter(browser.post("/.auth/logout").location(), "state").unwrap();
    let back = |path: &str| browser.come_back_as_script(&absolute(&format!("{path}?state={state}")));
    assert_eq!(back("/signout-callback-oidc").problem(), (400, "logout_response_invalid".to_owned()));
    assert_eq!(back("/signout-callback-oidc/Staff").status, 200);
}

#[test]
fn a_front_channel_logout_of_one_provider_ends_no_session_of_another() {
    let world = world();
    let same_sid = EndUser { sub: "carol", sid: ADA.sid };
    let browser = Browser::new(&world);
    sign_in(&browser, "OpenIdConnect", &world.op, &ADA);
    world.advance(1);
    sign_in(&browser, "Staff", &world.staff, &same_sid);
    world.advance(60);
    let frame =
        |path: &str| world.site().serve(&Request::new("GET", &absolute(&format!("{path}?sid=sid%20one%2F%C3%A9"))));
    assert_eq!(frame("/signout-oidc/Staff").status, 200);
    world.advance(60);
    assert!(browser.fetch("/api/Billing/1").is_forwarded);
    assert_eq!(browser.fetch("/api/Orders/1").problem().0, 401);
}

#[test]
fn the_operator_names_the_provider_of_an_account() {
    let world =
        World::of(crate::deployment::changed(two_providers(), &serde_json::json!({ "Operator__Key": OPERATOR })));
    let browser = both(&world);
    let sign_out = |form: &str| {
        let request = Request::new("POST", &absolute("/.auth/operator/sign-out"));
        let request = request.with("authorization", &format!("Bearer {OPERATOR}"));
        world.site().serve(&request.form(form))
    };
    for form in [
        "sub=bob",
        "sub=bob&provider=Nobody",
        "sub=bob&provider=Staff&provider=Staff",
        "everybody=true&provider=Staff",
        "provider=OpenIdConnect&everybody=true",
    ] {
        assert_eq!(sign_out(form).problem(), (400, "operator_request_invalid".to_owned()), "{form}");
    }
    assert_eq!(sign_out("sub=bob&provider=Staff").status, 200);
    world.advance(60);
    assert!(browser.fetch("/api/Billing/1").is_forwarded);
    assert_eq!(browser.fetch("/api/Orders/1").problem().0, 401);
    world.advance(1);
    assert_eq!(sign_out("everybody=true").status, 200);
    world.advance(60);
    assert_eq!(browser.fetch("/api/Billing/1").problem().0, 401);
}

#[test]
fn adding_a_provider_signs_nobody_out() {
    let world = World::new();
    let browser = Browser::signed_in(&world, &ADA);
    let added = two_providers()["vars"].clone();
    world.redeploy(&serde_json::json!({ "Providers": added["Providers"], "Providers__Staff__ClientSecret": "s" }));
    assert!(browser.is_signed_in());
}
