//! Whose request it is, as far as the origin is told: a signed-in user, or whoever an access token stands for. Both are told
//! in the same words, so an application need not care which it was.

use serde_json::{Map, Value};

use crate::oidc::bearer_token::BearerToken;
use crate::session::entry::TokenCacheEntry;
use crate::session::session::SessionId;

/// Who sends a request.
#[derive(Clone, Copy)]
pub struct Identity<'a> {
    /// The issuer that vouches for the claims.
    pub issuer: &'a str,
    /// The verified claims, without those that only concern the protocol.
    pub claims: &'a Map<String, Value>,
    /// The session; none with an access token.
    pub session: Option<SessionId>,
    unnamed: Option<&'a str>,
}

impl<'a> Identity<'a> {
    /// Whoever is signed in.
    #[must_use]
    pub fn of_user(entry: &'a TokenCacheEntry, session: SessionId) -> Self {
        Self { issuer: &entry.issuer, claims: &entry.claims, session: Some(session), unnamed: entry.claim("sub") }
    }

    /// Whoever an access token stands for.
    #[must_use]
    pub fn of_token(token: &'a BearerToken) -> Self {
        let unnamed = if token.has_end_user() { token.subject() } else { token.client_id() };
        Self { issuer: token.issuer(), claims: token.claims(), session: None, unnamed: Some(unnamed) }
    }

    /// Whoever these claims are about, with nothing else known.
    #[cfg(not(target_arch = "wasm32"))]
    #[must_use]
    pub fn of_claims(claims: &'a Map<String, Value>) -> Self {
        Self { issuer: "", claims, session: None, unnamed: claims.get("sub").and_then(Value::as_str) }
    }

    /// What they are called: by a name if a claim has one, else by the subject; a client that acts for nobody by its id.
    #[must_use]
    pub fn name(&self) -> &'a str {
        ["preferred_username", "email", "name"].iter().find_map(|name| self.claim(name)).or(self.unnamed).unwrap_or("")
    }

    /// A claim that is text.
    #[must_use]
    pub fn claim(&self, name: &str) -> Option<&'a str> {
        self.claims.get(name).and_then(Value::as_str)
    }
}
