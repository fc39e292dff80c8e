//! What happens to a request: one file per thing that happens, generic over the [`Runtime`]. I/O is ordered here.

mod account;
mod acquire;
mod addresses;
mod app_token;
mod assertion;
mod authenticate;
mod back_channel;
mod bearer;
mod call;
mod callback;
pub(crate) mod claims;
pub(crate) mod cors;
mod documents;
mod establish;
mod events;
mod forward;
mod front_channel;
pub(crate) mod guard;
mod interaction;
mod introspect;
mod log;
mod login;
mod logout;
mod me;
mod op_logout;
mod operator;
mod realm;
pub(crate) mod refusal;
mod revoke;
mod sessions;
mod sign_in_scope;
mod sign_out;
mod signer;
mod token_cache;
mod token_endpoint;
mod verify_id_token;
mod verify_logout_token;

use std::ops::Deref;

use url::Url;

use crate::answer::Answer;
use crate::app::App;
use crate::error::Error;
use crate::forwarding::{self, ForwardPlan};
use crate::realm::Realm;
use crate::request::{HeadFault, Method, RequestHead, TraceParent};
use crate::router::{Route, route};
use crate::rules::Rule;
use crate::runtime::{OpRequest, OpResponse, Runtime, Task, TransportFault, Work};
use crate::time::Timestamp;

pub use account::{account_expired, serve_account};
pub use log::misconfigured;
#[cfg(not(target_arch = "wasm32"))]
pub use log::{COMMON_MEMBERS, EVENTS, LoggedEvent};

/// What a request gets.
pub enum Reply<F> {
    /// An answer of our own.
    Answer(Answer),
    /// The answer of the origin, of an API or of an account's object, passed through.
    Forwarded(F),
}

/// What every flow needs, whether a request or something else began it.
struct Context<'a, R> {
    app: &'a App,
    /// The realm that it is about.
    realm: &'a Realm,
    /// The origin that browsers see.
    public_origin: &'a Url,
    runtime: &'a R,
    now: Timestamp,
    /// Ties an answer to its log lines.
    trace: String,
    /// The trace of the client's own that the request is a part of.
    traceparent: Option<TraceParent<'a>>,
    /// The route rule that holds for the request.
    rule: Option<&'a Rule>,
}

/// One request and everything around it.
struct Incoming<'a, R> {
    context: Context<'a, R>,
    route: Route<'a>,
    head: &'a RequestHead<'a>,
}

impl<'a, R> Deref for Incoming<'a, R> {
    type Target = Context<'a, R>;

    fn deref(&self) -> &Context<'a, R> {
        &self.context
    }
}

/// Decides without waiting: the plan for a request that has everything it needs in this isolate's memory.
///
/// `None` says nothing about the request, only that [`serve`] must look at it.
pub fn serve_at_once<R: Runtime>(app: &App, runtime: &R, head: &RequestHead<'_>) -> Option<ForwardPlan> {
    // A WebSocket is carried for its session, and what is decided at once knows no such thing; a preflight is answered here.
    if head.is_websocket() || head.preflight().is_some() {
        return None;
    }
    let route = route(&app.config, head);
    let incoming = Incoming::new(app, route, runtime, head, String::new());
    let plan = match route {
        Route::Api(api, target, rule) => call::at_once(&incoming, (api, target, rule)),
        Route::Origin(rule) => forward::at_once(&incoming, rule),
        Route::Ambiguous
        | Route::BackChannelLogout(_)
        | Route::Callback(_)
        | Route::Events
        | Route::FrontChannelLogout(_)
        | Route::Health
        | Route::Keys
        | Route::Login(_)
        | Route::Logout
        | Route::Me
        | Route::Nothing
        | Route::OperatorSignOut
        | Route::Prefix(_)
        | Route::ResourceMetadata(_)
        | Route::Session(_)
        | Route::Sessions
        | Route::SignedOut(_) => None,
    };
    plan.map(|plan| ForwardPlan { measure: log::served(&incoming, "at_once"), ..plan })
}

/// Serves a request. Every outcome is a reply; what went wrong is in the log.
pub async fn serve<R: Runtime>(
    app: &App,
    runtime: &R,
    inbound: &R::Inbound,
    head: &RequestHead<'_>,
) -> Reply<R::Forwarded> {
    let route = route(&app.config, head);
    let incoming = Incoming::new(app, route, runtime, head, trace(runtime, head));
    let clock = Clock::start(&incoming);
    match dispatch(&incoming, inbound, route).await {
        Ok(Reply::Answer(answer)) => Reply::Answer(cors::on_answer(head, route, answer)),
        Ok(Reply::Forwarded(answer)) => {
            clock.stop(&incoming, runtime.status(&answer));
            Reply::Forwarded(answer)
        }
        Err(error) => Reply::Answer(cors::on_answer(head, route, refusal::answer(&incoming, route, error).await)),
    }
}

