//! One's own sessions: who sees which of them, and who ends them.

use serde_json::{Value, json};

use crate::back_channel::{ADA_AGAIN, ADA_UNNAMED};
use crate::browser::{Browser, SESSION, absolute};
use crate::crowd::{caller, is_served, strict_world};
use crate::deployment::{KEY, OTHER_KEY};
use crate::op::{ADA, BOB, EndUser, parameter};
use crate::request::Request;
use crate::world::World;

const SESSIONS: &str = "/.auth/sessions";
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0 <script>";

/// Signs in from somewhere, with something.
pub(crate) fn from<'w>(world: &'w World, user: &EndUser, agent: &str, country: &str) -> Browser<'w> {
    let browser = Browser::new(world);
    let callback = world.op.authorize(&browser.begin("/"), user);
    let request = Request::navigation("GET", &callback, "cross-site");
    assert_eq!(browser.send(request.with("user-agent", agent).with("cf-ipcountry", country)).status, 303);
    browser
}

pub(crate) fn listed(browser: &Browser<'_>) -> Vec<Value> {
    browser.fetch(SESSIONS).json()["sessions"].as_array().unwrap().clone()
}

/// The id of the session that a browser has.
pub(crate) fn id(browser: &Browser<'_>) -> String {
    let own = listed(browser).into_iter().find(|session| session["current"] == true).unwrap();
    own["id"].as_str().unwrap().to_owned()
}

fn path(id: &str) -> String {
    format!("{SESSIONS}/{id}")
}

#[test]
fn everybody_sees_all_of_their_own_sessions_this_one_first_and_nobody_elses() {
    let world = strict_world();
    let first = from(&world, &ADA, FIREFOX, "DE");
    world.advance(60);
    let second = from(&world, &ADA_AGAIN, "curl/8", "<b");
    world.advance(60);
    let third = from(&world, &ADA_UNNAMED, "Mozilla/5.0 (iPhone) Safari/604.1", "T1");
    let other = from(&world, &BOB, FIREFOX, "FR");
    let sessions = listed(&second);
    let of = |name: &str| sessions.iter().map(|session| session[name].clone()).collect::<Vec<_>>();
    assert_eq!(of("current"), [json!(true), json!(false), json!(false)]);
    assert_eq!(of("device"), [json!("Unknown browser"), json!("Safari on iPhone"), json!("Firefox on Linux")]);
    assert_eq!(of("country"), [json!(null), json!("T1"), json!("DE")]);
    let now = world.time();
    assert_eq!(of("created"), [json!(now - 60), json!(now), json!(now - 120)]);
    assert_eq!(of("expires"), [json!(now - 60 + 28_800), json!(now + 28_800), json!(now - 120 + 28_800)]);
    for session in &sessions {
        let url = absolute(&path(session["id"].as_str().unwrap()));
        assert_eq!((session["url"].as_str(), session.as_object().unwrap().len()), (Some(url.as_str()), 7));
    }
    assert_eq!((listed(&first).len(), listed(&third).len(), listed(&other).len()), (3, 3, 1));
    assert_eq!(second.fetch(SESSIONS).header("cache-control"), Some("no-store"));
}

#[test]
fn a_person_sees_a_page_with_a_button_for_each_session() {
    let world = strict_world();
    let _first = from(&world, &ADA, FIREFOX, "DE");
    world.advance(86_400 / 8);
    let second = from(&world, &ADA, "Mozilla/5.0 (iPhone) Safari/604.1", "T1");
    let page = second.follow(SESSIONS);
    assert_eq!((page.status, page.header("cache-control")), (200, Some("no-store")));
    assert!(page.header("content-security-policy").unwrap().contains("frame-ancestors 'none'"));
    let (own, other) = (page.body.find("Safari on iPhone").unwrap(), page.body.find("Firefox on Linux").unwrap());
    assert!(own < other && page.body[own..other].contains("(this browser)"));
    assert_eq!(page.body.matches("(this browser)").count(), 1);
    for session in listed(&second) {
        assert!(page.body.contains(&format!("action=\"{}\"", session["url"].as_str().unwrap())));
    }
    assert!(page.body.contains(&format!("action=\"{}\"", absolute(SESSIONS))) && !page.body.contains("<script"));
}

