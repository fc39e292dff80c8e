//! A request and everything around it, as every flow sees it.

use std::ops::Deref;

use url::Url;

use super::{log, realm};
use crate::app::App;
use crate::error::Error;
use crate::oidc::user_flow::UserFlow;
use crate::realm::Realm;
use crate::request::{Method, RequestHead, TraceParent};
use crate::router::Route;
use crate::rules::Rule;
use crate::runtime::{OpRequest, OpResponse, Runtime, Task, TransportFault, Work};
use crate::time::Timestamp;

/// What every flow needs, whether a request or something else began it.
pub(in crate::flow) struct Context<'a, R> {
    pub(in crate::flow) app: &'a App,
    /// The realm that it is about.
    pub(in crate::flow) realm: &'a Realm,
    /// The user flow of its provider that it is about.
    pub(in crate::flow) user_flow: UserFlow,
    /// The origin that browsers see.
    pub(in crate::flow) public_origin: &'a Url,
    pub(in crate::flow) runtime: &'a R,
    pub(in crate::flow) now: Timestamp,
    /// Ties an answer to its log lines.
    pub(in crate::flow) trace: String,
    /// The trace of the client's own that the request is a part of.
    pub(in crate::flow) traceparent: Option<TraceParent<'a>>,
    /// The route rule that holds for the request.
    pub(in crate::flow) rule: Option<&'a Rule>,
}

/// One request and everything around it.
pub(in crate::flow) struct Incoming<'a, R> {
    pub(in crate::flow) context: Context<'a, R>,
    pub(in crate::flow) route: Route<'a>,
    pub(in crate::flow) head: &'a RequestHead<'a>,
}

impl<'a, R> Deref for Incoming<'a, R> {
    type Target = Context<'a, R>;

    fn deref(&self) -> &Context<'a, R> {
        &self.context
    }
}

impl<R: Runtime> Context<'_, R> {
    /// Sends a request to the OP, in the client's own trace. What vendors say of it (`tracestate`) is no business of the
    /// OP's.
    pub(in crate::flow) async fn call_op(&self, mut request: OpRequest) -> Result<OpResponse, TransportFault> {
        // One that was parsed is never malformed.
        let _ = self.traceparent.map(|parent| request.set("traceparent", parent.as_str().to_owned()));
        self.runtime.call_op(request, self.realm.provider.timeout).await
    }

    /// Has something done after the answer.
    pub(in crate::flow) fn later(&self, work: Work) {
        self.runtime.later(Task { provider: self.realm.provider.name.clone(), work });
    }
}

impl<'a, R: Runtime> Context<'a, R> {
    /// Where no request is at hand, and so no rule and no host that it was sent to.
    pub(in crate::flow) fn without_request(app: &'a App, realm: &'a Realm, runtime: &'a R, trace: String) -> Self {
        let public_origin = &app.config.gateway.public_origin;
        let (user_flow, now) = (UserFlow::SignIn, runtime.now());
        Self { app, realm, user_flow, public_origin, runtime, now, trace, traceparent: None, rule: None }
    }
}

impl<'a, R: Runtime> Incoming<'a, R> {
    pub(in crate::flow) fn new(
        app: &'a App,
        route: Route<'a>,
        runtime: &'a R,
        head: &'a RequestHead<'a>,
        trace: String,
    ) -> Self {
        let now = runtime.now();
        let realm = realm::of(app, route, head, now);
        let public_origin = app.config.gateway.public_origin_of(head.host);
        let (traceparent, rule) = (head.traceparent(), route.rule());
        let user_flow = UserFlow::SignIn;
        let context = Context { app, realm, user_flow, public_origin, runtime, now, trace, traceparent, rule };
        Self { context, route, head }
    }

    /// The same request, seen in another realm.
    pub(in crate::flow) fn within<'b>(&'b self, realm: &'b Realm) -> Incoming<'b, R> {
        let user_flow = UserFlow::SignIn;
        let context = Context { realm, user_flow, trace: self.trace.clone(), ..self.context };
        Incoming { context, head: self.head, route: self.route }
    }

    /// The same request, seen in another user flow.
    pub(in crate::flow) fn in_flow(&self, user_flow: UserFlow) -> Incoming<'_, R> {
        let context = Context { user_flow, trace: self.trace.clone(), ..self.context };
        Incoming { context, head: self.head, route: self.route }
    }

    /// Whether a page of ours sent the request.
    pub(in crate::flow) fn is_ours(&self) -> bool {
        self.head.is_same_origin(self.public_origin)
    }

    /// Logs why the request is refused, and gives the line.
    pub(in crate::flow) fn refused(&self, error: &Error) -> String {
        log::refused(self, error)
    }

    pub(in crate::flow) fn only(&self, allowed: &[Method], allow: &'static str) -> Result<(), Error> {
        if allowed.contains(&self.head.method) { Ok(()) } else { Err(Error::WrongMethod { allow }) }
    }

    /// The body of a request to us that is a form (`application/x-www-form-urlencoded`), up to what any honest one has.
    pub(in crate::flow) async fn form(&self, inbound: &R::Inbound) -> Option<Vec<u8>> {
        let content_type = self.head.header("content-type")?.split(';').next()?.trim();
        if !content_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return None;
        }
        self.runtime.read_body(inbound, LONGEST_FORM).await
    }

    /// The value of a query parameter of the request; of several the first.
    pub(in crate::flow) fn parameter(&self, name: &str) -> Option<String> {
        let query = self.head.target.query()?;
        url::form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }
}

/// The ray id where the platform gives one, so that its own log and ours meet.
pub(in crate::flow) fn trace<R: Runtime>(runtime: &R, head: &RequestHead<'_>) -> String {
    let ray = head
        .header("cf-ray")
        .filter(|ray| ray.len() <= 40 && ray.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'));
    ray.map_or_else(|| hex(&runtime.random::<8>()), str::to_owned)
}

pub(in crate::flow) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

const LONGEST_FORM: usize = 32 * 1024;
