//! What the tests of API calls have in common.

use crate::browser::Browser;
use crate::deployment::PUBLIC;
use crate::op::EndUser;
use crate::request::{Received, Request};
use crate::world::World;

/// The access token of the last request that arrived.
pub(crate) fn bearer(world: &World) -> String {
    world.downstream.last().bearer().to_owned()
}

/// Every access token that arrived at addresses that start with `base`.
pub(crate) fn bearers(world: &World, base: &str) -> Vec<String> {
    let arrivals = world.downstream.arrivals().into_iter();
    arrivals.filter(|arrival| arrival.url.starts_with(base)).map(|arrival| arrival.bearer().to_owned()).collect()
}

/// The API answered, and well.
pub(crate) fn served(received: &Received) {
    assert_eq!((received.status, received.is_forwarded), (200, true), "{received:?}");
}

/// A value of a form or query that must be there.
pub(crate) fn value<'a>(pairs: &'a [(String, String)], name: &str) -> &'a str {
    optional(pairs, name).unwrap_or_else(|| panic!("no {name} in {pairs:?}"))
}

pub(crate) fn optional<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

/// The scopes of a form or query, without those of every sign-in, in order of the alphabet.
pub(crate) fn scopes(pairs: &[(String, String)]) -> Vec<&str> {
    let mut scopes: Vec<&str> = value(pairs, "scope").split(' ').collect();
    scopes.retain(|scope| !["openid", "profile", "offline_access"].contains(scope));
    scopes.sort_unstable();
    scopes
}

/// The address of the sign-in that a script is told of, as a path.
pub(crate) fn login_url(received: &Received) -> String {
    assert_eq!(received.problem(), (401, "interaction_required".to_owned()));
    let url = received.json()["login_url"].as_str().expect("no login_url").to_owned();
    url.strip_prefix(PUBLIC).expect("a login elsewhere").to_owned()
}

impl Browser<'_> {
    /// Asks for an address that leads to the OP, where `user` agrees, and returns the answer to the callback.
    pub(crate) fn interact(&self, path: &str, user: &EndUser) -> Received {
        let redirect = self.follow(path);
        assert_eq!(redirect.status, 302, "{redirect:?}");
        self.come_back(&self.world.op.authorize(redirect.location(), user))
    }

    /// The same, to where the browser is sent back to.
    pub(crate) fn interact_and_return(&self, path: &str, user: &EndUser) -> Received {
        let returned = self.interact(path, user);
        self.land(&returned)
    }

    /// Follows the answer to a callback as browsers do: a redirect is still a step that the OP began, what a page of
    /// ours leads to is not.
    pub(crate) fn land(&self, returned: &Received) -> Received {
        let request = match returned.header("refresh") {
            Some(refresh) => Request::navigation("GET", refresh.strip_prefix("0; url=").unwrap(), "same-origin"),
            None => Request::navigation("GET", returned.location(), "cross-site"),
        };
        self.send(request)
    }
}
