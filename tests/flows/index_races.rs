//! A sign-in that is under way while its session of the OP ends: it is refused, or it came wholly before and is ended.

use vestibule::runtime::StoreFault;
use vestibule::time::Timestamp;

use crate::browser::Browser;
use crate::crowd::{assert_nothing_is_left, caller, is_served, later, strict_world};
use crate::op::{ADA, BOB, EndUser};
use crate::op_logout::{by_both, by_sid, frame, query, request};
use crate::request::{Received, Request};
use crate::schedule::{Task, explored, interleaved};
use crate::world::World;

/// A browser that is back from the OP, and the request that it is about to make.
fn arriving<'w>(world: &'w World, user: &EndUser) -> (Browser<'w>, Request) {
    let browser = Browser::new(world);
    let callback = world.op.authorize(&browser.begin("/"), user);
    let request = browser.with_cookies(Request::navigation("GET", &callback, "cross-site"));
    (browser, request)
}

/// Runs the callback and the logout at isolates far apart, in the order that the seed draws.
fn raced(world: &World, callback: &Request, logout: &Request, seed: u64) -> [Received; 2] {
    let (here, there) = (world.isolate_at(1), world.isolate_at(2));
    world.pauses.set(true);
    let tasks: Vec<Task<'_, Received>> =
        vec![Box::pin(here.serving_with_background(callback)), Box::pin(later(there, logout, seed % 50))];
    let received = explored(tasks, seed);
    world.pauses.set(false);
    world.finish_background();
    received.try_into().unwrap()
}

/// No store holds a session, and Workers KV no copy of one.
fn assert_no_session(world: &World, what: &str) {
    assert_eq!(world.kv.keys("account/"), [""; 0], "{what}");
    assert!(world.accounts.all_sessions().iter().all(|(_, session)| session.entry.is_none()), "{what}");
}

#[test]
fn a_back_channel_logout_ends_the_sign_in_or_has_it_refused() {
    let mut outcomes = [0, 0];
    for seed in 0..300 {
        let claims = [by_sid(&ADA), by_both(&ADA)][seed as usize % 2].clone();
        let world = strict_world();
        let (browser, callback) = arriving(&world, &ADA);
        let logout = request(&world.logout_token(&claims));
        let [shown, heard] = raced(&world, &callback, &logout, seed);
        assert_eq!(heard.status, 200, "seed {seed}");
        browser.receive(&shown);
        outcomes[usize::from(shown.status == 303)] += 1;
        assert!(matches!(shown.status, 303 | 400), "seed {seed}: {shown:?}");
        assert_eq!(browser.session().is_some(), shown.status == 303);
        if browser.session().is_some() {
            assert!(!is_served(&world, &[], &browser), "seed {seed} {claims}");
        }
        assert_no_session(&world, &format!("seed {seed} {claims}"));
        // The next attempt is a new one, at a new session of the OP or the same.
        world.advance(1);
        assert!(browser.sign_in("/", &ADA).is_forwarded, "seed {seed}");
        assert!(is_served(&world, &[], &browser), "seed {seed}");
    }
    assert!(outcomes.iter().all(|count| *count > 20), "{outcomes:?}");
}

#[test]
fn a_front_channel_logout_of_a_session_that_is_known_does_the_same() {
    let mut outcomes = [0, 0];
    for seed in 0..300 {
        let world = strict_world();
        let known = caller(&world, &ADA);
        world.advance(100);
        let (browser, callback) = arriving(&world, &ADA);
        let [shown, heard] = raced(&world, &callback, &frame(&query(ADA.sid, None)), seed);
        assert_eq!(heard.status, 200, "seed {seed}");
        browser.receive(&shown);
        outcomes[usize::from(shown.status == 303)] += 1;
        assert!(!is_served(&world, &[], &known), "seed {seed}");
        assert!(browser.session().is_none() || !is_served(&world, &[], &browser), "seed {seed}");
        assert_no_session(&world, &format!("seed {seed}"));
    }
    assert!(outcomes.iter().all(|count| *count > 20), "{outcomes:?}");
}

#[test]
fn a_front_channel_logout_of_a_session_that_is_not_known_yet_ends_it_or_finds_nothing() {
    let mut served = [0, 0];
    for seed in 0..200 {
        let world = strict_world();
        let (browser, callback) = arriving(&world, &ADA);
        let [shown, heard] = raced(&world, &callback, &frame(&query(ADA.sid, None)), seed);
        assert_eq!((shown.status, heard.status), (303, 200), "nothing is written for it: seed {seed}");
        browser.receive(&shown);
        let is_served = is_served(&world, &[], &browser);
        served[usize::from(is_served)] += 1;
        if !is_served {
            assert_no_session(&world, &format!("seed {seed}"));
        }
        // Whatever came first, the next one ends it.
        assert_eq!(world.isolate_at(2).serve(&frame(&query(ADA.sid, None))).status, 200);
        assert!(!crate::crowd::is_served(&world, &[], &browser), "seed {seed}");
    }
    assert!(served.iter().all(|count| *count > 10), "{served:?}");
}

