//! Cookies: every name, attribute and encoding we use, in one place (RFC 6265bis).
//!
//! All of ours carry the `__Host-` prefix, so no other host can plant them. What sets a cookie also deletes it, with
//! the same attributes, or a browser would ignore the deletion.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::time::Lifetime;

/// One of our cookies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CookieName<'a> {
    /// A login attempt, by its id.
    LoginAttempt(&'a str),
    /// The state of a sign-out on its way through the OpenID Provider.
    Logout,
    /// The session.
    Session,
}

/// The `Cookie` header of a request.
#[derive(Clone, Copy, Debug)]
pub struct Cookies<'a>(&'a str);

impl CookieName<'_> {
    /// The name on the wire; also the place a sealed value is bound to.
    #[must_use]
    pub fn text(self) -> String {
        match self {
            Self::LoginAttempt(id) => format!("{LOGIN_PREFIX}{id}"),
            Self::Logout => LOGOUT.to_owned(),
            Self::Session => SESSION.to_owned(),
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
    pub fn session(self) -> Option<Vec<u8>> {
        self.find(SESSION)
    }

    /// Whether the browser sent a session cookie at all.
    #[must_use]
    pub fn has_session(self) -> bool {
        self.pairs().any(|(name, _)| name == SESSION)
    }

    /// The bytes of the sign-out cookie.
    #[must_use]
    pub fn logout(self) -> Option<Vec<u8>> {
        self.find(LOGOUT)
    }

    /// The bytes of one login attempt.
    #[must_use]
    pub fn login_attempt(self, id: &str) -> Option<Vec<u8>> {
        self.find(&CookieName::LoginAttempt(id).text())
    }

    /// The ids and bytes of all login attempts.
    pub fn login_attempts(self) -> impl Iterator<Item = (&'a str, Option<Vec<u8>>)> {
        self.pairs().filter_map(|(name, value)| Some((name.strip_prefix(LOGIN_PREFIX)?, decode(value))))
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

fn is_ours(pair: &str) -> bool {
    let name = pair.split_once('=').map_or(pair, |(name, _)| name).trim();
    name == SESSION || name == LOGOUT || name.starts_with(LOGIN_PREFIX)
}

fn decode(value: &str) -> Option<Vec<u8>> {
    (value.len() <= MAX_VALUE).then(|| URL_SAFE_NO_PAD.decode(value).ok()).flatten()
}

const SESSION: &str = "__Host-session";
const LOGOUT: &str = "__Host-logout";
const LOGIN_PREFIX: &str = "__Host-login-";
/// What a browser keeps of one cookie.
const MAX_VALUE: usize = 4096;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn setting_and_deleting_differ_only_in_value_and_age() {
        let set = CookieName::Session.set(b"x", Lifetime::from_seconds(60));
        assert_eq!(set, "__Host-session=eA; Path=/; Max-Age=60; Secure; HttpOnly; SameSite=Lax");
        assert_eq!(CookieName::Session.expire(), set.replace("=eA", "=").replace("=60", "=0"));
    }

    #[test]
    fn only_other_cookies_are_forwarded() {
        let cookies = Cookies::parse(Some("a=1; __Host-session=eA;__Host-login-x=eA; b=2=3; __Host-logout=; c"));
        assert_eq!(cookies.without_ours().as_deref(), Some("a=1; b=2=3; c"));
        assert_eq!(cookies.session().as_deref(), Some(&b"x"[..]));
        assert_eq!(Cookies::parse(Some(" __Host-session = x ; __Host-session")).without_ours(), None);
    }

    proptest! {
        #[test]
        fn any_header_parses_and_never_forwards_ours(header in ".{0,200}", name in "(__Host-session|__Host-login-[a-z]{0,4}|__Host-logout)") {
            let header = format!("{header}; {name}=secret; {header}");
            let cookies = Cookies::parse(Some(&header));
            let _ = (cookies.session(), cookies.login_attempts().count());
            let forwarded = cookies.without_ours().unwrap_or_default();
            let forbidden = format!("{name}=secret");
            prop_assert!(!forwarded.contains(&forbidden));
        }
    }
}
