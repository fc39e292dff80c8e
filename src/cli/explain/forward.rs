//! Where a request would go, and with which headers.

use std::borrow::Cow;

use super::decision::{Behind, Case};
use super::verdict::{End, Verdict};
use crate::claim_headers::claim_headers;
use crate::config::{Api, ApiToken};
use crate::forwarding::{
    api_address, api_headers, configured_headers, forwarded_cookies, headers_to_remove, identity_headers,
    origin_destination, origin_headers, rewritten_headers,
};
use crate::request::Target;
use crate::rules::Access;
use crate::session::entry::TokenCacheEntry;
use crate::time::Timestamp;

/// Ends with the plan of the forward.
pub(super) fn planned(case: &Case<'_>, verdict: Verdict) -> Verdict {
    match case.behind {
        Behind::Api(api, target) => to_api(case, api, target, verdict),
        Behind::Origin => to_origin(case, verdict),
    }
}

fn to_api(case: &Case<'_>, api: &Api, target: Target<'_>, mut verdict: Verdict) -> Verdict {
    let (remove, mut set) = api_headers(api, case.head, &case.config.gateway.claim_headers);
    // Tokens are nobody's business here; whose it would be is.
    let token = match api.token {
        ApiToken::App => Some("the application's own access token"),
        ApiToken::None => None,
        ApiToken::User => Some("the end-user's access token"),
    };
    set.extend(token.map(|token| (Cow::Borrowed("authorization"), format!("Bearer <{token} for {}>", api.name))));
    headers(case, remove, &set, &mut verdict);
    verdict.ended(End::Served(format!("by {}", api_address(api, target))))
}

fn to_origin(case: &Case<'_>, mut verdict: Verdict) -> Verdict {
    let gateway = &case.config.gateway;
    let mut remove = headers_to_remove(case.head, &gateway.claim_headers);
    remove.extend(rewritten_headers(&gateway.rewriting, case.head));
    let mut set = configured_headers(gateway, case.head.target);
    if let Some(claims) = case.claims.filter(|_| case.rule.access != Access::Anonymous) {
        let entry = TokenCacheEntry::new(String::new(), claims.clone(), Timestamp::from_unix(0));
        set.extend(identity_headers(&entry, case.config.provider.idp()));
        set.extend(claim_headers(&entry, &gateway.claim_headers));
    }
    let public_origin = gateway.public_origin_of(case.head.host);
    set.extend(origin_headers(case.head, public_origin));
    match forwarded_cookies(case.head) {
        None => {}
        Some(None) => remove.push("cookie".to_owned()),
        Some(Some(others)) => set.push((Cow::Borrowed("cookie"), others)),
    }
    headers(case, remove, &set, &mut verdict);
    verdict.ended(End::Served(format!("by {}", origin_destination(gateway, public_origin, case.head.target).url())))
}

/// Those of the request that are taken away, and those that are set.
fn headers(case: &Case<'_>, mut remove: Vec<String>, set: &[(Cow<'static, str>, String)], verdict: &mut Verdict) {
    remove.retain(|name| case.head.header(name).is_some());
    verdict.list("removes", remove);
    verdict.list("sets", set.iter().map(|(name, value)| format!("{name}: {value}")).collect());
}
