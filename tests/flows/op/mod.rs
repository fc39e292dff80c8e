//! An OpenID Provider: keeps the rules of the specifications, and breaks any of them when told to.

mod access_tokens;
mod assertions;
mod authorization;
mod exchange;
pub(crate) mod keys;
mod sign_out;
mod tokens;

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};

use serde_json::{Value, json};
use vestibule::runtime::{OpRequest, OpResponse, TransportFault};

use crate::deployment::{PUBLIC, merge};

use assertions::Assertions;
pub(crate) use assertions::Proof;
use authorization::Authorization;
pub(crate) use authorization::parameter;
use tokens::Family;
pub(crate) use tokens::{Issued, TENANT};

/// An endpoint that the gateway calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Endpoint {
    Introspection,
    Jwks,
    Metadata,
    Revocation,
    Token,
    UserInfo,
}

/// What an endpoint does instead of its duty, until told otherwise.
#[derive(Clone, Debug)]
pub(crate) enum Instead {
    /// No answer.
    Fails(TransportFault),
    /// Its own answer, changed (RFC 7396).
    Merged(Value),
    /// This answer: status, headers, body.
    Says(u16, Vec<(&'static str, &'static str)>, String),
}

/// A person at the OP.
#[derive(Clone, Debug)]
pub(crate) struct EndUser {
    pub(crate) sub: &'static str,
    pub(crate) sid: Option<&'static str>,
}

pub(crate) const ADA: EndUser = EndUser { sub: "ada+1/&<b>", sid: Some("sid one/é") };
pub(crate) const BOB: EndUser = EndUser { sub: "bob", sid: Some("sid-of-bob") };

/// A directory of the Microsoft identity platform with an address of its own.
#[derive(Clone, Debug)]
pub(crate) struct Directory {
    /// What its addresses begin with; in Azure AD B2C the name of a user flow follows.
    pub(crate) base: &'static str,
    /// What its metadata say, and its tokens.
    pub(crate) issuer: String,
    /// The user flows of Azure AD B2C. Each signs with a key of its own, by its position.
    pub(crate) policies: Vec<&'static str>,
}

/// A call of the gateway and its form.
type Call = (Endpoint, Vec<(String, String)>);

pub(crate) struct Op {
    /// What its addresses begin with, unless it is the Microsoft identity platform.
    base: &'static str,
    /// The tenant in the authority of the Microsoft identity platform, or a word for many.
    authority: Cell<&'static str>,
    /// The path of the redirect URI that is registered.
    pub(super) callback: &'static str,
    /// The origins of the redirect URIs that are registered.
    pub(crate) origins: RefCell<Vec<&'static str>>,
    /// The issuer in ID tokens.
    pub(crate) issuer: RefCell<String>,
    /// Changes to the ID tokens' claims and headers, and the key that signs them.
    pub(crate) claims: RefCell<Value>,
    pub(crate) header: RefCell<Value>,
    pub(crate) signing_key: RefCell<String>,
    pub(crate) published_keys: RefCell<Vec<String>>,
    /// Whether a refresh token is replaced at every use, and its second use ends its family.
    pub(crate) rotates: Cell<bool>,
    pub(crate) omits_refresh_token: Cell<bool>,
    /// Whether a refresh brings an ID token, too.
    pub(crate) renews_id_token: Cell<bool>,
    pub(crate) expires_in: Cell<u64>,
    pub(crate) is_microsoft: Cell<bool>,
    /// Which directory of the Microsoft identity platform it is, if it is one and not all of them.
    pub(crate) directory: RefCell<Option<Directory>>,
    /// The user flow whose address was called last.
    pub(super) policy: RefCell<Option<String>>,
    /// Whether the client authenticates in the body (`client_secret_post`).
    pub(crate) takes_secret_in_body: Cell<bool>,
    /// How the client authenticates instead, if by assertions.
    pub(crate) assertions: Assertions,
    /// Whether there is an endpoint for revocation (RFC 7009). The Microsoft identity platform has none.
    pub(crate) revokes: Cell<bool>,
    /// Whether there is an endpoint for introspection (RFC 7662), which the Microsoft identity platform has not either.
    pub(crate) introspects: Cell<bool>,
    /// Whether a refresh may ask for scopes that the end-user was never asked to grant (RFC 6749 §6: it may not).
    pub(crate) grants_any_scope: Cell<bool>,
    /// Scopes that the end-user does not grant.
    pub(crate) declines: RefCell<Vec<String>>,
    /// How often a refresh token was presented that had been replaced.
    pub(crate) reuses: Cell<usize>,
    instead: RefCell<HashMap<Endpoint, Instead>>,
    once: RefCell<HashMap<Endpoint, VecDeque<Instead>>>,
    calls: RefCell<Vec<Call>>,
    /// The address of the last call.
    pub(crate) last_url: RefCell<String>,
    traces: RefCell<Vec<(Endpoint, String)>>,
    request_ids: RefCell<Vec<(Endpoint, Option<String>)>>,
    authorizations: RefCell<Vec<Vec<(String, String)>>>,
    codes: RefCell<HashMap<String, Authorization>>,
    families: RefCell<HashMap<u64, Family>>,
    issued: RefCell<Vec<Issued>>,
    /// Those for the gateway itself, with their claims.
    access_tokens: RefCell<HashMap<String, Value>>,
    secrets: RefCell<Vec<String>>,
    counter: Cell<u64>,
    /// The tenant of the Microsoft identity platform whose endpoint is called, where it is named.
    pub(super) tenant: RefCell<Option<String>>,
    /// The time, set by the world with every call.
    pub(crate) now: Cell<u64>,
}

