//! Access tokens for the gateway itself: JWTs by RFC 9068 and opaque ones, and the endpoint where both can be asked about.

use serde_json::{Value, json};
use vestibule::runtime::OpRequest;

use super::{Op, keys};
use crate::deployment::{PUBLIC, merge};

impl Op {
    /// A JWT for the gateway (RFC 9068 §2), with these claims beside or instead of its own (RFC 7396).
    pub(crate) fn jwt(&self, now: u64, claims: &Value) -> String {
        self.jwt_with(now, claims, &json!({}))
    }

    /// The same, and with changes to its header.
    pub(crate) fn jwt_with(&self, now: u64, claims: &Value, header: &Value) -> String {
        let key = self.signing_key.borrow();
        let mut head = json!({ "alg": keys::algorithm(&key), "kid": *key, "typ": "at+jwt" });
        merge(&mut head, header);
        let claims = self.granted(now, claims);
        let compact = keys::compact(&key, &head, &claims);
        self.know(&compact, claims);
        // No part of it may be anywhere either.
        compact.split('.').skip(1).filter(|part| part.len() > 10).for_each(|part| self.remember_secret(part));
        compact
    }

    /// The same as a token that only the OP can read.
    pub(crate) fn opaque(&self, now: u64, claims: &Value) -> String {
        let token = format!("opaque-{}-Zx9+/~_.-==", self.next());
        self.know(&token, self.granted(now, claims));
        token
    }

    /// The token is good no more.
    pub(crate) fn revoke_access_token(&self, token: &str) {
        self.access_tokens.borrow_mut().remove(token).expect("no such token");
    }

    /// RFC 7662 §2.2. Of what is not for whoever asks, some OPs tell all the same.
    pub(super) fn introspection(&self, request: &OpRequest) -> (u16, Value) {
        let form: Vec<(String, String)> = url::form_urlencoded::parse(&request.body).into_owned().collect();
        let parameter = |name: &str| form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        assert_eq!(request.method, "POST");
        assert_eq!(parameter("token_type_hint"), Some("access_token"));
        if !self.is_authenticated(request, parameter("client_id"), parameter("client_secret")) {
            return (401, json!({ "error": "invalid_client" }));
        }
        let known = self.access_tokens.borrow().get(parameter("token").expect("no token")).cloned();
        let is_current = |claims: &Value| claims["exp"].as_u64().is_none_or(|end| end > self.now.get());
        let Some(mut claims) = known.filter(is_current) else { return (200, json!({ "active": false })) };
        merge(&mut claims, &json!({ "active": true }));
        (200, claims)
    }

    fn granted(&self, now: u64, claims: &Value) -> Value {
        let mut all = json!({
            "iss": *self.issuer.borrow(), "aud": PUBLIC, "iat": now, "exp": now + 3600, "sub": "machine", "client_id": "machine",
            "scope": "orders.read", "jti": format!("jti-{}", self.next()),
        });
        merge(&mut all, claims);
        all
    }

    fn know(&self, token: &str, claims: Value) {
        self.remember_secret(token);
        self.access_tokens.borrow_mut().insert(token.to_owned(), claims);
    }
}