/// Looks at an answer of 401, 429 or 503 to a forward that [`serve_at_once`] planned with a token of that moment
/// ([`ForwardPlan::reconsider`]). It is passed on as it is, or another attempt is made, or the user is asked.
pub async fn reconsider<R: Runtime>(
    app: &App,
    runtime: &R,
    inbound: &R::Inbound,
    head: &RequestHead<'_>,
    answer: R::Forwarded,
    issued_at: Timestamp,
) -> Reply<R::Forwarded> {
    let route = route(&app.config, head);
    let incoming = Incoming::new(app, route, runtime, head, trace(runtime, head));
    let Route::Api(api, target, rule) = route else { return Reply::Forwarded(answer) };
    let clock = Clock::start(&incoming);
    match call::reconsider(&incoming, inbound, (api, target, rule), answer, issued_at).await {
        Ok(answer) => {
            clock.stop(&incoming, runtime.status(&answer));
            Reply::Forwarded(answer)
        }
        Err(error) => Reply::Answer(cors::on_answer(head, route, refusal::answer(&incoming, route, error).await)),
    }
}

/// Whether the session goes on for which a WebSocket is carried, by the head of its handshake. Only what proves that the
/// session is over ends it: an outage does not.
pub async fn goes_on<R: Runtime>(app: &App, runtime: &R, head: &RequestHead<'_>) -> bool {
    let route = route(&app.config, head);
    let incoming = Incoming::new(app, route, runtime, head, trace(runtime, head));
    authenticate::goes_on(&incoming.within(realm::of_earlier(app, route, head))).await
}

/// Does what [`Runtime::later`] was given.
pub async fn perform<R: Runtime>(app: &App, runtime: &R, task: Task) {
    // Nobody else made it than this deployment.
    let Some(realm) = app.realm(&task.provider) else { return };
    let public_origin = &app.config.gateway.public_origin;
    let (now, trace) = (runtime.now(), hex(&runtime.random::<8>()));
    let context = Context { app, realm, public_origin, runtime, now, trace, traceparent: None, rule: None };
    match task.work {
        Work::Renew { session, api } => acquire::renew_due(&context, &session, &api).await,
        Work::RenewAppToken { api } => acquire::renew_app_token(&context, &api).await,
        Work::Revoke { token, attempt } => revoke::perform(&context, token, attempt).await,
        Work::Store { session, attempt } => account::store(&context, session, attempt).await,
    }
}

/// Answers for a forward that [`serve_at_once`] planned and that failed.
pub fn forward_failed<R: Runtime>(app: &App, runtime: &R, head: &RequestHead<'_>, fault: TransportFault) -> Answer {
    let route = route(&app.config, head);
    let incoming = Incoming::new(app, route, runtime, head, trace(runtime, head));
    let error = if let Route::Api(api, ..) = route {
        Error::ApiUnreachable(api.name.clone(), fault)
    } else {
        Error::OriginUnreachable(fault)
    };
    incoming.refused(&error);
    cors::on_answer(head, route, refusal::shown(&incoming, &error))
}

/// Where a redirect of the origin leads instead of `location`, if anywhere else.
pub fn relocated(app: &App, head: &RequestHead<'_>, location: &str) -> Option<String> {
    let gateway = &app.config.gateway;
    forwarding::relocated(gateway, gateway.public_origin_of(head.host), head.target, location)
}

/// Answers a request that no configuration can serve.
pub fn refuse_all<R: Runtime>(runtime: &R, head: &RequestHead<'_>, error: &Error) -> Answer {
    let trace = trace(runtime, head);
    log::refused_at_once(runtime, &trace, error);
    if head.is_navigation() { Answer::error_page(error, &trace, None) } else { Answer::problem(error, &trace, None) }
}

/// Answers a request whose head is refused.
pub fn refuse_head<R: Runtime>(runtime: &R, fault: HeadFault) -> Answer {
    let trace = hex(&runtime.random::<8>());
    let error = Error::BadRequest(fault);
    log::refused_at_once(runtime, &trace, &error);
    Answer::problem(&error, &trace, None)
}

async fn dispatch<R: Runtime>(
    incoming: &Incoming<'_, R>,
    inbound: &R::Inbound,
    route: Route<'_>,
) -> Result<Reply<R::Forwarded>, Error> {
    if let Some(answer) = cors::preflight(&incoming.app.config, incoming.head) {
        return answer.map(Reply::Answer);
    }
    let answer = match route {
        Route::Ambiguous => return Err(Error::BadRequest(HeadFault::AmbiguousReading)),
        Route::Api(api, target, rule) => {
            return call::serve(incoming, inbound, (api, target, rule)).await.map(Reply::Forwarded);
        }
        Route::BackChannelLogout(_) => back_channel::requested(incoming, inbound).await,
        Route::Callback(_) => callback::finish(incoming).await,
        Route::Events => return events::watch(incoming).await.map(Reply::Forwarded),
        Route::FrontChannelLogout(_) => front_channel::requested(incoming).await?,
        Route::Health => health(incoming)?,
        Route::Keys => assertion::keys(incoming).await?,
        Route::Login(provider) => login::requested(incoming, provider.is_some()).await?,
        Route::Logout => logout::requested(incoming).await?,
        Route::Me => me::show(incoming).await?,
        Route::Nothing => return Err(Error::NoSuchRoute),
        Route::Prefix(prefix) => Answer::redirect(302, incoming.public_url(&format!("{prefix}/"))),
        Route::OperatorSignOut => operator::requested(incoming, inbound).await?,
        Route::ResourceMetadata(bearer) => bearer::metadata(incoming, bearer)?,
        Route::Session(id) => sessions::one(incoming, id).await?,
        Route::Sessions => sessions::all(incoming).await?,
        Route::Origin(rule) => return forward::serve(incoming, inbound, rule).await.map(Reply::Forwarded),
        Route::SignedOut(_) => logout::returned(incoming)?,
    };
    Ok(Reply::Answer(answer))
}

