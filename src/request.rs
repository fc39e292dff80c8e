//! The head of a request: everything that decides what happens to it. Bodies never come here.
//!
//! The head is parsed once, from one string that the runtime hands over, and what is authorised is what is forwarded:
//! [`Target`] has one constructor and is carried through to the forward unchanged.

mod method;
mod trace_context;

use url::Url;

pub use method::Method;
pub use trace_context::{TRACE_HEADERS, TraceParent};

/// Path and query of a request, as the WHATWG parser serialised them, proven free of what lets two parsers disagree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target<'a> {
    path: &'a str,
    query: Option<&'a str>,
}

/// A request without its body.
#[derive(Debug)]
pub struct RequestHead<'a> {
    /// The method.
    pub method: Method,
    /// The method as it was sent.
    pub method_name: &'a str,
    /// What is asked for.
    pub target: Target<'a>,
    /// The host of its URL, with its port unless that is the scheme's default.
    pub host: &'a str,
    headers: Vec<(&'a str, &'a str)>,
}

/// Why a head was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadFault {
    /// The path holds an encoded dot segment, a backslash or a control character.
    AmbiguousPath,
    /// An origin could read the path as one that another route rule is for.
    AmbiguousReading,
    /// The text the runtime handed over has no method or no absolute URL.
    Malformed,
}

impl<'a> RequestHead<'a> {
    /// Parses `method LF url LF (name LF value LF)*`; names are lower case, as the Fetch standard iterates them.
    ///
    /// # Errors
    /// When the URL is not absolute or its path is ambiguous.
    pub fn parse(text: &'a str) -> Result<Self, HeadFault> {
        let mut lines = text.split('\n');
        let method_name = lines.next().ok_or(HeadFault::Malformed)?;
        let mut head = Self::without_headers(method_name, lines.next().ok_or(HeadFault::Malformed)?)?;
        head.headers.reserve(24);
        while let (Some(name), Some(value)) = (lines.next(), lines.next()) {
            head.headers.push((name, value));
        }
        Ok(head)
    }

    /// What method and URL alone tell: enough to find its route.
    ///
    /// # Errors
    /// As for [`parse`](Self::parse).
    pub fn without_headers(method_name: &'a str, url: &'a str) -> Result<Self, HeadFault> {
        let (host, target) = Target::from_url(url)?;
        Ok(Self { method: Method::parse(method_name), method_name, target, host, headers: Vec::new() })
    }

    /// The value of a header; `name` in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.iter().find(|(candidate, _)| *candidate == name).map(|(_, value)| *value)
    }

    /// The names of all headers, in lower case.
    pub fn header_names(&self) -> impl Iterator<Item = &'a str> {
        self.headers.iter().map(|(name, _)| *name)
    }

    /// Whether the request has a body, which can be read once only (RFC 9112 §6.3).
    #[must_use]
    pub fn has_body(&self) -> bool {
        let is_sized = self.header("content-length").is_some_and(|length| length != "0");
        is_sized || self.header("transfer-encoding").is_some()
    }

    /// Whether a person is waiting for a page: only then does an answer redirect to the OpenID Provider or show HTML.
    ///
    /// Fetch metadata decides where the browser sends it; otherwise `X-Requested-With` and `Accept` do.
    #[must_use]
    pub fn is_navigation(&self) -> bool {
        // A prefetch must not start a login that nobody asked for.
        let is_prefetch = self.header("sec-purpose").is_some_and(|purpose| purpose.contains("prefetch"));
        if is_prefetch || self.is_websocket() {
            return false;
        }
        if let Some(mode) = self.header("sec-fetch-mode") {
            return mode == "navigate"
                && self.header("sec-fetch-dest").is_none_or(|destination| destination == "document");
        }
        self.header("x-requested-with").is_none()
            && self.header("accept").is_some_and(|accept| accept.contains("text/html"))
    }

    /// Whether the request wants to become a WebSocket (RFC 6455 §4.1). The platform passes no other upgrade on.
    #[must_use]
    pub fn is_websocket(&self) -> bool {
        self.header("upgrade").is_some_and(|protocol| protocol.eq_ignore_ascii_case("websocket"))
    }

    /// The method that a CORS preflight asks for (Fetch standard, 3.3.2); none for any other request.
    #[must_use]
    pub fn preflight(&self) -> Option<Method> {
        let is_preflight = self.method == Method::Options && self.header("origin").is_some();
        self.header("access-control-request-method").filter(|_| is_preflight).map(Method::parse)
    }

    /// Whether a page of our own origin sent this request, by the first of these that the request carries:
    /// `Sec-Fetch-Site`, `Origin`, the anti-forgery header.
    ///
    /// A request that the user typed (`Sec-Fetch-Site: none`) counts for safe methods: nobody else can cause it.
    #[must_use]
    pub fn is_same_origin(&self, public_origin: &Url) -> bool {
        if let Some(site) = self.header("sec-fetch-site") {
            return site == "same-origin" || (site == "none" && self.method.is_safe());
        }
        if let Some(origin) = self.header("origin") {
            return origin == public_origin.origin().ascii_serialization();
        }
        self.header(ANTI_FORGERY_HEADER).is_some()
    }
}

