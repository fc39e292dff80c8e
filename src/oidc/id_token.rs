//! The ID token, from the compact text to a type that is believed (OIDC Core 3.1.3.7, 3.1.3.8, 12.2).
//!
//! `accept` takes the steps of 3.1.3.7 in order. Encrypted tokens (step 1) and MACs (step 8) have no type here, and a
//! token that came over TLS is no exception to step 6. Signatures are not verified here: the caller says which key did.
//!
//! `jwt-compact` reads structure and header. The claims are read here, because its time claims accept more than JSON
//! integers, and a claim of the wrong type must never count as absent (CVE-2026-25537).

mod at_hash;
mod claims;
mod fault;
mod verified;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jwt_compact::UntrustedToken;
use serde_json::{Map, Value};
use subtle::ConstantTimeEq;

use super::algorithm::Algorithm;
use super::issuer::IssuerRule;
use super::jwks::Jwk;
use crate::json;
use crate::time::{Lifetime, Timestamp};

pub use fault::IdTokenFault;
pub use verified::IdToken;

/// The longest token that is parsed.
pub const MAX_TOKEN_BYTES: usize = 64 * 1024;

/// The longest `sub` (OIDC Core 2).
const MAX_SUBJECT_BYTES: usize = 255;

/// A token that has been taken apart and not yet believed.
pub struct UntrustedIdToken {
    algorithm: Algorithm,
    claims: Map<String, Value>,
    kid: Option<String>,
    signature: Vec<u8>,
    signed_data: Vec<u8>,
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
    /// The access token that came with the token, to compare `at_hash` with.
    pub access_token: Option<&'a str>,
    /// The time.
    pub now: Timestamp,
    /// How far the provider's clock may be off.
    pub skew: Lifetime,
}

impl UntrustedIdToken {
    /// Takes a compact token apart. Nothing in it is verified by that.
    pub fn parse(compact: &str) -> Result<Self, IdTokenFault> {
        if compact.len() > MAX_TOKEN_BYTES {
            return Err(IdTokenFault::TooLong);
        }
        if compact.bytes().filter(|byte| *byte == b'.').count() == 4 {
            return Err(IdTokenFault::Encrypted);
        }
        let token = UntrustedToken::<Map<String, Value>>::try_from(compact).map_err(|_| IdTokenFault::Malformed)?;
        let header = token.header();
        // RFC 7515 §4.1.11: an extension that is not understood must be refused, and none is.
        if header.other_fields.contains_key("crit") {
            return Err(IdTokenFault::CriticalHeader);
        }
        // RFC 8725 §3.11: an access token or a logout token of the same provider is no ID token.
        if header.token_type.as_deref().is_some_and(|name| !name.eq_ignore_ascii_case("JWT")) {
            return Err(IdTokenFault::TypeRefused);
        }
        let algorithm = Algorithm::parse(token.algorithm()).ok_or(IdTokenFault::AlgorithmRefused)?;
        let (signed_data, _) = compact.rsplit_once('.').ok_or(IdTokenFault::Malformed)?;
        Ok(Self {
            algorithm,
            claims: claims_of(signed_data).ok_or(IdTokenFault::Malformed)?,
            kid: header.key_id.clone(),
            signature: token.signature_bytes().to_vec(),
            signed_data: signed_data.as_bytes().to_vec(),
        })
    }

    /// The algorithm that the token names. It chooses among the keys that fit; it is never the last word.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The key that the token names.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// What was signed: the compact token up to its last dot (RFC 7515 §5.1).
    #[must_use]
    pub fn signed_data(&self) -> &[u8] {
        &self.signed_data
    }

    /// The signature, decoded.
    #[must_use]
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// The unverified `tid`.
    #[must_use]
    pub fn tenant(&self) -> Option<&str> {
        self.claims.get("tid").and_then(Value::as_str)
    }

    /// Believes the token if everything fits. `signed_by` is the key that verified [`Self::signature`] over
    /// [`Self::signed_data`]; `None` where no candidate did.
    pub fn accept(self, signed_by: Option<&Jwk>, expected: &ExpectedIdToken<'_>) -> Result<IdToken, IdTokenFault> {
        // Step 1 (decryption): `parse` refused an encrypted token by its five parts.
        let issuer = self.expect_issuer(expected)?;
        let subject = self.expect_subject(expected)?;
        self.expect_audience(expected)?;
        self.expect_signature(issuer, signed_by, expected)?;
        // Step 8 (MAC): `Algorithm` has no HMAC.
        let expires_at = self.expect_current(expected)?;
        let issued_at = self.expect_issued(expected)?;
        self.expect_nonce(expected)?;
        // Step 12 (`acr`): asked for as voluntary only, so any value fits.
        self.expect_recent_authentication(expected)?;
        self.expect_access_token(expected)?;
        let (issuer, subject) = (issuer.to_owned(), subject.to_owned());
        Ok(IdToken { claims: self.claims, issuer, subject, expires_at, issued_at })
    }

    /// Step 2.
    fn expect_issuer(&self, expected: &ExpectedIdToken<'_>) -> Result<&str, IdTokenFault> {
        let issuer = claims::text(&self.claims, "iss")?.ok_or(IdTokenFault::IssuerMissing)?;
        let is_expected = expected.issuer.accepts(issuer, self.tenant());
        is_expected.then_some(issuer).ok_or(IdTokenFault::IssuerMismatch)
    }

