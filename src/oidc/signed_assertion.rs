//! An assertion that somebody else signed for this client (RFC 7521 §4.2, workload identity federation). Whom it
//! convinces is the OP's business: here only its form and its end are looked at.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::json;
use crate::secret::Secret;
use crate::time::{Lifetime, Timestamp};

/// The longest answer that is read.
pub const MAX_ANSWER_BYTES: usize = 16 * 1024;

/// An assertion, and until when it is worth keeping.
pub struct SignedAssertion {
    /// The JWT.
    pub jwt: Secret,
    /// A little before its end.
    pub keep_until: Timestamp,
}

impl SignedAssertion {
    /// Reads an answer: a JWT as it is, or JSON with the JWT in `value`, `token`, `assertion`, `id_token` or
    /// `access_token`.
    ///
    /// # Errors
    /// For anything else, and for a JWT without an end or past it.
    pub fn parse(answer: &[u8], now: Timestamp) -> Result<Self, SignedAssertionFault> {
        if answer.len() > MAX_ANSWER_BYTES {
            return Err(SignedAssertionFault::TooLong);
        }
        let text = std::str::from_utf8(answer).map_err(|_| SignedAssertionFault::NoJwt)?.trim();
        let jwt = match json::object(text.as_bytes()) {
            Some(members) => {
                let member = MEMBERS.iter().find_map(|name| members.get(*name)).and_then(Value::as_str);
                member.ok_or(SignedAssertionFault::NoJwt)?.to_owned()
            }
            None => text.to_owned(),
        };
        let expires_at = end(&jwt).ok_or(SignedAssertionFault::NoJwt)?;
        if expires_at <= now {
            return Err(SignedAssertionFault::Expired);
        }
        Ok(Self { jwt: Secret::new(jwt), keep_until: expires_at - MARGIN })
    }
}

/// `exp` of a compact JWS (RFC 7515 §3.1, RFC 7519 §4.1.4).
fn end(jwt: &str) -> Option<Timestamp> {
    let parts: Vec<_> = jwt.split('.').collect();
    let [header, claims, signature] = *parts.as_slice() else { return None };
    if signature.is_empty() {
        return None;
    }
    let [header, claims] = [header, claims].map(|part| json::object(&URL_SAFE_NO_PAD.decode(part).ok()?));
    header?;
    URL_SAFE_NO_PAD.decode(signature).ok()?;
    claims?.get("exp")?.as_f64().filter(|exp| *exp >= 0.0).map(|exp| Timestamp::from_unix(exp as u64))
}

/// What is wrong with an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SignedAssertionFault {
    /// The JWT has expired.
    Expired,
    /// There is no JWT with an `exp` in it.
    NoJwt,
    /// Longer than [`MAX_ANSWER_BYTES`].
    TooLong,
}

impl fmt::Display for SignedAssertionFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Expired => "the signed assertion has expired",
            Self::NoJwt => {
                "the answer is no JWT with exp, nor JSON with one in value, token, assertion, id_token or access_token"
            }
            Self::TooLong => "the answer with the signed assertion is too long",
        })
    }
}

impl std::error::Error for SignedAssertionFault {}

const MEMBERS: [&str; 5] = ["value", "token", "assertion", "id_token", "access_token"];
/// The OP's clock may be ahead, and the request takes time.
const MARGIN: Lifetime = Lifetime::from_seconds(60);

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_unix(1000);

    fn jwt(claims: &str) -> String {
        format!("{}.{}.c2ln", URL_SAFE_NO_PAD.encode("{\"alg\":\"RS256\"}"), URL_SAFE_NO_PAD.encode(claims))
    }

    fn parse(answer: &str) -> Result<(String, u64), SignedAssertionFault> {
        SignedAssertion::parse(answer.as_bytes(), NOW)
            .map(|assertion| (assertion.jwt.into_exposed(), assertion.keep_until.as_unix()))
    }

    #[test]
    fn a_jwt_is_found_alone_and_in_json() {
        let jwt = jwt("{\"exp\":1600}");
        let expected = Ok((jwt.clone(), 1540));
        assert_eq!(parse(&jwt), expected);
        assert_eq!(parse(&format!("\n{jwt}\r\n")), expected);
        for name in MEMBERS {
            assert_eq!(parse(&format!("{{\"count\":1,\"{name}\":\"{jwt}\"}}")), expected, "{name}");
        }
    }

    #[test]
    fn what_has_no_end_or_is_past_it_is_none() {
        for claims in ["{}", "{\"exp\":\"1600\"}", "{\"exp\":-1}", "[]", "{\"exp\":1,\"exp\":1600}"] {
            assert_eq!(parse(&jwt(claims)), Err(SignedAssertionFault::NoJwt), "{claims}");
        }
        assert_eq!(parse(&jwt("{\"exp\":1000}")), Err(SignedAssertionFault::Expired));
        assert!(parse(&jwt("{\"exp\":1000.9e0}")).is_err());
        assert!(parse(&jwt("{\"exp\":1001}")).is_ok());
    }

    #[test]
    fn anything_else_is_refused() {
        let good = jwt("{\"exp\":1600}");
        for answer in ["", "x", "{}", "{\"value\":1}", "<html>", "e30.e30.", "a.b.c.d.e", good.trim_end_matches("c2ln")]
        {
            assert_eq!(parse(answer), Err(SignedAssertionFault::NoJwt), "{answer}");
        }
        assert_eq!(parse(&"a".repeat(MAX_ANSWER_BYTES + 1)), Err(SignedAssertionFault::TooLong));
    }
}
