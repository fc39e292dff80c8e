//! What is changed on a request that is passed on, and on its answer. The plan is data: the runtime applies it to
//! native handles, so that bodies and all other headers stay where they are.

mod origin;

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};
use url::{Url, form_urlencoded};

use crate::config::Api;
use crate::header_text::ascii;
use crate::identity::Identity;
use crate::json::members;
use crate::measure::Measure;
use crate::request::{RequestHead, TRACE_HEADERS, Target};
use crate::reserved_headers::{is_listed, is_reserved};
use crate::session::cookie::Cookies;
use crate::session::session::SessionId;
use crate::time::{Lifetime, Timestamp};

pub(crate) use origin::stripped;
pub use origin::{headers_to_origin, origin_answer, origin_destination, relocated};

/// How to pass a request on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForwardPlan {
    /// Where the request goes.
    pub destination: Destination,
    /// Request headers to take away, in lower case.
    pub remove: Vec<String>,
    /// Request headers to set, after the removal.
    pub set: Vec<(Cow<'static, str>, String)>,
    /// How long to wait for the head of the answer.
    pub timeout: Lifetime,
    /// Whether caches may answer, or keep the answer, as its own headers say: the platform's and, where the answer has no
    /// `Cache-Control`, any other. Never for a request that tells who is signed in or carries a token: caches know no
    /// end-users.
    pub may_be_cached: bool,
    /// Whether an answer of 401, 429 or 503 is for [`crate::flow::reconsider`] to look at: when the token was issued that
    /// the request carries.
    pub reconsider: Option<Timestamp>,
    /// What happens to the answer.
    pub answer: AnswerEdits,
    /// What a WebSocket ends with, if the request opens one for somebody.
    pub carried: Option<Carried>,
    /// What is counted once the answer is there, if anything.
    pub measure: Option<Measure>,
}

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// Over the network, to an absolute URL.
    Url(String),
    /// To a binding of the Worker.
    Service {
        /// The binding's name.
        name: String,
        /// The absolute URL that it sees.
        url: String,
    },
}

impl Destination {
    /// The absolute URL.
    #[must_use]
    pub fn url(&self) -> &str {
        let (Self::Url(url) | Self::Service { url, .. }) = self;
        url
    }
}

/// For whom a WebSocket is carried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carried {
    /// The session; none with an access token.
    pub session: Option<SessionId>,
    /// The name of the object that tells when the session ends. On Workers KV alone there is none, and
    /// [`crate::flow::goes_on`] is asked.
    pub object: Option<String>,
    /// When the session or the access token ends in any case.
    pub ends_at: Timestamp,
}

/// What is changed on the answer. Whatever is set here, the answer's origin can neither set nor delete a cookie of ours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AnswerEdits {
    /// `Set-Cookie` headers of ours; with any, the answer is never cacheable.
    pub set_cookie: Vec<String>,
    /// Whether cookies of the answer are dropped: an API's cookies have no business on our origin.
    pub drop_cookies: bool,
    /// Whether only `no-store` or `private` of the answer's own are kept, and everything else becomes `no-store`;
    /// otherwise any `Cache-Control` of the answer's own stays and only a missing one becomes `no-store`.
    pub force_no_store: bool,
    /// Headers to take away, in lower case; none that tell how the body is to be read.
    pub remove: Vec<Cow<'static, str>>,
    /// Headers to set after the removal, in lower case. `vary` is added to the answer's own.
    pub set: Vec<(Cow<'static, str>, String)>,
    /// Whether [`crate::flow::relocated`] is asked where a redirect leads.
    pub relocate: bool,
    /// Which links in a JSON answer lead elsewhere, if any.
    pub links: Option<Relinking>,
}

/// What links to further pages of an answer (`@odata.nextLink`, `@odata.deltaLink`) are turned into. Both end without a
/// slash, and a link that goes on with one behind `from` goes on behind `to`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relinking {
    /// The API's own address.
    pub from: String,
    /// The address of the gateway's for it.
    pub to: String,
}

