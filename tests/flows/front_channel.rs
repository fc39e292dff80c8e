//! Front-channel logout: a hidden frame without a cookie, which names the OP's session and nothing else.

use serde_json::json;
use vestibule::runtime::StoreFault;

use crate::back_channel::{ADA_AGAIN, ADA_UNNAMED};
use crate::browser::{Browser, SESSION};
use crate::crowd::{ORDERS, assert_nothing_is_left, caller, is_served, strict_world};
use crate::deployment::{KEY, OTHER_KEY};
use crate::kv::Operation;
use crate::microsoft;
use crate::op::{ADA, BOB, EndUser, Endpoint, Instead};
use crate::op_logout::{frame, framed_at, query};
use crate::request::{Received, Request};

const ISSUER: &str = "https://op.example";
const TENANTED: &str = "https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0";

fn policy(answer: &Received) -> &str {
    answer.header("content-security-policy").unwrap()
}

#[test]
fn the_sessions_of_the_ops_session_end_and_no_others() {
    for issuer in [None, Some(ISSUER)] {
        let world = strict_world();
        let [laptop, tab] = [&ADA, &ADA].map(|user| caller(&world, user));
        let others = [&ADA_AGAIN, &BOB].map(|user| caller(&world, user));
        let answer = world.serve(&frame(&query(ADA.sid, issuer)));
        assert_eq!(answer.status, 200);
        assert!(world.has_logged("logout.front_channel"));
        assert!(!is_served(&world, &[], &laptop) && !is_served(&world, &[], &tab));
        assert!(others.iter().all(|other| is_served(&world, &[], other)));
        assert_eq!((world.kv.keys("account/").len(), world.kv.keys("sid/").len()), (2, 2));
        assert_eq!(world.op.count(Endpoint::Revocation), 0, "whoever loads a frame is nobody that the OP knows");
    }
}

#[test]
fn the_answer_may_be_shown_by_the_op_and_kept_by_nobody() {
    let world = strict_world();
    let _browser = Browser::signed_in(&world, &ADA);
    let known = world.serve(&frame(&query(ADA.sid, None)));
    let unknown = world.serve(&frame(&query(Some("nothing"), None)));
    assert_eq!((known.status, &known.headers, &known.body), (unknown.status, &unknown.headers, &unknown.body));
    assert_eq!(known.header("cache-control"), Some("no-store"));
    assert!(policy(&known).contains("frame-ancestors https://op.example"), "{known:?}");
    assert_eq!((known.header("x-frame-options"), known.set_cookies().count()), (None, 0));
    // Where the OP ends sessions at another origin, its page there shows the frame.
    world.new_isolate();
    let patch = json!({ "end_session_endpoint": "https://logout.op.example:8443/x" });
    world.op.instead(Endpoint::Metadata, Instead::Merged(patch));
    world.advance(90_000);
    let answer = world.serve(&frame(&query(Some("x"), None)));
    assert!(policy(&answer).contains("frame-ancestors https://op.example https://logout.op.example:8443"));
    // It needs no OP.
    world.op.outage();
    world.kv.fail_at(StoreFault::Get, "op/");
    world.new_isolate();
    let answer = world.serve(&frame(&query(Some("x"), None)));
    assert!(answer.status == 200 && policy(&answer).contains("frame-ancestors https://op.example"));
}

#[test]
fn a_request_that_names_no_session_of_this_op_is_refused_and_changes_nothing() {
    let world = strict_world();
    let browser = Browser::signed_in(&world, &ADA);
    let (changes, calls) = (world.kv.changes(), world.accounts.calls());
    let sid = query(ADA.sid, None);
    let (own, long) = (sid.trim_start_matches('?'), "s".repeat(513));
    for refused in [
        String::new(),
        "?".to_owned(),
        "?sid=".to_owned(),
        "?sid".to_owned(),
        format!("?SID={}", &own[4..]),
        format!("?{own}&{own}"),
        format!("?{own}&sid="),
        format!("?sid={long}"),
        query(ADA.sid, Some("https://evil.example")),
        query(ADA.sid, Some("https://op.example/")),
        query(ADA.sid, Some("")),
        format!("?{own}&iss={ISSUER}&iss={ISSUER}"),
        format!("?iss={ISSUER}"),
    ] {
        let answer = world.serve(&frame(&refused).with("accept", "*/*").with("sec-fetch-mode", "cors"));
        assert_eq!(answer.problem(), (400, "logout_request_invalid".to_owned()), "{refused}");
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(world.serve(&frame(&refused)).status, 400, "{refused}");
    }
    assert_eq!((world.kv.changes(), world.accounts.calls()), (changes, calls));
    assert!(browser.is_signed_in());
    assert_eq!(world.serve(&frame(&format!("?unknown=1&{own}&x"))).status, 200);
    assert!(!browser.is_signed_in());
}

#[test]
fn only_a_get_is_a_request() {
    let world = strict_world();
    let browser = Browser::signed_in(&world, &ADA);
    for method in ["HEAD", "POST", "PUT", "DELETE", "OPTIONS"] {
        let answer = world.serve(&Request { method: method.to_owned(), ..frame(&query(ADA.sid, None)) });
        assert_eq!((answer.status, answer.header("allow")), (405, Some("GET")), "{method}");
    }
    assert!(browser.is_signed_in());
}

