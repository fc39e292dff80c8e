//! Cookies: every name, attribute and encoding we use, in one place (RFC 6265bis).
//!
//! All of ours carry the `__Host-` prefix, so no other host can plant them. What sets a cookie also deletes it, with
//! the same attributes, or a browser would ignore the deletion. Where there are several providers, each has cookies of its
//! own: the label of its key ring is a part of their names.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::time::Lifetime;

/// The provider of a cookie, where that has a name of its own.
pub type Label<'a> = Option<&'a str>;

/// One of our cookies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CookieName<'a> {
    /// A login attempt, by its id.
    LoginAttempt(Label<'a>, &'a str),
    /// The state of a sign-out on its way through the OpenID Provider.
    Logout(Label<'a>),
    /// The session.
    Session(Label<'a>),
}

/// The `Cookie` header of a request.
#[derive(Clone, Copy, Debug)]
pub struct Cookies<'a>(&'a str);

impl CookieName<'_> {
    /// The name on the wire; also the place a sealed value is bound to.
    #[must_use]
    pub fn text(self) -> String {
        match self {
            Self::LoginAttempt(label, id) => format!("{}{id}", attempts_of(label)),
            Self::Logout(label) => labelled(LOGOUT, label),
            Self::Session(label) => labelled(SESSION, label),
        }
    }

    /// A `Set-Cookie` value that keeps `sealed` for `lifetime`.
    #[must_use]
    pub fn set(self, sealed: &[u8], lifetime: Lifetime) -> String {
        self.header(&URL_SAFE_NO_PAD.encode(sealed), lifetime)
    }

    /// A `Set-Cookie` value that deletes the cookie.
    #[must_use]
    pub fn expire(self) -> String {
        self.header("", Lifetime::from_seconds(0))
    }

    fn header(self, value: &str, lifetime: Lifetime) -> String {
        let name = self.text();
        format!("{name}={value}; Path=/; Max-Age={}; Secure; HttpOnly; SameSite=Lax", lifetime.as_seconds())
    }
}

impl<'a> Cookies<'a> {
    /// Reads a `Cookie` header; a missing one holds nothing.
    #[must_use]
    pub fn parse(header: Option<&'a str>) -> Self {
        Self(header.unwrap_or(""))
    }

    /// The bytes of the session cookie. `None` when there is none or it is not base64url.
    #[must_use]
    pub fn session(self, label: Label<'_>) -> Option<Vec<u8>> {
        self.pairs().find(|(name, _)| is_named(name, SESSION, label)).and_then(|(_, value)| decode(value))
    }

    /// Whether the browser sent a session cookie at all.
    #[must_use]
    pub fn has_session(self, label: Label<'_>) -> bool {
        self.pairs().any(|(name, _)| is_named(name, SESSION, label))
    }

    /// The bytes of the sign-out cookie.
    #[must_use]
    pub fn logout(self, label: Label<'_>) -> Option<Vec<u8>> {
        self.find(&CookieName::Logout(label).text())
    }

    /// The bytes of one login attempt.
    #[must_use]
    pub fn login_attempt(self, label: Label<'_>, id: &str) -> Option<Vec<u8>> {
        self.find(&CookieName::LoginAttempt(label, id).text())
    }

    /// The ids and bytes of all login attempts.
    pub fn login_attempts(self, label: Label<'_>) -> impl Iterator<Item = (&'a str, Option<Vec<u8>>)> {
        let name = attempts_of(label);
        self.pairs().filter_map(move |(candidate, value)| Some((candidate.strip_prefix(name.as_str())?, decode(value))))
    }

    /// The header without our cookies, for whoever we forward to. `None` when nothing is left.
    #[must_use]
    pub fn without_ours(self) -> Option<String> {
        let others: Vec<_> =
            self.0.split(';').map(str::trim).filter(|pair| !pair.is_empty() && !is_ours(pair)).collect();
        (!others.is_empty()).then(|| others.join("; "))
    }

    fn find(self, name: &str) -> Option<Vec<u8>> {
        self.pairs().find(|(candidate, _)| *candidate == name).and_then(|(_, value)| decode(value))
    }

    fn pairs(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0.split(';').filter_map(|pair| pair.trim().split_once('='))
    }
}

/// Whether a cookie is ours, of whichever provider.
fn is_ours(pair: &str) -> bool {
    let name = pair.split_once('=').map_or(pair, |(name, _)| name).trim();
    let rest = [SESSION, LOGOUT, LOGIN].into_iter().find_map(|known| name.strip_prefix(known));
    rest.is_some_and(|rest| {
        rest.starts_with('.') || if name.starts_with(LOGIN) { rest.starts_with('-') } else { rest.is_empty() }
    })
}

