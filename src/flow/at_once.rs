//! What is decided without waiting, from this isolate's memory alone. Whatever this leaves open, [`serve`](super::serve)
//! decides, and wherever both decide, they decide alike: the flow tests ask both of every request.

use super::incoming::{Incoming, trace};
use super::standing::{self, Standing};
use super::{authenticate, call, cors, forward, log, refusal};
use crate::answer::Answer;
use crate::app::App;
use crate::error::Error;
use crate::forwarding::ForwardPlan;
use crate::request::RequestHead;
use crate::router::{Route, route};
use crate::rules::Access;
use crate::runtime::Runtime;

/// What is decided at once.
pub struct AtOnce {
    /// The plan.
    pub plan: ForwardPlan,
    /// By what it stands for requests to come; none if it is for this one alone.
    pub standing: Option<Standing>,
}

/// What is refused at once.
pub struct RefusedAtOnce {
    /// The answer.
    pub answer: Answer,
    /// What else to know of it for requests that come again; none if it is for this one alone.
    pub standing: Option<StandingRefusal>,
}

/// A refusal of whoever sends no session stands for ever, for requests that [`decides`](super::decides) lets be told in the
/// same letters and that have the same `Referer`. Only the trace is another one for each.
pub struct StandingRefusal {
    /// The trace, which stands once in the answer's body and once in the line.
    pub trace: String,
    /// What was logged.
    pub line: String,
}

/// Decides without waiting: the plan for a request that has everything it needs in this isolate's memory.
///
/// `None` says nothing about the request, only that [`serve`](super::serve) must look at it.
pub fn serve_at_once<R: Runtime>(app: &App, runtime: &R, head: &RequestHead<'_>) -> Option<AtOnce> {
    // A WebSocket is carried for its session, and what is decided at once knows no such thing; a preflight is answered here.
    if head.is_websocket() || head.preflight().is_some() {
        return None;
    }
    let route = route(&app.config, head);
    let incoming = Incoming::new(app, route, runtime, head, String::new());
    let decided = if let Route::Api(api, target, rule) = route {
        call::at_once(&incoming, (api, target, rule))
    } else if let Route::Origin(rule) = route {
        forward::at_once(&incoming, rule)
    } else {
        None
    };
    decided.map(|AtOnce { plan, standing }| AtOnce {
        plan: ForwardPlan { measure: log::served(&incoming, "at_once"), ..plan },
        standing: standing.filter(|_| standing::is_plain(head)),
    })
}

/// Refuses without waiting: whoever needs a session and sends none, unless it is a page that is to be led to the sign-in.
///
/// `None` says nothing about the request, only that [`serve`](super::serve) must look at it.
pub fn refuse_at_once<R: Runtime>(app: &App, runtime: &R, head: &RequestHead<'_>) -> Option<RefusedAtOnce> {
    let (route, error) = (route(&app.config, head), Error::LoginRequired);
    let needs_session = route.rule().is_some_and(|rule| matches!(rule.access, Access::Api | Access::Login));
    if !needs_session || head.preflight().is_some() || refusal::wants_login(head, route, &error) {
        return None;
    }
    let incoming = Incoming::new(app, route, runtime, head, trace(runtime, head));
    if authenticate::has_cookie(&incoming) {
        return None;
    }
    let line = incoming.refused(&error);
    let answer = cors::on_answer(head, route, refusal::shown(&incoming, &error));
    let standing = StandingRefusal { trace: incoming.context.trace, line };
    // What is counted is counted each time.
    let is_kept = standing::is_plain(head) && !app.config.has_metrics && standing.tells_the_trace_once(&answer);
    Some(RefusedAtOnce { answer, standing: Some(standing).filter(|_| is_kept) })
}

impl StandingRefusal {
    /// Outside of Cloudflare a client chooses its trace, which must not stand where the next one's does not belong.
    fn tells_the_trace_once(&self, answer: &Answer) -> bool {
        [&self.line, &answer.body].iter().all(|text| text.matches(&self.trace).count() == 1)
    }
}
