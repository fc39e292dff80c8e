//! An ID token that is believed. Its fields are visible to `id_token` alone, where `accept` is the only constructor.

use std::fmt;

use serde_json::{Map, Value};

use crate::time::Timestamp;

/// Who signed in, as the provider attests. The compact token is not kept.
pub struct IdToken {
    pub(super) claims: Map<String, Value>,
    pub(super) issuer: String,
    pub(super) subject: String,
    pub(super) expires_at: Timestamp,
    pub(super) issued_at: Timestamp,
}

impl IdToken {
    /// `iss`.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// `sub`: unique only together with the issuer.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// When the token expires; the session does not end with it.
    #[must_use]
    pub const fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// `iat`.
    #[must_use]
    pub const fn issued_at(&self) -> Timestamp {
        self.issued_at
    }

    /// `sid`, which a front-channel or back-channel logout names.
    #[must_use]
    pub fn session_id(&self) -> Option<&str> {
        self.claim_str("sid")
    }

    /// `login_hint`: the `logout_hint` of a later sign-out.
    #[must_use]
    pub fn login_hint(&self) -> Option<&str> {
        self.claim_str("login_hint")
    }

    /// `tid`: the tenant that signed the end-user in.
    #[must_use]
    pub fn tenant(&self) -> Option<&str> {
        self.claim_str("tid")
    }

    /// `oid`: the end-user's object in that tenant.
    #[must_use]
    pub fn object_id(&self) -> Option<&str> {
        self.claim_str("oid")
    }

    /// Any claim.
    #[must_use]
    pub fn claim(&self, name: &str) -> Option<&Value> {
        self.claims.get(name)
    }

    /// A claim, where it is a non-empty string.
    #[must_use]
    pub fn claim_str(&self, name: &str) -> Option<&str> {
        self.claim(name).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    /// Every claim.
    #[must_use]
    pub const fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }
}

/// Claims are personal data, so only the kind is shown.
impl fmt::Debug for IdToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdToken([claims])")
    }
}
