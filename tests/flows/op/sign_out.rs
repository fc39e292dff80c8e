//! What the OP says when a session of its own is over, and where refresh tokens are given back.

use serde_json::{Value, json};
use vestibule::runtime::OpRequest;

use super::{Op, keys};
use crate::deployment::{CLIENT_ID, merge};

impl Op {
    /// A logout token (Back-Channel Logout 1.0 §2.4) of the moment `now`, with these claims beside or instead of its own
    /// (RFC 7396), signed by the OP's current key.
    pub(crate) fn logout_token(&self, now: u64, claims: &Value) -> String {
        self.logout_token_with(now, claims, &json!({}))
    }

    /// The same, and with changes to its header.
    pub(crate) fn logout_token_with(&self, now: u64, claims: &Value, header: &Value) -> String {
        let mut all = json!({
            "iss": *self.issuer.borrow(), "aud": CLIENT_ID, "iat": now, "exp": now + 120,
            "jti": format!("jti {}+/é", self.next()),
            "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
        });
        merge(&mut all, claims);
        let key = self.signing_key.borrow();
        let mut head = json!({ "alg": keys::algorithm(&key), "kid": *key, "typ": "logout+jwt" });
        merge(&mut head, header);
        let compact = keys::compact(&key, &head, &all);
        self.remember_secret(&compact);
        compact
    }

    /// The refresh tokens that came back, in order.
    pub(crate) fn returned_tokens(&self) -> Vec<String> {
        let tokens = self.forms(super::Endpoint::Revocation).into_iter().flatten();
        tokens.filter(|(name, _)| name == "token").map(|(_, token)| token).collect()
    }

    /// RFC 7009 §2: ends the token with its family; one that nobody knows is none, and that is fine.
    pub(super) fn revocation(&self, request: &OpRequest) -> (u16, Value) {
        let form: Vec<(String, String)> = url::form_urlencoded::parse(&request.body).into_owned().collect();
        let parameter = |name: &str| form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        assert_eq!(request.method, "POST");
        assert_eq!(parameter("token_type_hint"), Some("refresh_token"));
        if !self.is_authenticated(request, parameter("client_id"), parameter("client_secret")) {
            return (401, json!({ "error": "invalid_client" }));
        }
        self.revoke(parameter("token").expect("no token"));
        (200, json!({}))
    }
}
