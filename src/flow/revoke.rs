//! Revocation of a refresh token at the OP (RFC 7009), after its user signed out: in the background, and again a little
//! later should the OP stumble. By then it is deleted here; the OP's copy is all that is left of it.

use serde_json::Value;

use super::log::{self, Event};
use super::{Context, client_authentication, documents};
use crate::json::{members, named};
use crate::oidc::revocation;
use crate::runtime::{Runtime, Work};
use crate::secret::Secret;
use crate::session::entry::TokenCacheEntry;
use crate::time::Lifetime;

/// Has the refresh token of an entry revoked after the answer.
pub(super) fn begin<R: Runtime>(context: &Context<'_, R>, entry: Option<&TokenCacheEntry>) {
    if let Some(token) = entry.and_then(|entry| entry.refresh_token.clone()) {
        context.later(Work::Revoke { token, attempt: 0 });
    }
}

/// Revokes a refresh token, where the OP has an endpoint for that.
pub(super) async fn perform<R: Runtime>(context: &Context<'_, R>, token: Secret, attempt: u8) {
    if attempt > 0 {
        context.runtime.sleep(Lifetime::from_seconds(1 << attempt)).await;
    }
    let details = match revoke(context, &token).await {
        None => return,
        Some(Ok(200)) => return log::happened(context, Event::TokenRevoked, None, Value::Null),
        Some(Ok(status @ ..500)) if status != 429 => named("status", status.into()),
        Some(outcome) if attempt < MAX_ATTEMPTS => {
            context.later(Work::Revoke { token, attempt: attempt + 1 });
            named("reason", format!("{outcome:?}").into())
        }
        Some(outcome) => members([("reason", format!("{outcome:?}").into()), ("given_up", true.into())]),
    };
    log::happened(context, Event::TokenRevocationFailed, None, details);
}

/// The status of the OP's answer, or what stood in the way. `None` where the OP revokes nothing.
async fn revoke<R: Runtime>(context: &Context<'_, R>, token: &Secret) -> Option<Result<u16, String>> {
    let metadata = match documents::metadata(context).await {
        Ok(metadata) => metadata,
        Err(error) => return Some(Err(error.to_string())),
    };
    let endpoint = metadata.revocation_endpoint.as_ref()?;
    let parameters = revocation::parameters(token.expose());
    let answer = client_authentication::post(context, &metadata, endpoint, &parameters).await;
    Some(answer.map(|answer| answer.status).map_err(|error| error.to_string()))
}

/// After 2, 4 and 8 seconds: the platform gives work after the answer half a minute.
const MAX_ATTEMPTS: u8 = 3;