impl Op {
    pub(crate) fn new() -> Self {
        Self::at("https://op.example", "/signin-oidc")
    }

    /// One with that issuer, which sends people back to that path.
    pub(crate) fn at(base: &'static str, callback: &'static str) -> Self {
        Self {
            base,
            authority: Cell::new("https://login.microsoftonline.com/common"),
            callback,
            origins: RefCell::new(vec![PUBLIC]),
            issuer: RefCell::new(base.to_owned()),
            claims: RefCell::new(json!({})),
            header: RefCell::new(json!({})),
            signing_key: RefCell::new("first key".to_owned()),
            published_keys: RefCell::new(vec!["first key".to_owned(), "rsa".to_owned()]),
            rotates: Cell::new(true),
            omits_refresh_token: Cell::new(false),
            renews_id_token: Cell::new(true),
            expires_in: Cell::new(3600),
            is_microsoft: Cell::new(false),
            directory: RefCell::default(),
            policy: RefCell::default(),
            takes_secret_in_body: Cell::new(false),
            assertions: Assertions::default(),
            revokes: Cell::new(true),
            introspects: Cell::new(true),
            grants_any_scope: Cell::new(true),
            declines: RefCell::default(),
            reuses: Cell::new(0),
            instead: RefCell::default(),
            once: RefCell::default(),
            calls: RefCell::default(),
            last_url: RefCell::default(),
            traces: RefCell::default(),
            request_ids: RefCell::default(),
            authorizations: RefCell::default(),
            codes: RefCell::default(),
            families: RefCell::default(),
            issued: RefCell::default(),
            access_tokens: RefCell::default(),
            secrets: RefCell::default(),
            counter: Cell::new(0),
            tenant: RefCell::default(),
            now: Cell::new(0),
        }
    }

    /// Answers the gateway.
    pub(crate) fn answer(&self, request: &OpRequest) -> Result<OpResponse, TransportFault> {
        let url = request.url.clone();
        self.tenant.replace(tenant_of(&url).filter(|_| self.is_microsoft.get()));
        *self.last_url.borrow_mut() = url.clone();
        let endpoint = self.endpoint(&url);
        let form = url::form_urlencoded::parse(&request.body).into_owned().collect();
        self.calls.borrow_mut().push((endpoint, form));
        let trace = ["traceparent", "tracestate"].map(|name| request.header(name).unwrap_or_default().to_owned());
        self.traces.borrow_mut().push((endpoint, trace.concat()));
        let id = request.header("client-request-id").map(str::to_owned);
        self.request_ids.borrow_mut().push((endpoint, id));
        let once = self.once.borrow_mut().get_mut(&endpoint).and_then(VecDeque::pop_front);
        let instead = once.or_else(|| self.instead.borrow().get(&endpoint).cloned());
        let patch = match instead {
            Some(Instead::Fails(fault)) => return Err(fault),
            Some(Instead::Says(status, headers, body)) => return Ok(response(status, &headers, body)),
            Some(Instead::Merged(patch)) => patch,
            None => json!({}),
        };
        let (status, mut body) = match endpoint {
            Endpoint::Introspection => self.introspection(request),
            Endpoint::Jwks => (200, self.jwks()),
            Endpoint::Metadata => (200, self.metadata(&self.base_of(&request.url.clone()))),
            Endpoint::Revocation => self.revocation(request),
            Endpoint::Token => self.token(request),
            Endpoint::UserInfo => self.user_info(request),
        };
        if status == 200 {
            merge(&mut body, &patch);
        }
        Ok(response(status, &[("content-type", "application/json")], body.to_string()))
    }