/// The answer headers of the CORS protocol (Fetch standard, 3.3.3): to be removed where we decide about it.
pub const CORS_ANSWER_HEADERS: [&str; 7] = [
    "access-control-allow-origin",
    "access-control-allow-credentials",
    "access-control-allow-methods",
    "access-control-allow-headers",
    "access-control-allow-private-network",
    "access-control-expose-headers",
    "access-control-max-age",
];

/// The request headers that never pass: whatever claims to be an identity, a credential or an original request, in any
/// case and with `_` for `-`, those of the operator's `claim_headers` among them, our own cookies, whatever `Connection`
/// names, and the headers of a trace that is not valid.
pub fn headers_to_remove(head: &RequestHead<'_>, claim_headers: &[(String, String)]) -> Vec<String> {
    let connection = head.header("connection").unwrap_or("");
    let is_identity =
        |name: &str| is_reserved(name) || claim_headers.iter().any(|(header, _)| is_listed(name, &[header], &[]));
    let is_no_trace = |name: &str| TRACE_HEADERS.contains(&name) && head.traceparent().is_none();
    let is_hop_by_hop = |name: &str| connection.split(',').any(|named| is_hop_by_hop(named.trim(), name));
    head.header_names()
        .filter(|name| is_identity(name) || is_hop_by_hop(name) || is_no_trace(name))
        .map(str::to_owned)
        .collect()
}

/// The `Cookie` header to pass on, if it is not the one that came in: `Some(None)` removes it.
#[must_use]
pub fn forwarded_cookies(head: &RequestHead<'_>) -> Option<Option<String>> {
    let header = head.header("cookie")?;
    let others = Cookies::parse(Some(header)).without_ours();
    (others.as_deref() != Some(header)).then_some(others)
}

/// The headers that tell the origin whose request it is: App Service's names, so that applications written for it run
/// unchanged. `idp` is its name of the provider. Text outside visible ASCII is percent-encoded; the principal itself carries it unharmed.
#[must_use]
pub fn identity_headers(identity: &Identity<'_>, idp: &str) -> Vec<(Cow<'static, str>, String)> {
    let id = identity.claim("oid").or_else(|| identity.claim("sub")).unwrap_or("");
    vec![
        ("x-ms-client-principal".into(), STANDARD.encode(principal(identity.claims, idp).to_string())),
        ("x-ms-client-principal-id".into(), ascii(id)),
        ("x-ms-client-principal-idp".into(), idp.to_owned()),
        ("x-ms-client-principal-name".into(), ascii(identity.name())),
    ]
}

/// Where the request came from, in our own words: nothing of it is taken from the client's `X-Forwarded-*`.
#[must_use]
pub fn origin_headers(head: &RequestHead<'_>, public_origin: &Url) -> Vec<(Cow<'static, str>, String)> {
    let mut headers = vec![
        ("x-forwarded-host".into(), public_origin.authority().to_owned()),
        ("x-forwarded-proto".into(), public_origin.scheme().to_owned()),
    ];
    // Cloudflare sets this one itself, whatever the client sent.
    if let Some(address) = head.header("cf-connecting-ip") {
        headers.push(("x-forwarded-for".into(), address.to_owned()));
    }
    headers
}

/// The address of a call: the API's own, with the caller's path and query. The operator's query parameters take the place
/// of any of the same name that the caller sends.
#[must_use]
pub fn api_address(api: &Api, target: Target<'_>) -> String {
    if api.extra_query.is_empty() {
        return target.under(&api.base_url);
    }
    let is_extra = |parameter: &str| {
        let name = form_urlencoded::parse(parameter.as_bytes()).next().map(|(name, _)| name);
        name.is_some_and(|name| api.extra_query.iter().any(|(extra, _)| extra.eq_ignore_ascii_case(&name)))
    };
    let mut url = target.without_query().under(&api.base_url);
    let mut separator = '?';
    for parameter in target.query().unwrap_or("").split('&').filter(|part| !part.is_empty() && !is_extra(part)) {
        url.push(separator);
        url.push_str(parameter);
        separator = '&';
    }
    url.push(separator);
    url.push_str(&form_urlencoded::Serializer::new(String::new()).extend_pairs(&api.extra_query).finish());
    url
}

