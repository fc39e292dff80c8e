//! The words: which rule, whose page, which claims a decision was made by. What is decided is not decided here.

use serde_json::{Map, Value};

use super::decision::{Case, Decision, Passed, Sender, SignIn, route_of};
use super::verdict::{End, Verdict};
use crate::config::Config;
use crate::error::Error;
use crate::flow::cors;
use crate::flow::guard::{AntiForgery, has_acr};
use crate::forwarding::Destination;
use crate::request::RequestHead;
use crate::router::{Route, is_api};
use crate::rules::{Access, Rule, folded};

/// Tells about a request what led to its decision, and how it ends.
pub(super) fn told(
    (config, head, sender): (&Config, &RequestHead<'_>, &Sender<'_>),
    decision: &Decision,
    mut verdict: Verdict,
) -> Verdict {
    let path = head.target.path();
    let lenient = String::from_utf8_lossy(&folded(path)).into_owned();
    if lenient != path {
        verdict.fact("read leniently", lenient);
    }
    let public_origin = config.gateway.public_origin_of(head.host);
    if head.host != config.gateway.public_origin.authority() {
        verdict.fact("public origin", public_origin.origin().ascii_serialization());
    }
    let route = route_of(config, head);
    let case = Case::of(config, head, route, sender);
    if let Some(case) = &case {
        which(case, route, &mut verdict);
        // Nobody is looked up for a preflight that is answered here.
        if cors::preflight(config, head).is_none() {
            judged(case, &mut verdict);
        }
    } else if matches!(route, Route::Ambiguous) {
        ambiguous(config, head, &mut verdict);
    }
    match decision {
        Decision::Passed(passed) => changes(head, passed, &mut verdict),
        Decision::Preflight(answer) => {
            verdict.list("answers", answer.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect());
        }
        Decision::Own(_) | Decision::Refused(..) => {}
    }
    verdict.ended(end(case.as_ref(), head, decision))
}

fn which(case: &Case<'_>, route: Route<'_>, verdict: &mut Verdict) {
    let (head, rule) = (case.guarded.head, case.guarded.rule);
    if let Route::Api(api, ..) = route {
        verdict.fact("route", format!("the downstream API {}", api.name));
    } else {
        verdict.fact("route", "the origin");
    }
    verdict.fact("rule", format!("{} ({})", rule.name, rule.pattern));
    verdict.fact("access", access_name(rule.access));
    if head.is_websocket() {
        verdict.fact("websocket", "a handshake");
    }
    page(case, verdict);
}

fn judged(case: &Case<'_>, verdict: &mut Verdict) {
    signed_in(case, verdict);
    let Some(claims) = case.user() else { return };
    let is_bearer = case.guarded.rule.access == Access::Bearer;
    if is_bearer {
        verdict.list("lacks scope", case.lacking.iter().map(|scope| (*scope).to_owned()).collect());
    } else if !anti_forgery(case, verdict) {
        return;
    }
    if !is_bearer || case.lacking.is_empty() {
        required(case, claims, verdict);
    }
}

fn signed_in(case: &Case<'_>, verdict: &mut Verdict) {
    match (case.guarded.rule.access, case.user()) {
        (Access::Anonymous | Access::Bearer, _) => {}
        (Access::Api | Access::Login | Access::Optional, None) => verdict.fact("signed in", "nobody"),
        (Access::Api | Access::Login | Access::Optional, Some(_)) => {
            verdict.fact("signed in", format!("whoever the claims name, by {}", case.provider.name));
        }
    }
}

/// Whether the answer can be read by the page that sent the request.
fn page(case: &Case<'_>, verdict: &mut Verdict) {
    let Some(origin) = case.guarded.head.header("origin") else { return };
    let is_own = origin == case.guarded.public_origin.origin().ascii_serialization();
    verdict.fact(
        "cors",
        match (is_own, cors::allowed(case.guarded.head, case.guarded.rule)) {
            (true, _) => "not needed: the page's origin is PublicOrigin",
            (false, Some(_)) => "allowed: the page's origin is one of the rule's CorsOrigins",
            (false, None) => "not allowed: the page's origin is none of the rule's CorsOrigins",
        },
    );
}

fn anti_forgery(case: &Case<'_>, verdict: &mut Verdict) -> bool {
    let found = case.guarded.anti_forgery();
    verdict.fact(
        "anti-forgery",
        match found {
            AntiForgery::Failed => "failed",
            AntiForgery::Listed => "passed: a page of one of the rule's CorsOrigins sent it",
            AntiForgery::NotNeeded => "not needed: the method changes nothing",
            AntiForgery::Off => "off: the rule has AntiForgery = false",
            AntiForgery::Ours => "passed: a page of PublicOrigin sent it",
        },
    );
    found != AntiForgery::Failed
}

