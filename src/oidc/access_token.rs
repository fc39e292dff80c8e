//! The JWT access token, from the compact text to a type that is believed (RFC 9068 §4), and that of the Microsoft
//! identity platform, which is older than the RFC.
//!
//! `accept` takes the steps of §4 in order. Opaque tokens are asked about instead: see `introspection`.

use serde_json::{Map, Value};

use super::algorithm::Algorithm;
use super::bearer_token::{Attested, BearerToken, expect_audience, expect_client};
use super::issuer::IssuerRule;
use super::jwks::Jwk;
use super::jwt::{JwtFault, UntrustedJwt, claims};
use crate::time::{Lifetime, Timestamp};

/// Which kind of access token the provider issues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// The Microsoft identity platform's: `typ` is `JWT`, the client is `azp` or `appid`, scopes are `scp` or `roles`.
    Entra,
    /// RFC 9068 §2.
    Rfc9068,
}

/// A token that has been taken apart and not yet believed.
pub struct UntrustedAccessToken {
    jwt: UntrustedJwt,
    profile: Profile,
}

/// What a token must fit: configuration alone.
pub struct ExpectedAccessToken<'a> {
    /// The issuer.
    pub issuer: &'a IssuerRule,
    /// What we are called in `aud`: one of these must be there. With none, no token is accepted.
    pub audiences: &'a [String],
    /// The algorithms that are configured for this provider.
    pub algorithms: &'a [Algorithm],
    /// The time.
    pub now: Timestamp,
    /// How far the provider's clock may be off.
    pub skew: Lifetime,
}

impl UntrustedAccessToken {
    /// Takes a compact token apart. Nothing in it is verified by that.
    pub fn parse(compact: &str, profile: Profile) -> Result<Self, JwtFault> {
        let jwt = UntrustedJwt::parse(compact, profile.types())?;
        // Only `typ` keeps the provider's other tokens out (RFC 9068 §5), and one without it may be any of them.
        if jwt.has_type { Ok(Self { jwt, profile }) } else { Err(JwtFault::TypeMissing) }
    }

    /// What the signature is verified with.
    #[must_use]
    pub const fn jwt(&self) -> &UntrustedJwt {
        &self.jwt
    }

    /// Believes the token if everything fits. `signed_by` is the key that verified [`UntrustedJwt::signature`] over
    /// [`UntrustedJwt::signed_data`]; `None` where no candidate did.
    pub fn accept(self, signed_by: Option<&Jwk>, expected: &ExpectedAccessToken<'_>) -> Result<BearerToken, JwtFault> {
        let issuer = self.jwt.expect_issuer(expected.issuer)?;
        expect_audience(&self.jwt.claims, expected.audiences)?;
        self.jwt.expect_signature(issuer, signed_by, expected.algorithms)?;
        let expires_at = self.jwt.expect_current(expected.now, expected.skew)?;
        self.jwt.expect_issued(expected.now, expected.skew)?;
        // What else §2.2 requires, as far as anybody acts on it.
        let subject = self.jwt.subject()?.ok_or(JwtFault::SubjectMissing)?.to_owned();
        let client_id = expect_client(&self.jwt.claims, self.profile.client_claims())?;
        let has_end_user = self.profile.has_end_user(&self.jwt.claims, &subject, &client_id);
        let attested = Attested {
            issuer: issuer.to_owned(),
            subject,
            client_id,
            scopes: self.scopes()?,
            expires_at: Some(expires_at),
            has_end_user,
        };
        BearerToken::new(self.jwt.claims, attested)
    }

    fn scopes(&self) -> Result<Vec<String>, JwtFault> {
        match self.profile {
            Profile::Entra => self.entra_scopes(),
            Profile::Rfc9068 => Ok(claims::words(&self.jwt.claims, "scope")?.unwrap_or_default()),
        }
    }

    /// The platform signs ID tokens with the same keys and the same `typ`, and an ID token for the application that is
    /// also the API has the right `aud`. It has no client, which `accept` requires; it has claims that only an ID token
    /// has; and it grants nothing, unless the end-user has `roles`, which stand in both.
    fn entra_scopes(&self) -> Result<Vec<String>, JwtFault> {
        let claims = &self.jwt.claims;
        if ["nonce", "at_hash", "c_hash"].iter().any(|name| claims.contains_key(*name)) {
            return Err(JwtFault::IdTokenPresented);
        }
        let (scopes, roles) = (claims::words(claims, "scp")?, claims::list(claims, "roles")?);
        // Beside `scp`, `roles` are the end-user's and say nothing about what the client may do for them.
        let granted = scopes.or(roles).unwrap_or_default();
        if granted.is_empty() { Err(JwtFault::PermissionMissing) } else { Ok(granted) }
    }
}

impl Profile {
    /// Whether the client acts for an end-user, as far as the token tells.
    #[must_use]
    pub fn has_end_user(self, claims: &Map<String, Value>, subject: &str, client_id: &str) -> bool {
        match self {
            Self::Entra => claims.contains_key("scp"),
            Self::Rfc9068 => subject != client_id,
        }
    }

    /// RFC 9068 §4 asks for `at+jwt`, with or without the media type's prefix.
    const fn types(self) -> &'static [&'static str] {
        match self {
            Self::Entra => &["at+jwt", "application/at+jwt", "JWT"],
            Self::Rfc9068 => &["at+jwt", "application/at+jwt"],
        }
    }

    const fn client_claims(self) -> &'static [&'static str] {
        match self {
            Self::Entra => &["azp", "appid"],
            Self::Rfc9068 => &["client_id"],
        }
    }
}
