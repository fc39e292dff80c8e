//! The `claims` parameter of our own requests (OIDC Core 5.5): what the client can do, and what it was challenged for.

use serde_json::{Map, Value};

use super::claims_challenge::ClaimsChallenge;
use crate::json;

/// The parameter's value, or `None` where there is nothing to ask for.
///
/// Client capabilities, such as `cp1` for one that understands claims challenges, are the Microsoft identity platform's
/// `xms_cc`. They are ours to state, so they replace what a challenge says of them; the rest of it is passed on.
#[must_use]
pub fn claims_request(capabilities: &[String], challenge: Option<&ClaimsChallenge>) -> Option<String> {
    if capabilities.is_empty() {
        return challenge.map(|challenge| challenge.as_str().to_owned());
    }
    let mut request = challenge.map(ClaimsChallenge::members).unwrap_or_default();
    let mut access_token = match request.remove("access_token") {
        Some(Value::Object(members)) => members,
        _ => Map::new(),
    };
    access_token.insert("xms_cc".to_owned(), json::members([("values", capabilities.into())]));
    request.insert("access_token".to_owned(), Value::Object(access_token));
    Some(Value::Object(request).to_string())
}