#[test]
fn one_session_is_ended_and_the_others_go_on() {
    for (method, is_person) in [("POST", true), ("POST", false), ("DELETE", false)] {
        let world = strict_world();
        let [here, there] = [&ADA, &ADA_AGAIN].map(|user| caller(&world, user));
        let (other, lost) = (caller(&world, &BOB), id(&there));
        let ask = |path: &str| match is_person {
            true => here.send(Request::navigation(method, &absolute(path), "same-origin")),
            false => here.send(Request::script(method, &absolute(path))),
        };
        let answer = ask(&path(&lost));
        assert_eq!((answer.status, answer.set_cookies().count()), (if is_person { 303 } else { 204 }, 0));
        if is_person {
            assert_eq!(answer.location(), absolute(SESSIONS));
        }
        assert!(world.has_logged("session.ended"), "{:?}", world.log().last());
        assert!(!is_served(&world, &[], &there) && is_served(&world, &[], &here) && is_served(&world, &[], &other));
        assert_eq!((world.kv.keys("account/").len(), world.kv.keys("sid/").len()), (2, 2));
        assert_eq!(listed(&here).len(), 1);
        // What is over already, what never was, and what is somebody else's.
        for id in [lost, "AAAAAAAAAAAAAAAAAAAAAA".to_owned(), id(&other)] {
            assert_eq!(ask(&path(&id)).status, answer.status, "{id}");
        }
        assert!(is_served(&world, &[], &here) && is_served(&world, &[], &other));
        assert_eq!((world.kv.keys("account/").len(), world.kv.keys("sid/").len()), (2, 2));
    }
}

#[test]
fn ending_the_own_session_is_a_sign_out_of_that_alone() {
    for is_person in [true, false] {
        let world = strict_world();
        let [here, there] = [&ADA, &ADA_AGAIN].map(|user| caller(&world, user));
        let (replay, url) = (here.copy(), absolute(&path(&id(&here))));
        let request =
            if is_person { Request::navigation("POST", &url, "same-origin") } else { Request::script("DELETE", &url) };
        let answer = here.send(request);
        assert_eq!((answer.status, answer.expires(SESSION)), (if is_person { 303 } else { 204 }, true));
        if is_person {
            assert!(parameter(answer.location(), "id_token_hint").is_some(), "on to the OP");
        }
        assert!(!is_served(&world, &[], &replay) && is_served(&world, &[], &there));
        assert_eq!(listed(&there).len(), 1);
    }
}

#[test]
fn all_sessions_of_the_account_are_ended_whatever_a_sign_out_means() {
    for (scope, method) in [("Account", "POST"), ("Session", "DELETE"), ("Session", "POST")] {
        let vars = json!({ "Session": { "SignOutScope": scope, "RevocationDelay": 0, "IdleSeconds": 28_800 } });
        let world = World::with(&vars);
        let all = [&ADA, &ADA_AGAIN, &ADA_UNNAMED].map(|user| caller(&world, user));
        let (other, replays) = (caller(&world, &BOB), all.each_ref().map(Browser::copy));
        let answer = all[1].send(Request::script(method, &absolute(SESSIONS)));
        assert_eq!((answer.status, answer.expires(SESSION)), (204, true));
        assert!(!replays.iter().any(|replay| is_served(&world, &[], replay)), "{scope}");
        assert!(is_served(&world, &[], &other));
        assert_eq!((world.kv.keys("account/").len(), world.kv.keys("sid/").len()), (1, 1));
        let answer = other.send(Request::navigation("POST", &absolute(SESSIONS), "same-origin"));
        assert!(answer.status == 303 && answer.location().starts_with("https://op.example/logout"), "{answer:?}");
    }
}

