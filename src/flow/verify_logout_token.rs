//! Logout token verification: finds the key, has the platform verify the signature, and lets `oidc::logout_token`
//! judge.

use super::{Context, documents, signer};
use crate::error::Error;
use crate::oidc::logout_token::{ExpectedLogoutToken, LogoutToken, UntrustedLogoutToken};
use crate::runtime::Runtime;

/// Verifies a logout token. Nothing is asked of the OP for a text that is none.
pub(super) async fn verify<R: Runtime>(context: &Context<'_, R>, compact: &str) -> Result<LogoutToken, Error> {
    let token = UntrustedLogoutToken::parse(compact).map_err(Error::LogoutTokenRejected)?;
    let metadata = documents::metadata(context).await?;
    let signer = signer::find(context, &metadata, token.jwt()).await?;
    let provider = &context.realm.provider;
    let expected = ExpectedLogoutToken {
        issuer: &metadata.issuer,
        client_id: &provider.client_id,
        algorithms: &provider.id_token_algorithms,
        now: context.runtime.now(),
        skew: provider.clock_skew,
    };
    token.accept(signer.key(), &expected).map_err(Error::LogoutTokenRejected)
}