fn required(case: &Case<'_>, claims: &Map<String, Value>, verdict: &mut Verdict) {
    const UNKNOWN: &str = "cannot be told from the claims, which counts as not met";
    const UNMET: &str = "is not met";

    if let Some(requirement) = &case.guarded.rule.require {
        if !requirement.holds(claims) {
            let sentence =
                |key: &str, is_unknown| format!("Require.{key} {}", if is_unknown { UNKNOWN } else { UNMET });
            let unmet = requirement.explain(claims);
            return verdict
                .list("requires", unmet.iter().map(|unmet| sentence(&unmet.key, unmet.is_unknown)).collect());
        }
        verdict.fact("requires", "Require holds");
    }
    let Some(step_up) = &case.guarded.rule.step_up else { return };
    if !step_up.acr_values.is_empty() {
        let holds = has_acr(step_up, claims);
        verdict.fact("requires", if holds { "AcrValues holds" } else { "AcrValues is not met" });
    }
    if step_up.max_age.is_some() {
        let sentence = match (case.guarded.is_recent(step_up, claims), claims.get("auth_time")) {
            (true, _) => "MaxAgeSeconds holds",
            (false, Some(_)) => "MaxAgeSeconds is not met",
            (false, None) => "MaxAgeSeconds is not met: the claims have no auth_time",
        };
        verdict.fact("requires", sentence);
    }
}

/// How it can be read, and for which rule.
fn ambiguous(config: &Config, head: &RequestHead<'_>, verdict: &mut Verdict) {
    let path = head.target.path();
    let readings = config.rules.readings(head.host, head.method, path, is_api(config, path));
    let of = |readings: Vec<(String, &Rule)>| {
        readings.iter().map(|(reading, rule)| format!("{reading}, for the rule {}", rule.name)).collect()
    };
    verdict.list("reading", readings.map_or_else(|| vec!["too many, or one that climbs".to_owned()], of));
}

/// Headers of the request that are taken away, those that are set, and how long all of it may take.
fn changes(head: &RequestHead<'_>, passed: &Passed, verdict: &mut Verdict) {
    let is_there = |name: &&String| head.header(name).is_some();
    verdict.list("removes", passed.remove.iter().filter(is_there).cloned().collect());
    verdict.list("sets", passed.set.iter().map(|(name, value)| format!("{name}: {value}")).collect());
    verdict.fact("timeout", format!("{} s", passed.timeout.as_seconds()));
}

fn end(case: Option<&Case<'_>>, head: &RequestHead<'_>, decision: &Decision) -> End {
    let (error, sign_in) = match decision {
        Decision::Own(name) => return End::Served(format!("by Vestibule itself, {name}")),
        Decision::Passed(Passed { destination: Destination::Url(url), .. }) => return End::Served(format!("by {url}")),
        Decision::Passed(Passed { destination: Destination::Service { name, url }, .. }) => {
            return End::Served(format!("by the binding {name}, as {url}"));
        }
        Decision::Preflight(_) => return End::Served("by Vestibule itself, the answer to a preflight".to_owned()),
        Decision::Refused(error, sign_in) => (error, sign_in.as_ref()),
    };
    let status = decision.status().unwrap_or_else(|| error.status());
    End::Refused(status, reason(case, head, error, sign_in))
}

/// In words, for each code on the wire.
fn reason(case: Option<&Case<'_>>, head: &RequestHead<'_>, error: &Error, sign_in: Option<&SignIn>) -> String {
    match error.code() {
        "bad_request" => "an origin could read the path as one that another rule is for".to_owned(),
        "csrf_rejected" if head.preflight().is_some() => {
            "a preflight of a page whose origin is none of the rule's CorsOrigins".to_owned()
        }
        "csrf_rejected" => "no page of PublicOrigin sent it, as far as its headers tell".to_owned(),
        "forbidden" => "the claims do not meet Require".to_owned(),
        "access_token_required" => "an access token is required".to_owned(),
        "end_user_required" => "the access token stands for no end-user, whose token the API takes".to_owned(),
        "insufficient_scope" => "the access token lacks a scope of the rule".to_owned(),
        "login_required" => sign_in.map_or_else(String::new, |sign_in| needed("a sign-in", sign_in)),
        "not_found" if case.is_some() => "the claims do not meet Require, which the rule hides".to_owned(),
        "not_found" => "nothing is behind this path: it is kept for Vestibule, or not under StripPathPrefix".to_owned(),
        "step_up_required" => sign_in.map_or_else(
            || "an access token of a better or more recent sign-in is required".to_owned(),
            |sign_in| needed("a better or more recent sign-in", sign_in),
        ),
        code => code.to_owned(),
    }
}

fn needed(what: &str, sign_in: &SignIn) -> String {
    match sign_in {
        SignIn { provider: Some(name), is_sent: true } => {
            format!("{what} by {name} is required: to the OpenID Provider")
        }
        SignIn { provider: Some(name), is_sent: false } => format!("{what} by {name} is required"),
        SignIn { provider: None, is_sent: true } => format!("{what} is required: to the choice of an OpenID Provider"),
        SignIn { provider: None, is_sent: false } => format!("{what} by any OpenID Provider is required"),
    }
}

const fn access_name(access: Access) -> &'static str {
    match access {
        Access::Anonymous => "Anonymous",
        Access::Api => "Api",
        Access::Bearer => "Bearer",
        Access::Login => "Login",
        Access::Optional => "Optional",
    }
}