#[test]
fn no_other_site_ends_a_session() {
    let world = strict_world();
    let [here, there] = [&ADA, &ADA_AGAIN].map(|user| caller(&world, user));
    let (ids, changes) = ([id(&here), id(&there)], world.kv.changes());
    for url in [absolute(SESSIONS), absolute(&path(&ids[0])), absolute(&path(&ids[1]))] {
        for site in ["cross-site", "same-site", "none", ""] {
            for method in ["POST", "DELETE"] {
                let answer = here.send(Request::script(method, &url).with("sec-fetch-site", site));
                assert_eq!(answer.problem(), (403, "csrf_rejected".to_owned()), "{site} {method} {url}");
            }
        }
        let old = Request::script("POST", &url).without("sec-fetch-site");
        assert_eq!(here.send(old.clone().with("origin", "https://evil.example").with("x-csrf", "1")).status, 403);
        assert_eq!(here.send(old).status, 403);
    }
    assert!(world.kv.changes() == changes && is_served(&world, &[], &here) && is_served(&world, &[], &there));
}

#[test]
fn other_methods_and_other_names_are_refused() {
    let world = strict_world();
    let here = caller(&world, &ADA);
    for method in ["PUT", "PATCH", "OPTIONS"] {
        let answer = here.send(Request::script(method, &absolute(SESSIONS)));
        assert_eq!((answer.status, answer.header("allow")), (405, Some("GET, HEAD, POST, DELETE")));
    }
    for method in ["GET", "HEAD", "PUT"] {
        let answer = here.send(Request::script(method, &absolute(&path(&id(&here)))));
        assert_eq!((answer.status, answer.header("allow")), (405, Some("POST, DELETE")));
    }
    for name in ["", "x", "AAAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAA/", "all"] {
        assert_eq!(here.post(&path(name)).problem(), (404, "not_found".to_owned()), "{name}");
    }
    assert!(is_served(&world, &[], &here));
}

#[test]
fn whoever_is_not_signed_in_is_sent_to_the_op_or_told_so() {
    let world = strict_world();
    let browser = Browser::new(&world);
    assert_eq!(browser.fetch(SESSIONS).problem(), (401, "login_required".to_owned()));
    assert_eq!(browser.post(SESSIONS).status, 401);
    assert_eq!(browser.post(&path("AAAAAAAAAAAAAAAAAAAAAA")).status, 401);
    let callback = world.op.authorize(&browser.begin(SESSIONS), &ADA);
    assert_eq!(browser.come_back(&callback).location(), absolute(SESSIONS));
    assert_eq!(listed(&browser).len(), 1);
}

#[test]
fn a_session_that_ended_elsewhere_a_moment_ago_ends_no_others() {
    for what in ["all", "other", "own"] {
        let world = World::new();
        let [here, there] = [&ADA, &ADA_AGAIN].map(|user| Browser::signed_in(&world, user));
        let (own, other) = (id(&here), id(&there));
        let remembering = world.site();
        assert!(here.is_signed_in());
        let elsewhere = there.copy();
        elsewhere.moves_to(&world.isolate_at(0));
        assert_eq!(elsewhere.send(Request::script("DELETE", &absolute(&path(&own)))).status, 204);
        here.moves_to(&remembering);
        assert!(here.is_signed_in(), "for ten seconds more, here");
        let url = match what {
            "all" => SESSIONS.to_owned(),
            "other" => path(&other),
            _ => path(&own),
        };
        let answer = here.copy().post(&url);
        // Workers KV alone cannot tell it from an entry that is still on its way.
        assert!(matches!(answer.status, 401 | 503), "{what} {answer:?}");
        assert!(there.is_signed_in(), "{what}");
    }
}

#[test]
fn sessions_under_both_keys_are_listed_and_ended() {
    let world = strict_world();
    let old = caller(&world, &ADA);
    world.redeploy(&json!({ "Session__Key": OTHER_KEY, "Session__PreviousKeys": KEY }));
    let new = caller(&world, &ADA_AGAIN);
    assert_eq!((listed(&old).len(), listed(&new).len()), (2, 2));
    let lost = id(&old);
    assert_eq!(new.post(&path(&lost)).status, 204);
    assert!(!is_served(&world, &[], &old) && is_served(&world, &[], &new));
    assert_eq!(listed(&new).len(), 1);
}
