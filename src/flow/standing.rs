//! The fast path: plans that stand.
//!
//! What [`serve_at_once`](super::serve_at_once) plans follows from the method, the address, the few headers that decide
//! anything, and what this isolate remembers of one session at that second. Most requests of a browser have all of it in
//! common with the one before. So its plan is kept, and the next request with the same facts is passed on by it after the
//! questions that only the moment can answer: whether the session goes on, the entry is the same one, and nothing is due.
//!
//! Nothing is decided here that [`serve_at_once`](super::serve_at_once) would decide otherwise: the flow tests ask both of
//! every request.

use std::rc::Rc;

use super::Incoming;
use super::account::everybody;
use super::authenticate::SignedIn;
use crate::app::App;
use crate::config::Config;
use crate::forwarding::ForwardPlan;
use crate::memory::Asked;
use crate::request::{ANTI_FORGERY_HEADER, RequestHead, TRACE_HEADERS};
use crate::reserved_headers::{is_listed, is_reserved};
use crate::router::{Route, route};
use crate::rules::Rule;
use crate::runtime::Runtime;
use crate::session::entry::TokenCacheEntry;
use crate::session::session::Session;
use crate::time::Timestamp;

/// By what a plan stands, beside the request.
pub struct Standing {
    /// From when on it would be another plan.
    until: Timestamp,
    /// Whose request it is; none if it matters to nobody.
    user: Option<User>,
    /// How much of the request's URL the plan's ends with, in bytes.
    rest: usize,
}

/// A signed-in browser, as it was when the plan was made.
struct User {
    provider: String,
    session: Session,
    entry: Rc<TokenCacheEntry>,
}

/// What is kept of a plan in this isolate; the runtime keeps the plan itself.
pub struct StandingPlan {
    standing: Standing,
    /// Where in the URL of a request that begins which goes on unchanged.
    cut: usize,
}

/// A plan that was kept.
#[derive(Debug, PartialEq, Eq)]
pub struct Kept<'a> {
    /// Its place.
    pub place: usize,
    /// What the URL begins with.
    pub base: &'a str,
    /// Where that of a request begins to follow.
    pub cut: usize,
}

impl Standing {
    /// For a plan that nobody's session plays a part in.
    pub(super) const fn for_anybody(rest: usize) -> Self {
        Self { until: Timestamp::MAX, user: None, rest }
    }

    /// For a plan with the session of a browser, which also something else ends: at `until`. None where the moment says more
    /// than whether the session goes on.
    pub(super) fn for_user<R: Runtime>(
        incoming: &Incoming<'_, R>,
        rule: &Rule,
        SignedIn { session, entry }: &SignedIn,
        (until, rest): (Timestamp, usize),
    ) -> Option<Self> {
        // How long ago somebody signed in is another thing at every moment.
        if rule.step_up.is_some() {
            return None;
        }
        let provider = incoming.realm.provider.name.clone();
        let until = until.min(session.expires_at()).min(next_cookie(incoming, session));
        let user = User { provider, session: session.clone(), entry: Rc::clone(entry) };
        (incoming.now < until).then_some(Self { until, user: Some(user), rest })
    }

    fn holds(&self, app: &App, now: Timestamp) -> bool {
        now < self.until && self.user.as_ref().is_none_or(|user| user.goes_on(app, now))
    }
}

/// When the answer may have a new cookie for the session: only a page ever does.
fn next_cookie<R: Runtime>(incoming: &Incoming<'_, R>, session: &Session) -> Timestamp {
    if incoming.head.is_navigation() {
        session.may_be_rolled_after(&incoming.app.config.session)
    } else {
        Timestamp::MAX
    }
}

impl User {
    /// The questions of `authenticate::at_once`, but for the cookie: that is the same one.
    fn goes_on(&self, app: &App, now: Timestamp) -> bool {
        let Some(memory) = app.realm(&self.provider).map(|realm| &realm.memory) else { return false };
        let is_remembered = |entry: Rc<TokenCacheEntry>| Rc::ptr_eq(&entry, &self.entry);
        everybody::is_known_at(&app.config, &memory.everybody, now)
            && !memory.has_ended(&self.session)
            && memory.entry(self.session.id, now, app.config.session.recheck).is_some_and(is_remembered)
    }
}

