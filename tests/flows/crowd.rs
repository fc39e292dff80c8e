//! Many requests at once, of one browser or several, at isolates all over the world.

use crate::browser::Browser;
use crate::deployment::{self, merge};
use crate::op::EndUser;
use crate::request::{Received, Request};
use crate::schedule::{Pause, Task, all_at_once, explored};
use crate::site::Site;
use crate::world::World;

pub(crate) const ORDERS: &str = "/api/Orders/x";
pub(crate) const BILLING: &str = "/api/Billing/x";

/// A world where only the absolute end of a session counts, and no memory is trusted.
pub(crate) fn strict_world() -> World {
    let mut environment = deployment::environment();
    merge(&mut environment["vars"], &serde_json::json!({ "Session": { "IdleSeconds": 28_800, "RevocationDelay": 0 } }));
    World::of(environment)
}

/// Signs in, and calls both APIs, whose tokens last for an hour.
pub(crate) fn caller<'w>(world: &'w World, user: &EndUser) -> Browser<'w> {
    let browser = Browser::signed_in(world, user);
    for path in [ORDERS, BILLING] {
        assert!(browser.fetch(path).is_forwarded);
    }
    browser
}

/// Two isolates at one location and two elsewhere, none of which remembers anything.
pub(crate) fn everywhere(world: &World) -> Vec<Site<'_>> {
    [0, 0, 1, 2].map(|location| world.isolate_at(location)).to_vec()
}

/// Serves the requests in turn at the sites, all at once and with everything they leave to be done, in the order that
/// the seed draws.
pub(crate) fn crowd(world: &World, sites: &[Site<'_>], requests: &[Request], seed: u64) -> Vec<Received> {
    world.pauses.set(true);
    let tasks = requests.iter().zip(sites.iter().cycle());
    let tasks = tasks.map(|(request, site)| Box::pin(site.serving_with_background(request)) as Task<'_, Received>);
    let received = explored(tasks.collect(), seed);
    world.pauses.set(false);
    world.finish_background();
    received
}

/// Serves the requests at one site, a step of each in turn.
pub(crate) fn in_turns(world: &World, site: &Site<'_>, requests: &[Request]) -> Vec<Received> {
    world.pauses.set(true);
    let received = all_at_once(requests.iter().map(|request| Box::pin(site.serving(request)) as Task<'_, _>).collect());
    world.pauses.set(false);
    received
}

/// So many calls of the addresses, one after the other.
pub(crate) fn calls(browser: &Browser<'_>, paths: &[&str], count: usize) -> Vec<Request> {
    paths.iter().cycle().take(count).map(|path| browser.script("GET", path)).collect()
}

/// The bearers with which an address was called since `first`, each once.
pub(crate) fn bearers(world: &World, first: usize, part: &str) -> Vec<String> {
    let arrivals = world.downstream.arrivals();
    let found = arrivals[first..].iter().filter(|arrival| arrival.url.contains(part));
    let mut bearers: Vec<String> = found.map(|arrival| arrival.bearer().to_owned()).collect();
    bearers.sort();
    bearers.dedup();
    bearers
}

/// Serves the request, but not at once.
pub(crate) async fn later(site: Site<'_>, request: &Request, steps: u64) -> Received {
    for _ in 0..steps {
        Pause(true).await;
    }
    site.serving_with_background(request).await
}

/// Whether any isolate anywhere serves the browser, those that know nothing among them.
pub(crate) fn is_served<'w>(world: &'w World, sites: &[Site<'w>], browser: &Browser<'w>) -> bool {
    let unaware = [0, 2].map(|location| world.isolate_at(location));
    sites.iter().cloned().chain(unaware).any(|site| {
        let copy = browser.copy();
        copy.moves_to(&site);
        copy.is_signed_in()
    })
}

/// The copy of the only session's entry in Workers KV is the newest.
pub(crate) fn assert_copied(world: &World) {
    let keys = world.kv.keys("account/");
    let sessions = world.accounts.all_sessions();
    assert_eq!((keys.len(), sessions.len()), (1, 1));
    assert!(sessions[0].1.entry.as_deref() == Some(world.kv.value(&keys[0]).as_slice()), "an old copy came last");
}

/// Neither store holds anything of any account, and nobody is served.
pub(crate) fn assert_nothing_is_left(world: &World, ended: &[&Browser<'_>], what: &str) {
    assert_eq!((world.kv.keys("account/"), world.kv.keys("sid/")), (vec![], vec![]), "{what}");
    assert!(world.accounts.all_sessions().iter().all(|(_, session)| session.entry.is_none()), "{what}");
    for browser in ended {
        let replay = Browser::new(world);
        replay.jar.plant(crate::browser::SESSION, &browser.session().unwrap());
        assert!(!is_served(world, &[], &replay), "{what}");
    }
}