/// A header that a cross-site page cannot send without a CORS preflight, which is never granted. Any value will do.
pub const ANTI_FORGERY_HEADER: &str = "x-csrf";

impl<'a> Target<'a> {
    /// Takes host, path and query from an absolute URL that a WHATWG parser serialised.
    fn from_url(url: &'a str) -> Result<(&'a str, Self), HeadFault> {
        let (_, rest) = url.split_once(':').ok_or(HeadFault::Malformed)?;
        let rest = rest.strip_prefix("//").ok_or(HeadFault::Malformed)?;
        let start = rest.find('/').ok_or(HeadFault::Malformed)?;
        let (host, rest) = rest.split_at_checked(start).ok_or(HeadFault::Malformed)?;
        let rest = rest.split_once('#').map_or(rest, |(before, _)| before);
        let (path, query) = rest.split_once('?').map_or((rest, None), |(path, query)| (path, Some(query)));
        if is_ambiguous(path) {
            return Err(HeadFault::AmbiguousPath);
        }
        Ok((host, Self { path, query }))
    }

    /// The path, starting with a slash.
    #[must_use]
    pub const fn path(self) -> &'a str {
        self.path
    }

    /// The query without its question mark.
    #[must_use]
    pub const fn query(self) -> Option<&'a str> {
        self.query
    }

    /// This target with `path` in place of its own; only for a path that is a part of it.
    #[must_use]
    pub(crate) const fn with_rest(self, path: &'a str) -> Self {
        Self { path, query: self.query }
    }

    /// What follows the path `prefix` in this target, at least `/`; none if the path does not lie under it, segment by
    /// segment.
    #[must_use]
    pub(crate) fn after(self, prefix: &str) -> Option<Self> {
        match self.path.strip_prefix(prefix)? {
            "" => Some(self.with_rest("/")),
            rest if rest.starts_with('/') => Some(self.with_rest(rest)),
            _ => None,
        }
    }

    /// The length of path and query as one string, in bytes.
    #[must_use]
    pub(crate) fn length(self) -> usize {
        self.path.len() + self.query.map_or(0, |query| query.len() + 1)
    }

    /// This target without its query.
    #[must_use]
    pub(crate) const fn without_query(self) -> Self {
        Self { path: self.path, query: None }
    }

    /// The absolute URL of this target under `base`, whose path is kept as a prefix.
    #[must_use]
    pub fn under(self, base: &Url) -> String {
        let base = base.as_str();
        let base = base.strip_suffix('/').unwrap_or(base);
        let mut url = String::with_capacity(base.len() + self.path.len() + self.query.map_or(0, str::len) + 1);
        url.push_str(base);
        url.push_str(self.path);
        if let Some(query) = self.query {
            url.push('?');
            url.push_str(query);
        }
        url
    }

    /// Path and query as one string.
    #[must_use]
    pub fn path_and_query(self) -> String {
        self.query.map_or_else(|| self.path.to_owned(), |query| format!("{}?{query}", self.path))
    }
}

/// Whether a parser that decodes once or twice, or takes a backslash for a slash, would see another path than we do.
fn is_ambiguous(path: &str) -> bool {
    if !path.contains(['%', '\\', ';']) {
        return path.bytes().any(|byte| byte.is_ascii_control());
    }
    let once = percent_decode(path.as_bytes());
    let twice = percent_decode(&once);
    [path.as_bytes(), &once, &twice].into_iter().any(|decoded| {
        decoded.iter().any(|byte| byte.is_ascii_control())
            || decoded.split(|byte| matches!(byte, b'/' | b'\\')).any(is_dots)
    }) || once.contains(&b'\\')
}

/// Whether a segment means another one, with parameters or without: some servers drop those first.
fn is_dots(segment: &[u8]) -> bool {
    let name = segment.split(|byte| *byte == b';').next();
    matches!(name, Some(b"." | b".."))
}

