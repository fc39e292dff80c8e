//! `vestibule explain`: what would become of a request, decided by the Worker's own router, rules and forwarding. Nothing
//! is sent anywhere; who is signed in is what a file of claims says.

mod decision;
mod reasons;
mod request;
mod verdict;

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use serde_json::{Map, Value};

use super::arguments::Explain;
use super::report::Report;
use super::{Outcome, check};
use crate::config::Config;
use crate::request::RequestHead;
use crate::time::Timestamp;

pub use decision::{Decision, Passed, Sender, SignIn, decide};
use request::Request;
use verdict::{End, Verdict};

/// Explains a request.
///
/// # Errors
/// A sentence, when the request cannot be understood or a file not be read.
pub(super) fn run(wish: &Explain) -> Result<Outcome, String> {
    let mut report = Report::default();
    // What is decided about a request depends on no secret.
    let (_, reading) = check::read(&wish.file, true, &mut report)?;
    let config = match reading.outcome {
        Ok(config) => config,
        Err(faults) => {
            report.take(&faults);
            for key in reading.unknown {
                report.fault(&key, "has a value that is not known here; give it with --dev-vars");
            }
            report.sort();
            let output = if wish.is_json { format!("{:#}\n", report.document()) } else { report.lines() };
            return Ok(Outcome::of(1, output));
        }
    };
    let verdict = explained(wish, &config)?;
    let output = if wish.is_json { format!("{:#}\n", verdict.document()) } else { verdict.lines() };
    Ok(Outcome::of(if verdict.is_served() { 0 } else { NOT_SERVED }, output))
}

fn explained(wish: &Explain, config: &Config) -> Result<Verdict, String> {
    let claims = wish.claims.as_deref().map(claims).transpose()?;
    let provider = wish.provider.as_deref();
    if provider.is_some_and(|name| config.providers().all(|provider| provider.name != name)) {
        return Err("--provider must name the section of an OpenID Provider".to_owned());
    }
    let request = Request::parse(&wish.request, &wish.headers, config)?;
    let mut verdict = Verdict::new();
    verdict.fact("request", &request.line);
    if let Some(sender) = request.sender {
        verdict.fact("sent by", sender);
    }
    let Ok(head) = RequestHead::parse(&request.text) else {
        let reason = "the path has an encoded dot segment, backslash or control character";
        return Ok(verdict.ended(End::Refused(400, reason.to_owned())));
    };
    let sender = Sender { claims: claims.as_ref(), provider, scopes: &wish.scopes, now: now() };
    let decision = decide(config, &head, &sender);
    Ok(reasons::told((config, &head, &sender), &decision, verdict))
}

#[expect(clippy::disallowed_methods, reason = "the command has no other clock than that of the machine")]
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    Timestamp::from_unix(since.map_or(0, |since| since.as_secs()))
}

fn claims(path: &Path) -> Result<Map<String, Value>, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    // What is wrong with it is not quoted: claims are somebody's.
    serde_json::from_str(&text).map_err(|error| format!("{}: line {}: is no JSON object", path.display(), error.line()))
}

/// The exit code for a request that is refused, or sent to sign in first.
const NOT_SERVED: u8 = 3;
