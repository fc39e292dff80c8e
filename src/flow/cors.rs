//! Pages of other origins, where a route rule lists them (CORS, Fetch standard 3.3): preflights are answered here and never
//! forwarded, and answers carry our word and not the origin's. No I/O: the command `explain` judges by the same functions.

use std::borrow::Cow;

use crate::answer::Answer;
use crate::config::Config;
use crate::error::Error;
use crate::forwarding::{AnswerEdits, CORS_ANSWER_HEADERS};
use crate::request::RequestHead;
use crate::router::{Route, route_for};
use crate::rules::{Access, Rule};

/// Answers a preflight. The origin of a rule for everybody that lists nobody answers its own.
pub(crate) fn preflight(config: &Config, head: &RequestHead<'_>) -> Option<Result<Answer, Error>> {
    let method = head.preflight()?;
    // The rule of the request that is to follow: that of the preflight itself is for another method.
    let rule = route_for(config, head, method).rule()?;
    if rule.access == Access::Anonymous && rule.cors_origins.is_empty() {
        return None;
    }
    let headers = allowed(head, rule).map(|origin| granted(origin, rule)).ok_or(Error::UntrustedOrigin);
    Some(headers.map(|headers| {
        let answer = headers.into_iter().fold(Answer::empty(204), |answer, (name, value)| answer.with(name, value));
        let wanted = head.header("access-control-request-headers").map(str::to_owned);
        let answer = answer
            .with("access-control-allow-methods", METHODS.to_owned())
            .with("access-control-max-age", MAX_AGE.to_owned());
        // Which headers are safe is the business of whoever reads them; a listed origin may send any.
        wanted.into_iter().fold(answer, |answer, wanted| answer.with("access-control-allow-headers", wanted))
    }))
}

/// The origin of the page that sent the request, if the rule lists it.
pub(crate) fn allowed<'a>(head: &RequestHead<'_>, rule: &'a Rule) -> Option<&'a str> {
    if rule.cors_origins.is_empty() {
        return None;
    }
    let origin = head.header("origin")?;
    rule.cors_origins.iter().find(|listed| *listed == origin).map(String::as_str)
}

/// Our word on a forwarded answer, in place of the origin's.
pub(super) fn edit(edits: &mut AnswerEdits, head: &RequestHead<'_>, rule: &Rule) {
    if rule.cors_origins.is_empty() {
        return;
    }
    // What scripts may read of the answer is known to the origin alone.
    let ours = CORS_ANSWER_HEADERS.iter().filter(|name| **name != EXPOSE);
    edits.remove.extend(ours.map(|name| Cow::Borrowed(*name)));
    match allowed(head, rule) {
        Some(origin) => edits.set.extend(granted(origin, rule).into_iter().map(|(name, value)| (name.into(), value))),
        None => edits.set.push(("vary".into(), "Origin".to_owned())),
    }
}

/// Our word on an answer of our own, so that the page can read what went wrong.
pub(super) fn on_answer(head: &RequestHead<'_>, route: Route<'_>, answer: Answer) -> Answer {
    // That of a preflight has its own.
    let rule = route.rule().filter(|_| head.preflight().is_none());
    match rule.and_then(|rule| Some((allowed(head, rule)?, rule))) {
        Some((origin, rule)) => {
            granted(origin, rule).into_iter().fold(answer, |answer, (name, value)| answer.with(name, value))
        }
        None => answer,
    }
}

fn granted(origin: &str, rule: &Rule) -> Vec<(&'static str, String)> {
    let mut headers = vec![("access-control-allow-origin", origin.to_owned()), ("vary", "Origin".to_owned())];
    if matches!(rule.access, Access::Api | Access::Login | Access::Optional) {
        headers.push(("access-control-allow-credentials", "true".to_owned()));
    }
    headers
}

const EXPOSE: &str = "access-control-expose-headers";
/// Every method that a rule can name; whichever is not for this path is refused when it comes.
const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE";
/// Ten minutes: browsers keep it no longer than two hours, and a changed rule should not take so long.
const MAX_AGE: &str = "600";
