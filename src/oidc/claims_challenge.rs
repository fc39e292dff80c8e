//! A claims challenge: a claims request (OIDC Core 5.5) that a downstream API or the token endpoint demands of the next
//! request for a token. What it asks for is not interpreted here; the provider does that.

use std::fmt;

use crate::json::{self, Json};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// The longest challenge that is taken, as JSON. It travels in the cookie of a login attempt, sealed and in base64, and
/// a browser keeps no cookie of more than 4,096 bytes. Those seen in the field have 50 to 300.
pub const MAX_CLAIMS_BYTES: usize = 1500;

/// One JSON object, written without spaces and with sorted names, so that equal challenges are equal text.
#[derive(Clone, PartialEq, Eq)]
pub struct ClaimsChallenge(String);

impl ClaimsChallenge {
    /// Reads the `claims` parameter of a `WWW-Authenticate` challenge: base64 of either alphabet, padded or not, as the
    /// Microsoft identity platform's APIs send it, or the JSON text itself.
    #[must_use]
    pub fn decode(value: &str) -> Option<Self> {
        if value.starts_with('{') {
            return Self::parse(value);
        }
        let encoded = value.trim_end_matches('=').replace('+', "-").replace('/', "_");
        Self::from_document(&URL_SAFE_NO_PAD.decode(encoded).ok()?)
    }

    /// Parses JSON text, such as the `claims` member of a token error response.
    #[must_use]
    pub fn parse(json: &str) -> Option<Self> {
        Self::from_document(json.as_bytes())
    }

    /// The JSON text. It can name a person or a session: it is sent to the provider and never logged.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A name for the challenge that says nothing about it: the same for equal challenges.
    #[must_use]
    pub fn name(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(&self.0))
    }

    pub(super) fn members(&self) -> Map<String, Value> {
        json::object(self.0.as_bytes()).unwrap_or_default()
    }

    fn from_document(json: &[u8]) -> Option<Self> {
        if json.len() > MAX_CLAIMS_BYTES {
            return None;
        }
        let object = Value::Object(json::object(json)?);
        // Without fractions, rewriting makes nothing longer.
        is_rewritten_exactly(&object).then(|| Self(object.to_string()))
    }
}

impl fmt::Debug for ClaimsChallenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClaimsChallenge([secret])")
    }
}

impl Json for ClaimsChallenge {
    fn to_json(&self) -> Value {
        self.0.to_json()
    }

    fn from_json(value: Value) -> Option<Self> {
        Self::parse(value.as_str()?)
    }
}

/// A fraction or a number beyond 64 bits would be rounded, and the provider asked for something else. No claims request
/// has one.
fn is_rewritten_exactly(value: &Value) -> bool {
    match value {
        Value::Number(number) => !number.is_f64(),
        Value::Array(elements) => elements.iter().all(is_rewritten_exactly),
        Value::Object(members) => members.values().all(is_rewritten_exactly),
        Value::Null | Value::Bool(_) | Value::String(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_stored_as_text_and_checked_when_it_comes_back() {
        let challenge = ClaimsChallenge::parse(r#"{ "b": 1, "a": {} }"#).unwrap();
        assert_eq!(challenge.to_json(), r#"{"a":{},"b":1}"#);
        assert_eq!(ClaimsChallenge::from_json(challenge.to_json()).unwrap(), challenge);
        for stored in ["{}", "null", r#""""#, r#""e30""#, r#""[]""#, r#""{\"a\":1,\"a\":1}""#] {
            let stored = serde_json::from_str(stored).unwrap();
            assert!(ClaimsChallenge::from_json(stored).is_none());
        }
    }
}
