//! Answers that we write ourselves: redirects, JSON, problem documents (RFC 9457) and small pages.
//!
//! All of them are `no-store`, except the keys and the metadata that anybody may have. Pages load nothing, run no script and cannot be framed; every text in them is escaped.

mod sessions;
mod texts;

use serde_json::Value;

use crate::error::Error;
use crate::json;
use texts::advice;

pub use sessions::Row;
pub use texts::title;

/// An answer of our own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers, in order; `Set-Cookie` may repeat.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
}

/// A page for a person: a title, one sentence, and at most one thing to do.
#[derive(Debug)]
pub struct Page<'a> {
    /// Title and heading.
    pub title: &'a str,
    /// What happened, in a sentence or two.
    pub text: &'a str,
    /// What can be done about it.
    pub action: Option<Action<'a>>,
    /// A reference to the log.
    pub trace: Option<&'a str>,
}

/// The one thing to do on a page.
#[derive(Debug)]
pub enum Action<'a> {
    /// Follow a link: label and address.
    Link(&'a str, &'a str),
    /// Send a form: label and address.
    Post(&'a str, &'a str),
}

impl Answer {
    /// An empty answer.
    #[must_use]
    pub fn empty(status: u16) -> Self {
        Self { status, headers: vec![("cache-control", "no-store".to_owned())], body: String::new() }
    }

    /// A redirect: 302 to begin something, 303 to end it (RFC 9110 §15.4.4).
    #[must_use]
    pub fn redirect(status: u16, location: String) -> Self {
        Self::empty(status).with("location", location)
    }

    /// JSON.
    #[must_use]
    pub fn json(status: u16, body: &Value) -> Self {
        let answer = Self::empty(status).with("content-type", "application/json".to_owned());
        Self { body: body.to_string(), ..answer }
    }

    /// JSON that holds nothing of any session, for anybody to keep for `seconds`.
    #[must_use]
    pub fn public_json(body: &Value, seconds: u64) -> Self {
        let mut answer = Self::json(200, body);
        answer.headers.retain(|(name, _)| *name != "cache-control");
        answer.with("cache-control", format!("public, max-age={seconds}"))
    }

    /// Plain text.
    #[must_use]
    pub fn text(status: u16, body: &str) -> Self {
        let answer = Self::empty(status).with("content-type", "text/plain; charset=utf-8".to_owned());
        Self { body: body.to_owned(), ..answer }
    }

    /// A page.
    #[must_use]
    pub fn page(status: u16, page: &Page<'_>) -> Self {
        Self::html(status, page.html())
    }

    /// A page with a choice: each label and its address.
    #[must_use]
    pub fn choice(title: &str, text: &str, links: &[(&str, String)]) -> Self {
        let mut items = String::new();
        for (label, address) in links {
            items.push_str(&format!("<li><a href=\"{}\">{}</a></li>", escape(address), escape(label)));
        }
        Self::html(200, document(title, &format!("<p>{}</p><ul class=\"choice\">{items}</ul>", escape(text))))
    }

    /// An empty document for a hidden frame of the pages named (CSP `frame-ancestors`).
    #[must_use]
    pub fn framed(ancestors: &str) -> Self {
        Self::empty(200)
            .with("content-type", "text/html; charset=utf-8".to_owned())
            .with("content-security-policy", format!("default-src 'none'; frame-ancestors {ancestors}"))
    }

    /// The error that an OAuth party understands (RFC 6749 §5.2).
    #[must_use]
    pub fn oauth_error(code: &str) -> Self {
        Self::json(400, &json::named("error", code.into()))
    }

    /// A page that goes on to another one by itself: a step of our own, where a redirect would be the sender's.
    #[must_use]
    pub fn moving_on(url: &str) -> Self {
        let page = Page {
            title: "You are signed in",
            text: "What you asked for opens in a moment.",
            action: Some(Action::Link("Go on", url)),
            trace: None,
        };
        Self::page(200, &page).with("refresh", format!("0; url={url}"))
    }

    /// The problem document of an error, for scripts. `login_url` tells them where a person can sign in.
    #[must_use]
    pub fn problem(error: &Error, trace: &str, login_url: Option<&str>) -> Self {
        let code = error.code();
        let mut body = json::members([
            ("type", format!("urn:vestibule:problem:{code}").into()),
            ("title", title(code).into()),
            ("status", error.status().into()),
            ("code", code.into()),
            ("trace", trace.into()),
        ]);
        if let Some(members) = body.as_object_mut() {
            members.extend(login_url.map(|url| ("login_url".to_owned(), url.into())));
            if let Error::StepUpRequired(_, step_up) = error {
                members.insert("acr_values".to_owned(), step_up.acr_values.as_slice().into());
                members.extend(step_up.max_age.map(|age| ("max_age".to_owned(), age.as_seconds().into())));
            }
            if let Error::ScopeInsufficient { scopes, .. } = error {
                members.insert("scopes".to_owned(), scopes.as_slice().into());
            }
            if let Error::NotExchanged(api, _) = error {
                members.insert("api".to_owned(), api.as_str().into());
            }
            if let Error::InteractionRequired(need) = error {
                members.insert("api".to_owned(), need.interaction.api.as_str().into());
                members.insert("scopes".to_owned(), need.scopes.as_slice().into());
            }
        }
        let mut answer = Self::json(error.status(), &body);
        answer.headers.retain(|(name, _)| *name != "content-type");
        answer.with("content-type", "application/problem+json".to_owned()).with_error_headers(error)
    }

