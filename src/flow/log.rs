//! The log: one JSON object a line, with stable names in `event`. Sessions appear as a keyed hash; tokens, codes,
//! cookies and subjects never do. What is logged is counted as well, where the operator bound a place for that.
//!
//! docs/operations.md lists every event and every member (test `documentation`).

use serde_json::{Map, Value};

use super::request_id::request_id;
use super::{Context, Incoming, authenticate, hex};
use crate::config::{Config, ConfigFault, TokenCache};
use crate::error::{Error, Failure};
use crate::json::{members, named};
use crate::measure::Measure;
use crate::oidc::op_error::OpErrorDetails;
use crate::request::TraceParent;
use crate::runtime::Runtime;
use crate::session::session::Session;

/// The name, the members of its own and the meaning of every event, in one table for the code and the documentation.
macro_rules! events {
    ($($event:ident $name:literal [$($member:literal)*] $meaning:literal)*) => {
        /// Something that happened.
        #[derive(Clone, Copy, Debug)]
        pub(super) enum Event {
            $(#[doc = $meaning] $event,)*
        }

        impl Event {
            const fn name(self) -> &'static str {
                match self {
                    $(Self::$event => $name,)*
                }
            }
        }

        /// Every event, by name.
        #[cfg(not(target_arch = "wasm32"))]
        pub const EVENTS: &[LoggedEvent] = &[
            $(LoggedEvent { name: $name, members: &[$($member),*], meaning: $meaning },)*
        ];
    };
}

events! {
    AppTokenAcquired "app_token.acquired" ["api"]
        "The application got an access token of its own."
    ClientCertificateExpires "client_certificate.expires" ["credential" "expires_at"]
        "A certificate of this client ends within 30 days, or has ended. Once a day in each isolate."
    ClientCredentialRolledOver "client_credential.rolled_over" ["credential" "refused"]
        "The OpenID Provider refused a credential of this client and took the next one, which the isolate begins with from here on."
    ClientCredentialUnusable "client_credential.unusable" ["credential" "reason"]
        "A credential of this client cannot be used, and the next one is tried: a file that does not open (once in each isolate), or an assertion that was not to be had."
    ConfigInvalid "config.invalid" ["faults"]
        "The configuration has faults, and every request is refused: all of them, once in each isolate."
    IdentityLeftOut "identity.left_out" ["claim" "header"]
        "A claim of the user was too long to tell the origin. Once in each isolate for each."
    IntrospectionPaused "introspection.paused" []
        "The OpenID Provider is not asked about access tokens for a while: too many were none."
    LoginCompleted "login.completed" ["attempt" "seconds"]
        "A sign-in was completed."
    LoginStarted "login.started" ["api" "attempt" "for" "user_flow"]
        "A browser was sent to the OpenID Provider."
    LogoutByBackChannel "logout.back_channel" ["known" "names_sid"]
        "The OpenID Provider said in a logout token that sessions are over."
    LogoutCompleted "logout.completed" []
        "An account or session was removed because its user signed out."
    LogoutByFrontChannel "logout.front_channel" ["known"]
        "The OpenID Provider had a browser load the front-channel logout."
    LogoutReturned "logout.returned" []
        "A browser came back from the OpenID Provider after a sign-out."
    OpError "op.error" ["client_request_id" "error" "op_correlation_id" "op_error_code" "op_trace_id" "suberror"]
        "The OpenID Provider answered an authorization or token request with an error. What comes of it follows."
    RequestRefused "request.refused" ["code" "fault" "reason" "route" "status"]
        "A request was refused, or a page sent to sign in first: `login.started` follows then."
    RequestServed "request.served" ["decided" "route" "status"]
        "A request was passed on to the origin or an API. Counted only, never logged."
    SessionEnded "session.ended" []
        "A user ended another session of theirs."
    SessionLeft "session.left" ["code" "reason"]
        "A session was over where nobody needs one: the request went on without."
    SessionsEndedByOperator "sessions.ended_by_operator" ["until"]
        "An operator ended sessions."
    StoreFailed "store.failed" ["reason" "what"]
        "The store failed, and the request was served without it."
    StoreGivenUp "store.given_up" []
        "Writing to the store was given up after several failures."
    StoreInMemory "store.in_memory" []
        "Tokens are kept in the isolate's memory (`Session.TokenCache = \"Memory\"`), which is for tests. Once in each isolate."
    TokenExchangeFailed "token.exchange_failed" ["api" "code" "reason"]
        "A program's access token got none for an API from the OpenID Provider."
    TokenExchanged "token.exchanged" ["api"]
        "A program's access token was exchanged for one of an API."
    TokenRefreshFailed "token.refresh_failed" ["api" "code" "reason"]
        "A refresh failed."
    TokenRefreshed "token.refreshed" ["api"]
        "A token was refreshed."
    TokenResponseRejected "token.response_rejected" ["api" "code" "reason"]
        "What the OpenID Provider answered to a refresh did not pass, or did not come. `token.refresh_failed` follows."
    TokenRevocationFailed "token.revocation_failed" ["given_up" "reason" "status"]
        "The OpenID Provider did not revoke a refresh token."
    TokenRevoked "token.revoked" []
        "The OpenID Provider revoked a refresh token."
    TokenStillUsed "token.still_used" ["api" "code" "reason"]
        "A refresh failed, and a token that is still valid was used."
}

/// An event, as the documentation has it.
#[cfg(not(target_arch = "wasm32"))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoggedEvent {
    /// The value of `event`.
    pub name: &'static str,
    /// What its line may say beyond [`COMMON_MEMBERS`].
    pub members: &'static [&'static str],
    /// What happened.
    pub meaning: &'static str,
}

