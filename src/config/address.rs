//! URLs and paths that configuration may name. Outbound hosts come from here and from nowhere else, so what is
//! accepted is what is written: nothing that the parser would have to normalise first.

use url::{Host, Url};

use super::fault::Problem;

const NEEDS_HTTPS: &str = "be an https URL (or http on a loopback host)";
const NEEDS_BARE: &str = "have no query, fragment or user name";
const NEEDS_PLAIN_PATH: &str = "have a path without empty segments, dot segments or characters to escape";
const NEEDS_ORIGIN: &str = "be scheme, host and port only, without a path";
const NEEDS_PATH: &str = "start with / and have segments of letters, digits, -, ., _ and ~, without a trailing /";
const NEEDS_TARGET: &str = "be a path on this origin or an https URL";

/// An https URL, or http on a loopback host, that paths can be appended to.
pub(super) fn base_url(text: &str, example: &'static str) -> Result<Url, Problem> {
    let url = web_url(text, example)?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err(Problem::Invalid(NEEDS_BARE, Some(example)));
    }
    // The parser resolves dot segments and escapes; a path that it changed was not written as it is meant.
    let written = text.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map_or("", |(_, path)| path);
    if url.path().contains("//") || url.path().strip_prefix('/') != Some(written) {
        return Err(Problem::Invalid(NEEDS_PLAIN_PATH, Some(example)));
    }
    Ok(url)
}

/// An https URL, or http on a loopback host, that is requested as it is written, with its query.
pub(super) fn endpoint(text: &str) -> Result<Url, Problem> {
    const EXAMPLE: &str = "https://issuer.example.com/assertion?version=2";

    let url = web_url(text, EXAMPLE)?;
    if url.fragment().is_some() { Err(Problem::Invalid("have no fragment", Some(EXAMPLE))) } else { Ok(url) }
}

/// Scheme, host and port.
pub(super) fn origin(text: &str, example: &'static str) -> Result<Url, Problem> {
    let url = base_url(text, example)?;
    if url.path() == "/" { Ok(url) } else { Err(Problem::Invalid(NEEDS_ORIGIN, Some(example))) }
}

/// A path on the public origin that requests are matched against byte for byte.
pub(super) fn path(text: &str) -> Result<String, Problem> {
    let is_canonical = text.strip_prefix('/').is_some_and(|path| path.split('/').all(is_plain_segment));
    if is_canonical { Ok(text.to_owned()) } else { Err(Problem::Invalid(NEEDS_PATH, Some("/signin-oidc"))) }
}

/// `RelativePath`: segments to append to a base URL; slashes around them do not count.
pub(super) fn relative_path(text: &str) -> Result<String, Problem> {
    let path = text.trim_matches('/');
    if path.is_empty() || path.split('/').all(is_plain_segment) {
        return Ok(path.to_owned());
    }
    Err(Problem::Invalid("have segments of letters, digits, -, ., _ and ~", Some("v1/orders")))
}

/// Where a browser goes after sign-out: a path on this origin, or an absolute URL.
pub(super) fn redirect_target(text: &str) -> Result<String, Problem> {
    const EXAMPLE: &str = "/goodbye";

    // `//host` and `/\host` leave the origin, whatever they look like.
    let is_ascii = text.bytes().all(|byte| byte.is_ascii_graphic());
    let is_local = text.starts_with('/') && !text.starts_with("//") && !text.contains('\\');
    if !is_ascii || (!is_local && web_url(text, EXAMPLE).is_err()) {
        return Err(Problem::Invalid(NEEDS_TARGET, Some(EXAMPLE)));
    }
    Ok(text.to_owned())
}

/// RFC 8707 §2: an absolute URI without a fragment, sent as it is written.
pub(super) fn resource(text: &str) -> Result<String, Problem> {
    if Url::parse(text).is_ok() && text.bytes().all(|byte| byte.is_ascii_graphic()) && !text.contains('#') {
        return Ok(text.to_owned());
    }
    Err(Problem::Invalid("be an absolute URI without a fragment", Some("https://api.example.com/")))
}

fn web_url(text: &str, example: &'static str) -> Result<Url, Problem> {
    let needs_https = Problem::Invalid(NEEDS_HTTPS, Some(example));
    let has_slashes = text.split_once(':').is_some_and(|(_, rest)| rest.starts_with("//"));
    if !has_slashes || text.contains(['\\', ' ']) {
        return Err(needs_https);
    }
    let Ok(url) = Url::parse(text) else { return Err(needs_https) };
    let is_secure = match url.scheme() {
        "https" => url.host().is_some(),
        "http" => is_on_loopback(&url),
        _ => false,
    };
    if !is_secure {
        return Err(needs_https);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Problem::Invalid(NEEDS_BARE, Some(example)));
    }
    Ok(url)
}

/// Whether it is on the machine that it is written on.
pub(super) fn is_on_loopback(url: &Url) -> bool {
    url.host().is_some_and(|host| is_loopback(&host))
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

fn is_plain_segment(segment: &str) -> bool {
    !matches!(segment, "" | "." | "..")
        && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn http_is_for_loopback_hosts() {
        for text in ["http://localhost:8787", "http://127.9.9.9", "http://[::1]:80", "https://a.example"] {
            assert!(origin(text, "").is_ok(), "{text}");
        }
        for text in [
            "http://a.example",
            "http://localhost.a.example",
            "http://128.0.0.1",
            "http://[::2]",
            "ftp://localhost",
            "https:a.example",
            "https://",
            "a.example",
            "https:\\\\a.example",
        ] {
            assert!(origin(text, "").is_err(), "{text}");
        }
    }

    #[test]
    fn a_base_url_is_what_is_written() {
        for text in ["https://a.example/v1", "https://a.example/v1/", "https://A.example", "https://a.example:443/x"] {
            assert!(base_url(text, "").is_ok(), "{text}");
        }
        for text in [
            "https://a.example/v1/../v2",
            "https://a.example/v1/%2e%2e/v2",
            "https://a.example//v1",
            "https://a.example/v1//",
            "https://a.example/v1?x=1",
            "https://a.example/v1?",
            "https://a.example/v1#",
            "https://u@a.example",
            "https://u:p@a.example",
            "https://a.example\\v1",
            "https://a.example/a b",
        ] {
            assert!(base_url(text, "").is_err(), "{text}");
        }
    }

    #[test]
    fn a_path_is_canonical() {
        for text in ["/a", "/.auth", "/signin-oidc", "/a/b.c"] {
            assert!(path(text).is_ok(), "{text}");
        }
        for text in
            ["", "/", "a", "//a", "/a/", "/a//b", "/a/..", "/.", "/a%2fb", "/a?b", "/a#b", "/a b", "/é", "/a\\b"]
        {
            assert!(path(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_redirect_target_stays_here_or_is_absolute() {
        for text in ["/", "/goodbye?from=here", "https://www.example.com/bye?x=1#top"] {
            assert!(redirect_target(text).is_ok(), "{text}");
        }
        for text in ["//evil.example", "/\\evil.example", "goodbye", "javascript:alert(1)", "http://www.example.com"] {
            assert!(redirect_target(text).is_err(), "{text}");
        }
    }
}
