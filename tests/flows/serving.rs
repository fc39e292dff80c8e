//! Serving: from a request's head to what the browser receives, by the code's two ways.
//!
//! What can be decided at once is decided a second time, with waiting, and the two must agree. With
//! [`World::forwards_at_once`] it is forwarded straight away instead, as the Worker's own edge does it.

use vestibule::flow::{self, Reply};
use vestibule::forwarding::ForwardPlan;
use vestibule::request::RequestHead;
use vestibule::runtime::Runtime;

use crate::request::{Received, Request};
use crate::schedule::ended;
use crate::site::Site;
use crate::world::World;

impl World {
    /// Serves one request to its end, and then what is to be done after it.
    pub(crate) fn serve(&self, request: &Request) -> Received {
        self.site().serve(request)
    }

    pub(crate) async fn serving(&self, request: &Request) -> Received {
        self.site().serving(request).await
    }
}

impl Site<'_> {
    /// Serves one request to its end, and then what is to be done after it.
    pub(crate) fn serve(&self, request: &Request) -> Received {
        let received = ended(self.serving(request));
        self.world.finish_background();
        received
    }

    pub(crate) async fn serving(&self, request: &Request) -> Received {
        let site = Site::new(self.world, self.isolate.clone(), self.location());
        self.world.emitted.note_presented(request);
        let text = request.text();
        let received = match RequestHead::parse(&text) {
            Err(fault) => Received::from_answer(flow::refuse_head(&site, fault)),
            Ok(head) => site.respond(request, &head).await,
        };
        self.world.emitted.to_browser(&received);
        received
    }

    /// The same, and then everything that waits to be done.
    pub(crate) async fn serving_with_background(&self, request: &Request) -> Received {
        let received = self.serving(request).await;
        self.world.serving_background().await;
        received
    }

    async fn respond(&self, request: &Request, head: &RequestHead<'_>) -> Received {
        self.is_planning.set(true);
        let planned = self.planned(request, head);
        self.is_planning.set(false);
        if planned.is_some() {
            self.assert_never_refused(request, head);
        }
        let downstream = &self.world.downstream;
        let arrived = downstream.count();
        match planned {
            Some(plan) if self.world.forwards_at_once.get() => self.forward_at_once(request, head, &plan).await,
            None => self.respond_unplanned(request, head).await,
            Some(plan) => {
                let received = received(flow::serve(&self.isolate, self, request, head).await);
                if !self.world.pauses.get() {
                    let made = downstream.count() - arrived;
                    assert!(
                        made == 1 || made > 1 && plan.reconsider.is_some(),
                        "planned, and {made} forwarded: {request:?}"
                    );
                    assert_same_plan(plan, downstream.arrivals()[arrived].plan.clone());
                }
                received
            }
        }
    }

    /// What is refused at once is refused alike with waiting, down to the reference to the log.
    async fn respond_unplanned(&self, request: &Request, head: &RequestHead<'_>) -> Received {
        if self.world.forwards_at_once.get() {
            let refused = self.refused_at_once(request, head);
            return match refused {
                Some(answer) => Received::from_answer(answer),
                None => received(flow::serve(&self.isolate, self, request, head).await),
            };
        }
        let refused = self.world.without_trace(|| self.refused_at_once(request, head));
        let received = received(flow::serve(&self.isolate, self, request, head).await);
        if let Some(refused) = refused.filter(|_| !self.world.pauses.get()) {
            assert_eq!(Received::from_answer(refused), received, "{request:?}");
        }
        received
    }

    async fn forward_at_once(&self, request: &Request, head: &RequestHead<'_>, plan: &ForwardPlan) -> Received {
        match self.forward(request, plan).await {
            Err(fault) => Received::from_answer(flow::forward_failed(&self.isolate, self, head, fault)),
            Ok(answer) => match plan.reconsider.filter(|_| matches!(answer.status, 401 | 429 | 503)) {
                Some(issued_at) => {
                    received(flow::reconsider(&self.isolate, self, request, head, answer, issued_at).await)
                }
                None => {
                    if let Some(point) = &plan.measure {
                        self.world.keep_point(&point.clone().answered(answer.status, 0));
                    }
                    answer
                }
            },
        }
    }
}

fn received(reply: Reply<Received>) -> Received {
    match reply {
        Reply::Answer(answer) => Received::from_answer(answer),
        Reply::Forwarded(received) => received,
    }
}

/// Only the seal of a rolled cookie may differ: its nonce is drawn anew.
fn assert_same_plan(mut at_once: ForwardPlan, mut awaited: ForwardPlan) {
    assert_eq!(at_once.answer.set_cookie.len(), awaited.answer.set_cookie.len());
    at_once.answer.set_cookie.clear();
    // What is not decided at once is counted by the flow.
    at_once.measure = None;
    awaited.answer.set_cookie.clear();
    assert_eq!(at_once, awaited);
}
