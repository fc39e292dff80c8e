//! `/.auth/me`: who is signed in, for the page. Never a token.

use serde_json::json;

use super::{Incoming, authenticate};
use crate::answer::Answer;
use crate::error::Error;
use crate::json;
use crate::request::Method;
use crate::runtime::Runtime;

/// Answers with the allow-listed claims, the provider by its name in the configuration, the seconds left, and where to sign
/// out.
pub(super) async fn show<R: Runtime>(incoming: &Incoming<'_, R>) -> Result<Answer, Error> {
    incoming.only(&[Method::Get, Method::Head], "GET, HEAD")?;
    let signed_in = authenticate::signed_in(incoming).await?;
    let entry = &signed_in.entry;
    let mut shown = SHOWN_CLAIMS.iter().filter_map(|name| entry.claims.get(*name).map(|value| (*name, value.clone())));
    let name = ["name", "preferred_username", "email", "sub"].iter().find_map(|claim| entry.claim(claim));
    Ok(Answer::json(
        200,
        &json!({
            "name": name,
            "sub": entry.claim("sub"),
            "provider": incoming.realm.provider.name,
            "claims": json::collected(&mut shown),
            "expires_in": signed_in.session.expires_at().since(incoming.now),
            "logout_url": incoming.auth_url("logout"),
        }),
    ))
}

/// What a page may know about its user.
const SHOWN_CLAIMS: &[&str] = &[
    "email",
    "email_verified",
    "family_name",
    "given_name",
    "groups",
    "locale",
    "name",
    "oid",
    "picture",
    "preferred_username",
    "roles",
    "sub",
    "tid",
    "zoneinfo",
];
