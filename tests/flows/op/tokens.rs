//! The token and UserInfo endpoints: code with PKCE and redirect URI, refresh with rotation and reuse detection, and
//! client credentials.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use vestibule::runtime::OpRequest;

use super::authorization::assert_claims;
use super::exchange::{ON_BEHALF_OF, TOKEN_EXCHANGE};
use super::{EndUser, OF_USER_FLOWS, Op, keys};
use crate::deployment::{CLIENT_ID, CLIENT_SECRET, merge};

/// A refresh token and its successors.
pub(super) struct Family {
    pub(super) user: EndUser,
    pub(super) current: String,
    pub(super) spent: Vec<String>,
    pub(super) is_revoked: bool,
    /// What the end-user was asked for and agreed to.
    pub(super) granted: String,
    /// The user flow that it comes from.
    pub(super) policy: Option<String>,
}

/// An access token and what it is for.
#[derive(Clone, Debug)]
pub(crate) struct Issued {
    pub(crate) token: String,
    pub(crate) sub: &'static str,
    /// The tenant that issued it, where that was asked by name.
    pub(crate) tenant: Option<String>,
    pub(crate) resource: Option<String>,
    pub(crate) scope: String,
}

impl Op {
    /// The access token that this text is.
    pub(crate) fn issued(&self, token: &str) -> Issued {
        let issued = self.issued.borrow();
        issued.iter().find(|issued| issued.token == token).unwrap_or_else(|| panic!("not issued: {token}")).clone()
    }

    /// Every access token so far, in order.
    pub(crate) fn access_tokens(&self) -> Vec<String> {
        self.issued.borrow().iter().map(|issued| issued.token.clone()).collect()
    }

    /// How many refresh tokens have ended with all their successors.
    pub(crate) fn revoked(&self) -> usize {
        self.families.borrow().values().filter(|family| family.is_revoked).count()
    }

    /// Ends every refresh token, as an administrator would.
    pub(crate) fn revoke_everything(&self) {
        self.families.borrow_mut().values_mut().for_each(|family| family.is_revoked = true);
    }

    /// Ends the family of a refresh token.
    pub(super) fn revoke(&self, token: &str) {
        let mut families = self.families.borrow_mut();
        let known =
            families.values_mut().find(|family| family.current == token || family.spent.iter().any(|t| t == token));
        known.into_iter().for_each(|family| family.is_revoked = true);
    }

    /// The refresh token that is current in the newest family.
    pub(crate) fn newest_refresh_token(&self) -> String {
        let families = self.families.borrow();
        families.iter().max_by_key(|(number, _)| **number).expect("no refresh token").1.current.clone()
    }

