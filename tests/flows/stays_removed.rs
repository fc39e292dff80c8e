//! Whoever ends a session, and whatever is under way then: nothing brings it back, and later sessions are not touched.

use serde_json::json;

use crate::back_channel::ADA_AGAIN;
use crate::browser::{Browser, absolute};
use crate::crowd::{ORDERS, assert_nothing_is_left, caller, everywhere, is_served, later, strict_world};
use crate::op::{ADA, BOB};
use crate::op_logout::{by_both, by_sid, by_sub, frame, query, request};
use crate::request::{Received, Request};
use crate::schedule::{Task, explored};
use crate::sessions::id;
use crate::world::World;

/// Who ends the session of ADA's at the laptop; all of the account where it says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    User,
    Subject,
    SessionOfTheOp,
    Both,
    Frame,
    Page,
}

const ENDS: [End; 6] = [End::User, End::Subject, End::SessionOfTheOp, End::Both, End::Frame, End::Page];

impl End {
    /// The request that ends it; the phone is where its user looks at the sessions.
    fn request(self, world: &World, laptop: &Browser<'_>, phone: &Browser<'_>) -> Request {
        match self {
            Self::User => laptop.script("POST", "/.auth/logout"),
            Self::Subject => request(&world.logout_token(&by_sub(&ADA))),
            Self::SessionOfTheOp => request(&world.logout_token(&by_sid(&ADA))),
            Self::Both => request(&world.logout_token(&by_both(&ADA))),
            Self::Frame => frame(&query(ADA.sid, None)),
            Self::Page => phone.script("DELETE", &absolute(&format!("/.auth/sessions/{}", id(laptop)))),
        }
    }

    const fn is_of_all(self) -> bool {
        matches!(self, Self::User | Self::Subject)
    }
}

/// Runs what is under way and the end of the session, far apart and in the order that the seed draws.
fn raced(world: &World, under_way: &[Request], end: &Request, seed: u64) -> Vec<Received> {
    let sites = everywhere(world);
    world.pauses.set(true);
    let mut tasks: Vec<Task<'_, Received>> = vec![Box::pin(later(sites[3].clone(), end, seed % 12))];
    for (request, site) in under_way.iter().zip(&sites) {
        tasks.push(Box::pin(site.serving_with_background(request)));
    }
    let received = explored(tasks, seed);
    world.pauses.set(false);
    world.finish_background();
    received
}

fn assert_ended(received: &Received, what: &str) {
    assert!(matches!(received.status, 200 | 204 | 303), "{what}: {received:?}");
}

/// The laptop's session is over for good, and what is left is the phone's, if anything.
fn assert_over<'w>(world: &'w World, end: End, laptop: &Browser<'w>, phone: &Browser<'w>, what: &str) {
    for seconds in [0, 1, 60] {
        world.advance(seconds);
        world.accounts.restart_all();
        world.fire_alarms();
        assert!(!is_served(world, &everywhere(world), laptop), "{what}");
    }
    assert_eq!(is_served(world, &[], phone), !end.is_of_all(), "{what}");
    if end.is_of_all() {
        assert_nothing_is_left(world, &[laptop, phone], what);
    } else {
        assert_eq!((world.kv.keys("account/").len(), world.kv.keys("sid/").len()), (1, 1), "{what}");
        assert!(phone.fetch(ORDERS).is_forwarded, "{what}");
    }
}

#[test]
fn a_refresh_under_way_brings_nothing_back() {
    for (end, seed) in ENDS.into_iter().flat_map(|end| (0..16).map(move |seed| (end, seed))) {
        let what = format!("{end:?} {seed}");
        let world = strict_world();
        let [laptop, phone] = [&ADA, &ADA_AGAIN].map(|user| caller(&world, user));
        world.advance(3600);
        let request = end.request(&world, &laptop, &phone);
        let calls = [&laptop, &laptop, &phone].map(|browser| browser.script("GET", ORDERS));
        let received = raced(&world, &calls, &request, seed);
        assert_ended(&received[0], &what);
        assert_eq!(world.op.reuses.get(), 0, "{what}");
        assert_over(&world, end, &laptop, &phone, &what);
    }
}

#[test]
fn a_page_that_rolls_the_cookie_keeps_nobody_signed_in() {
    for (end, seed) in ENDS.into_iter().flat_map(|end| (0..12).map(move |seed| (end, seed))) {
        let what = format!("{end:?} {seed}");
        let world = World::with(&json!({ "Session": { "IdleSeconds": 600, "RevocationDelay": 0 } }));
        let [laptop, phone] = [&ADA, &ADA_AGAIN].map(|user| Browser::signed_in(&world, user));
        world.advance(400);
        let request = end.request(&world, &laptop, &phone);
        let page = laptop.with_cookies(Request::navigation("GET", &absolute("/page"), "none"));
        let received = raced(&world, &[page.clone(), page], &request, seed);
        assert_ended(&received[0], &what);
        let before = laptop.copy();
        received[1..].iter().for_each(|received| laptop.receive(received));
        for browser in [&before, &laptop] {
            assert!(browser.session().is_none() || !is_served(&world, &[], browser), "{what}");
        }
        assert_eq!(is_served(&world, &[], &phone), !end.is_of_all(), "{what}");
        assert_eq!(world.kv.keys("account/").len(), usize::from(!end.is_of_all()), "{what}");
    }
}

