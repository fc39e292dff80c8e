//! `vestibule explain`: what would become of a request, decided by the Worker's own router, rules and forwarding. Nothing
//! is sent anywhere; who is signed in is what a file of claims says.

mod decision;
mod forward;
mod request;
mod verdict;

use std::fs;
use std::path::Path;

use serde_json::{Map, Value};

use super::arguments::Explain;
use super::report::Report;
use super::{Outcome, check};

use request::Request;

/// Explains a request.
///
/// # Errors
/// A sentence, when the request cannot be understood or a file not be read.
pub(super) fn run(wish: &Explain) -> Result<Outcome, String> {
    let mut report = Report::default();
    let (_, reading) = check::read(&wish.file, &mut report)?;
    let config = match reading.outcome {
        Ok(config) => config,
        Err(faults) => {
            report.take(&faults);
            report.sort();
            return Ok(Outcome::of(1, report.lines()));
        }
    };
    let claims = wish.claims.as_deref().map(claims).transpose()?;
    let request = Request::parse(&wish.request, &wish.headers, &config)?;
    let verdict = decision::of(&config, &request, claims.as_ref(), &wish.scopes);
    let output = if wish.is_json { format!("{:#}\n", verdict.document()) } else { verdict.lines() };
    Ok(Outcome::of(if verdict.is_served() { 0 } else { NOT_SERVED }, output))
}

fn claims(path: &Path) -> Result<Map<String, Value>, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    // What is wrong with it is not quoted: claims are somebody's.
    serde_json::from_str(&text).map_err(|error| format!("{}: line {}: is no JSON object", path.display(), error.line()))
}

/// The exit code for a request that is refused, or sent to sign in first.
const NOT_SERVED: u8 = 3;