/// How long a request took that is passed on, where anybody counts that.
struct Clock(Option<u64>);

impl Clock {
    fn start<R: Runtime>(incoming: &Incoming<'_, R>) -> Self {
        Self(incoming.app.config.has_metrics.then(|| incoming.runtime.milliseconds()))
    }

    fn stop<R: Runtime>(self, incoming: &Incoming<'_, R>, status: u16) {
        // What is answered by an account's object has no rule and is no request to anybody behind us.
        let Some((began, _)) = self.0.zip(incoming.rule) else { return };
        let took = incoming.runtime.milliseconds().saturating_sub(began);
        if let Some(point) = log::served(incoming, "later") {
            incoming.runtime.measure(&point.answered(status, took));
        }
    }
}

impl<R: Runtime> Context<'_, R> {
    /// Sends a request to the OP, in the client's own trace. What vendors say of it (`tracestate`) is no business of the
    /// OP's.
    async fn call_op(&self, mut request: OpRequest) -> Result<OpResponse, TransportFault> {
        if let Some(value) = self.traceparent.and_then(|parent| http::HeaderValue::from_str(parent.as_str()).ok()) {
            request.headers_mut().insert("traceparent", value);
        }
        self.runtime.call_op(request, self.realm.provider.timeout).await
    }

    /// Has something done after the answer.
    fn later(&self, work: Work) {
        self.runtime.later(Task { provider: self.realm.provider.name.clone(), work });
    }
}

impl<'a, R: Runtime> Incoming<'a, R> {
    fn new(app: &'a App, route: Route<'a>, runtime: &'a R, head: &'a RequestHead<'a>, trace: String) -> Self {
        let now = runtime.now();
        let realm = realm::of(app, route, head, now);
        let public_origin = app.config.gateway.public_origin_of(head.host);
        let (traceparent, rule) = (head.traceparent(), route.rule());
        let context = Context { app, realm, public_origin, runtime, now, trace, traceparent, rule };
        Self { context, route, head }
    }

    /// The same request, seen in another realm.
    fn within<'b>(&'b self, realm: &'b Realm) -> Incoming<'b, R> {
        let context = Context { realm, trace: self.trace.clone(), ..self.context };
        Incoming { context, head: self.head, route: self.route }
    }

    /// Whether a page of ours sent the request.
    fn is_ours(&self) -> bool {
        self.head.is_same_origin(self.public_origin)
    }

    /// Logs why the request is refused.
    fn refused(&self, error: &Error) {
        log::refused(self, error);
    }

    fn only(&self, allowed: &[Method], allow: &'static str) -> Result<(), Error> {
        if allowed.contains(&self.head.method) { Ok(()) } else { Err(Error::WrongMethod { allow }) }
    }

    /// The body of a request to us that is a form (`application/x-www-form-urlencoded`), up to what any honest one has.
    async fn form(&self, inbound: &R::Inbound) -> Option<Vec<u8>> {
        let content_type = self.head.header("content-type")?.split(';').next()?.trim();
        if !content_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return None;
        }
        self.runtime.read_body(inbound, LONGEST_FORM).await
    }

    /// The value of a query parameter of the request; of several the first.
    fn parameter(&self, name: &str) -> Option<String> {
        let query = self.head.target.query()?;
        url::form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }
}

/// Tells a monitor that the Worker runs and its configuration has no faults. Whoever asks, and however.
fn health<R: Runtime>(incoming: &Incoming<'_, R>) -> Result<Answer, Error> {
    incoming.only(&[Method::Get, Method::Head], "GET, HEAD")?;
    Ok(Answer::text(200, "ok\n"))
}

/// The ray id where the platform gives one, so that its own log and ours meet.
fn trace<R: Runtime>(runtime: &R, head: &RequestHead<'_>) -> String {
    let ray = head
        .header("cf-ray")
        .filter(|ray| ray.len() <= 40 && ray.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'));
    ray.map_or_else(|| hex(&runtime.random::<8>()), str::to_owned)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

const LONGEST_FORM: usize = 32 * 1024;
