//! What an ID token, a logout token and a JWT access token have in common: a signed JWT, and the checks that
//! Back-Channel Logout 1.0 §2.6 and RFC 9068 §4 have made like those of an ID token (OIDC Core 3.1.3.7).
//!
//! Encrypted tokens and MACs have no type here, and a token that came over TLS is no exception to the signature.
//! Signatures are not verified here: the caller says which key did.
//!
//! A claim of the wrong type never counts as absent (CVE-2026-25537), nor does a parameter of the header.

pub(super) mod claims;
mod fault;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::algorithm::Algorithm;
use super::issuer::IssuerRule;
use super::jwks::Jwk;
use crate::json::{self, Members};
use crate::time::{Lifetime, Timestamp};

pub use fault::JwtFault;

/// The longest token that is parsed.
pub const MAX_TOKEN_BYTES: usize = 64 * 1024;

/// A token that has been taken apart and not yet believed.
pub struct UntrustedJwt {
    pub(super) claims: Map<String, Value>,
    /// Whether there was a `typ`; if so, it is an accepted one.
    pub(super) has_type: bool,
    algorithm: Algorithm,
    kid: Option<String>,
    signature: Vec<u8>,
    signed_data: Vec<u8>,
}

impl UntrustedJwt {
    /// Takes a compact token apart. Nothing in it is verified by that. `types` are the values that `typ` may have, in
    /// any letter case; it may be absent, too.
    pub(super) fn parse(compact: &str, types: &[&str]) -> Result<Self, JwtFault> {
        if compact.len() > MAX_TOKEN_BYTES {
            return Err(JwtFault::TooLong);
        }
        if compact.bytes().filter(|byte| *byte == b'.').count() == 4 {
            return Err(JwtFault::Encrypted);
        }
        let (signed_data, signature) = compact.rsplit_once('.').ok_or(JwtFault::Malformed)?;
        let (header, claims) = signed_data.split_once('.').ok_or(JwtFault::Malformed)?;
        let mut header = Members::parse(&decoded(header)?).ok_or(JwtFault::Malformed)?;
        // RFC 7515 §4.1.11: an extension that is not understood must be refused, and none is.
        if header.has("crit") {
            return Err(JwtFault::CriticalHeader);
        }
        // RFC 8725 §3.11: the same provider signs tokens of other kinds with the same keys.
        let is_other = |name: &str| !types.iter().any(|known| known.eq_ignore_ascii_case(name));
        let token_type: Option<String> = header.take("typ").ok_or(JwtFault::Malformed)?;
        if token_type.as_deref().is_some_and(is_other) {
            return Err(JwtFault::TypeRefused);
        }
        // RFC 7519 §5.2: what was signed would be a token again, whose claims are not read here.
        let content_type: Option<String> = header.take("cty").ok_or(JwtFault::Malformed)?;
        if content_type.is_some_and(|name| name.eq_ignore_ascii_case("JWT")) {
            return Err(JwtFault::Malformed);
        }
        let algorithm: String = header.take("alg").ok_or(JwtFault::Malformed)?;
        Ok(Self {
            claims: json::object(&decoded(claims)?).ok_or(JwtFault::Malformed)?,
            has_type: token_type.is_some(),
            algorithm: Algorithm::parse(&algorithm).ok_or(JwtFault::AlgorithmRefused)?,
            kid: header.take("kid").ok_or(JwtFault::Malformed)?,
            signature: decoded(signature)?,
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

    /// OIDC Core 3.1.3.7 step 2.
    pub(super) fn expect_issuer(&self, expected: &IssuerRule) -> Result<&str, JwtFault> {
        claims::issuer(&self.claims, expected)?.ok_or(JwtFault::IssuerMissing)
    }

    /// Steps 3 to 5. No other audience is trusted as such. A token that lists one is accepted only if `azp` says that
    /// it was issued to us (step 4), because some providers add the downstream API to `aud`; an `azp` that is not ours
    /// is refused in any case (step 5).
    pub(super) fn expect_audience(&self, client_id: &str) -> Result<(), JwtFault> {
        let audience = claims::audience(&self.claims)?.ok_or(JwtFault::AudienceMissing)?;
        if !audience.contains(&client_id) {
            return Err(JwtFault::AudienceMismatch);
        }
        match claims::text(&self.claims, "azp")? {
            Some(party) if party != client_id => Err(JwtFault::AuthorizedPartyMismatch),
            None if audience.iter().any(|name| *name != client_id) => Err(JwtFault::AuthorizedPartyMissing),
            Some(_) | None => Ok(()),
        }
    }

    /// Steps 6 and 7. `signed_by` is the key that verified [`Self::signature`] over [`Self::signed_data`]; `issuer` is
    /// what [`Self::expect_issuer`] found.
    pub(super) fn expect_signature(
        &self,
        issuer: &str,
        signed_by: Option<&Jwk>,
        allowed: &[Algorithm],
    ) -> Result<(), JwtFault> {
        let key = signed_by.ok_or(JwtFault::SignatureInvalid)?;
        if !key.may_sign_for(issuer, self.tenant()) {
            return Err(JwtFault::KeyIssuerMismatch);
        }
        let is_allowed = allowed.contains(&self.algorithm) && key.fits(self.algorithm);
        is_allowed.then_some(()).ok_or(JwtFault::AlgorithmRefused)
    }

    /// Step 9, and `nbf` where there is one (RFC 7519 §4.1.5).
    pub(super) fn expect_current(&self, now: Timestamp, skew: Lifetime) -> Result<Timestamp, JwtFault> {
        claims::current(&self.claims, now, skew)?.ok_or(JwtFault::ExpiryMissing)
    }

    /// Step 10. An old `iat` is no fault: `exp` bounds it.
    pub(super) fn expect_issued(&self, now: Timestamp, skew: Lifetime) -> Result<Timestamp, JwtFault> {
        claims::issued(&self.claims, now, skew)?.ok_or(JwtFault::IssuedAtMissing)
    }

    /// `sub`, where there is one.
    pub(super) fn subject(&self) -> Result<Option<&str>, JwtFault> {
        claims::subject(&self.claims)
    }

    /// The unverified `tid`.
    fn tenant(&self) -> Option<&str> {
        claims::tenant(&self.claims)
    }
}

fn decoded(part: &str) -> Result<Vec<u8>, JwtFault> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| JwtFault::Malformed)
}
