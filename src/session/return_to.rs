//! Where the browser goes after a sign-in: a path and query on our own origin, or nothing.
//!
//! The value comes from the wire, so it is parsed by the WHATWG rules that browsers follow, compared with our origin,
//! and serialised again. It is kept inside the sealed login attempt: the callback never takes a URL from the wire.

use serde_json::Value;
use url::Url;

use crate::json::Json;

/// A path and query on our own origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReturnTo(String);

impl ReturnTo {
    /// Parses what a request asked for. `None` when it leads, or could be read as leading, anywhere else.
    #[must_use]
    pub fn parse(wanted: &str, public_origin: &Url) -> Option<Self> {
        let suspicious =
            wanted.bytes().any(|byte| byte.is_ascii_control() || byte == b'\\') || wanted.len() > MAX_LENGTH;
        if suspicious || !wanted.starts_with('/') {
            return None;
        }
        let url = public_origin.join(wanted).ok()?;
        let ours = url.origin() == public_origin.origin() && url.username().is_empty() && url.password().is_none();
        let path = url.path();
        if !ours || path.starts_with("//") || starts_with_encoded_slash(path) {
            return None;
        }
        Some(Self(url.query().map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"))))
    }

    /// The start page.
    #[must_use]
    pub fn root() -> Self {
        Self("/".to_owned())
    }

    /// Path and query.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path alone.
    #[must_use]
    pub fn path(&self) -> &str {
        self.0.split_once('?').map_or(&self.0, |(path, _)| path)
    }
}

/// A server behind us that decodes before it redirects would see `//host`.
fn starts_with_encoded_slash(path: &str) -> bool {
    path.get(1..4).is_some_and(|start| start.eq_ignore_ascii_case("%2f") || start.eq_ignore_ascii_case("%5c"))
}

const MAX_LENGTH: usize = 2048;

/// Inside a seal of ours: what is read was parsed before.
impl Json for ReturnTo {
    fn to_json(&self) -> Value {
        self.0.to_json()
    }

    fn from_json(value: Value) -> Option<Self> {
        String::from_json(value).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn origin() -> Url {
        Url::parse("https://app.example").unwrap()
    }

    #[test]
    fn paths_on_our_origin_come_back_serialised() {
        for (wanted, expected) in [
            ("/", "/"),
            ("/a/../b?x=1&y=//evil", "/b?x=1&y=//evil"),
            ("/a#fragment", "/a"),
            ("/a?next=https://evil.example/", "/a?next=https://evil.example/"),
            ("/caf\u{e9}", "/caf%C3%A9"),
        ] {
            assert_eq!(ReturnTo::parse(wanted, &origin()).unwrap().as_str(), expected);
        }
    }

    #[test]
    fn everything_that_leads_elsewhere_is_refused() {
        for wanted in [
            "",
            "a",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\/evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            " /x",
            "https://evil.example/",
            "https:/evil.example",
            "javascript:alert(1)",
            "/%2f/evil.example",
            "/%2Fevil.example",
            "/%5cevil.example",
            "/.//evil.example",
            "/a/..//evil.example",
            "/\u{0}x",
            "https://app.example@evil.example/",
            "//app.example@evil.example",
        ] {
            assert_eq!(ReturnTo::parse(wanted, &origin()), None, "{wanted:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_accepted_resolves_to_our_origin_again(wanted in "[/\\\\a-z.%25?#@: \t]{0,30}") {
            if let Some(return_to) = ReturnTo::parse(&wanted, &origin()) {
                let url = origin().join(return_to.as_str()).unwrap();
                prop_assert_eq!(url.origin(), origin().origin());
                prop_assert!(!return_to.as_str().starts_with("//"));
                prop_assert_eq!(ReturnTo::parse(return_to.as_str(), &origin()), Some(return_to));
            }
        }
    }
}
