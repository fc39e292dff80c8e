//! Where a request for the origin goes, and what the operator has rewritten on the way there and back.
//!
//! The path that is forwarded is the one that was authorised, without a constant prefix and behind another one: it is
//! never parsed or decoded again.

use std::borrow::Cow;

use url::Url;

use super::{AnswerEdits, Destination, forwarded_cookies, headers_to_remove, identity_headers, origin_headers};
use crate::claim_headers::claim_headers;
use crate::config::{Gateway, Origin, Rewriting};
use crate::identity::Identity;
use crate::request::{RequestHead, Target};
use crate::reserved_headers::is_listed;

/// Where the request goes. A service sees the public URL: what the browser asked for.
#[must_use]
pub fn origin_destination(gateway: &Gateway, public_origin: &Url, target: Target<'_>) -> Destination {
    let (target, _) = stripped(&gateway.rewriting, target);
    match &gateway.origin {
        Origin::Url(base) => Destination::Url(target.under(base)),
        Origin::Service(name) => Destination::Service { name: name.clone(), url: target.under(public_origin) },
    }
}

/// What changes on the headers of a request to the origin: those to remove, then those to set. `known` is whose
/// request it is, and the origin's name of the provider.
pub fn headers_to_origin(
    gateway: &Gateway,
    head: &RequestHead<'_>,
    public_origin: &Url,
    known: Option<(&Identity<'_>, &str)>,
) -> (Vec<String>, Vec<(Cow<'static, str>, String)>) {
    let mut remove = headers_to_remove(head, &gateway.claim_headers);
    remove.extend(rewritten_headers(&gateway.rewriting, head));
    // What comes later takes the place of what came before.
    let mut set = configured_headers(gateway, head.target);
    if let Some((identity, idp)) = known {
        set.extend(identity_headers(identity, idp));
        set.extend(claim_headers(identity.claims, &gateway.claim_headers));
    }
    set.extend(origin_headers(head, public_origin));
    match forwarded_cookies(head) {
        None => {}
        Some(None) => remove.push("cookie".to_owned()),
        Some(Some(others)) => set.push((Cow::Borrowed("cookie"), others)),
    }
    (remove, set)
}

/// The request headers that the operator has removed or sets anew, in every spelling that the client sends.
fn rewritten_headers(rewriting: &Rewriting, head: &RequestHead<'_>) -> Vec<String> {
    let Rewriting { request_headers, remove_request_headers, .. } = rewriting;
    if request_headers.is_empty() && remove_request_headers.is_empty() {
        return Vec::new();
    }
    let listed = request_headers.iter().map(|(name, _)| name).chain(remove_request_headers);
    let listed: Vec<String> = listed.map(|name| name.replace('_', "-")).collect();
    let is_meant = |name: &&str| listed.iter().any(|listed| is_listed(name, &[listed], &[]));
    head.header_names().filter(is_meant).map(str::to_owned).collect()
}

/// The request headers that the operator sets. What tells who calls and from where comes after them.
fn configured_headers(gateway: &Gateway, target: Target<'_>) -> Vec<(Cow<'static, str>, String)> {
    let mut headers = owned(&gateway.rewriting.request_headers);
    if let (_, Some(prefix)) = stripped(&gateway.rewriting, target) {
        headers.push(("x-forwarded-prefix".into(), prefix.to_owned()));
    }
    headers
}

/// What the operator has changed on the origin's answers.
#[must_use]
pub fn origin_answer(gateway: &Gateway) -> AnswerEdits {
    let Rewriting { response_headers, remove_response_headers, rewrite_location, .. } = &gateway.rewriting;
    AnswerEdits {
        remove: remove_response_headers.iter().map(|name| name.clone().into()).collect(),
        set: owned(response_headers),
        relocate: *rewrite_location && matches!(gateway.origin, Origin::Url(_)),
        ..AnswerEdits::default()
    }
}

/// The public address for an absolute `Location` under the origin's own one, with the prefix that was taken off the
/// request's path; none for any other, which is left to the browser.
#[must_use]
pub fn relocated(gateway: &Gateway, public_origin: &Url, target: Target<'_>, location: &str) -> Option<String> {
    let Origin::Url(base) = &gateway.origin else { return None };
    let parsed = Url::options().base_url(location.starts_with("//").then_some(base)).parse(location).ok()?;
    if parsed.origin() != base.origin() || !parsed.username().is_empty() || parsed.password().is_some() {
        return None;
    }
    let (_, prefix) = stripped(&gateway.rewriting, target);
    let path = parsed.path().strip_prefix(base.path().trim_end_matches('/'))?;
    let path = match (path, prefix) {
        ("", None) => "/",
        ("", Some(_)) => "",
        (path, _) if path.starts_with('/') => path,
        _ => return None,
    };
    let public = public_origin.as_str().trim_end_matches('/');
    let query = parsed.query().map(|query| format!("?{query}")).unwrap_or_default();
    let fragment = parsed.fragment().map(|fragment| format!("#{fragment}")).unwrap_or_default();
    Some([public, prefix.unwrap_or_default(), path, &query, &fragment].concat())
}

/// The target without the prefix. Nothing else is forwarded where there is one.
pub(crate) fn stripped<'r, 't>(rewriting: &'r Rewriting, target: Target<'t>) -> (Target<'t>, Option<&'r str>) {
    let prefix = rewriting.strip_path_prefix.as_deref();
    let rest = prefix.and_then(|prefix| target.after(prefix));
    rest.map_or((target, None), |rest| (rest, prefix))
}

fn owned(pairs: &[(String, String)]) -> Vec<(Cow<'static, str>, String)> {
    pairs.iter().map(|(name, value)| (name.clone().into(), value.clone())).collect()
}