#[test]
fn a_session_that_is_not_known_costs_two_reads_and_no_write() {
    let world = strict_world();
    let browser = Browser::signed_in(&world, &ADA);
    world.serve(&frame(&query(Some("warm"), None)));
    let before = (world.accounts.everything(), world.kv.changes());
    for sid in ["nothing", "<script>", "' OR 1=1", "sid one"] {
        let (operations, calls) = (world.kv.operations().len(), world.accounts.calls());
        assert_eq!(world.serve(&frame(&query(Some(sid), None))).status, 200);
        let done = world.kv.operations()[operations..].to_vec();
        assert!(matches!(done.as_slice(), [Operation::Get(key)] if key.starts_with("sid/")), "{done:?}");
        assert_eq!(world.accounts.calls() - calls, usize::from(crate::WITH_ACCOUNTS));
    }
    let written: Vec<_> = world.accounts.everything().into_iter().filter(|(_, rows)| !rows.is_empty()).collect();
    assert!(written == before.0.into_iter().filter(|(_, rows)| !rows.is_empty()).collect::<Vec<_>>());
    assert!(
        world
            .accounts
            .names()
            .iter()
            .filter(|name| name.starts_with("sid/"))
            .all(|name| { !world.accounts.sessions(name).is_empty() || world.accounts.alarm(name).is_none() })
    );
    assert_eq!(world.kv.changes(), before.1);
    assert!(browser.is_signed_in());
}

#[test]
fn cookies_play_no_part() {
    let world = strict_world();
    let (ada, bob) = (Browser::signed_in(&world, &ADA), Browser::signed_in(&world, &BOB));
    let answer = bob.send(frame(&query(ADA.sid, None)));
    assert_eq!((answer.status, answer.set_cookies().count()), (200, 0));
    assert!(!ada.is_signed_in() && bob.is_signed_in() && bob.jar.get(SESSION).is_some());
}

#[test]
fn sessions_under_both_keys_end() {
    let world = strict_world();
    let old = caller(&world, &ADA);
    world.redeploy(&json!({ "Session__Key": OTHER_KEY, "Session__PreviousKeys": KEY }));
    let new = caller(&world, &ADA);
    framed_at(&world.site(), &ADA);
    assert_nothing_is_left(&world, &[&old, &new], "both");
}

#[test]
fn seconds_after_the_sign_in_it_is_found_where_that_was_and_with_objects_from_anywhere() {
    let world = strict_world();
    let elsewhere = world.isolate_at(1);
    let location = usize::from(crate::WITH_ACCOUNTS);
    // A miss that Workers KV remembers there, and listings that lag behind.
    framed_at(&elsewhere, &ADA);
    let browser = caller(&world, &ADA);
    world.kv.hide_from_listings();
    world.advance(2);
    framed_at(&world.isolate_at(location), &ADA);
    assert_nothing_is_left(&world, &[&browser], "at once");
}

#[test]
fn a_store_that_fails_is_no_logout() {
    let world = strict_world();
    let browser = caller(&world, &ADA);
    world.accounts.is_down.set(true);
    world.kv.fail_at(StoreFault::Get, "sid/");
    let answer = world.serve(&frame(&query(ADA.sid, None)));
    assert!(answer.status == 503 && answer.header("retry-after").is_some());
    world.accounts.is_down.set(false);
    world.kv.recover();
    assert!(browser.fetch(ORDERS).is_forwarded);
    framed_at(&world.site(), &ADA);
    assert_nothing_is_left(&world, &[&browser], "the second time");
}

#[test]
fn without_a_sid_in_its_id_tokens_the_microsoft_identity_platform_names_the_session_by_its_state() {
    for issuer in [None, Some(TENANTED)] {
        let world = microsoft::world_with(&json!({ "Session": { "RevocationDelay": 0 } }));
        let [laptop, phone] = ["state/+=&1", "state-2"].map(|state| {
            let browser = Browser::new(&world);
            let callback = world.op.authorize(&browser.begin("/"), &ADA_UNNAMED);
            let mut url = url::Url::parse(&callback).unwrap();
            url.query_pairs_mut().append_pair("session_state", state);
            assert_eq!(browser.come_back(url.as_str()).status, 303, "{:?}", world.log().last());
            browser
        });
        assert_eq!(world.serve(&frame(&query(Some("state/+=&1"), issuer))).status, 200);
        assert!(!is_served(&world, &[], &laptop) && is_served(&world, &[], &phone), "{issuer:?}");
    }
}

#[test]
fn behind_many_tenants_the_sid_alone_is_enough_and_the_issuer_is_any_tenants() {
    for (issuer, status) in [
        (None, 200),
        (Some(TENANTED), 200),
        (Some("https://login.microsoftonline.com/{tenantid}/v2.0"), 400),
        (Some("https://login.microsoftonline.com/common/v2.0"), 400),
        (Some("https://op.example"), 400),
    ] {
        let world = microsoft::world_with(&json!({ "Session": { "RevocationDelay": 0 } }));
        let (browser, other) = (Browser::signed_in(&world, &ADA), Browser::signed_in(&world, &EndUser { ..BOB }));
        let answer = world.serve(&frame(&query(ADA.sid, issuer)));
        assert_eq!(answer.status, status, "{issuer:?}");
        assert_eq!(is_served(&world, &[], &browser), status == 400, "{issuer:?}");
        assert!(is_served(&world, &[], &other));
        if status == 200 {
            assert!(policy(&answer).contains("frame-ancestors https://login.microsoftonline.com"), "{answer:?}");
        }
    }
}

#[test]
fn elsewhere_a_state_that_nobody_signed_is_no_session() {
    let world = strict_world();
    let browser = Browser::new(&world);
    let callback = world.op.authorize(&browser.begin("/"), &ADA_UNNAMED);
    browser.come_back(&format!("{callback}&session_state=forged"));
    assert_eq!(world.serve(&frame(&query(Some("forged"), None))).status, 200);
    assert!(is_served(&world, &[], &browser));
    assert_eq!(world.kv.keys("sid/"), [""; 0]);
}
