//! The assertion to the origin: a JWT (RFC 7519), signed with ES256, that binds one request and says whose it is. How an
//! origin verifies it is in `docs/identity.md`.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::identity::Identity;
use crate::json;
use crate::session::signing_key::{PublicPoint, SigningKey};
use crate::time::Timestamp;

/// The header that carries the assertion.
pub const HEADER: &str = "x-vestibule-assertion";

/// Claims about the request and nobody in particular: that it came through this gateway.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The issuer: the public origin without a trailing slash.
    pub issuer: &'a str,
    /// Whom the assertion is for.
    pub audience: &'a str,
    /// The method as it is sent.
    pub method: &'a str,
    /// The absolute URL as it is sent.
    pub url: &'a str,
    /// The present moment.
    pub now: Timestamp,
    /// 16 random bytes.
    pub id: [u8; 16],
}

impl Request<'_> {
    /// The claims of a request without a session.
    #[must_use]
    pub fn claims(&self) -> Map<String, Value> {
        let (path, query) = path_and_query(self.url);
        let issued_at = self.now.as_unix();
        let pairs: [(&str, Value); 8] = [
            ("iss", self.issuer.into()),
            ("aud", self.audience.into()),
            ("iat", issued_at.into()),
            ("exp", (issued_at + LIFETIME).into()),
            ("jti", URL_SAFE_NO_PAD.encode(self.id).into()),
            ("htm", self.method.into()),
            ("path", path.into()),
            // Also of no query: a verifier then has no case in which it compares nothing.
            ("query_sha256", digest(query).into()),
        ];
        json::collected(&mut pairs.into_iter())
    }
}

/// Claims about whose request it is.
#[must_use]
pub fn identity_claims(identity: &Identity<'_>) -> Map<String, Value> {
    let passed_on =
        |name: &&str| identity.claims.get(*name).filter(|value| !value.is_null() && !is_long(value)).cloned();
    let mut claims = json::collected(&mut names(identity).filter_map(|name| Some((name, passed_on(&name)?))));
    claims.insert("idp".to_owned(), identity.issuer.into());
    if let Some(session) = identity.session {
        claims.insert("sid_hash".to_owned(), digest(session.as_bytes()).into());
    }
    claims
}

/// The claims that are left out because they are too long.
pub fn left_out<'a>(identity: &Identity<'a>) -> impl Iterator<Item = &'static str> + use<'a> {
    let claims = identity.claims;
    names(identity).filter(|name| claims.get(*name).is_some_and(is_long))
}

/// What an ID token calls `scope` or `client_id` is not what an access token means by it.
fn names(identity: &Identity<'_>) -> impl Iterator<Item = &'static str> + use<> {
    let of_token: &[&str] = if identity.session.is_none() { &TOKEN_CLAIMS } else { &[] };
    USER_CLAIMS.iter().chain(of_token).copied()
}

/// What is signed: header and claims (RFC 7515 §5.1).
#[must_use]
pub fn signing_input(key: &SigningKey, claims: Map<String, Value>) -> String {
    let header =
        json::members([("alg", "ES256".into()), ("kid", key.kid().into()), ("typ", "vestibule-assertion+jwt".into())]);
    let mut text = URL_SAFE_NO_PAD.encode(header.to_string());
    text.push('.');
    URL_SAFE_NO_PAD.encode_string(Value::Object(claims).to_string(), &mut text);
    text
}

/// The assertion: what was signed, and the signature.
#[must_use]
pub fn compact(mut signing_input: String, signature: &[u8]) -> String {
    signing_input.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut signing_input);
    signing_input
}

/// A key as the published set has it (RFC 7517 §4).
#[must_use]
pub fn jwk(key: &SigningKey, point: &PublicPoint) -> Value {
    json::members([
        ("kty", "EC".into()),
        ("crv", "P-256".into()),
        ("x", point.x.as_str().into()),
        ("y", point.y.as_str().into()),
        ("kid", key.kid().into()),
        ("use", "sig".into()),
        ("alg", "ES256".into()),
    ])
}

fn digest(data: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(data))
}

fn path_and_query(url: &str) -> (&str, &str) {
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    let target = after_scheme.find('/').and_then(|start| after_scheme.get(start..)).unwrap_or("/");
    target.split_once('?').unwrap_or((target, ""))
}

/// A part of a list would be another list, so what is too long is not shortened.
fn is_long(value: &Value) -> bool {
    value.to_string().len() > LONGEST_CLAIM
}

/// What the origin may know about its user.
const USER_CLAIMS: [&str; 10] =
    ["acr", "auth_time", "email", "groups", "name", "oid", "preferred_username", "roles", "sub", "tid"];

/// What it may know of an access token besides.
const TOKEN_CLAIMS: [&str; 2] = ["client_id", "scope"];

/// In bytes of JSON.
const LONGEST_CLAIM: usize = 8 * 1024;

/// In seconds. The origin gets the assertion with the request, so all it must cover is a difference between two clocks.
const LIFETIME: u64 = 60;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::session::entry::TokenCacheEntry;
    use crate::session::session::SessionId;

    #[test]
    fn the_target_is_what_is_sent() {
        for (url, expected) in [
            ("https://origin.example/a%2fb?c=d?e", ("/a%2fb", "c=d?e")),
            ("http://127.0.0.1:8080//evil.example/x", ("//evil.example/x", "")),
            ("https://origin.example/?", ("/", "")),
            ("https://origin.example/?a=://b/c", ("/", "a=://b/c")),
        ] {
            assert_eq!(path_and_query(url), expected, "{url}");
        }
    }

    #[test]
    fn a_request_alone_is_nobodys() {
        let request = Request {
            issuer: "https://app.example",
            audience: "https://origin.example",
            method: "GET",
            url: "https://origin.example/a?b",
            now: Timestamp::from_unix(1000),
            id: [0; 16],
        };
        let expected = json!({
            "iss": "https://app.example", "aud": "https://origin.example", "iat": 1000, "exp": 1060, "htm": "GET",
            "jti": "AAAAAAAAAAAAAAAAAAAAAA", "path": "/a", "query_sha256": digest("b"),
        });
        assert_eq!(Value::Object(request.claims()), expected);
    }

    #[test]
    fn a_long_list_is_left_out_and_named() {
        let group = "a".repeat(40);
        let claims = json!({
            "sub": "s", "groups": vec![group; 200], "roles": ["r"], "acr": null, "nonce": "n", "scope": "a b",
        });
        let entry = TokenCacheEntry::new(
            "https://op.example".to_owned(),
            serde_json::from_value(claims).unwrap(),
            Timestamp::from_unix(0),
        );
        let user = Identity::of_user(&entry, SessionId::from_bytes([1; 16]));
        assert_eq!(identity_claims(&user).keys().collect::<Vec<_>>(), ["idp", "roles", "sid_hash", "sub"]);
        assert_eq!(left_out(&user).collect::<Vec<_>>(), ["groups"]);
        let client = Identity::of_claims(&entry.claims);
        assert_eq!(identity_claims(&client).keys().collect::<Vec<_>>(), ["idp", "roles", "scope", "sub"]);
    }
}
