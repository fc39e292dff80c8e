//! How sessions with several providers end: each by its own provider, all by their user, and none by a deployment.

use serde_json::{Value, json};
use vestibule::flow;
use vestibule::request::RequestHead;
use vestibule::runtime::StoreFault;
use vestibule::session::session::SessionId;

use crate::browser::{Browser, LOGOUT, SESSION, absolute};
use crate::deployment::{changed, on_kv_alone, two_providers, with_accounts};
use crate::op::{ADA, BOB, EndUser};
use crate::op_logout::{by_both, by_sid, by_sub, request};
use crate::providers::{OF_STAFF, both, sign_in, who, world};
use crate::request::{Received, Request};
use crate::schedule::ended;
use crate::world::World;

const OF_STAFF_LOGOUT: &str = "/.auth/backchannel-logout/Staff";

/// A provider posts a logout token to a path.
fn posted(world: &World, path: &str, token: &str) -> Received {
    world.serve(&Request { url: absolute(path), ..request(token) })
}

fn calls(browser: &Browser<'_>) -> (bool, bool) {
    (browser.fetch("/api/Billing/1").is_forwarded, browser.fetch("/api/Orders/1").is_forwarded)
}

#[test]
fn a_back_channel_logout_of_one_provider_ends_no_session_of_another() {
    // The same person by name and by session, as far as that can be at two providers.
    let twin = EndUser { sub: ADA.sub, sid: ADA.sid };
    for claims in [by_sub(&ADA), by_sid(&ADA), by_both(&ADA)] {
        let world = world();
        let browser = Browser::new(&world);
        sign_in(&browser, "OpenIdConnect", &world.op, &ADA);
        sign_in(&browser, "Staff", &world.staff, &twin);
        let [own, of_staff] = [&world.op, &world.staff].map(|op| op.logout_token(world.time(), &claims));
        assert_eq!(posted(&world, "/.auth/backchannel-logout", &of_staff).status, 400);
        assert_eq!(posted(&world, OF_STAFF_LOGOUT, &own).status, 400);
        assert_eq!(posted(&world, "/.auth/backchannel-logout/Nobody", &own).status, 404);
        assert_eq!(calls(&browser), (true, true), "{claims}");
        assert_eq!(posted(&world, OF_STAFF_LOGOUT, &of_staff).status, 200);
        assert_eq!(posted(&world, OF_STAFF_LOGOUT, &of_staff).status, if crate::WITH_ACCOUNTS { 400 } else { 200 });
        assert_eq!(calls(&browser), (true, false), "{claims}");
        assert_eq!(posted(&world, "/.auth/backchannel-logout/OpenIdConnect", &own).status, 200);
        assert_eq!(calls(&browser), (false, false), "{claims}");
    }
}

#[test]
fn the_plain_path_is_no_named_providers() {
    let world = World::of(changed(
        two_providers(),
        &json!({
            "OpenIdConnect": null, "OpenIdConnect__ClientSecret": null,
            "DownstreamApis": { "Billing": null },
        }),
    ));
    let token = world.staff.logout_token(world.time(), &by_sub(&BOB));
    assert_eq!(posted(&world, "/.auth/backchannel-logout", &token).problem(), (404, "not_found".to_owned()));
    assert_eq!(posted(&world, OF_STAFF_LOGOUT, &token).status, 200);
}

#[test]
fn when_the_last_session_ends_elsewhere_its_user_is_asked_before_the_other_counts() {
    let world = world();
    let browser = both(&world);
    world.advance(180);
    let token = world.staff.logout_token(world.time(), &by_sub(&BOB));
    assert_eq!(posted(&world, OF_STAFF_LOGOUT, &token).status, 200);
    let told = browser.fetch("/.auth/me");
    assert_eq!(told.problem(), (401, "session_expired".to_owned()));
    assert!(told.expires(OF_STAFF) && !told.expires(SESSION), "{told:?}");
    assert_eq!(who(&browser), ADA.sub);
}

