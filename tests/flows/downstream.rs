//! The origin and the APIs: they record what reaches them, and answer or fail as told.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use vestibule::forwarding::ForwardPlan;
use vestibule::runtime::TransportFault;

use crate::request::{Received, Request};

/// What reached the origin or an API, after the plan was applied to the browser's request.
#[derive(Clone, Debug)]
pub(crate) struct Arrival {
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) plan: ForwardPlan,
}

#[derive(Default)]
pub(crate) struct Downstream {
    arrivals: RefCell<Vec<Arrival>>,
    pub(crate) fault: RefCell<Option<TransportFault>>,
    /// Headers of the next answers.
    pub(crate) answer_headers: RefCell<Vec<(String, String)>>,
    scripted: RefCell<VecDeque<Scripted>>,
    /// Access tokens that no API takes.
    pub(crate) refused: RefCell<Vec<String>>,
    discarded: Cell<usize>,
}

/// What the next request to an address that starts with `base` is answered.
struct Scripted {
    base: String,
    status: u16,
    headers: Vec<(String, String)>,
}

impl Arrival {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(candidate, _)| candidate == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn bearer(&self) -> &str {
        self.header("authorization").and_then(|value| value.strip_prefix("Bearer ")).unwrap()
    }
}

impl Downstream {
    pub(crate) fn receive(&self, request: &Request, plan: &ForwardPlan) -> Result<Received, TransportFault> {
        let mut headers: Vec<(String, String)> =
            request.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect();
        headers.retain(|(name, _)| !plan.remove.contains(name));
        for (name, value) in &plan.set {
            headers.retain(|(other, _)| other != name);
            headers.push((name.clone().into_owned(), value.clone()));
        }
        let arrival = Arrival {
            method: request.method.clone(),
            url: plan.destination.url().to_owned(),
            headers,
            plan: plan.clone(),
        };
        self.arrivals.borrow_mut().push(arrival);
        match *self.fault.borrow() {
            Some(fault) => Err(fault),
            None => Ok(self.answer(plan)),
        }
    }

    /// The next request to an API gets this answer; further ones wait behind it.
    pub(crate) fn answer_next(&self, status: u16, headers: &[(&str, &str)]) {
        self.answer_next_at("https://", status, headers);
    }

    /// The next request to an address that starts with `base` gets this answer.
    pub(crate) fn answer_next_at(&self, base: &str, status: u16, headers: &[(&str, &str)]) {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.scripted.borrow_mut().push_back(Scripted { base: base.to_owned(), status, headers });
    }

    /// An answer that nobody will read.
    pub(crate) fn discard(&self, answer: &Received) {
        assert!(answer.is_forwarded, "an answer of our own: {answer:?}");
        self.discarded.set(self.discarded.get() + 1);
    }

    /// How many answers were discarded.
    pub(crate) fn discarded(&self) -> usize {
        self.discarded.get()
    }

    pub(crate) fn arrivals(&self) -> Vec<Arrival> {
        self.arrivals.borrow().clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.arrivals.borrow().len()
    }

    pub(crate) fn last(&self) -> Arrival {
        self.arrivals.borrow().last().expect("nothing arrived").clone()
    }

    /// The answer after the edits, as the edge makes them on native handles.
    fn answer(&self, plan: &ForwardPlan) -> Received {
        let (status, scripted) =
            self.refusal_of(plan).or_else(|| self.scripted_for(plan.destination.url())).unwrap_or((200, Vec::new()));
        let mut headers = [self.answer_headers.borrow().clone(), scripted].concat();
        if plan.answer.drop_cookies {
            headers.retain(|(name, _)| name != "set-cookie");
        }
        headers.retain(|(name, _)| !plan.answer.remove.iter().any(|removed| removed == name));
        for (name, value) in &plan.answer.set {
            headers.retain(|(other, _)| other != name || name == "vary");
            headers.push((name.clone().into_owned(), value.clone()));
        }
        let may_be_cached = plan.may_be_cached || headers.iter().any(|(name, _)| name == "cache-control");
        if !may_be_cached || plan.answer.force_no_store || !plan.answer.set_cookie.is_empty() {
            headers.retain(|(name, _)| name != "cache-control");
            headers.push(("cache-control".to_owned(), "no-store".to_owned()));
        }
        headers.extend(plan.answer.set_cookie.iter().map(|cookie| ("set-cookie".to_owned(), cookie.clone())));
        Received { status, headers, body: "downstream".to_owned(), is_forwarded: true }
    }

    fn refusal_of(&self, plan: &ForwardPlan) -> Option<(u16, Vec<(String, String)>)> {
        let refused = self.refused.borrow();
        let is_refused = |value: &str| refused.iter().any(|token| value.strip_prefix("Bearer ") == Some(token));
        let header = ("www-authenticate".to_owned(), r#"Bearer error="invalid_token""#.to_owned());
        plan.set.iter().any(|(_, value)| is_refused(value)).then(|| (401, vec![header]))
    }

    fn scripted_for(&self, url: &str) -> Option<(u16, Vec<(String, String)>)> {
        let mut scripted = self.scripted.borrow_mut();
        let next = scripted.iter().position(|scripted| url.starts_with(&scripted.base))?;
        scripted.remove(next).map(|scripted| (scripted.status, scripted.headers))
    }
}