/// What changes on the headers of a call of an API, whatever access token it gets: those to remove, then those to set.
#[must_use]
pub fn api_headers(
    api: &Api,
    head: &RequestHead<'_>,
    claim_headers: &[(String, String)],
) -> (Vec<String>, Vec<(Cow<'static, str>, String)>) {
    let mut remove = headers_to_remove(head, claim_headers);
    // The cookies of our origin are not the API's business, and neither is where its caller is.
    remove.extend(["cookie", "origin", "referer"].map(str::to_owned));
    let mut set: Vec<_> =
        api.extra_headers.iter().map(|(name, value)| (Cow::Owned(name.clone()), value.clone())).collect();
    if api.rewrites_links {
        // The platform can read no other compression, whatever the browser can.
        let takes_gzip = head.header("accept-encoding").is_some_and(|accepted| accepted.contains("gzip"));
        set.push(("accept-encoding".into(), if takes_gzip { "gzip" } else { "identity" }.to_owned()));
    }
    if !api.extra_headers.is_empty() {
        let is_extra = |name: &&str| api.extra_headers.iter().any(|(extra, _)| is_listed(name, &[extra], &[]));
        remove.extend(head.header_names().filter(is_extra).map(str::to_owned));
    }
    (remove, set)
}

fn principal(verified: &Map<String, Value>, idp: &str) -> Value {
    let mut claims = Vec::new();
    for (name, value) in verified {
        match value {
            Value::Array(values) => claims.extend(values.iter().map(|value| claim(name, value))),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
                claims.push(claim(name, value));
            }
        }
    }
    members([
        ("auth_typ", idp.into()),
        ("name_typ", "name".into()),
        ("role_typ", "roles".into()),
        ("claims", claims.into()),
    ])
}

fn claim(name: &str, value: &Value) -> Value {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    members([("typ", name.into()), ("val", text.into())])
}

/// `Connection` may name hop-by-hop headers for removal, but not those that a WebSocket handshake needs.
fn is_hop_by_hop(named: &str, name: &str) -> bool {
    named.eq_ignore_ascii_case(name) && !matches!(name, "upgrade" | "connection")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn removed(headers: &str) -> Vec<String> {
        let text = format!("GET\nhttps://app.example/\n{headers}");
        let claim_headers = [("x-user_mail".to_owned(), "email".to_owned())];
        headers_to_remove(&RequestHead::parse(&text).unwrap(), &claim_headers)
    }

    #[test]
    fn identity_and_credentials_never_pass() {
        let headers = "authorization\nx\nx_forwarded_user\nx\nx-ms-client_principal-name\nx\naccept\nx\nx-custom\nx\n";
        assert_eq!(removed(headers), ["authorization", "x_forwarded_user", "x-ms-client_principal-name"]);
        let headers = "x-user_mail\nx\nx_user-mail\nx\nx-user-mails\nx\nx-vestibule_assertion\nx\n";
        assert_eq!(removed(headers), ["x-user_mail", "x_user-mail", "x-vestibule_assertion"]);
    }

    #[test]
    fn connection_names_headers_of_the_client_but_keeps_the_upgrade() {
        let headers = "connection\nUpgrade, X-Private\nupgrade\nwebsocket\nx-private\n1\n";
        assert_eq!(removed(headers), ["x-private"]);
    }

    #[test]
    fn the_principal_is_app_services_and_names_are_ascii() {
        let claims: Map<String, Value> =
            serde_json::from_str(r#"{"sub":"s1","name":"Zoë 100%\r\nX: y","roles":["a","b"]}"#).unwrap();
        let headers = identity_headers(&Identity::of_claims(&claims), "aad");
        assert_eq!(headers[3].1, "Zo%C3%AB 100%25%0D%0AX: y");
        let principal = STANDARD.decode(&headers[0].1).unwrap();
        let principal: Value = serde_json::from_slice(&principal).unwrap();
        assert_eq!(principal["claims"][1], json!({ "typ": "roles", "val": "a" }));
        assert_eq!(principal["auth_typ"], "aad");
    }
}