    pub(super) fn token(&self, request: &OpRequest) -> (u16, Value) {
        let pairs: Vec<(String, String)> = url::form_urlencoded::parse(&request.body).into_owned().collect();
        let parameter = |name: &str| {
            let mut values = pairs.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str());
            let value = values.next();
            assert_eq!(values.next(), None, "{name} twice");
            value
        };
        assert_eq!(request.method, "POST");
        if !self.is_authenticated(request, parameter("client_id"), parameter("client_secret")) {
            return refusal(401, "invalid_client");
        }
        assert_claims(parameter("claims"));
        let resource = parameter("resource").map(str::to_owned);
        let scope = parameter("scope").unwrap_or("");
        match parameter("grant_type") {
            Some("authorization_code") => {
                let code = parameter("code").unwrap();
                let redirect_uri = parameter("redirect_uri").expect("no redirect_uri");
                assert!(self.is_registered(redirect_uri), "{redirect_uri}");
                // RFC 6749 §4.1.3: the same as in the authorization request.
                let codes = self.codes.borrow();
                assert!(codes.get(code).is_none_or(|known| known.redirect_uri == redirect_uri), "{redirect_uri}");
                drop(codes);
                self.redeem_code(code, parameter("code_verifier"), resource, scope)
            }
            Some("refresh_token") => self.redeem_refresh_token(parameter("refresh_token").unwrap(), resource, scope),
            Some(ON_BEHALF_OF) if self.is_microsoft.get() => self.exchange(&pairs, resource, scope),
            Some(TOKEN_EXCHANGE) if !self.is_microsoft.get() => self.exchange(&pairs, resource, scope),
            Some("client_credentials") => self.token_for_the_client(resource, scope),
            _ => refusal(400, "unsupported_grant_type"),
        }
    }

    pub(super) fn user_info(&self, request: &OpRequest) -> (u16, Value) {
        let token = request.header("authorization").unwrap().strip_prefix("Bearer ").unwrap();
        let issued = self.issued(token);
        (200, json!({ "sub": issued.sub, "email": "ada@example.com", "name": "not this one" }))
    }

    /// RFC 6749 §2.3.1: by header, form-encoded, or at the Microsoft identity platform in the body.
    pub(super) fn is_authenticated(&self, request: &OpRequest, id: Option<&str>, secret: Option<&str>) -> bool {
        if let Some(is_accepted) = self.asserted(request, id, secret) {
            return is_accepted;
        }
        if self.is_microsoft.get() || self.takes_secret_in_body.get() {
            assert!(request.header("authorization").is_none(), "the secret is sent once only");
            return id == Some(CLIENT_ID) && secret == Some(CLIENT_SECRET);
        }
        assert_eq!(secret, None, "the secret is sent once only");
        let encoded = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let expected = STANDARD.encode(format!("{}:{}", encoded(CLIENT_ID), encoded(CLIENT_SECRET)));
        request.header("authorization") == Some(format!("Basic {expected}").as_str())
    }

    fn redeem_code(&self, code: &str, verifier: Option<&str>, resource: Option<String>, scope: &str) -> (u16, Value) {
        let Some(authorization) = self.codes.borrow_mut().remove(code) else {
            return refusal(400, "invalid_grant");
        };
        let verifier = verifier.expect("no code_verifier");
        self.remember_secret(verifier);
        if keys::encode(Sha256::digest(verifier)) != authorization.challenge {
            return refusal(400, "invalid_grant");
        }
        // RFC 6749 §4.1.3 has no scope here: what was consented to is granted.
        let granted = authorization.scope;
        let scope = if scope.is_empty() { granted.clone() } else { self.agreed(scope) };
        if authorization.policy != *self.policy.borrow() {
            return refusal(400, "invalid_grant");
        }
        let user = authorization.user;
        let number = self.next();
        let refresh_token = self.secret("rt");
        let family = Family {
            user: user.clone(),
            current: refresh_token.clone(),
            spent: Vec::new(),
            is_revoked: false,
            granted,
            policy: authorization.policy,
        };
        self.families.borrow_mut().insert(number, family);
        let id_token = self.id_token(&user, Some(&authorization.nonce));
        (200, self.response(Some(&user), resource, scope, [Some(refresh_token), Some(id_token)]))
    }

    fn redeem_refresh_token(&self, token: &str, resource: Option<String>, scope: &str) -> (u16, Value) {
        let mut families = self.families.borrow_mut();
        let Some(family) = families
            .values_mut()
            .find(|family| family.current == token || family.spent.iter().any(|spent| spent == token))
        else {
            return refusal(400, "invalid_grant");
        };
        if family.current != token {
            self.reuses.set(self.reuses.get() + 1);
            family.is_revoked = true;
        }
        // AADB2C90088: it has not been issued for this endpoint.
        if family.is_revoked || family.policy != *self.policy.borrow() {
            return refusal(400, "invalid_grant");
        }
        let agreed = self.agreed(scope);
        let is_free = self.is_microsoft.get() || self.grants_any_scope.get();
        if agreed.is_empty() != scope.is_empty() || !is_free && !is_within(scope, &family.granted) {
            return refusal(400, "invalid_scope");
        }
        let rotated = self.rotates.get().then(|| self.secret("rt"));
        if let Some(rotated) = &rotated {
            family.spent.push(std::mem::replace(&mut family.current, rotated.clone()));
        }
        let user = family.user.clone();
        let sent = rotated.filter(|_| !self.omits_refresh_token.get());
        let id_token = self.renews_id_token.get().then(|| self.id_token(&user, None));
        (200, self.response(Some(&user), resource, agreed, [sent, id_token]))
    }

    /// RFC 6749 §4.4: no end-user takes part, and so there is neither a refresh token nor an ID token. The Microsoft
    /// identity platform wants what is configured for the client, and nothing by name.
    fn token_for_the_client(&self, resource: Option<String>, scope: &str) -> (u16, Value) {
        if self.is_microsoft.get() && !scope.ends_with("/.default") {
            return refusal(400, "invalid_scope");
        }
        (200, self.response(None, resource, scope.to_owned(), [None, None]))
    }

    /// With a refresh token and an ID token, perhaps, and about nobody if the client asks for itself.
    fn response(
        &self,
        user: Option<&EndUser>,
        resource: Option<String>,
        scope: String,
        tokens: [Option<String>; 2],
    ) -> Value {
        let mut body = json!({ "token_type": "bEARER", "expires_in": self.expires_in.get() });
        if self.issues_access_token(&scope) {
            let token = self.secret("at");
            let issued = Issued {
                token: token.clone(),
                sub: user.map_or("app", |user| user.sub),
                tenant: self.tenant.borrow().clone(),
                resource,
                scope: scope.clone(),
            };
            self.issued.borrow_mut().push(issued);
            body["access_token"] = token.into();
        }
        for (name, value) in ["refresh_token", "id_token"].into_iter().zip(tokens) {
            if let Some(value) = value {
                body[name] = value.into();
            }
        }
        if !scope.is_empty() {
            body["scope"] = scope.into();
        }
        if let Some(user) = user.filter(|_| self.is_microsoft.get()) {
            let policy = self.user_flow().map(|(policy, _)| format!("-{}", policy.to_ascii_lowercase()));
            let uid = format!("home-of-{}{}", user.sub, policy.unwrap_or_default());
            let tenant = self.claims.borrow()["tid"].as_str().unwrap_or(TENANT).to_owned();
            let home = json!({ "uid": uid, "utid": tenant }).to_string();
            body["client_info"] = keys::encode(home).into();
        }
        body
    }

    /// Azure AD B2C issues none for nothing: a scope is a URI, or the id of the client for the client itself; and all of
    /// them belong to one resource (AADB2C90146).
    fn issues_access_token(&self, scope: &str) -> bool {
        if self.user_flow().is_none() {
            return true;
        }
        let resources = scope.split(' ').filter_map(|scope| scope.rsplit_once('/').map(|(resource, _)| resource));
        let mut resources: Vec<_> = resources.collect();
        resources.dedup();
        assert!(resources.len() <= 1, "several resources: {scope}");
        !resources.is_empty() || scope.split(' ').any(|scope| scope == CLIENT_ID)
    }

    fn id_token(&self, user: &EndUser, nonce: Option<&str>) -> String {
        let now = self.now.get();
        let mut claims = json!({
            "iss": *self.issuer.borrow(), "sub": user.sub, "aud": CLIENT_ID, "iat": now, "exp": now + 3600,
            "name": "Zoë \"Z\" <b>%\r\nX-Evil: 1", "roles": ["reader", "wri,ter"], "uti": "once",
        });
        if let Some(sid) = user.sid {
            claims["sid"] = sid.into();
        }
        if let Some(nonce) = nonce {
            claims["nonce"] = nonce.into();
        }
        if self.is_microsoft.get() {
            claims["tid"] = TENANT.into();
            claims["oid"] = format!("home-of-{}", user.sub).into();
            claims["login_hint"] = "O.hint&x=1".into();
        }
        let mut key = self.signing_key.borrow().clone();
        if let Some((policy, position)) = self.user_flow() {
            claims["tfp"] = policy.into();
            claims.as_object_mut().unwrap().retain(|name, _| name != "tid" && name != "login_hint");
            OF_USER_FLOWS[position].clone_into(&mut key);
        }
        merge(&mut claims, &self.claims.borrow());
        if let Some(tenant) = &*self.tenant.borrow() {
            // Another directory: nothing in it but the home account is the same.
            claims["iss"] = format!("https://login.microsoftonline.com/{tenant}/v2.0").into();
            claims["tid"] = tenant.as_str().into();
            claims["oid"] = format!("guest-{}", user.sub).into();
            claims["sub"] = format!("guest-sub-{}", user.sub).into();
        }
        let mut header = json!({ "alg": keys::algorithm(&key), "kid": key, "typ": "JWT" });
        merge(&mut header, &self.header.borrow());
        let compact = keys::compact(&key, &header, &claims);
        self.remember_secret(&compact);
        compact
    }

    /// A secret with characters that forgotten encoding would change.
    pub(super) fn secret(&self, kind: &str) -> String {
        let secret = format!("{kind}-{}-Zx9+/=%41~!", self.next());
        self.remember_secret(&secret);
        secret
    }
}

pub(crate) const TENANT: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";

pub(super) fn refusal(status: u16, code: &str) -> (u16, Value) {
    (status, json!({ "error": code, "error_description": "<script>alert(1)</script> invalid_grant" }))
}

fn is_within(scope: &str, granted: &str) -> bool {
    scope.split_ascii_whitespace().all(|asked| granted.split_ascii_whitespace().any(|scope| scope == asked))
}