#[test]
fn a_sign_in_that_is_refused_leaves_nothing_at_all_and_the_session_before_it_alone() {
    for steps in 0..40 {
        let world = strict_world();
        let before = caller(&world, &BOB);
        let callback = world.op.authorize(&before.begin("/.auth/login"), &ADA);
        let callback = before.with_cookies(Request::script("GET", &callback));
        let logout = request(&world.logout_token(&by_sid(&ADA)));
        let (here, there) = (world.isolate_at(1), world.isolate_at(2));
        world.pauses.set(true);
        let both = (here.serving_with_background(&callback), there.serving(&logout));
        let (shown, _) = interleaved(both.0, both.1, u32::MAX.checked_shl(steps).unwrap_or(0), 32);
        world.pauses.set(false);
        world.finish_background();
        if shown.status == 303 {
            continue;
        }
        assert_eq!(shown.problem(), (400, "login_attempt_invalid".to_owned()), "{steps}");
        assert!(!shown.expires(crate::browser::SESSION));
        assert!(is_served(&world, &[], &before), "{steps}");
        assert_eq!((world.kv.keys("account/").len(), world.kv.keys("sid/").len()), (1, 1), "{steps}");
        assert_eq!(world.accounts.to_delete(), [""; 0]);
    }
}

#[test]
fn an_attempt_that_began_after_the_logout_is_none_of_its_business() {
    for claims in [by_sid(&ADA), by_both(&ADA)] {
        let world = strict_world();
        let old = world.op.logout_token(world.time() - 100, &claims);
        let browser = caller(&world, &ADA);
        assert_eq!(world.serve(&request(&world.logout_token(&claims))).status, 200);
        world.advance(1);
        let (phone, callback) = arriving(&world, &ADA);
        // One that was late says nothing about attempts since.
        assert_eq!(world.serve(&request(&old)).status, 200);
        phone.receive(&world.serve(&callback));
        assert!(is_served(&world, &[], &phone) && !is_served(&world, &[], &browser), "{claims}");
    }
}

#[test]
fn a_late_token_leaves_the_index_to_the_session_that_it_is_not_about() {
    let world = strict_world();
    let browser = caller(&world, &ADA);
    assert_eq!(world.serve(&request(&world.op.logout_token(world.time() - 100, &by_sid(&ADA)))).status, 200);
    assert!(is_served(&world, &[], &browser));
    // Workers KV need not be asked where it leads.
    world.kv.fail_at(StoreFault::Get, "sid/");
    assert_eq!(world.serve(&frame(&query(ADA.sid, None))).status, 200);
    world.kv.recover();
    assert_nothing_is_left(&world, &[&browser], "by the index");
}

#[test]
fn a_late_token_takes_nothing_back_of_what_another_one_said() {
    let world = strict_world();
    let (phone, callback) = arriving(&world, &ADA);
    world.advance(30);
    world.serve(&request(&world.logout_token(&by_sid(&ADA))));
    world.serve(&request(&world.op.logout_token(world.time() - 170, &by_sid(&ADA))));
    assert_eq!(world.serve(&callback).status, 400);
    world.advance(1);
    assert!(phone.sign_in("/", &ADA).is_forwarded);
}

#[test]
fn what_is_kept_of_the_ops_session_goes_once_no_attempt_can_be_under_way() {
    let world = strict_world();
    let browser = caller(&world, &ADA);
    let (phone, callback) = arriving(&world, &ADA);
    world.advance(30);
    world.serve(&request(&world.logout_token(&by_sid(&ADA))));
    let name = world.accounts.names().into_iter().find(|name| name.starts_with("sid/")).unwrap();
    let ends = Timestamp::from_unix(world.time() + 900);
    assert!(world.accounts.sessions(&name).iter().all(|(_, row)| row.entry.is_none() && row.expires_at == ends));
    // A late token, which is about nothing that is still here, does not shorten what is remembered.
    world.serve(&request(&world.op.logout_token(world.time() - 170, &by_sid(&ADA))));
    world.advance(800);
    assert_eq!(world.serve(&callback).status, 400, "the attempt is older");
    world.advance(100);
    world.fire_alarms();
    assert_eq!(world.accounts.sessions(&name), []);
    assert!(phone.sign_in("/", &ADA).is_forwarded);
    assert!(!is_served(&world, &[], &browser));
    world.serve(&frame(&query(ADA.sid, None)));
    assert_nothing_is_left(&world, &[&browser, &phone], "in the end");
}
