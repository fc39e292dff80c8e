//! The ID token, from the compact text to a type that is believed (OIDC Core 3.1.3.7, 3.1.3.8, 12.2).
//!
//! `accept` takes the steps of 3.1.3.7 in order. Those that a logout token must pass, too, are in `jwt`.

mod at_hash;
mod verified;

use subtle::ConstantTimeEq;

use super::algorithm::Algorithm;
use super::issuer::IssuerRule;
use super::jwks::Jwk;
use super::jwt::{JwtFault, UntrustedJwt, claims};
use crate::time::{Lifetime, Timestamp};

pub use verified::IdToken;

/// A token that has been taken apart and not yet believed.
pub struct UntrustedIdToken {
    jwt: UntrustedJwt,
}

/// What a token must fit: configuration, and the login attempt or the session.
pub struct ExpectedIdToken<'a> {
    /// The issuer. At a refresh, `Exact` with the issuer of the sign-in (OIDC Core 12.2).
    pub issuer: &'a IssuerRule,
    /// Our client identifier.
    pub client_id: &'a str,
    /// The algorithms that are configured for this provider.
    pub algorithms: &'a [Algorithm],
    /// The `nonce` of the login attempt. `None` at a refresh: that token should have none, and one is passed over (OIDC
    /// Core 12.2), for the refresh token already ties the answer to the session.
    pub nonce: Option<&'a str>,
    /// At a refresh, the `sub` of the session.
    pub subject: Option<&'a str>,
    /// The `max_age` that was asked for.
    pub max_age: Option<Lifetime>,
    /// The `acr` values that were asked for, any of which will do; none if all will.
    pub acr_values: &'a [String],
    /// The access token that came with the token, to compare `at_hash` with.
    pub access_token: Option<&'a str>,
    /// The policy of Azure AD B2C that was asked for.
    pub policy: Option<&'a str>,
    /// The time.
    pub now: Timestamp,
    /// How far the provider's clock may be off.
    pub skew: Lifetime,
}

impl UntrustedIdToken {
    /// Takes a compact token apart. Nothing in it is verified by that.
    pub fn parse(compact: &str) -> Result<Self, JwtFault> {
        Ok(Self { jwt: UntrustedJwt::parse(compact, &["JWT"])? })
    }

    /// What the signature is verified with.
    #[must_use]
    pub const fn jwt(&self) -> &UntrustedJwt {
        &self.jwt
    }

    /// Believes the token if everything fits. `signed_by` is the key that verified [`UntrustedJwt::signature`] over
    /// [`UntrustedJwt::signed_data`]; `None` where no candidate did.
    pub fn accept(self, signed_by: Option<&Jwk>, expected: &ExpectedIdToken<'_>) -> Result<IdToken, JwtFault> {
        // Step 1 (decryption): `parse` refused an encrypted token by its five parts.
        // Step 2.
        let issuer = self.jwt.expect_issuer(expected.issuer)?;
        let subject = self.expect_subject(expected)?;
        // Steps 3 to 5.
        self.jwt.expect_audience(expected.client_id)?;
        // Steps 6 and 7. Step 8 (MAC): `Algorithm` has no HMAC.
        self.jwt.expect_signature(issuer, signed_by, expected.algorithms)?;
        // Step 9.
        let expires_at = self.jwt.expect_current(expected.now, expected.skew)?;
        // Step 10.
        let issued_at = self.jwt.expect_issued(expected.now, expected.skew)?;
        // Step 11.
        self.expect_nonce(expected)?;
        // Step 12.
        self.expect_acr(expected)?;
        // Step 13.
        self.expect_recent_authentication(expected)?;
        self.expect_access_token(expected)?;
        self.expect_policy(expected)?;
        let (issuer, subject) = (issuer.to_owned(), subject.to_owned());
        Ok(IdToken { claims: self.jwt.claims, issuer, subject, expires_at, issued_at })
    }

    /// `sub` as OIDC Core 2 has it and, at a refresh, as the session has it (OIDC Core 12.2).
    fn expect_subject(&self, expected: &ExpectedIdToken<'_>) -> Result<&str, JwtFault> {
        let subject = self.jwt.subject()?.ok_or(JwtFault::SubjectMissing)?;
        let is_expected = expected.subject.is_none_or(|session| session == subject);
        is_expected.then_some(subject).ok_or(JwtFault::SubjectMismatch)
    }

    /// Step 11. It ties the token to one login attempt.
    fn expect_nonce(&self, expected: &ExpectedIdToken<'_>) -> Result<(), JwtFault> {
        let nonce = claims::text(&self.jwt.claims, "nonce")?;
        let Some(wanted) = expected.nonce else {
            return Ok(());
        };
        let is_expected = nonce.ok_or(JwtFault::NonceMissing)?.as_bytes().ct_eq(wanted.as_bytes());
        bool::from(is_expected).then_some(()).ok_or(JwtFault::NonceMismatch)
    }

    /// Step 12. `acr_values` only wishes (OIDC Core 3.1.2.1); here it is an answer to a demand.
    fn expect_acr(&self, expected: &ExpectedIdToken<'_>) -> Result<(), JwtFault> {
        if expected.acr_values.is_empty() {
            return Ok(());
        }
        let acr = claims::text(&self.jwt.claims, "acr")?;
        let is_expected = acr.is_some_and(|acr| expected.acr_values.iter().any(|wanted| wanted == acr));
        is_expected.then_some(()).ok_or(JwtFault::AcrRefused)
    }

    /// Step 13.
    fn expect_recent_authentication(&self, expected: &ExpectedIdToken<'_>) -> Result<(), JwtFault> {
        let authenticated_at = claims::numeric_date(&self.jwt.claims, "auth_time")?;
        let Some(max_age) = expected.max_age else {
            return Ok(());
        };
        let authenticated_at = authenticated_at.ok_or(JwtFault::AuthTimeMissing)?;
        let is_recent = expected.now <= authenticated_at + max_age + expected.skew;
        is_recent.then_some(()).ok_or(JwtFault::AuthTimeTooOld)
    }

    /// All policies of Azure AD B2C have one issuer and one client. `tfp` names the policy, `acr` in older ones.
    fn expect_policy(&self, expected: &ExpectedIdToken<'_>) -> Result<(), JwtFault> {
        let Some(wanted) = expected.policy else {
            return Ok(());
        };
        let policy = match claims::text(&self.jwt.claims, "tfp")? {
            Some(policy) => Some(policy),
            None => claims::text(&self.jwt.claims, "acr")?,
        };
        let is_expected = policy.is_some_and(|policy| policy.eq_ignore_ascii_case(wanted));
        is_expected.then_some(()).ok_or(JwtFault::PolicyMismatch)
    }

    /// OIDC Core 3.1.3.8: `at_hash` may be absent in the code flow, never wrong.
    fn expect_access_token(&self, expected: &ExpectedIdToken<'_>) -> Result<(), JwtFault> {
        let at_hash = claims::text(&self.jwt.claims, "at_hash")?;
        let (Some(at_hash), Some(access_token)) = (at_hash, expected.access_token) else {
            return Ok(());
        };
        let is_expected = at_hash.as_bytes().ct_eq(at_hash::of(self.jwt.algorithm(), access_token).as_bytes());
        bool::from(is_expected).then_some(()).ok_or(JwtFault::AccessTokenHashMismatch)
    }
}
