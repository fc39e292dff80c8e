//! Plans that stand: every request of every test is asked both ways, and the plan that stands for it must be the one that
//! would be made anew.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use serde_json::json;
use vestibule::app::App;
use vestibule::flow::{self, AtOnce};
use vestibule::forwarding::{Destination, ForwardPlan};
use vestibule::request::RequestHead;
use vestibule::runtime::Runtime;

use crate::browser::{Browser, absolute};
use crate::op::{ADA, BOB};
use crate::operator::{OPERATOR, asked};
use crate::request::Request;
use crate::site::Site;
use crate::told::told;
use crate::world::World;

/// What the runtimes of all isolates keep.
#[derive(Default)]
pub(crate) struct Standing {
    plans: RefCell<HashMap<(*const App, usize), Rc<KeptPlan>>>,
    /// In which place, and by which plan, a request has been passed on that was told so.
    before: RefCell<HashMap<Asked, (usize, Rc<KeptPlan>)>>,
    /// How many requests were found to have a plan or a refusal that stands.
    pub(crate) found: Cell<usize>,
}

/// The isolate, and what is told.
pub(crate) type Asked = (*const App, String);

struct KeptPlan {
    plan: ForwardPlan,
    base: String,
    cut: usize,
}

impl Site<'_> {
    /// Plans at once, and compares that with what stands.
    pub(crate) fn planned(&self, request: &Request, head: &RequestHead<'_>) -> Option<ForwardPlan> {
        let asked = self.asked(request);
        let (isolate, text) = &asked;
        let place = flow::standing(&self.isolate, self.now(), text);
        let standing = place.map(|place| self.stood(place, request));
        let planned = flow::serve_at_once(&self.isolate, self, head);
        self.assert_found_again(&asked, place);
        if let Some(standing) = standing {
            let anew = planned.as_ref().map(|AtOnce { plan, .. }| plan);
            assert_eq!(Some(&standing), anew, "this plan does not stand: {request:?}");
            self.world.standing.found.update(|found| found + 1);
        }
        let AtOnce { plan, standing } = planned?;
        if let Some(standing) = standing {
            self.assert_facts_decide(text, &plan);
            if let Some(kept) = flow::keep(&self.isolate, text, &plan, standing) {
                let kept_plan = KeptPlan { plan: plan.clone(), base: kept.base.to_owned(), cut: kept.cut };
                self.world.standing.plans.borrow_mut().insert((*isolate, kept.place), Rc::new(kept_plan));
            }
        }
        Some(plan)
    }

    /// What stands is looked up by.
    pub(crate) fn asked(&self, request: &Request) -> Asked {
        (Rc::as_ptr(&self.isolate), told(&self.isolate.config, &request.text()))
    }

    fn kept(&self, place: usize) -> Rc<KeptPlan> {
        Rc::clone(&self.world.standing.plans.borrow()[&(Rc::as_ptr(&self.isolate), place)])
    }

    fn stood(&self, place: usize, request: &Request) -> ForwardPlan {
        let kept = self.kept(place);
        let KeptPlan { plan, base, cut } = &*kept;
        let moved = format!("{base}{}", &request.url[*cut..]);
        let destination = match &plan.destination {
            Destination::Url(_) => Destination::Url(moved),
            Destination::Service { name, .. } => Destination::Service { name: name.clone(), url: moved },
        };
        ForwardPlan { destination, ..plan.clone() }
    }

    /// Whoever was passed on by the plan that is kept in a place still, told in the same letters, need only ask whether it stands.
    fn assert_found_again(&self, asked: &Asked, place: Option<usize>) {
        let mut before = self.world.standing.before.borrow_mut();
        if let Some(&(known, _)) = before.get(asked).filter(|(place, kept)| Rc::ptr_eq(&self.kept(*place), kept)) {
            let stands = flow::stands(&self.isolate, self.now(), known);
            assert_eq!(stands.then_some(known), place, "another plan stands than before: {asked:?}");
        }
        if let Some(place) = place {
            before.insert(asked.clone(), (place, self.kept(place)));
        }
    }

    /// The headers that decide nothing decide nothing.
    fn assert_facts_decide(&self, text: &str, plan: &ForwardPlan) {
        let told = flow::serve_at_once(&self.isolate, self, &RequestHead::parse(text).unwrap());
        assert_eq!(told.map(|told| told.plan).as_ref(), Some(plan), "not all that decides is told: {text:?}");
    }
}

/// How many of these calls found a plan or a refusal that stands.
pub(crate) fn found(world: &World, calls: impl FnOnce()) -> usize {
    let before = world.standing.found.get();
    calls();
    world.standing.found.get() - before
}