    /// The page of an error, for people.
    #[must_use]
    pub fn error_page(error: &Error, trace: &str, action: Option<Action<'_>>) -> Self {
        let code = error.code();
        let page = Page { title: title(code), text: advice(code), action, trace: Some(trace) };
        Self::page(error.status(), &page).with_error_headers(error)
    }

    /// The answer with one more header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }

    fn html(status: u16, body: String) -> Self {
        let answer = Self::empty(status)
            .with("content-type", "text/html; charset=utf-8".to_owned())
            .with("content-security-policy", CONTENT_SECURITY_POLICY.to_owned())
            .with("x-content-type-options", "nosniff".to_owned())
            .with("referrer-policy", "same-origin".to_owned());
        Self { body, ..answer }
    }

    /// The first value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(candidate, _)| *candidate == name).map(|(_, value)| value.as_str())
    }

    fn with_error_headers(self, error: &Error) -> Self {
        let answer = match error.retry_after() {
            Some(seconds) => self.with("retry-after", seconds.to_string()),
            None => self,
        };
        let answer = match error.allow() {
            Some(methods) => answer.with("allow", methods.to_owned()),
            None => answer,
        };
        if matches!(error, Error::OperatorRefused) {
            return answer.with("www-authenticate", "Bearer".to_owned());
        }
        if matches!(error, Error::UpgradeRequired) {
            return answer.with("upgrade", "websocket".to_owned());
        }
        answer
    }
}

impl Page<'_> {
    fn html(&self) -> String {
        let action = match &self.action {
            None => String::new(),
            Some(Action::Link(label, href)) => format!("<p><a href=\"{}\">{}</a></p>", escape(href), escape(label)),
            Some(Action::Post(label, href)) => format!(
                "<form method=\"post\" action=\"{}\"><button type=\"submit\">{}</button></form>",
                escape(href),
                escape(label)
            ),
        };
        let trace = self.trace.map(|trace| format!("<p><small>Reference: <code>{}</code></small></p>", escape(trace)));
        let content = format!("<p>{}</p>{action}{}", escape(self.text), trace.unwrap_or_default());
        document(self.title, &content)
    }
}

/// A whole page; `content` is HTML.
fn document(title: &str, content: &str) -> String {
    let title = escape(title);
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\"><title>{title}</title><style>{STYLE}</style></head>\
         <body><main><h1>{title}</h1>{content}</main></body></html>"
    )
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(character),
        }
    }
    escaped
}

/// The style element is the only thing a page may use; its hash is checked by a test.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'sha256-3K8xMaoz5w/uPNdKSiLZy8wD6PY3D2sVoRvsJFwWwoU='; base-uri 'none'; frame-ancestors 'none'";

const STYLE: &str = ":root{color-scheme:light dark;--accent:#0b57a4;--on-accent:#fff;--line:#c8ccd2;font:100%/1.5 system-ui,sans-serif}\
    @media(prefers-color-scheme:dark){:root{--accent:#8ab8f0;--on-accent:#121212;--line:#4a4f57}}\
    body{margin:0;display:grid;min-height:100vh;place-items:center}\
    main{box-sizing:border-box;width:min(100%,32rem);padding:1.5rem;overflow-wrap:anywhere}\
    h1{font-size:1.5rem;line-height:1.2}a{color:var(--accent)}small{font-size:.875rem}code{font-size:1em}\
    button{min-height:2.75rem;padding:.5rem 1.25rem;border:1px solid var(--accent);border-radius:.375rem;\
    background:var(--accent);color:var(--on-accent);font:inherit;cursor:pointer}\
    ul{list-style:none;padding:0}li{display:flex;gap:1rem;align-items:center;padding:.75rem 0;\
    border-top:1px solid var(--line)}li span{flex:1}li button{background:none;color:var(--accent)}\
    .choice li{border:0;padding:.375rem 0}.choice a{box-sizing:border-box;flex:1;min-height:2.75rem;padding:.625rem 1.25rem;\
    border:1px solid var(--accent);border-radius:.375rem;text-align:center;text-decoration:none}\
    .choice a:hover{background:var(--accent);color:var(--on-accent)}\
    :focus-visible{outline:3px solid var(--accent);outline-offset:2px}";

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn the_policy_allows_exactly_our_style() {
        let hash = STANDARD.encode(Sha256::digest(STYLE));
        assert!(CONTENT_SECURITY_POLICY.contains(&format!("'sha256-{hash}'")), "{hash}");
    }

    #[test]
    fn every_text_on_a_page_is_escaped() {
        let hostile = "<script>alert('1')</script>\"&";
        let page =
            Page { title: hostile, text: hostile, action: Some(Action::Link(hostile, hostile)), trace: Some(hostile) };
        assert!(!page.html().contains("<script"));
        assert!(page.html().contains("&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&quot;&amp;"));
    }

    #[test]
    fn a_problem_names_its_code_and_where_to_sign_in() {
        let error = Error::LoginRequired;
        let answer = Answer::problem(&error, "t1", Some("https://app.example/.auth/login"));
        assert_eq!(answer.status, 401);
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let body: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(body["code"], "login_required");
        assert_eq!(body["login_url"], "https://app.example/.auth/login");
    }
}