    pub(crate) fn instead(&self, endpoint: Endpoint, instead: Instead) {
        self.instead.borrow_mut().insert(endpoint, instead);
    }

    /// Every endpoint is gone.
    pub(crate) fn outage(&self) {
        for endpoint in [
            Endpoint::Introspection,
            Endpoint::Jwks,
            Endpoint::Metadata,
            Endpoint::Revocation,
            Endpoint::Token,
            Endpoint::UserInfo,
        ] {
            self.instead(endpoint, Instead::Fails(TransportFault::NoConnection));
        }
    }

    /// The same for the next call only; further ones wait behind it.
    pub(crate) fn instead_once(&self, endpoint: Endpoint, instead: Instead) {
        self.once.borrow_mut().entry(endpoint).or_default().push_back(instead);
    }

    pub(crate) fn behave(&self) {
        self.instead.borrow_mut().clear();
    }

    /// Which endpoints were called since it was asked last, and in whose trace.
    pub(crate) fn take_traces(&self) -> Vec<(Endpoint, String)> {
        self.traces.take()
    }

    /// By what the endpoint finds its last call again.
    pub(crate) fn last_request_id(&self, endpoint: Endpoint) -> Option<String> {
        let ids = self.request_ids.borrow();
        ids.iter().rfind(|(called, _)| *called == endpoint).and_then(|(_, id)| id.clone())
    }

    /// How often an endpoint was called.
    pub(crate) fn count(&self, endpoint: Endpoint) -> usize {
        self.calls.borrow().iter().filter(|(called, _)| *called == endpoint).count()
    }

    /// The form of the last call of the token endpoint.
    pub(crate) fn last_form(&self) -> Vec<(String, String)> {
        let calls = self.calls.borrow();
        calls.iter().rev().find(|(endpoint, _)| *endpoint == Endpoint::Token).expect("no token request").1.clone()
    }

    /// The forms of all calls of an endpoint.
    pub(crate) fn forms(&self, endpoint: Endpoint) -> Vec<Vec<(String, String)>> {
        let calls = self.calls.borrow();
        calls.iter().filter(|(called, _)| *called == endpoint).map(|(_, form)| form.clone()).collect()
    }

    /// Everything that must never leave the gateway.
    pub(crate) fn secrets(&self) -> Vec<String> {
        self.secrets.borrow().clone()
    }

    pub(crate) fn remember_secret(&self, secret: &str) {
        self.secrets.borrow_mut().push(secret.to_owned());
    }

    fn next(&self) -> u64 {
        self.counter.set(self.counter.get() + 1);
        self.counter.get()
    }

