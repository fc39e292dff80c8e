//! Claims read with their types (RFC 7519 §2, §4.1). `None` means absent; a claim of the wrong type, `null` included,
//! is a fault and never counts as absent.

use serde_json::{Map, Value};

use super::fault::JwtFault;
use crate::time::Timestamp;

/// A string.
pub(in crate::oidc) fn text<'a>(claims: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, JwtFault> {
    claims.get(name).map(|value| value.as_str().ok_or(JwtFault::ClaimWrongType)).transpose()
}

/// A `NumericDate`, narrowed to whole seconds since the epoch: negative, fractional and floating ones are refused, for
/// no provider issues them and each has been used to slip past a comparison.
pub(in crate::oidc) fn numeric_date(claims: &Map<String, Value>, name: &str) -> Result<Option<Timestamp>, JwtFault> {
    let seconds = claims.get(name).map(|value| value.as_u64().ok_or(JwtFault::ClaimWrongType)).transpose()?;
    Ok(seconds.map(Timestamp::from_unix))
}

/// `aud`: a string or a list of strings (RFC 7519 §4.1.3).
pub(in crate::oidc) fn audience(claims: &Map<String, Value>) -> Result<Option<Vec<&str>>, JwtFault> {
    let Some(value) = claims.get("aud") else {
        return Ok(None);
    };
    let names = match value {
        Value::String(name) => Some(vec![name.as_str()]),
        Value::Array(names) => names.iter().map(Value::as_str).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
    };
    names.map(Some).ok_or(JwtFault::ClaimWrongType)
}
