//! The assertion with which a client authenticates by a key (`private_key_jwt`: OIDC Core 9, RFC 7523 §2.2 and §3).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::client_key::ClientKey;
use crate::json;
use crate::time::{Lifetime, Timestamp};

/// What one request's assertion says. Each request has its own: an OP may refuse an id that it has seen.
#[derive(Clone, Copy, Debug)]
pub struct ClientAssertion<'a> {
    /// Our client identifier, issuer and subject in one.
    pub client_id: &'a str,
    /// The OP: its issuer identifier, or its token endpoint.
    pub audience: &'a str,
    /// The present moment.
    pub now: Timestamp,
    /// 16 random bytes.
    pub id: [u8; 16],
}

impl ClientAssertion<'_> {
    /// What is signed: header and claims (RFC 7515 §5.1).
    #[must_use]
    pub fn signing_input(&self, key: &ClientKey) -> String {
        let mut header = Map::new();
        key.describe(&mut header);
        header.insert("typ".to_owned(), "JWT".into());
        let issued_at = self.now.as_unix();
        let claims = json::members([
            ("iss", self.client_id.into()),
            ("sub", self.client_id.into()),
            ("aud", self.audience.into()),
            ("iat", issued_at.into()),
            ("nbf", issued_at.into()),
            ("exp", (self.now + LIFETIME).as_unix().into()),
            ("jti", json::bytes(&self.id)),
        ]);
        let mut text = URL_SAFE_NO_PAD.encode(Value::Object(header).to_string());
        text.push('.');
        URL_SAFE_NO_PAD.encode_string(claims.to_string(), &mut text);
        text
    }
}

/// The assertion: what was signed, and the signature.
#[must_use]
pub fn compact(mut signing_input: String, signature: &[u8]) -> String {
    signing_input.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut signing_input);
    signing_input
}

/// As the Microsoft identity platform's own libraries have it.
const LIFETIME: Lifetime = Lifetime::from_seconds(600);
