//! Finds the key of the OP that signed a token, and has the platform verify the signature.

use super::{Context, documents};
use crate::error::Error;
use crate::oidc::jwks::{Jwk, Jwks};
use crate::oidc::jwt::UntrustedJwt;
use crate::oidc::metadata::Metadata;
use crate::runtime::Runtime;

/// What the OP's keys say about a signature.
pub(super) enum Signer {
    /// This key made it.
    Key(Jwk),
    /// None of the keys that may have made it did.
    Nobody,
    /// No key may have made it: the one that the token names is not published, or so new that it cannot be had yet.
    Unknown,
}

impl Signer {
    /// The key, if one of the OP's made the signature.
    pub(super) const fn key(&self) -> Option<&Jwk> {
        match self {
            Self::Key(key) => Some(key),
            Self::Nobody | Self::Unknown => None,
        }
    }
}

/// Finds the signer. An unknown key makes the OP's keys be fetched anew, at most once per configured interval.
pub(super) async fn find<R: Runtime>(
    context: &Context<'_, R>,
    metadata: &Metadata,
    jwt: &UntrustedJwt,
) -> Result<Signer, Error> {
    let jwks = documents::jwks(context, metadata, false).await?;
    let signer = among(context, &jwks, jwt).await;
    if !matches!(signer, Signer::Unknown) {
        return Ok(signer);
    }
    let jwks = documents::jwks(context, metadata, true).await?;
    Ok(among(context, &jwks, jwt).await)
}

async fn among<R: Runtime>(context: &Context<'_, R>, jwks: &Jwks, jwt: &UntrustedJwt) -> Signer {
    let candidates = jwks.candidates(jwt.kid(), jwt.algorithm());
    if candidates.is_empty() {
        return Signer::Unknown;
    }
    for key in candidates {
        if context.runtime.verify(key, jwt.algorithm(), jwt.signed_data(), jwt.signature()).await {
            return Signer::Key(key.clone());
        }
    }
    Signer::Nobody
}
