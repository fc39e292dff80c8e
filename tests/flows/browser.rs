//! A browser: keeps cookies, sends what browsers send, and carries people to the OpenID Provider and back.

use std::cell::RefCell;

use crate::deployment::PUBLIC;
use crate::jar::Jar;
use crate::op::EndUser;
use crate::request::{Received, Request};
use crate::site::Site;
use crate::world::World;

pub(crate) const SESSION: &str = "__Host-session";
pub(crate) const LOGOUT: &str = "__Host-logout";
pub(crate) const LOGIN: &str = "__Host-login-";

pub(crate) struct Browser<'w> {
    pub(crate) world: &'w World,
    pub(crate) jar: Jar,
    /// The isolate that serves it; the world's current one unless it has moved.
    site: RefCell<Option<Site<'w>>>,
}

impl<'w> Browser<'w> {
    pub(crate) fn new(world: &'w World) -> Self {
        Self { world, jar: Jar::default(), site: RefCell::default() }
    }

    /// A browser that `user` has signed in with.
    pub(crate) fn signed_in(world: &'w World, user: &EndUser) -> Self {
        let browser = Self::new(world);
        let landed = browser.sign_in("/", user);
        assert_eq!((landed.status, landed.is_forwarded), (200, true));
        browser
    }

    /// Another browser with a copy of the cookies of this one.
    pub(crate) fn copy(&self) -> Self {
        Self { world: self.world, jar: self.jar.clone(), site: self.site.clone() }
    }

    /// From now on that isolate serves this browser.
    pub(crate) fn moves_to(&self, site: &Site<'w>) {
        self.site.replace(Some(site.clone()));
    }

    /// The request with this browser's cookies.
    pub(crate) fn with_cookies(&self, request: Request) -> Request {
        match self.jar.header(self.world.time()) {
            Some(cookies) => request.with("cookie", &cookies),
            None => request,
        }
    }

    pub(crate) fn send(&self, request: Request) -> Received {
        let site = self.site.borrow().clone().unwrap_or_else(|| self.world.site());
        let received = site.serve(&self.with_cookies(request));
        self.receive(&received);
        received
    }

    /// Keeps the cookies of an answer.
    pub(crate) fn receive(&self, received: &Received) {
        for cookie in received.set_cookies() {
            assert_eq!(received.header("cache-control"), Some("no-store"), "a shared cache would keep {cookie}");
            self.jar.set(cookie, self.world.time());
        }
    }

    /// Types an address.
    pub(crate) fn visit(&self, path: &str) -> Received {
        self.send(Request::navigation("GET", &absolute(path), "none"))
    }

    /// Calls from a page of ours.
    pub(crate) fn fetch(&self, path: &str) -> Received {
        self.send(Request::script("GET", &absolute(path)))
    }

    pub(crate) fn post(&self, path: &str) -> Received {
        self.send(Request::script("POST", &absolute(path)))
    }

    /// Follows a link on a page of ours.
    pub(crate) fn follow(&self, path: &str) -> Received {
        self.send(Request::navigation("GET", &absolute(path), "same-origin"))
    }

    /// What a page of ours asks for, with this browser's cookies.
    pub(crate) fn script(&self, method: &str, path: &str) -> Request {
        self.with_cookies(Request::script(method, &absolute(path)))
    }

    /// Comes back from the OP.
    pub(crate) fn come_back(&self, url: &str) -> Received {
        self.send(Request::navigation("GET", url, "cross-site"))
    }

    /// The same as a script would: its error is a problem document.
    pub(crate) fn come_back_as_script(&self, url: &str) -> Received {
        self.send(Request::script("GET", url))
    }

    /// Asks for a page and is sent to the OP: the authorization request.
    pub(crate) fn begin(&self, path: &str) -> String {
        let redirect = self.visit(path);
        let own = format!("{PUBLIC}/");
        // The start page of an origin under a prefix lies there, too.
        let leads_on = redirect.status == 302 && redirect.location().starts_with(&own) && path == "/";
        let redirect = if leads_on { self.visit(redirect.location()) } else { redirect };
        assert_eq!(redirect.status, 302, "{redirect:?}");
        redirect.location().to_owned()
    }

    /// Asks for a page, signs in at the OP, and returns what comes of the callback's redirect.
    pub(crate) fn sign_in(&self, path: &str, user: &EndUser) -> Received {
        let request = self.begin(path);
        let callback = self.world.op.authorize(&request, user);
        let redirect = self.come_back(&callback);
        assert_eq!(redirect.status, 303, "{redirect:?}\n{:?}", self.world.log().last());
        self.send(Request::navigation("GET", redirect.location(), "cross-site"))
    }

    /// The path of the session cookie's value.
    pub(crate) fn session(&self) -> Option<String> {
        self.jar.get(SESSION)
    }

    /// Whether a page of the origin is shown to this browser.
    pub(crate) fn is_signed_in(&self) -> bool {
        let received = self.copy().fetch("/page");
        // Soon after a sign-in a miss in the store proves nothing: 503.
        assert!(received.is_forwarded || matches!(received.status, 401 | 503), "{received:?}");
        received.is_forwarded
    }
}

pub(crate) fn absolute(path: &str) -> String {
    if path.starts_with('/') { format!("{PUBLIC}{path}") } else { path.to_owned() }
}
