//! What is kept of the claims about a signed-in user.

use serde_json::{Map, Value};

use crate::oidc::id_token::IdToken;
use crate::session::entry::TokenCacheEntry;

/// The claims of an ID token without those that only concern the protocol run that carried them.
pub(super) fn of(id_token: &IdToken) -> Map<String, Value> {
    kept(id_token.claims().clone())
}

/// The claims without those that only concern the protocol run that carried them.
pub(crate) fn kept(mut claims: Map<String, Value>) -> Map<String, Value> {
    claims.retain(|name, _| !is_of_the_protocol(name));
    claims
}

/// Whether a claim only concerns the protocol run that carried it.
pub(super) fn is_of_the_protocol(name: &str) -> bool {
    PROTOCOL_CLAIMS.contains(&name)
}

/// Whether a claim tells how the user signed in. UserInfo knows nothing of that: only the ID token of a sign-in counts.
pub(super) fn is_of_the_sign_in(name: &str) -> bool {
    SIGN_IN_CLAIMS.contains(&name)
}

/// The claims after a refresh brought an ID token: what it does not say any more does not hold any more (a role that was
/// taken away), but for what it need not repeat and what only UserInfo had.
pub(super) fn refreshed(earlier: &TokenCacheEntry, id_token: &IdToken) -> Map<String, Value> {
    let mut claims = of(id_token);
    for (name, value) in &earlier.claims {
        if earlier.user_info.contains(name) || is_of_the_sign_in(name) {
            claims.entry(name.clone()).or_insert_with(|| value.clone());
        }
    }
    claims
}

const PROTOCOL_CLAIMS: &[&str] =
    &["aio", "at_hash", "aud", "azp", "c_hash", "exp", "iat", "nbf", "nonce", "rh", "uti", "ver"];
/// What tells how the user signed in, which a refresh does not change (OIDC Core 12.2).
const SIGN_IN_CLAIMS: &[&str] = &["acr", "amr", "auth_time", "login_hint", "sid"];