    /// `sub` as OIDC Core 2 has it and, at a refresh, as the session has it (OIDC Core 12.2).
    fn expect_subject(&self, expected: &ExpectedIdToken<'_>) -> Result<&str, IdTokenFault> {
        let subject = claims::text(&self.claims, "sub")?.ok_or(IdTokenFault::SubjectMissing)?;
        if subject.trim().is_empty() || subject.len() > MAX_SUBJECT_BYTES || !subject.is_ascii() {
            return Err(IdTokenFault::SubjectMalformed);
        }
        let is_expected = expected.subject.is_none_or(|session| session == subject);
        is_expected.then_some(subject).ok_or(IdTokenFault::SubjectMismatch)
    }

    /// Steps 3 to 5. No other audience is trusted as such. A token that lists one is accepted only if `azp` says that
    /// it was issued to us (step 4), because some providers add the downstream API to `aud`; an `azp` that is not ours
    /// is refused in any case (step 5).
    fn expect_audience(&self, expected: &ExpectedIdToken<'_>) -> Result<(), IdTokenFault> {
        let audience = claims::audience(&self.claims)?.ok_or(IdTokenFault::AudienceMissing)?;
        if !audience.contains(&expected.client_id) {
            return Err(IdTokenFault::AudienceMismatch);
        }
        match claims::text(&self.claims, "azp")? {
            Some(party) if party != expected.client_id => Err(IdTokenFault::AuthorizedPartyMismatch),
            None if audience.iter().any(|name| *name != expected.client_id) => {
                Err(IdTokenFault::AuthorizedPartyMissing)
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Steps 6 and 7.
    fn expect_signature(
        &self,
        issuer: &str,
        signed_by: Option<&Jwk>,
        expected: &ExpectedIdToken<'_>,
    ) -> Result<(), IdTokenFault> {
        let key = signed_by.ok_or(IdTokenFault::SignatureInvalid)?;
        if !key.may_sign_for(issuer, self.tenant()) {
            return Err(IdTokenFault::KeyIssuerMismatch);
        }
        let is_allowed = expected.algorithms.contains(&self.algorithm) && key.fits(self.algorithm);
        is_allowed.then_some(()).ok_or(IdTokenFault::AlgorithmRefused)
    }

    /// Step 9, and `nbf` where there is one (RFC 7519 §4.1.5).
    fn expect_current(&self, expected: &ExpectedIdToken<'_>) -> Result<Timestamp, IdTokenFault> {
        let expires_at = claims::numeric_date(&self.claims, "exp")?.ok_or(IdTokenFault::ExpiryMissing)?;
        if expected.now >= expires_at + expected.skew {
            return Err(IdTokenFault::Expired);
        }
        let not_before = claims::numeric_date(&self.claims, "nbf")?;
        let is_valid = not_before.is_none_or(|start| start <= expected.now + expected.skew);
        is_valid.then_some(expires_at).ok_or(IdTokenFault::NotYetValid)
    }

    /// Step 10. An old `iat` is no fault: `exp` bounds it, and `nonce` ties it to one login attempt.
    fn expect_issued(&self, expected: &ExpectedIdToken<'_>) -> Result<Timestamp, IdTokenFault> {
        let issued_at = claims::numeric_date(&self.claims, "iat")?.ok_or(IdTokenFault::IssuedAtMissing)?;
        let is_past = issued_at <= expected.now + expected.skew;
        is_past.then_some(issued_at).ok_or(IdTokenFault::IssuedInFuture)
    }

    /// Step 11.
    fn expect_nonce(&self, expected: &ExpectedIdToken<'_>) -> Result<(), IdTokenFault> {
        let nonce = claims::text(&self.claims, "nonce")?;
        let Some(wanted) = expected.nonce else {
            return Ok(());
        };
        let is_expected = nonce.ok_or(IdTokenFault::NonceMissing)?.as_bytes().ct_eq(wanted.as_bytes());
        bool::from(is_expected).then_some(()).ok_or(IdTokenFault::NonceMismatch)
    }

    /// Step 13.
    fn expect_recent_authentication(&self, expected: &ExpectedIdToken<'_>) -> Result<(), IdTokenFault> {
        let authenticated_at = claims::numeric_date(&self.claims, "auth_time")?;
        let Some(max_age) = expected.max_age else {
            return Ok(());
        };
        let authenticated_at = authenticated_at.ok_or(IdTokenFault::AuthTimeMissing)?;
        let is_recent = expected.now <= authenticated_at + max_age + expected.skew;
        is_recent.then_some(()).ok_or(IdTokenFault::AuthTimeTooOld)
    }

    /// OIDC Core 3.1.3.8: `at_hash` may be absent in the code flow, never wrong.
    fn expect_access_token(&self, expected: &ExpectedIdToken<'_>) -> Result<(), IdTokenFault> {
        let at_hash = claims::text(&self.claims, "at_hash")?;
        let (Some(at_hash), Some(access_token)) = (at_hash, expected.access_token) else {
            return Ok(());
        };
        let is_expected = at_hash.as_bytes().ct_eq(at_hash::of(self.algorithm, access_token).as_bytes());
        bool::from(is_expected).then_some(()).ok_or(IdTokenFault::AccessTokenHashMismatch)
    }
}

fn claims_of(signed_data: &str) -> Option<Map<String, Value>> {
    let (_, claims) = signed_data.rsplit_once('.')?;
    json::object(&URL_SAFE_NO_PAD.decode(claims).ok()?)
}