/// What the line of any event may say.
#[cfg(not(target_arch = "wasm32"))]
pub const COMMON_MEMBERS: &[&str] = &["event", "trace", "trace_id", "provider", "rule", "access", "session"];

/// Logs what happened, to which session if it is known; `details` is an object.
pub(super) fn happened<R: Runtime>(context: &Context<'_, R>, event: Event, session: Option<&Session>, details: Value) {
    logged(context, event, session, details);
}

/// The same, and gives the line.
fn logged<R: Runtime>(context: &Context<'_, R>, event: Event, session: Option<&Session>, details: Value) -> String {
    let mut line = line(event, &context.trace, context.traceparent);
    about(context, &mut line);
    if let Some(session) = session.and_then(|session| hash(context, session)) {
        line.insert("session".to_owned(), session.into());
    }
    write(context.runtime, line, details)
}

/// Logs why a request is refused, by which rule, and the session of its cookie. Gives the line.
pub(super) fn refused<R: Runtime>(incoming: &Incoming<'_, R>, error: &Error) -> String {
    let session = authenticate::opened(incoming).ok();
    let mut details = reason(error);
    details.insert("route".to_owned(), incoming.route.name().into());
    logged(incoming, Event::RequestRefused, session.as_ref(), Value::Object(details))
}

/// Logs why a request is refused that no configuration was asked about.
pub(super) fn refused_at_once<R: Runtime>(runtime: &R, trace: &str, error: &Error) {
    write(runtime, line(Event::RequestRefused, trace, None), Value::Object(reason(error)));
}

/// Counts a request that is passed on: none unless the operator bound a place for that. Its status is yet to come.
pub(super) fn served<R: Runtime>(incoming: &Incoming<'_, R>, decided: &str) -> Option<Measure> {
    if !incoming.app.config.has_metrics {
        return None;
    }
    let mut line = Map::new();
    line.insert("event".to_owned(), Event::RequestServed.name().into());
    about(incoming, &mut line);
    line.insert("route".to_owned(), incoming.route.name().into());
    line.insert("decided".to_owned(), decided.into());
    Some(Measure::of(&line))
}

/// Logs what the OP says of an error of its own: words that are known, a number and ids, and nothing of its text.
pub(super) fn op_error<R: Runtime>(
    context: &Context<'_, R>,
    error: &str,
    suberror: Option<&str>,
    details: &OpErrorDetails,
) {
    let details = members([
        ("client_request_id", request_id(context).into()),
        ("error", error.into()),
        ("op_correlation_id", details.correlation_id.as_deref().into()),
        ("op_error_code", details.number.map(|number| number.to_string()).into()),
        ("op_trace_id", details.trace_id.as_deref().into()),
        ("suberror", suberror.into()),
    ]);
    happened(context, Event::OpError, None, details);
}

/// What is logged of a failed renewal. The code is that of the refusal which it would be.
pub(super) fn failure(api: &str, failure: &Failure) -> Value {
    members([("api", api.into()), ("code", failure.code().into()), ("reason", format!("{failure:?}").into())])
}

/// Logs every fault of the configuration at once.
pub fn misconfigured<R: Runtime>(runtime: &R, faults: &[ConfigFault]) {
    let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
    let mut line = Map::new();
    line.insert("event".to_owned(), Event::ConfigInvalid.name().into());
    write(runtime, line, named("faults", faults.into()));
}

/// Logs what an operator should know of a deployment from the beginning.
pub fn deployed<R: Runtime>(runtime: &R, config: &Config) {
    if config.token_cache == TokenCache::Memory {
        let mut line = Map::new();
        line.insert("event".to_owned(), Event::StoreInMemory.name().into());
        write(runtime, line, Value::Null);
    }
}

/// `code`, `status`, `fault` and `reason`.
fn reason(error: &Error) -> Map<String, Value> {
    let mut details = Map::new();
    details.insert("code".to_owned(), error.code().into());
    details.insert("status".to_owned(), error.status().into());
    details.insert("fault".to_owned(), format!("{:?}", error.fault()).into());
    details.insert("reason".to_owned(), error.to_string().into());
    details
}

fn line(event: Event, trace: &str, traceparent: Option<TraceParent<'_>>) -> Map<String, Value> {
    let mut line = Map::new();
    line.insert("event".to_owned(), event.name().into());
    line.insert("trace".to_owned(), trace.into());
    if let Some(traceparent) = traceparent {
        line.insert("trace_id".to_owned(), traceparent.trace_id().into());
    }
    line
}

/// The provider, and the rule that holds.
fn about<R: Runtime>(context: &Context<'_, R>, line: &mut Map<String, Value>) {
    line.insert("provider".to_owned(), context.realm.provider.name.as_str().into());
    if let Some(rule) = context.rule {
        line.insert("rule".to_owned(), rule.name.as_str().into());
        line.insert("access".to_owned(), rule.access.name().into());
    }
}

/// The same for every line about the session, and of no use to whoever reads it anywhere else. A key that leaves the ring
/// takes the session with it.
fn hash<R: Runtime>(context: &Context<'_, R>, session: &Session) -> Option<String> {
    let name = context.realm.ring.find(session.named_by)?.name(&[b"log", session.id.as_bytes()]);
    name.first_chunk::<8>().map(|bytes| hex(bytes))
}

fn write<R: Runtime>(runtime: &R, mut line: Map<String, Value>, details: Value) -> String {
    if let Value::Object(details) = details {
        line.extend(details.into_iter().filter(|(_, value)| !value.is_null()));
    }
    runtime.measure(&Measure::of(&line));
    let line = Value::Object(line).to_string();
    runtime.log(&line);
    line
}
