//! What a client of an API route may do, once its access token is believed: the one type that a verified JWT
//! (`access_token`) and an introspection answer (`introspection`) both become, so that nothing after it can tell them
//! apart.

use std::fmt;

use serde_json::{Map, Value};

use super::jwt::{JwtFault, claims};
use crate::time::{Lifetime, Timestamp};

/// The longest `client_id`, which no specification bounds.
const MAX_CLIENT_ID_BYTES: usize = 512;

/// Claims that concern the token rather than whom it stands for, or that have an accessor of their own.
const PROTOCOL_CLAIMS: &[&str] = &[
    "active",
    "aio",
    "appid",
    "appidacr",
    "aud",
    "azp",
    "azpacr",
    "client_id",
    "exp",
    "iat",
    "iss",
    "jti",
    "nbf",
    "rh",
    "scope",
    "scp",
    "sub",
    "token_type",
    "uti",
    "ver",
    "xms_ftd",
];

/// What rules judge and the origin is told of a token's claims: those about whom it stands for, and who that is in the same
/// words for every OP.
pub(crate) fn told(
    mut claims: Map<String, Value>,
    subject: Option<&str>,
    client_id: Option<&str>,
    scopes: &[String],
) -> Map<String, Value> {
    claims.retain(|name, _| !PROTOCOL_CLAIMS.contains(&name.as_str()));
    let scope = (!scopes.is_empty()).then(|| scopes.join(" "));
    let who = [("sub", subject.map(str::to_owned)), ("client_id", client_id.map(str::to_owned)), ("scope", scope)];
    claims.extend(who.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.into()))));
    claims
}

/// A believed access token. The token itself is not kept.
pub struct BearerToken {
    claims: Map<String, Value>,
    issuer: String,
    subject: String,
    client_id: String,
    scopes: Vec<String>,
    expires_at: Option<Timestamp>,
    has_end_user: bool,
    acr: Option<String>,
    auth_time: Option<Timestamp>,
}

/// What one kind of token calls differently from the other, already believed.
pub(super) struct Attested {
    pub(super) issuer: String,
    pub(super) subject: String,
    pub(super) client_id: String,
    pub(super) scopes: Vec<String>,
    pub(super) expires_at: Option<Timestamp>,
    pub(super) has_end_user: bool,
}

impl BearerToken {
    /// The only constructor; for `access_token` and `introspection`, which have checked the rest.
    pub(super) fn new(claims: Map<String, Value>, attested: Attested) -> Result<Self, JwtFault> {
        // RFC 9449 §7.2, RFC 8705 §3: whoever stole such a token could use it if it passed without its key.
        if claims.contains_key("cnf") {
            return Err(JwtFault::KeyBound);
        }
        let acr = claims::text(&claims, "acr")?.map(str::to_owned);
        let auth_time = claims::numeric_date(&claims, "auth_time")?;
        let Attested { issuer, subject, client_id, scopes, expires_at, has_end_user } = attested;
        let mut claims = told(claims, Some(&subject), Some(&client_id), &scopes);
        if let Some(moment) = auth_time {
            claims.insert("auth_time".to_owned(), moment.as_unix().into());
        }
        Ok(Self { claims, issuer, subject, client_id, scopes, expires_at, has_end_user, acr, auth_time })
    }

    /// `iss`.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// `sub`: unique only together with the issuer. Of a client that acts for nobody, it names the client (RFC 9068
    /// §2.2), so it tells an end-user from a client only if the OP gives out no name twice (§5).
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The client that the token was issued to.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// Whether the client acts for an end-user, as far as the token tells.
    #[must_use]
    pub const fn has_end_user(&self) -> bool {
        self.has_end_user
    }

    /// The scopes granted; of an application of the Microsoft identity platform that acts for nobody, its `roles`.
    #[must_use]
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }

    /// Whether each of `required` was granted, letter for letter. To be asked for every request: a token that was
    /// remembered says nothing about the route that it comes to next (CVE-2021-32701).
    #[must_use]
    pub fn has_scopes(&self, required: &[String]) -> bool {
        required.iter().all(|scope| self.scopes.contains(scope))
    }

    /// `exp`, by the OP's clock. Only an introspection answer may lack it.
    #[must_use]
    pub const fn expires_at(&self) -> Option<Timestamp> {
        self.expires_at
    }

    /// Until when the token may be believed without another look: `longest` from now, never past `exp`.
    #[must_use]
    pub fn believed_until(&self, now: Timestamp, longest: Lifetime) -> Timestamp {
        let until = now + longest;
        self.expires_at.map_or(until, |end| end.min(until))
    }

    /// `acr`: how the end-user authenticated (RFC 9470 §6.2).
    #[must_use]
    pub fn acr(&self) -> Option<&str> {
        self.acr.as_deref()
    }

    /// `auth_time`: when the end-user authenticated (RFC 9470 §6.2).
    #[must_use]
    pub const fn auth_time(&self) -> Option<Timestamp> {
        self.auth_time
    }

    /// The claims without those that concern the token, for rules and for the origin. `sub`, `client_id` and `scope` are
    /// named as RFC 9068 has them, whatever the token calls them.
    #[must_use]
    pub const fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }
}

/// Claims are personal data, so only the kind is shown.
impl fmt::Debug for BearerToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BearerToken([claims])")
    }
}

/// RFC 9068 §4: `aud` must list one of ours. There is no token for everybody, so one without `aud` is refused, and so
/// is every token where `ours` is empty (CVE-2026-55689).
pub(super) fn expect_audience(claims: &Map<String, Value>, ours: &[String]) -> Result<(), JwtFault> {
    let audience = claims::audience(claims)?.ok_or(JwtFault::AudienceMissing)?;
    let is_ours = audience.iter().any(|name| ours.iter().any(|own| own == name));
    is_ours.then_some(()).ok_or(JwtFault::AudienceMismatch)
}

/// The client, under the first of `names` that is there.
pub(super) fn expect_client(claims: &Map<String, Value>, names: &[&str]) -> Result<String, JwtFault> {
    let mut client = None;
    for name in names {
        // Each is read, for one of the wrong type must not be hidden by another.
        let named = claims::text(claims, name)?;
        client = client.or(named);
    }
    let client = client.ok_or(JwtFault::ClientIdMissing)?;
    if client.trim().is_empty() || client.len() > MAX_CLIENT_ID_BYTES {
        return Err(JwtFault::ClientIdMalformed);
    }
    Ok(client.to_owned())
}