fn percent_decode(bytes: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        if first == b'%'
            && let [high, low, after @ ..] = tail
            && let (Some(high), Some(low)) = ((*high as char).to_digit(16), (*low as char).to_digit(16))
        {
            decoded.push((high * 16 + low) as u8);
            rest = after;
        } else {
            decoded.push(first);
        }
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head<'a>(text: &'a str) -> RequestHead<'a> {
        RequestHead::parse(text).unwrap()
    }

    fn origin() -> Url {
        Url::parse("https://app.example").unwrap()
    }

    #[test]
    fn the_target_is_path_and_query_whatever_the_host_says() {
        let head = head("GET\nhttps://evil.example/a/b?c=/d#e\ncookie\nx=1\n");
        assert_eq!(head.target.path(), "/a/b");
        assert_eq!(head.host, "evil.example");
        assert_eq!(head.target.query(), Some("c=/d"));
        assert_eq!(head.header("cookie"), Some("x=1"));
        assert_eq!(
            head.target.under(&Url::parse("http://origin.example/base/").unwrap()),
            "http://origin.example/base/a/b?c=/d"
        );
    }

    #[test]
    fn paths_that_two_parsers_read_differently_are_refused() {
        for path in [
            "/a/..%2fadmin",
            "/%2e%2e/x",
            "/a%5cb",
            "/a%255c..%255cb",
            "/a%00",
            "/%252e%252e%252fx",
            "/a/%0d%0aX",
            "/a/..;/b",
            "/a/.;x=1/b",
            "/a/..%3bx/b",
        ] {
            let text = format!("GET\nhttps://app.example{path}\n");
            assert_eq!(RequestHead::parse(&text).unwrap_err(), HeadFault::AmbiguousPath, "{path}");
        }
        for path in
            ["/a%2fb", "/100%25", "/caf%C3%A9", "//double", "/.well-known/x", "/..a/b..", "/%zz", "/a;x=..", "/a;/b;.."]
        {
            let text = format!("GET\nhttps://app.example{path}\n");
            assert_eq!(RequestHead::parse(&text).unwrap().target.path(), path);
        }
    }

    #[test]
    fn fetch_metadata_tells_a_navigation_from_a_script() {
        let url = "GET\nhttps://app.example/\n";
        let navigation = |headers: &str| head(&format!("{url}{headers}")).is_navigation();
        assert!(navigation("sec-fetch-mode\nnavigate\nsec-fetch-dest\ndocument\n"));
        assert!(navigation("accept\ntext/html,*/*\n"));
        assert!(!navigation("sec-fetch-mode\nnavigate\nsec-fetch-dest\niframe\n"));
        assert!(!navigation("sec-fetch-mode\ncors\naccept\ntext/html\n"));
        assert!(!navigation("accept\ntext/html\nx-requested-with\nXMLHttpRequest\n"));
        assert!(!navigation("accept\n*/*\n"));
        assert!(!navigation("sec-fetch-mode\nnavigate\nsec-purpose\nprefetch;prerender\n"));
        assert!(!navigation("accept\ntext/html,*/*\nupgrade\nWebSocket\n"));
    }

    #[test]
    fn a_handshake_names_websocket_and_nothing_else() {
        let is_websocket = |headers: &str| head(&format!("GET\nhttps://app.example/\n{headers}")).is_websocket();
        assert!(is_websocket("connection\nUpgrade\nupgrade\nWebSocket\n"));
        for headers in ["", "upgrade\nh2c\n", "upgrade\nwebsocket, h2c\n", "sec-websocket-version\n13\n"] {
            assert!(!is_websocket(headers), "{headers}");
        }
    }

    #[test]
    fn only_our_own_pages_are_same_origin() {
        let same = |method: &str, headers: &str| {
            head(&format!("{method}\nhttps://app.example/\n{headers}")).is_same_origin(&origin())
        };
        assert!(same("POST", "sec-fetch-site\nsame-origin\n"));
        assert!(same("GET", "sec-fetch-site\nnone\n"));
        assert!(!same("POST", "sec-fetch-site\nnone\n"));
        assert!(!same("GET", "sec-fetch-site\nsame-site\n"));
        assert!(!same("POST", "sec-fetch-site\ncross-site\norigin\nhttps://app.example\nx-csrf\n1\n"));
        assert!(same("POST", "origin\nhttps://app.example\n"));
        assert!(!same("POST", "origin\nhttps://app.example.evil\n"));
        assert!(!same("POST", "origin\nnull\nx-csrf\n1\n"));
        assert!(same("POST", "x-csrf\n1\n"));
        assert!(!same("POST", ""));
    }
}
