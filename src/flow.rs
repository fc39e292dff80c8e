//! What happens to a request: one file per thing that happens, generic over the [`Runtime`]. I/O is ordered here.

mod account;
mod acquire;
mod addresses;
mod app_token;
mod assertion;
mod at_once;
mod authenticate;
mod back_channel;
mod bearer;
mod call;
mod callback;
mod caller;
pub(crate) mod claims;
mod client_authentication;
mod clock;
pub(crate) mod cors;
mod documents;
mod establish;
mod events;
mod forward;
mod front_channel;
pub(crate) mod guard;
mod incoming;
mod interaction;
mod introspect;
mod late_callback;
mod log;
mod login;
mod logout;
mod me;
mod on_behalf_of;
mod onward;
mod op_logout;
mod operator;
mod realm;
pub(crate) mod refusal;
mod request_id;
mod revoke;
mod sessions;
mod sign_in_scope;
mod sign_out;
mod signed_assertion;
mod signer;
mod standing;
mod token_cache;
mod token_endpoint;
mod under_way;
mod user_flow;
mod verify_id_token;
mod verify_logout_token;

use std::future::Future;
use std::pin::Pin;

use crate::answer::Answer;
use crate::app::App;
use crate::error::Error;
use crate::forwarding;
use crate::request::{HeadFault, Method, RequestHead};
use crate::router::{Route, route};
use crate::runtime::{Runtime, Task, TransportFault, Work};
use crate::time::Timestamp;

use clock::Clock;
use incoming::{Context, Incoming, hex, trace};

pub use account::{account_expired, serve_account};
pub use at_once::{AtOnce, RefusedAtOnce, StandingRefusal, refuse_at_once, serve_at_once};
#[cfg(not(target_arch = "wasm32"))]
pub use log::{COMMON_MEMBERS, EVENTS, LoggedEvent};
pub use log::{deployed, misconfigured};
pub use standing::{Kept, Standing, StandingPlan, decides, keep, standing, stands};

/// What a request gets.
pub enum Reply<F> {
    /// An answer of our own.
    Answer(Answer),
    /// The answer of the origin, of an API or of an account's object, passed through.
    Forwarded(F),
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
    let context = Context::without_request(app, realm, runtime, hex(&runtime.random::<8>()));
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
            return apart(call::serve(incoming, inbound, (api, target, rule))).await.map(Reply::Forwarded);
        }
        Route::BackChannelLogout(_) => apart(back_channel::requested(incoming, inbound)).await,
        Route::Callback(_) => apart(callback::finish(incoming)).await,
        Route::Events => return apart(events::watch(incoming)).await.map(Reply::Forwarded),
        Route::FrontChannelLogout(_) => apart(front_channel::requested(incoming)).await?,
        Route::Health => health(incoming)?,
        Route::Keys => apart(assertion::keys(incoming)).await?,
        Route::Login(provider) => apart(login::requested(incoming, provider.is_some())).await?,
        Route::Logout => apart(logout::requested(incoming)).await?,
        Route::Me => apart(me::show(incoming)).await?,
        Route::Nothing => return Err(Error::NoSuchRoute),
        Route::Prefix(prefix) => Answer::redirect(302, incoming.public_url(&format!("{prefix}/"))),
        Route::OperatorSignOut => apart(operator::requested(incoming, inbound)).await?,
        Route::ResourceMetadata(bearer) => bearer::metadata(incoming, bearer)?,
        Route::Session(id) => apart(sessions::one(incoming, id)).await?,
        Route::Sessions => apart(sessions::all(incoming)).await?,
        Route::Origin(rule) => return apart(forward::serve(incoming, inbound, rule)).await.map(Reply::Forwarded),
        Route::SignedOut(_) => logout::returned(incoming)?,
    };
    Ok(Reply::Answer(answer))
}

/// A future behind a pointer, which stays a function of its own. Awaited in place, the handlers of all routes are one
/// function, a tenth of the whole Worker, which V8 has to compile before the first page and once more when it is warm.
fn apart<'a, T>(future: impl Future<Output = T> + 'a) -> Pin<Box<dyn Future<Output = T> + 'a>> {
    Box::pin(future)
}

/// Tells a monitor that the Worker runs and its configuration has no faults. Whoever asks, and however.
fn health<R: Runtime>(incoming: &Incoming<'_, R>) -> Result<Answer, Error> {
    incoming.only(&[Method::Get, Method::Head], "GET, HEAD")?;
    Ok(Answer::text(200, "ok\n"))
}