    pub(crate) fn base(&self) -> &'static str {
        if self.is_microsoft.get() { self.authority.get() } else { self.base }
    }

    /// The Microsoft identity platform as that tenant, or that word for many, has it.
    pub(crate) fn at_tenant(&self, tenant: &str) {
        self.authority.set(format!("https://login.microsoftonline.com/{tenant}").leak());
    }

    /// What the addresses of the authority begin with that the URL is one of. In Azure AD B2C that is a user flow's.
    pub(super) fn base_of(&self, url: &str) -> String {
        let directory = self.directory.borrow();
        let Some(Directory { base, policies, .. }) = &*directory else { return self.base().to_owned() };
        let rest = url.strip_prefix(*base).unwrap_or_else(|| panic!("not the directory's: {url}"));
        if policies.is_empty() {
            return (*base).to_owned();
        }
        let policy = rest.split('/').nth(1).unwrap_or_default();
        assert!(policies.contains(&policy), "no user flow at {url}");
        self.policy.replace(Some(policy.to_owned()));
        format!("{base}/{policy}")
    }

    /// The user flow that was called last, and its position.
    pub(super) fn user_flow(&self) -> Option<(String, usize)> {
        let policy = self.policy.borrow().clone()?;
        let position = self.directory.borrow().as_ref()?.policies.iter().position(|known| *known == policy)?;
        Some((policy, position))
    }

    fn endpoint(&self, url: &str) -> Endpoint {
        if self.tenant.borrow().is_some() {
            return Endpoint::Token;
        }
        let base = self.base_of(url);
        // Each tenant has the same endpoints.
        let own = if base.contains(tokens::TENANT) { tokens::TENANT } else { "common" };
        let url = &url.replace(&format!("/{}/", tokens::TENANT), &format!("/{own}/"));
        let metadata = if self.is_microsoft.get() { "/v2.0" } else { "" };
        match url.strip_prefix(&base).unwrap_or_else(|| panic!("not the OP's: {url}")) {
            "/token?tenant=a%20b" => Endpoint::Token,
            "/introspect?policy=p%26q" | "/introspect?policy=moved" => Endpoint::Introspection,
            "/jwks" => Endpoint::Jwks,
            "/revoke?policy=p%26q" => Endpoint::Revocation,
            "/userinfo" => Endpoint::UserInfo,
            path if path == format!("{metadata}/.well-known/openid-configuration") => Endpoint::Metadata,
            path => panic!("no endpoint at {path}"),
        }
    }

    fn metadata(&self, base: &str) -> Value {
        let is_many = base.ends_with("/common") || base.ends_with("/organizations");
        let template = if is_many {
            "https://login.microsoftonline.com/{tenantid}/v2.0".to_owned()
        } else {
            format!("{base}/v2.0")
        };
        let directory = self.directory.borrow().as_ref().map(|directory| directory.issuer.clone());
        let issuer = directory.unwrap_or_else(|| if self.is_microsoft.get() { template } else { base.to_owned() });
        let introspection = self.introspects.get() && !self.is_microsoft.get();
        let revocation = self.revokes.get() && !self.is_microsoft.get();
        json!({
            "issuer": issuer,
            "authorization_endpoint": format!("{base}/authorize?policy=p%26q"),
            "token_endpoint": format!("{base}/token?tenant=a%20b"),
            "jwks_uri": format!("{base}/jwks"),
            "userinfo_endpoint": format!("{base}/userinfo"),
            "end_session_endpoint": format!("{base}/logout?policy=p%26q"),
            "introspection_endpoint": introspection.then(|| format!("{base}/introspect?policy=p%26q")),
            "revocation_endpoint": revocation.then(|| format!("{base}/revoke?policy=p%26q")),
            "authorization_response_iss_parameter_supported": !self.is_microsoft.get(),
        })
    }

    fn jwks(&self) -> Value {
        if let Some((_, position)) = self.user_flow() {
            return json!({ "keys": [keys::jwk(OF_USER_FLOWS[position])] });
        }
        json!({ "keys": self.published_keys.borrow().iter().map(|name| keys::jwk(name)).collect::<Vec<_>>() })
    }
}

/// The keys of user flows, by their position.
pub(super) const OF_USER_FLOWS: [&str; 3] = ["rsa", "rsa_other", "rsa"];
/// The tenant in the address of its token endpoint.
fn tenant_of(url: &str) -> Option<String> {
    let path = url.strip_prefix("https://login.microsoftonline.com/")?;
    path.strip_suffix("/oauth2/v2.0/token").map(str::to_owned)
}

fn response(status: u16, headers: &[(&str, &str)], body: String) -> OpResponse {
    let header = |name: &str| {
        let found = headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| (*value).to_owned())
    };
    OpResponse {
        status,
        content_type: header("content-type"),
        retry_after: header("retry-after"),
        body: body.into_bytes(),
    }
}
