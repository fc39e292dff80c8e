//! The exchange of an access token for the gateway for one of an API: RFC 8693 and, at the Microsoft identity platform, on
//! behalf of. As strict as those are.

use serde_json::{Value, json};

use super::Op;
use super::tokens::{Issued, TENANT, refusal};
use crate::deployment::PUBLIC;

pub(super) const ON_BEHALF_OF: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
pub(super) const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

impl Op {
    /// Answers an exchange.
    pub(super) fn exchange(&self, form: &[(String, String)], resource: Option<String>, scope: &str) -> (u16, Value) {
        let parameter = |name: &str| form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let is_microsoft = self.is_microsoft.get();
        for absent in ["refresh_token", "code", "redirect_uri", "client_info", "subject", "actor_token"] {
            assert_eq!(parameter(absent), None, "{absent}");
        }
        let token = if is_microsoft {
            assert_eq!(parameter("requested_token_use"), Some("on_behalf_of"));
            assert!(self.last_url.borrow().contains(TENANT), "on behalf of is for the tenant of the token");
            assert_eq!((parameter("subject_token"), parameter("requested_token_type")), (None, None));
            parameter("assertion").expect("no assertion")
        } else {
            for kind in ["subject_token_type", "requested_token_type"] {
                assert_eq!(parameter(kind), Some(ACCESS_TOKEN), "{kind}");
            }
            assert_eq!((parameter("assertion"), parameter("requested_token_use")), (None, None));
            parameter("subject_token").expect("no subject_token")
        };
        assert!(!scope.split(' ').any(|scope| ["openid", "profile", "offline_access"].contains(&scope)), "{scope}");
        let known = self.access_tokens.borrow().get(token).cloned();
        let is_ours =
            |claims: &Value| claims["aud"] == PUBLIC || claims["aud"] == "5c1d0f2e-93a7-4a39-8f0b-5f3f8a1b2c3d";
        let is_current = |claims: &Value| claims["exp"].as_u64().is_none_or(|end| end > self.now.get());
        let Some(claims) = known.filter(|claims| is_ours(claims) && is_current(claims)) else {
            return refusal(400, if is_microsoft { "invalid_grant" } else { "invalid_request" });
        };
        let sub: &'static str = claims["sub"].as_str().unwrap().to_owned().leak();
        let token = self.secret("at");
        let issued = Issued { token: token.clone(), sub, tenant: None, resource, scope: scope.to_owned() };
        self.issued.borrow_mut().push(issued);
        let mut body = json!({ "access_token": token, "token_type": "Bearer", "expires_in": self.expires_in.get() });
        if !scope.is_empty() {
            body["scope"] = scope.into();
        }
        if !is_microsoft {
            body["issued_token_type"] = ACCESS_TOKEN.into();
        }
        // Nobody asked for it.
        body["refresh_token"] = self.secret("rt").into();
        (200, body)
    }
}