#[test]
fn a_copy_that_comes_late_or_that_somebody_still_has_brings_nothing_back() {
    for (end, fault) in ENDS.into_iter().flat_map(|end| (0..3).map(move |fault| (end, fault))) {
        let what = format!("{end:?} {fault}");
        let world = strict_world();
        let [laptop, phone] = [&ADA, &ADA_AGAIN].map(|user| caller(&world, user));
        // Locations that have read the copies go on seeing them for a minute.
        let sites = everywhere(&world);
        assert!(is_served(&world, &sites, &laptop));
        world.advance(3600);
        let request = end.request(&world, &laptop, &phone);
        world.background.is_held.set(true);
        assert!(laptop.copy().fetch(ORDERS).is_forwarded);
        match fault {
            0 => world.kv.delay_puts("account/"),
            1 => world.kv.lose_acknowledgements("account/"),
            _ => world.kv.lag_behind("account/"),
        }
        world.background.is_held.set(false);
        world.finish_background();
        world.kv.recover();
        world.advance(1);
        assert_ended(&world.isolate_at(2).serve(&request), &what);
        world.kv.deliver_late();
        for seconds in [0, 30, 60, 600] {
            world.advance(seconds);
            world.accounts.restart_all();
            world.fire_alarms();
            assert!(!is_served(&world, &sites, &laptop), "{what}");
        }
        assert_eq!(is_served(&world, &sites, &phone), !end.is_of_all(), "{what}");
    }
}

#[test]
fn a_replayed_cookie_is_refused_in_whatever_isolate_and_object() {
    for (end, seed) in ENDS.into_iter().flat_map(|end| (0..8).map(move |seed| (end, seed))) {
        let what = format!("{end:?} {seed}");
        let world = strict_world();
        let [laptop, phone] = [&ADA, &ADA_AGAIN].map(|user| caller(&world, user));
        let request = end.request(&world, &laptop, &phone);
        let pages = ["/page", "/.auth/me", "/page"].map(|path| laptop.script("GET", path));
        let received = raced(&world, &pages, &request, seed);
        assert_ended(&received[0], &what);
        for path in ["/page", "/.auth/me", ORDERS, "/.auth/sessions"] {
            for site in everywhere(&world) {
                let answer = site.serve(&laptop.script("GET", path));
                assert_eq!(answer.problem(), (401, "session_expired".to_owned()), "{what} {path}");
            }
        }
        assert_over(&world, end, &laptop, &phone, &what);
    }
}

#[test]
fn a_sign_in_on_another_device_revives_nothing_and_is_not_ended_with_it() {
    for (end, seed) in ENDS.into_iter().flat_map(|end| (0..12).map(move |seed| (end, seed))) {
        let what = format!("{end:?} {seed}");
        let world = strict_world();
        let [laptop, phone] = [&ADA, &ADA_AGAIN].map(|user| caller(&world, user));
        let (other, tablet) = (caller(&world, &BOB), Browser::new(&world));
        world.advance(3600);
        let request = end.request(&world, &laptop, &phone);
        let third = crate::op::EndUser { sid: Some("third"), ..ADA };
        let callback = world.op.authorize(&tablet.begin("/"), &third);
        let callback = tablet.with_cookies(Request::navigation("GET", &callback, "cross-site"));
        let received = raced(&world, &[callback, laptop.script("GET", ORDERS)], &request, seed);
        assert_ended(&received[0], &what);
        assert_eq!(received[1].status, 303, "{what}");
        tablet.receive(&received[1]);
        assert!(!is_served(&world, &everywhere(&world), &laptop), "{what}");
        assert!(is_served(&world, &[], &other), "{what}");
        // Where all of the account ends it came before or after; otherwise it has nothing to do with it.
        let lives = is_served(&world, &[], &tablet);
        assert!(lives || end.is_of_all(), "{what}");
        assert_eq!(is_served(&world, &[], &phone), !end.is_of_all(), "{what}");
        let expected = usize::from(lives) + usize::from(!end.is_of_all()) + 1;
        assert_eq!(world.kv.keys("account/").len(), expected, "{what}");
        // And a later one is not touched by anything that is left to do.
        world.advance(1);
        assert!(laptop.sign_in("/", &crate::op::EndUser { sid: Some("fourth"), ..ADA }).is_forwarded);
        world.accounts.restart_all();
        world.advance(60);
        world.fire_alarms();
        assert!(is_served(&world, &[], &laptop) && laptop.fetch(ORDERS).is_forwarded, "{what}");
    }
}

#[test]
fn two_who_end_it_at_once_do_not_get_into_each_others_way() {
    for (first, second) in ENDS.into_iter().flat_map(|first| ENDS.map(|second| (first, second))) {
        for seed in 0..2 {
            let what = format!("{first:?} {second:?} {seed}");
            let world = strict_world();
            let [laptop, phone] = [&ADA, &ADA_AGAIN].map(|user| caller(&world, user));
            let requests = [first, second].map(|end| end.request(&world, &laptop, &phone));
            let received = raced(&world, &requests[..1], &requests[1], seed);
            for (end, received) in [second, first].into_iter().zip(&received) {
                // Whoever looks at the sessions may be signed out meanwhile.
                let may_be_out = end == End::Page && received.status == 401;
                assert!(may_be_out || matches!(received.status, 200 | 204 | 303), "{what}: {received:?}");
            }
            let end = if first.is_of_all() { first } else { second };
            assert_over(&world, end, &laptop, &phone, &what);
        }
    }
}
