//! ID token verification: finds the key, has the platform verify the signature, and lets `oidc::id_token` judge.

use super::Context;
use super::signer::{self, Signer};
use crate::error::{Error, OpFault};
use crate::oidc::id_token::{ExpectedIdToken, IdToken, UntrustedIdToken};
use crate::oidc::issuer::IssuerRule;
use crate::oidc::metadata::Metadata;
use crate::rules::StepUp;
use crate::runtime::Runtime;

/// When an ID token is received, which decides what it must contain.
pub(super) enum Occasion<'a> {
    /// At the callback.
    SignIn {
        /// The nonce that was sent.
        nonce: &'a str,
        /// The access token beside it.
        access_token: &'a str,
        /// What was demanded of the sign-in.
        step_up: Option<&'a StepUp>,
    },
    /// With a refresh (OIDC Core 12.2).
    Refresh {
        /// The issuer that signed the user in: of a multi-tenant provider, no other tenant will do.
        issuer: &'a str,
        /// Who signed in.
        subject: Option<&'a str>,
    },
}

/// Verifies an ID token.
pub(super) async fn verify<R: Runtime>(
    context: &Context<'_, R>,
    metadata: &Metadata,
    compact: &str,
    occasion: &Occasion<'_>,
) -> Result<IdToken, Error> {
    let token = UntrustedIdToken::parse(compact).map_err(Error::IdTokenRejected)?;
    let signer = signer::find(context, metadata, token.jwt()).await?;
    if matches!((occasion, &signer), (Occasion::Refresh { .. }, Signer::Unknown)) {
        // A key so new that it cannot be had yet: nothing is known against the token, and the next try may know.
        return Err(Error::OpMisbehaved(OpFault::KeyUnknown));
    }
    let provider = &context.realm.provider;
    let (issuer, nonce, access_token, subject, step_up) = match occasion {
        Occasion::SignIn { nonce, access_token, step_up } => {
            (metadata.issuer.clone(), Some(*nonce), Some(*access_token), None, *step_up)
        }
        Occasion::Refresh { issuer, subject } => (IssuerRule::Exact((*issuer).to_owned()), None, None, *subject, None),
    };
    let expected = ExpectedIdToken {
        issuer: &issuer,
        client_id: &provider.client_id,
        algorithms: &provider.id_token_algorithms,
        nonce,
        subject,
        max_age: step_up.and_then(|step_up| step_up.max_age),
        acr_values: step_up.map_or(&[], |step_up| &step_up.acr_values),
        access_token,
        policy: provider.policy(context.user_flow).map(|policy| policy.name.as_str()),
        now: context.runtime.now(),
        skew: provider.clock_skew,
    };
    token.accept(signer.key(), &expected).map_err(Error::IdTokenRejected)
}