#[test]
fn what_comes_again_is_passed_on_by_the_plan_that_stands() {
    let world = World::new();
    let browser = Browser::signed_in(&world, &ADA);
    let path = "/api/Orders/1";
    // The first call gets the token, the second makes the plan.
    browser.fetch(path);
    browser.fetch(path);
    let again = || browser.fetch("/api/Orders/2?x=1");
    assert_eq!(found(&world, || drop((browser.fetch(path), again()))), 2);
    // Another method, another API, another header that decides, a page.
    assert_eq!(found(&world, || drop((browser.post(path), browser.fetch("/api/Billing/1"), browser.visit("/")))), 0);
    let foreign = Request::script("GET", &absolute(path)).with("x-forwarded-user", "root");
    assert_eq!(found(&world, || drop(browser.send(foreign))), 0);
    // A header that decides nothing.
    let other = Request::script("GET", &absolute(path)).with("x-page", "2");
    assert_eq!(found(&world, || drop(browser.send(other))), 1);
}

#[test]
fn a_plan_stands_no_longer_than_what_it_was_made_by() {
    let world = World::new();
    let browser = Browser::signed_in(&world, &ADA);
    let call = || drop(browser.fetch("/api/Orders/1"));
    let stands = || found(&world, call) == 1;
    let comes_to_stand = || !stands() && [(); 2].map(|()| stands())[1];
    assert!(comes_to_stand());
    // What the isolate remembers is to be read again after a minute, and the token to be renewed after less than an hour.
    world.advance(61);
    assert!(comes_to_stand());
    world.advance(3300);
    assert!(comes_to_stand());
    // A sign-out in another window.
    let other = browser.copy();
    other.post("/.auth/logout");
    assert!(!stands());
    assert_eq!(browser.fetch("/api/Orders/1").status, 401);
}

#[test]
fn a_page_is_passed_on_by_its_plan_until_it_may_bring_a_new_cookie() {
    let world = World::new();
    let browser = Browser::signed_in(&world, &ADA);
    let idle = 3600;
    let open = || {
        let page = browser.visit("/");
        assert_eq!(page.status, 200);
        page.headers.iter().any(|(name, _)| name == "set-cookie")
    };
    open();
    assert_eq!(found(&world, || assert!(!open())), 1);
    // What the isolate remembers is read again after a minute, and planned after that.
    world.advance(idle / 2 - 2);
    open();
    open();
    assert_eq!(found(&world, || assert!(!open())), 1);
    world.advance(3);
    assert_eq!(found(&world, || assert!(open())), 0);
    open();
    assert_eq!(found(&world, || assert!(!open())), 1);
}

#[test]
fn a_plan_for_everybody_stands_for_everybody() {
    let world = World::with(&json!({ "Gateway": { "Routes": [{ "Path": "/public/**", "Access": "Anonymous" }] } }));
    let browser = Browser::new(&world);
    let visit = || drop(browser.fetch("/public/a"));
    visit();
    assert_eq!(found(&world, visit), 1);
    world.advance(100_000);
    assert_eq!(found(&world, visit), 1);
}

#[test]
fn no_plan_is_kept_for_a_request_that_would_fill_the_memory() {
    let world = World::with(&json!({ "Gateway": { "Routes": [{ "Path": "/public/**", "Access": "Anonymous" }] } }));
    let browser = Browser::new(&world);
    let visit = |cookies: usize| {
        let cookie = format!("others={}", "x".repeat(cookies));
        drop(browser.send(Request::script("GET", &absolute("/public/a")).with("cookie", &cookie)));
    };
    visit(7_000);
    assert_eq!(found(&world, || visit(7_000)), 1);
    visit(9_000);
    assert_eq!(found(&world, || visit(9_000)), 0);
}

#[test]
fn a_sign_out_of_the_account_ends_the_plans_of_its_other_sessions() {
    let world = World::new();
    let (laptop, phone) = (Browser::signed_in(&world, &ADA), Browser::signed_in(&world, &ADA));
    let stands = || found(&world, || drop(laptop.fetch("/api/Orders/1"))) == 1;
    assert!([(); 3].map(|()| stands())[2]);
    phone.post("/.auth/logout");
    assert!(!stands());
    assert_eq!(laptop.fetch("/api/Orders/1").status, 401);
}

/// By one comparison, before what is stored of each session is gone.
#[test]
fn the_operators_moment_ends_every_plan() {
    let world = World::with(&json!({ "Operator__Key": OPERATOR }));
    world.kv.page.set(Some(1));
    let all = [&ADA, &BOB].map(|user| Browser::signed_in(&world, user));
    let stands = |browser: &Browser<'_>| found(&world, || drop(browser.fetch("/api/Orders/1"))) == 1;
    assert!(all.iter().all(|browser| [(); 3].map(|()| stands(browser))[2]));
    assert_eq!(asked(&world, &[("everybody", "true")]).status, 200);
    assert!(!all.iter().any(stands));
}

