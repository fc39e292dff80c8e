//! `/.auth/me`: who is signed in, for the page. Never a token.

use super::{Incoming, authenticate};
use crate::answer::Answer;
use crate::error::Error;
use crate::json::{self, Json};
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
        &json::members_and_nulls([
            ("name", name.into()),
            ("sub", entry.claim("sub").into()),
            ("provider", incoming.realm.provider.name.as_str().into()),
            ("claims", json::collected(&mut shown).into()),
            ("expires_in", signed_in.session.expires_at().since(incoming.now).to_json()),
            ("logout_url", incoming.auth_url("logout").into()),
        ]),
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
