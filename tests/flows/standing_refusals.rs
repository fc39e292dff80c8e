//! Refusals that stand: whatever a request is answered that is told in the same letters as a refused one, it must be that
//! refusal, but for the trace.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::{Rc, Weak};

use vestibule::answer::Answer;
use vestibule::app::App;
use vestibule::flow::{self, RefusedAtOnce, StandingRefusal};
use vestibule::request::RequestHead;

use crate::browser::{Browser, absolute};
use crate::deployment::{environment, with_metrics};
use crate::op::ADA;
use crate::request::Request;
use crate::site::Site;
use crate::standing::{Asked, found};
use crate::world::World;

/// What the runtimes of all isolates keep.
#[derive(Default)]
pub(crate) struct Refusals {
    kept: RefCell<HashMap<AskedFrom, Refusal>>,
}

/// Also by the `Referer`.
type AskedFrom = (Asked, Option<String>);

/// Without its trace.
struct Refusal {
    answer: Answer,
    line: String,
    /// Keeps the address of the isolate from being used for another one.
    _isolate: Weak<App>,
}

impl Site<'_> {
    /// Refuses at once, and compares that with what stands.
    pub(crate) fn refused_at_once(&self, request: &Request, head: &RequestHead<'_>) -> Option<Answer> {
        let refused = flow::refuse_at_once(&self.isolate, self, head);
        let asked = self.asked_from(request, head);
        let before = self.world.refusals.kept.borrow_mut().remove(&asked);
        let Some(RefusedAtOnce { answer, standing }) = refused else {
            assert!(before.is_none(), "this refusal does not stand: {request:?}");
            return None;
        };
        if let Some(standing) = standing {
            let refusal = self.without_trace(&answer, &standing);
            if let Some(before) = before {
                assert_same(&before, &refusal);
                self.world.standing.found.update(|found| found + 1);
            }
            self.assert_told_is_enough(&asked, &refusal);
            self.world.refusals.kept.borrow_mut().insert(asked, refusal);
        }
        Some(answer)
    }

    /// A request that is passed on was never refused in the same letters.
    pub(crate) fn assert_never_refused(&self, request: &Request, head: &RequestHead<'_>) {
        let was_refused = self.world.refusals.kept.borrow().contains_key(&self.asked_from(request, head));
        assert!(!was_refused, "this refusal does not stand: {request:?}");
    }

    fn asked_from(&self, request: &Request, head: &RequestHead<'_>) -> AskedFrom {
        (self.asked(request), head.header("referer").map(str::to_owned))
    }

    fn without_trace(&self, answer: &Answer, StandingRefusal { trace, line }: &StandingRefusal) -> Refusal {
        let answer = Answer { body: answer.body.replace(trace, "…"), ..answer.clone() };
        Refusal { answer, line: line.replace(trace, "…"), _isolate: Rc::downgrade(&self.isolate) }
    }

    /// The headers that decide nothing decide nothing.
    fn assert_told_is_enough(&self, ((_, told), referer): &AskedFrom, refusal: &Refusal) {
        let referer = referer.as_ref().map(|referer| format!("referer\n{referer}\n"));
        let text = format!("{told}{}", referer.unwrap_or_default());
        let head = RequestHead::parse(&text).unwrap();
        let refused = self.world.without_trace(|| flow::refuse_at_once(&self.isolate, self, &head)).unwrap();
        assert_same(&self.without_trace(&refused.answer, &refused.standing.unwrap()), refusal);
    }
}

fn assert_same(one: &Refusal, other: &Refusal) {
    assert_eq!((&one.answer, &one.line), (&other.answer, &other.line));
}

#[test]
fn a_refusal_of_who_sends_no_session_stands_for_all_who_send_none() {
    let world = World::new();
    let (browser, path) = (Browser::new(&world), "/api/Orders/1");
    let fetch = || assert_eq!(browser.fetch(path).status, 401);
    fetch();
    assert_eq!(found(&world, fetch), 1);
    let from =
        |page: &str| drop(browser.send(Request::script("GET", &absolute(path)).with("referer", &absolute(page))));
    from("/a");
    assert_eq!(found(&world, || from("/b")), 0, "another page to come back to");
    assert_eq!(found(&world, || from("/a")), 1);
    let signed_in = Browser::signed_in(&world, &ADA);
    assert_eq!(signed_in.fetch(path).status, 200);
}

#[test]
fn a_trace_that_a_client_chose_is_told_to_nobody_else() {
    let world = World::new();
    let browser = Browser::new(&world);
    let with = |ray: &str| drop(browser.send(Request::script("GET", &absolute("/api/Orders/1")).with("cf-ray", ray)));
    for poison in ["e", "urn", "401", "trace"] {
        with(poison);
        assert_eq!(found(&world, || with("8f2a3b4c5d6e7f81-FRA")), 0, "{poison}");
        assert_eq!(found(&world, || with("8f2a3b4c5d6e7f82-FRA")), 1);
        world.refusals.kept.borrow_mut().clear();
    }
}

#[test]
fn a_refusal_that_is_counted_is_counted_each_time() {
    let world = World::of(with_metrics(environment()));
    let browser = Browser::new(&world);
    browser.fetch("/api/Orders/1");
    assert_eq!(found(&world, || drop(browser.fetch("/api/Orders/1"))), 0);
}