#[test]
fn where_one_session_cannot_be_ended_none_is_said_to_have_ended() {
    let world = World::of(with_accounts(two_providers()));
    for fails in 0..2 {
        let browser = both(&world);
        world.accounts.fails_at.set(Some(world.accounts.calls() + fails));
        let refused = browser.post("/.auth/logout");
        assert_eq!(refused.problem(), (503, "cache_unavailable".to_owned()), "{fails}");
        assert_eq!(refused.set_cookies().count(), 0, "{refused:?}");
        world.accounts.fails_at.set(None);
        let (copy, gone) = (browser.copy(), browser.post("/.auth/logout"));
        assert!(gone.location().starts_with("https://staff.example/logout"), "{gone:?}");
        assert_eq!((browser.jar.get(SESSION), browser.jar.get(OF_STAFF)), (None, None));
        assert!(!copy.is_signed_in());
        assert_eq!(world.kv.keys("account/"), [""; 0]);
        world.advance(60);
    }
}

#[test]
fn on_workers_kv_alone_it_is_the_same() {
    let world = World::of(on_kv_alone(two_providers()));
    let browser = both(&world);
    world.kv.fail_at(StoreFault::Delete, "account/");
    let refused = browser.post("/.auth/logout");
    assert_eq!((refused.problem().0, refused.set_cookies().count()), (503, 0));
    world.kv.recover();
    assert_eq!(browser.post("/.auth/logout").status, 303);
    assert_eq!(world.kv.keys("account/"), [""; 0]);
}

#[test]
fn whoever_is_signed_in_nowhere_is_sent_to_no_provider() {
    let world = world();
    let browser = both(&world);
    let other_tab = browser.copy();
    browser.post("/.auth/logout");
    other_tab.jar.plant(SESSION, "remnant");
    other_tab.jar.plant(OF_STAFF, "remnant");
    let gone = other_tab.post("/.auth/logout");
    assert_eq!((gone.status, gone.set_cookies().count()), (200, 2), "{gone:?}");
    assert!(gone.expires(SESSION) && gone.expires(OF_STAFF) && !gone.expires(LOGOUT));
}

#[test]
fn everywhere_means_with_every_provider() {
    let world = World::of(changed(two_providers(), &json!({ "Session": { "SignOutScope": "Session" } })));
    let (browser, phone) = (both(&world), both(&world));
    let answer = browser.send(Request::script("DELETE", &absolute("/.auth/sessions")));
    assert_eq!((answer.status, answer.expires(SESSION), answer.expires(OF_STAFF)), (204, true, true), "{answer:?}");
    world.advance(60);
    assert_eq!(calls(&phone), (false, false));
    assert_eq!(world.kv.keys("account/"), [""; 0]);
}

/// The address of the session that counts in a browser.
fn address(browser: &Browser<'_>) -> String {
    let listed = browser.fetch("/.auth/sessions").json();
    let own = listed["sessions"].as_array().unwrap().iter().find(|session| session["current"] == true).unwrap().clone();
    own["url"].as_str().unwrap().to_owned()
}

#[test]
fn a_session_that_a_page_lists_ends_whichever_counts_by_then() {
    for is_of_this_browser in [true, false] {
        let world = world();
        let (browser, phone) = (Browser::new(&world), Browser::new(&world));
        for browser in [&browser, &phone] {
            sign_in(browser, "OpenIdConnect", &world.op, &ADA);
        }
        let listed = address(if is_of_this_browser { &browser } else { &phone });
        world.advance(1);
        sign_in(&browser, "Staff", &world.staff, &BOB);
        let answer = browser.send(Request::script("DELETE", &listed));
        assert_eq!((answer.status, answer.expires(OF_STAFF)), (204, false), "{answer:?}");
        assert_eq!(answer.expires(SESSION), is_of_this_browser);
        world.advance(180);
        assert_eq!(calls(&browser), (!is_of_this_browser, true));
        assert_eq!(calls(&phone), (is_of_this_browser, false));
    }
}

