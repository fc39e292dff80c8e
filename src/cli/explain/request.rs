//! The request that is asked about, in the form in which the runtime hands requests over.

use url::Url;

use crate::config::Config;

/// One request.
pub(super) struct Request {
    /// Method, URL and headers, as [`crate::request::RequestHead::parse`] reads them.
    pub(super) text: String,
    /// Method and absolute URL.
    pub(super) line: String,
    /// Who sends it, if no header said so.
    pub(super) sender: Option<&'static str>,
}

const PAGE: &str = "a person who opens a page (no --header says otherwise)";
const PAGE_HEADERS: &str =
    "accept\ntext/html\nsec-fetch-dest\ndocument\nsec-fetch-mode\nnavigate\nsec-fetch-site\nnone\n";
const SCRIPT: &str = "a script of a page of PublicOrigin (no --header says otherwise)";
const SCRIPT_HEADERS: &str = "accept\n*/*\nsec-fetch-dest\nempty\nsec-fetch-mode\ncors\nsec-fetch-site\nsame-origin\n";

impl Request {
    /// Reads `GET /path`, or a URL instead of the path, and headers such as `Name: value`.
    ///
    /// # Errors
    /// A sentence about what is no request.
    pub(super) fn parse(text: &str, headers: &[String], config: &Config) -> Result<Self, String> {
        let (method, target) = text.split_once(' ').ok_or("the request must be a method and a path: \"GET /path\"")?;
        if method.is_empty() || !method.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("the request must begin with a method".to_owned());
        }
        let url = if target.starts_with('/') {
            format!("{}{target}", config.gateway.public_origin.as_str().trim_end_matches('/'))
        } else {
            target.to_owned()
        };
        let is_web = |url: &Url| matches!(url.scheme(), "http" | "https") && url.username().is_empty();
        let url = Url::parse(&url).ok().filter(is_web);
        let url = url.ok_or("the request must have a path that begins with /, or an absolute URL")?;
        let line = format!("{method} {url}");
        let mut text = format!("{method}\n{url}\n");
        let sender = if headers.is_empty() {
            let is_page = matches!(method, "GET" | "HEAD") && !crate::router::is_api(config, url.path());
            text += if is_page { PAGE_HEADERS } else { SCRIPT_HEADERS };
            Some(if is_page { PAGE } else { SCRIPT })
        } else {
            for header in headers {
                text += &parsed(header)?;
            }
            None
        };
        Ok(Self { text, line, sender })
    }
}

fn parsed(header: &str) -> Result<String, String> {
    let (name, value) = header.split_once(':').ok_or("a header must be \"Name: value\"")?;
    let name = name.trim().to_ascii_lowercase();
    if name.is_empty() || header.contains(char::is_control) {
        return Err("a header must have a name, and no control characters".to_owned());
    }
    Ok(format!("{name}\n{}\n", value.trim()))
}
