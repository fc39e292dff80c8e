//! What is rewritten on the way to the origin and back: further settings of `[vars.Gateway]`.

use super::address;
use super::extra::{self, Purpose};
use super::section::Section;

pub(super) const REWRITE_LOCATION: &str = "RewriteLocation";

/// Changes to the requests for the origin and to its answers. What Vestibule itself strips and sets comes first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewriting {
    /// `StripPathPrefix` to take off the front of a request's path; none by default.
    pub strip_path_prefix: Option<String>,
    /// `RequestHeaders` to set on requests, sorted by name, in lower case; none by default.
    pub request_headers: Vec<(String, String)>,
    /// `RemoveRequestHeaders` of requests, in lower case; none by default.
    pub remove_request_headers: Vec<String>,
    /// `ResponseHeaders` to set on answers, sorted by name, in lower case; none by default.
    pub response_headers: Vec<(String, String)>,
    /// `RemoveResponseHeaders` of answers, in lower case; none by default.
    pub remove_response_headers: Vec<String>,
    /// `RewriteLocation`: whether redirects to the origin's own address lead to the public one; yes by default.
    pub rewrite_location: bool,
}

/// Reads the settings.
pub(super) fn read(section: &mut Section<'_>) -> Option<Rewriting> {
    let strip_path_prefix = section.parsed("StripPathPrefix", address::path);
    let request_headers = extra::headers(section, "RequestHeaders", Purpose::SetOnRequest);
    let remove_request_headers = extra::names(section, "RemoveRequestHeaders", Purpose::RemoveFromRequest);
    let response_headers = extra::headers(section, "ResponseHeaders", Purpose::SetOnAnswer);
    let remove_response_headers = extra::names(section, "RemoveResponseHeaders", Purpose::RemoveFromAnswer);
    let rewrite_location = if section.holds(REWRITE_LOCATION) { section.flag(REWRITE_LOCATION) } else { Some(true) };
    Some(Rewriting {
        strip_path_prefix,
        request_headers,
        remove_request_headers,
        response_headers,
        remove_response_headers,
        rewrite_location: rewrite_location?,
    })
}
