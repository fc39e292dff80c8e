//! Plans that stand: every request of every test is asked both ways, and the plan that stands for it must be the one that
//! would be made anew.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use vestibule::app::App;
use vestibule::flow::{self, AtOnce};
use vestibule::forwarding::{Destination, ForwardPlan};
use vestibule::request::RequestHead;
use vestibule::runtime::Runtime;

use crate::request::Request;
use crate::site::Site;

/// What the runtimes of all isolates keep.
#[derive(Default)]
pub(crate) struct Standing {
    plans: RefCell<HashMap<(*const App, usize), KeptPlan>>,
    /// How many requests were found to have a plan that stands.
    pub(crate) found: Cell<usize>,
}

struct KeptPlan {
    plan: ForwardPlan,
    base: String,
    cut: usize,
}

impl Site<'_> {
    /// Plans at once, and compares that with what stands.
    pub(crate) fn planned(&self, request: &Request, head: &RequestHead<'_>) -> Option<ForwardPlan> {
        let text = self.told(request);
        let standing = flow::standing(&self.isolate, self.now(), &text).map(|place| self.stood(place, request));
        let planned = flow::serve_at_once(&self.isolate, self, head);
        if let Some(standing) = standing {
            let anew = planned.as_ref().map(|AtOnce { plan, .. }| plan);
            assert_eq!(Some(&standing), anew, "this plan does not stand: {request:?}");
            self.world.standing.found.update(|found| found + 1);
        }
        let AtOnce { plan, standing } = planned?;
        if let Some(standing) = standing {
            self.assert_facts_decide(&text, &plan);
            if let Some(kept) = flow::keep(&self.isolate, &text, &plan, standing) {
                let kept_plan = KeptPlan { plan: plan.clone(), base: kept.base.to_owned(), cut: kept.cut };
                self.world.standing.plans.borrow_mut().insert((Rc::as_ptr(&self.isolate), kept.place), kept_plan);
            }
        }
        Some(plan)
    }

    /// The request as the runtime tells it for what stands: without headers that decide nothing.
    fn told(&self, request: &Request) -> String {
        let text = request.text();
        let mut lines = text.split('\n');
        let mut told: String = lines.by_ref().take(2).flat_map(|line| [line, "\n"]).collect();
        while let (Some(name), Some(value)) = (lines.next(), lines.next()) {
            if flow::decides(&self.isolate.config, name) {
                told.push_str(&format!("{name}\n{value}\n"));
            }
        }
        told
    }

    fn stood(&self, place: usize, request: &Request) -> ForwardPlan {
        let plans = self.world.standing.plans.borrow();
        let KeptPlan { plan, base, cut } = &plans[&(Rc::as_ptr(&self.isolate), place)];
        let moved = format!("{base}{}", &request.url[*cut..]);
        let destination = match &plan.destination {
            Destination::Url(_) => Destination::Url(moved),
            Destination::Service { name, .. } => Destination::Service { name: name.clone(), url: moved },
        };
        ForwardPlan { destination, ..plan.clone() }
    }

    /// The headers that decide nothing decide nothing.
    fn assert_facts_decide(&self, text: &str, plan: &ForwardPlan) {
        let told = flow::serve_at_once(&self.isolate, self, &RequestHead::parse(text).unwrap());
        assert_eq!(told.map(|told| told.plan).as_ref(), Some(plan), "not all that decides is told: {text:?}");
    }
}