/// Where memory is trusted for longer than a token lives, only its own time ends the plan.
#[test]
fn a_plan_stands_no_longer_than_its_token_or_its_session() {
    let apis = json!({ "Open": { "BaseUrl": "https://open.example", "Anonymous": true } });
    let world = World::with(&json!({ "Session": { "RevocationDelay": 300 }, "DownstreamApis": apis }));
    let browser = Browser::signed_in(&world, &ADA);
    let stands = |path: &str| found(&world, || drop(browser.fetch(path))) == 1;
    // Here the token is got.
    assert!(!stands("/api/Orders/1"));
    world.advance(3200);
    for path in ["/api/Orders/1", "/api/Open/1"] {
        assert!(!stands(path));
        assert!(stands(path) || stands(path));
    }
    // The token is due, and the entry is another one afterwards.
    world.advance(120);
    assert!(!stands("/api/Orders/1"));
    assert!([(); 3].map(|()| stands("/api/Open/1"))[2]);
    // The session is over.
    world.advance(290);
    assert!(!stands("/api/Open/1"));
    assert_eq!(browser.fetch("/api/Open/1").status, 401);
}

/// What the operator adds to a query is no part of what the next request brings.
#[test]
fn nothing_stands_where_the_query_is_another_one() {
    let open = json!({ "BaseUrl": "https://open.example", "Anonymous": true, "ExtraQueryParameters": { "v": "1" } });
    let world = World::with(&json!({ "DownstreamApis": { "Open": open } }));
    let browser = Browser::signed_in(&world, &ADA);
    for path in ["/api/Open/1?v=1", "/api/Open/1?v=1", "/api/Open/1?a=b"] {
        assert_eq!(found(&world, || drop(browser.fetch(path))), 0);
    }
    assert_eq!(world.downstream.last().url, "https://open.example/1?a=b&v=1");
}

#[test]
fn nothing_stands_that_more_than_what_is_told_decides() {
    let world = World::new();
    let browser = Browser::signed_in(&world, &ADA);
    let call = || Request::script("GET", &absolute("/api/Orders/1"));
    let stands = |request: Request| found(&world, || drop(browser.send(request))) == 1;
    assert!(!stands(call()) && !stands(call()) && stands(call()));
    let named = || call().with("connection", "x-private");
    assert!(!stands(named()) && !stands(named()) && !stands(named().with("x-private", "1")));
    let traced = || call().with("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    assert!(!stands(traced()) && !stands(traced()));
}

/// What is open to everybody, and more of the `Gateway` section.
fn open(mut gateway: serde_json::Value) -> World {
    gateway["Routes"] = json!([{ "Path": "/**", "Access": "Anonymous" }]);
    World::with(&json!({ "Gateway": gateway }))
}

/// That the last of these requests finds no plan, though the one before it would.
fn assert_another(world: &World, urls: [&str; 2]) {
    let browser = Browser::new(world);
    let send = |url: &str| assert_eq!(browser.send(Request::script("GET", url)).status, 200, "{url}");
    let [usual, other] = urls;
    send(usual);
    assert_eq!(found(world, || send(usual)), 1, "{usual}");
    assert_eq!(found(world, || send(other)), 0, "{other}");
}

#[test]
fn a_plan_stands_for_addresses_that_go_on_in_the_same_way() {
    assert_another(&open(json!({})), ["https://app.example/a", "https://app.example/a#b"]);
    let prefixed = open(json!({ "StripPathPrefix": "/app" }));
    assert_another(&prefixed, ["https://app.example/app/a", "https://app.example/app?a"]);
    let alternate = open(json!({ "AlternateOrigins": ["https://www.example"] }));
    assert_another(&alternate, ["https://app.example/a", "https://www.example/a"]);
}

#[test]
fn nothing_stands_by_how_long_ago_somebody_signed_in() {
    let routes = json!([{ "Path": "/recent/**", "MaxAgeSeconds": 300 }]);
    let world = World::with(&json!({ "Gateway": { "Routes": routes } }));
    *world.op.claims.borrow_mut() = json!({ "auth_time": world.time() });
    let browser = Browser::signed_in(&world, &ADA);
    for _ in 0..3 {
        assert_eq!(found(&world, || assert_eq!(browser.fetch("/recent/a").status, 200)), 0);
    }
}

/// An entry can be younger than the operator's moment.
#[test]
fn nothing_stands_while_the_operators_moment_is_to_be_asked_for() {
    let world = World::with(&json!({ "Operator__Key": OPERATOR }));
    Browser::signed_in(&world, &ADA).fetch("/page");
    world.advance(8);
    let browser = Browser::signed_in(&world, &BOB);
    let stands = || found(&world, || drop(browser.fetch("/page"))) == 1;
    assert!([(); 3].map(|()| stands())[2]);
    world.advance(3);
    assert!(!stands());
}
