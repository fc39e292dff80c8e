//! The logout token, from the compact text to a type that is believed (Back-Channel Logout 1.0 §2.4, §2.6).
//!
//! `accept` takes the steps of §2.6 in order. Those that an ID token passes in the same way are in `jwt`. Whether the
//! token was seen before (step 8) and whom it signs out (steps 9 to 11) only a store can tell.

use serde_json::Value;

use super::algorithm::Algorithm;
use super::issuer::IssuerRule;
use super::jwks::Jwk;
use super::jwt::{JwtFault, UntrustedJwt, claims};
use crate::time::{Lifetime, Timestamp};

/// The values of `typ`. §2.4 recommends `logout+jwt`, which not every provider sends.
const TYPES: [&str; 3] = ["JWT", "logout+jwt", "application/logout+jwt"];

/// The member of `events` that makes a token a logout token (§2.4).
const LOGOUT_EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// The longest `sid` and the longest `jti`, which no specification bounds and a store has to keep.
const MAX_IDENTIFIER_BYTES: usize = 512;

/// A token that has been taken apart and not yet believed.
pub struct UntrustedLogoutToken {
    jwt: UntrustedJwt,
}

/// What a token must fit.
pub struct ExpectedLogoutToken<'a> {
    /// The issuer.
    pub issuer: &'a IssuerRule,
    /// Our client identifier.
    pub client_id: &'a str,
    /// The algorithms that are configured for the ID tokens of this provider.
    pub algorithms: &'a [Algorithm],
    /// The time.
    pub now: Timestamp,
    /// How far the provider's clock may be off.
    pub skew: Lifetime,
}

/// Whom the provider signed out. There is no `Debug`: this is personal data.
pub struct LogoutToken {
    issuer: String,
    subject: Option<String>,
    session_id: Option<String>,
    token_id: String,
    issued_at: Timestamp,
    expires_at: Timestamp,
}

impl UntrustedLogoutToken {
    /// Takes a compact token apart. Nothing in it is verified by that.
    pub fn parse(compact: &str) -> Result<Self, JwtFault> {
        Ok(Self { jwt: UntrustedJwt::parse(compact, &TYPES)? })
    }

    /// What the signature is verified with.
    #[must_use]
    pub const fn jwt(&self) -> &UntrustedJwt {
        &self.jwt
    }

    /// Believes the token if everything fits. `signed_by` is the key that verified [`UntrustedJwt::signature`] over
    /// [`UntrustedJwt::signed_data`]; `None` where no candidate did.
    pub fn accept(self, signed_by: Option<&Jwk>, expected: &ExpectedLogoutToken<'_>) -> Result<LogoutToken, JwtFault> {
        // Step 1 (decryption): `parse` refused an encrypted token by its five parts.
        // Steps 2 to 4, the issuer first, because a key may sign for some issuers only.
        let issuer = self.jwt.expect_issuer(expected.issuer)?;
        self.jwt.expect_signature(issuer, signed_by, expected.algorithms)?;
        self.jwt.expect_audience(expected.client_id)?;
        let issued_at = self.jwt.expect_issued(expected.now, expected.skew)?;
        let expires_at = self.jwt.expect_current(expected.now, expected.skew)?;
        // Step 5.
        let (subject, session_id) = self.expect_somebody()?;
        // Step 6.
        self.expect_event()?;
        // Step 7: an ID token, which has a nonce, is no logout token.
        if self.jwt.claims.contains_key("nonce") {
            return Err(JwtFault::NoncePresent);
        }
        let token_id = self.identifier("jti", JwtFault::TokenIdMalformed)?.ok_or(JwtFault::TokenIdMissing)?;
        Ok(LogoutToken {
            issuer: issuer.to_owned(),
            subject: subject.map(str::to_owned),
            session_id: session_id.map(str::to_owned),
            token_id: token_id.to_owned(),
            issued_at,
            expires_at,
        })
    }

    /// Step 5: `sub` and `sid`, one of which may be absent.
    fn expect_somebody(&self) -> Result<(Option<&str>, Option<&str>), JwtFault> {
        match (self.jwt.subject()?, self.identifier("sid", JwtFault::SessionIdMalformed)?) {
            (None, None) => Err(JwtFault::SubjectAndSessionIdMissing),
            named => Ok(named),
        }
    }

    /// Step 6. The value of the event should be the empty object and must be an object (§2.4).
    fn expect_event(&self) -> Result<(), JwtFault> {
        let events = self.jwt.claims.get("events").ok_or(JwtFault::EventMissing)?;
        let events = events.as_object().ok_or(JwtFault::ClaimWrongType)?;
        let is_object = events.get(LOGOUT_EVENT).map(Value::is_object).ok_or(JwtFault::EventMissing)?;
        is_object.then_some(()).ok_or(JwtFault::ClaimWrongType)
    }

    /// A claim that names something of the provider's, where there is one.
    fn identifier(&self, name: &str, malformed: JwtFault) -> Result<Option<&str>, JwtFault> {
        let identifier = claims::text(&self.jwt.claims, name)?;
        let is_malformed = |text: &str| text.is_empty() || text.len() > MAX_IDENTIFIER_BYTES;
        if identifier.is_some_and(is_malformed) { Err(malformed) } else { Ok(identifier) }
    }
}

impl LogoutToken {
    /// `iss`.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// `sub`: unique only together with the issuer. Without a session, every session of that end-user is meant (§2.4).
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// `sid`: the session at the provider that is over. There is one wherever there is no subject.
    #[must_use]
    pub fn session_id(&self) -> Option<&str> {
        self.session_id.as_deref()
    }

    /// `jti`: what tells a replay, together with the issuer.
    #[must_use]
    pub fn token_id(&self) -> &str {
        &self.token_id
    }

    /// `iat`.
    #[must_use]
    pub const fn issued_at(&self) -> Timestamp {
        self.issued_at
    }

    /// `exp`: by the provider's clock. A token passes until the configured skew after it.
    #[must_use]
    pub const fn expires_at(&self) -> Timestamp {
        self.expires_at
    }
}