/// The place of the plan that stands for a request: `method LF url LF (name LF value LF)*`, of the headers only those that
/// [`decides`] names.
pub fn standing(app: &App, now: Timestamp, text: &str) -> Option<usize> {
    let (url, asked) = asked(app, text)?;
    app.standing_plans.find(&asked, |plan| {
        url.get(plan.cut..).is_some_and(|rest| rest.starts_with('/')) && plan.standing.holds(app, now)
    })
}

/// Whether the plan in a place still stands. It is for whoever knows that the request is one of those it was kept for.
pub fn stands(app: &App, now: Timestamp, place: usize) -> bool {
    app.standing_plans.holds(place, |plan| plan.standing.holds(app, now))
}

/// Keeps a plan for requests like this one, described as for [`standing`].
pub fn keep<'p>(app: &App, text: &str, plan: &'p ForwardPlan, standing: Standing) -> Option<Kept<'p>> {
    let (url, asked) = asked(app, text)?;
    let cut = url.len().checked_sub(standing.rest)?;
    let base = plan.destination.url().strip_suffix(url.get(cut..)?)?;
    let place = app.standing_plans.keep(&asked, StandingPlan { standing, cut });
    Some(Kept { place, base, cut })
}

/// Whether nothing counts in this request that only its whole head tells: the headers that `Connection` names, and a trace,
/// which is another one each time.
pub(super) fn is_plain(head: &RequestHead<'_>) -> bool {
    let is_plain = |named: &str| ["close", "keep-alive"].iter().any(|plain| named.trim().eq_ignore_ascii_case(plain));
    head.header("connection").is_none_or(|connection| connection.split(',').all(is_plain))
        && TRACE_HEADERS.iter().all(|name| head.header(name).is_none())
}

/// Whether a request header can play a part in what is decided at once; `name` in lower case. Those that are missing here
/// are forwarded as they are or taken away, whatever they say.
#[must_use]
pub fn decides(config: &Config, name: &str) -> bool {
    DECISIVE.contains(&name) || TRACE_HEADERS.contains(&name) || is_reserved(name) || is_configured(config, name)
}

fn is_configured(config: &Config, name: &str) -> bool {
    let gateway = &config.gateway;
    let set = [&gateway.claim_headers, &gateway.rewriting.request_headers];
    let set = set.into_iter().chain(config.apis.iter().map(|api| &api.extra_headers)).flatten().map(|(name, _)| name);
    set.chain(&gateway.rewriting.remove_request_headers).any(|listed| is_listed(name, &[listed], &[]))
}

/// The URL, and what else the request is kept by. None where something counts that is not in it.
fn asked<'a>(app: &App, text: &'a str) -> Option<(&'a str, Asked<'a>)> {
    let (method, after) = text.split_once('\n')?;
    let (url, facts) = after.split_once('\n')?;
    if facts.len() > LONGEST_FACTS {
        return None;
    }
    let head = RequestHead::without_headers(method, url).ok()?;
    let route = route(&app.config, &head);
    let api = if let Route::Api(api, ..) = route { address(api) } else { 0 };
    let route = (api, address(route.rule()?));
    // What follows is not sent.
    if url.contains('#') {
        return None;
    }
    let origin = url.get(..url.find(':')? + "://".len() + head.host.len())?;
    Some((url, Asked { method, origin, route, facts }))
}

/// What is told apart by where it lies: the configuration does not move.
fn address<T>(part: &T) -> usize {
    std::ptr::from_ref(part).addr()
}

/// In bytes. What browsers send by themselves is a fraction of it; strangers must not fill the memory with cookies.
const LONGEST_FACTS: usize = 8 * 1024;

const DECISIVE: &[&str] = &[
    "accept",
    "accept-encoding",
    "access-control-request-method",
    "cf-connecting-ip",
    "connection",
    "cookie",
    "origin",
    "sec-fetch-dest",
    "sec-fetch-mode",
    "sec-fetch-site",
    "sec-purpose",
    "upgrade",
    ANTI_FORGERY_HEADER,
    "x-requested-with",
];