/// What the names of a provider's attempts begin with. A label may have a hyphen in it but no dot, or the attempts of one
/// provider could be taken for those of another.
fn attempts_of(label: Label<'_>) -> String {
    label.map_or_else(|| format!("{LOGIN}-"), |label| format!("{LOGIN}.{label}."))
}

fn labelled(name: &str, label: Label<'_>) -> String {
    label.map_or_else(|| name.to_owned(), |label| format!("{name}.{label}"))
}

/// The same comparison without a text of its own: it is made for every request.
fn is_named(candidate: &str, name: &str, label: Label<'_>) -> bool {
    let rest = candidate.strip_prefix(name);
    match label {
        None => rest == Some(""),
        Some(label) => rest.and_then(|rest| rest.strip_prefix('.')) == Some(label),
    }
}

fn decode(value: &str) -> Option<Vec<u8>> {
    (value.len() <= MAX_VALUE).then(|| URL_SAFE_NO_PAD.decode(value).ok()).flatten()
}

const SESSION: &str = "__Host-session";
const LOGOUT: &str = "__Host-logout";
const LOGIN: &str = "__Host-login";
/// What a browser keeps of one cookie.
const MAX_VALUE: usize = 4096;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn setting_and_deleting_differ_only_in_value_and_age() {
        let set = CookieName::Session(None).set(b"x", Lifetime::from_seconds(60));
        assert_eq!(set, "__Host-session=eA; Path=/; Max-Age=60; Secure; HttpOnly; SameSite=Lax");
        assert_eq!(CookieName::Session(None).expire(), set.replace("=eA", "=").replace("=60", "=0"));
    }

    #[test]
    fn only_other_cookies_are_forwarded() {
        let cookies = Cookies::parse(Some("a=1; __Host-session=eA;__Host-login-x=eA; b=2=3; __Host-logout=; c"));
        assert_eq!(cookies.without_ours().as_deref(), Some("a=1; b=2=3; c"));
        assert_eq!(cookies.session(None).as_deref(), Some(&b"x"[..]));
        assert_eq!(Cookies::parse(Some(" __Host-session = x ; __Host-session")).without_ours(), None);
    }

    #[test]
    fn a_provider_with_a_name_has_cookies_of_its_own() {
        let header =
            "__Host-session=eA; __Host-session.B=eQ; __Host-login-1=eA; __Host-login.B.2=eQ; __Host-logout.B=eg";
        let cookies = Cookies::parse(Some(header));
        let ids = |label| cookies.login_attempts(label).map(|(id, _)| id).collect::<Vec<_>>();
        assert_eq!((cookies.session(None), cookies.session(Some("B"))), (Some(b"x".to_vec()), Some(b"y".to_vec())));
        assert_eq!((ids(None), ids(Some("B"))), (vec!["1"], vec!["2"]));
        let similar = Cookies::parse(Some("__Host-login.B-2.3=eA; __Host-login.B.4=eA"));
        let ids_of_similar = |label| similar.login_attempts(Some(label)).map(|(id, _)| id).collect::<Vec<_>>();
        assert_eq!((ids_of_similar("B-2"), ids_of_similar("B")), (vec!["3"], vec!["4"]));
        assert_eq!((cookies.logout(None), cookies.logout(Some("B"))), (None, Some(b"z".to_vec())));
        assert!(cookies.has_session(Some("B")) && !cookies.has_session(Some("b")) && !cookies.has_session(Some("")));
        assert_eq!(cookies.without_ours(), None);
        assert_eq!(CookieName::LoginAttempt(Some("B"), "2").text(), "__Host-login.B.2");
    }

    proptest! {
        #[test]
        fn any_header_parses_and_never_forwards_ours(header in ".{0,200}", name in "(__Host-session|__Host-login|__Host-logout)([.][A-Za-z0-9_-]{1,6})?(-[a-z]{0,4})?") {
            let header = format!("{header}; {name}=secret; {header}");
            let cookies = Cookies::parse(Some(&header));
            prop_assume!(name.contains('.') || name.starts_with("__Host-login-") == name.contains("login") && !name.contains("session-") && !name.contains("logout-"));
            let _ = (cookies.session(None), cookies.login_attempts(None).count());
            let forwarded = cookies.without_ours().unwrap_or_default();
            let forbidden = format!("{name}=secret");
            prop_assert!(!forwarded.contains(&forbidden));
        }
    }
}