#[test]
fn a_websocket_goes_on_with_the_session_that_opened_it() {
    let world = World::of(on_kv_alone(two_providers()));
    let browser = both(&world);
    let handshake = browser.with_cookies(Request::handshake(&absolute("/chat")));
    assert!(world.serve(&handshake).is_forwarded);
    let carried = world.downstream.last().plan.carried.unwrap().session.unwrap();
    let sessions = world.kv.keys("account/");
    assert!(sessions.iter().any(|key| key.ends_with(&SessionId::to_text(carried))));
    let goes_on = || {
        let site = world.isolate_at(0);
        ended(flow::goes_on(&site.isolate, &site, &RequestHead::parse(&handshake.text()).unwrap()))
    };
    // Past the idle end of the cookies in the handshake.
    world.advance(3700);
    assert!(goes_on());
    let token = world.op.logout_token(world.time(), &by_sub(&ADA));
    assert_eq!(posted(&world, "/.auth/backchannel-logout", &token).status, 200);
    world.advance(60);
    assert!(goes_on(), "the other session is none of its business");
    let token = world.staff.logout_token(world.time(), &by_sub(&BOB));
    assert_eq!(posted(&world, OF_STAFF_LOGOUT, &token).status, 200);
    world.advance(60);
    assert!(!goes_on());
}

#[test]
fn a_page_listens_to_the_object_of_the_session_that_counts() {
    let world = World::of(with_accounts(two_providers()));
    let browser = both(&world);
    let handshake = || browser.copy().send(Request::handshake(&absolute("/.auth/events")));
    let object = |answer: &Received| {
        assert_eq!((answer.status, answer.body.as_str()), (101, ""));
        world.accounts.called().last().unwrap().clone()
    };
    let of_staff = object(&handshake());
    let listed = address(&browser);
    let id = listed.rsplit('/').next().unwrap();
    assert!(world.accounts.sessions(&of_staff).iter().any(|(session, _)| session.to_text() == id));
    world.advance(1);
    sign_in(&browser, "OpenIdConnect", &world.op, &ADA);
    assert_ne!(object(&handshake()), of_staff);
}

#[test]
fn a_worker_that_knows_one_provider_only_goes_on_beside_objects_that_know_several() {
    let world = World::of(with_accounts(two_providers()));
    world.accounts.names_no_provider.set(true);
    let browser = Browser::new(&world);
    sign_in(&browser, "OpenIdConnect", &world.op, &ADA);
    world.advance(3500);
    assert!(browser.visit("/page").is_forwarded);
    world.advance(200);
    world.new_isolate();
    assert!(browser.fetch("/api/Billing/1").is_forwarded, "renewed in the object");
    let replay = browser.copy();
    assert_eq!(browser.post("/.auth/logout").status, 303);
    assert_eq!(replay.fetch("/page").problem(), (401, "session_expired".to_owned()));
    assert_eq!(world.kv.keys("account/"), [""; 0]);
}

#[test]
fn a_call_that_could_be_about_no_provider_signs_nobody_out() {
    let world = World::of(with_accounts(changed(two_providers(), &named_only())));
    let browser = Browser::new(&world);
    let request = browser.begin("/page");
    assert_eq!(browser.come_back(&world.staff.authorize(&request, &BOB)).status, 303);
    assert!(browser.fetch("/api/Orders/1").is_forwarded);
    world.accounts.names_no_provider.set(true);
    world.advance(180);
    world.new_isolate();
    assert!(browser.fetch("/page").is_forwarded, "from the copy");
    let refused = browser.post("/.auth/logout");
    assert_eq!((refused.problem(), refused.set_cookies().count()), ((503, "cache_unavailable".to_owned()), 0));
    world.accounts.names_no_provider.set(false);
    assert!(browser.fetch("/page").is_forwarded);
}

