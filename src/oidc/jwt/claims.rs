//! Claims read with their types (RFC 7519 §2, §4.1). `None` means absent; a claim of the wrong type, `null` included,
//! is a fault and never counts as absent.
//!
//! Those that mean the same in every token are held against what is expected here, too. An introspection answer has the
//! same claims and is no token (RFC 7662 §2.2).

use serde_json::{Map, Value};

use super::fault::JwtFault;
use crate::oidc::issuer::IssuerRule;
use crate::time::{Lifetime, Timestamp};

/// The longest `sub` (OIDC Core 2).
const MAX_SUBJECT_BYTES: usize = 255;

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

/// Names with spaces between them (RFC 6749 §3.3).
pub(in crate::oidc) fn words(claims: &Map<String, Value>, name: &str) -> Result<Option<Vec<String>>, JwtFault> {
    let words = |text: &str| text.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect();
    Ok(text(claims, name)?.map(words))
}

/// A list of strings.
pub(in crate::oidc) fn list(claims: &Map<String, Value>, name: &str) -> Result<Option<Vec<String>>, JwtFault> {
    let Some(value) = claims.get(name) else {
        return Ok(None);
    };
    let texts = |items: &Vec<Value>| items.iter().map(|item| item.as_str().map(str::to_owned)).collect();
    value.as_array().and_then(texts).map(Some).ok_or(JwtFault::ClaimWrongType)
}

/// `iss`, which is the expected one.
pub(in crate::oidc) fn issuer<'a>(
    claims: &'a Map<String, Value>,
    expected: &IssuerRule,
) -> Result<Option<&'a str>, JwtFault> {
    let issuer = text(claims, "iss")?;
    let is_expected = issuer.is_none_or(|issuer| expected.accepts(issuer, tenant(claims)));
    is_expected.then_some(issuer).ok_or(JwtFault::IssuerMismatch)
}

/// `sub` as OIDC Core 2 has it.
pub(in crate::oidc) fn subject(claims: &Map<String, Value>) -> Result<Option<&str>, JwtFault> {
    let subject = text(claims, "sub")?;
    let is_malformed = |text: &str| text.trim().is_empty() || text.len() > MAX_SUBJECT_BYTES || !text.is_ascii();
    if subject.is_some_and(is_malformed) { Err(JwtFault::SubjectMalformed) } else { Ok(subject) }
}

/// `exp`, which has not passed. `nbf` must have, where there is one.
pub(in crate::oidc) fn current(
    claims: &Map<String, Value>,
    now: Timestamp,
    skew: Lifetime,
) -> Result<Option<Timestamp>, JwtFault> {
    let expires_at = numeric_date(claims, "exp")?;
    if expires_at.is_some_and(|end| now >= end + skew) {
        return Err(JwtFault::Expired);
    }
    let not_before = numeric_date(claims, "nbf")?;
    let is_valid = not_before.is_none_or(|start| start <= now + skew);
    is_valid.then_some(expires_at).ok_or(JwtFault::NotYetValid)
}

/// `iat`, which lies in the past.
pub(in crate::oidc) fn issued(
    claims: &Map<String, Value>,
    now: Timestamp,
    skew: Lifetime,
) -> Result<Option<Timestamp>, JwtFault> {
    let issued_at = numeric_date(claims, "iat")?;
    let is_past = issued_at.is_none_or(|moment| moment <= now + skew);
    is_past.then_some(issued_at).ok_or(JwtFault::IssuedInFuture)
}

/// The unverified `tid`.
pub(in crate::oidc) fn tenant(claims: &Map<String, Value>) -> Option<&str> {
    claims.get("tid").and_then(Value::as_str)
}