#[test]
fn an_alarm_deletes_what_is_left_of_any_providers_sessions() {
    let world = World::of(with_accounts(two_providers()));
    let browser = both(&world);
    world.kv.fail_at(StoreFault::Delete, "");
    for (path, token) in [
        ("/.auth/backchannel-logout", world.op.logout_token(world.time(), &by_sub(&ADA))),
        (OF_STAFF_LOGOUT, world.staff.logout_token(world.time(), &by_sub(&BOB))),
    ] {
        assert_eq!(posted(&world, path, &token).status, 200);
    }
    assert_eq!((calls(&browser), world.kv.keys("account/").len()), ((false, false), 2));
    world.kv.recover();
    // Even if there is no such provider any more.
    for vars in [
        json!({}),
        json!({ "Providers": null, "Providers__Staff__ClientSecret": null, "DownstreamApis": { "Orders": null } }),
    ] {
        world.kv.fail_at(StoreFault::Delete, "sid/");
        world.redeploy(&vars);
        world.advance(60);
        world.fire_alarms();
        world.kv.recover();
    }
    world.advance(60);
    world.fire_alarms();
    assert_eq!((world.kv.keys("account/"), world.kv.keys("sid/")), (vec![], vec![]));
    assert_eq!(world.accounts.to_delete(), [""; 0]);
}

#[test]
fn an_outage_of_one_provider_keeps_nobody_from_the_other() {
    let world = world();
    world.op.outage();
    let browser = Browser::new(&world);
    assert_eq!(browser.visit("/.auth/login").status, 200);
    assert_eq!(browser.visit("/.auth/login/OpenIdConnect").status, 503);
    sign_in(&browser, "Staff", &world.staff, &BOB);
    assert!(browser.fetch("/api/Orders/1").is_forwarded);
    world.advance(3700);
    world.op.behave();
    world.staff.outage();
    world.new_isolate();
    sign_in(&browser, "OpenIdConnect", &world.op, &ADA);
    assert!(browser.fetch("/api/Billing/1").is_forwarded);
    let documents = world.kv.keys("op/");
    assert_eq!(documents.len(), 4, "{documents:?}");
}

/// The variables without the section.
fn named_only() -> Value {
    json!({ "OpenIdConnect": null, "OpenIdConnect__ClientSecret": null, "DownstreamApis": { "Billing": null } })
}

/// The variables without the second provider.
fn without_staff() -> Value {
    json!({ "Providers": null, "Providers__Staff__ClientSecret": null, "DownstreamApis": { "Orders": { "Provider": null } } })
}

#[test]
fn without_a_provider_its_sessions_count_for_nothing_and_the_others_go_on() {
    let world = world();
    let browser = both(&world);
    world.redeploy(&without_staff());
    assert_eq!(who(&browser), ADA.sub);
    assert!(browser.fetch("/page").is_forwarded);
    assert_eq!(world.downstream.last().header("cookie"), None, "its cookies go nowhere");
    let alone = Browser::new(&world);
    alone.jar.plant(OF_STAFF, &browser.jar.get(OF_STAFF).unwrap());
    assert!(!alone.is_signed_in());
    world
        .redeploy(&json!({ "Providers": two_providers()["vars"]["Providers"], "Providers__Staff__ClientSecret": "s" }));
    assert_eq!(who(&browser), BOB.sub, "they are its sessions again");
}

#[test]
fn a_provider_under_another_name_is_another_one() {
    let world = world();
    let browser = both(&world);
    let staff = two_providers()["vars"]["Providers"]["Staff"].clone();
    world.redeploy(&json!({
        "Providers": { "Staff": null, "Crew": staff }, "Providers__Staff__ClientSecret": null,
        "Providers__Crew__ClientSecret": "s", "DownstreamApis": { "Orders": { "Provider": "Crew" } },
    }));
    assert_eq!(who(&browser), ADA.sub);
    let renamed = Browser::new(&world);
    renamed.jar.plant("__Host-session.Crew", &browser.jar.get(OF_STAFF).unwrap());
    assert!(!renamed.is_signed_in());
}
