//! Requests on which this client says who it is: to the token, revocation and introspection endpoints.

use url::Url;

use super::{Context, request_id};
use crate::config::ClientCredential;
use crate::error::Error;
use crate::oidc::client_authentication::{ClientAuthentication, form};
use crate::runtime::{OpResponse, Runtime};

/// Sends a form and returns the OP's answer, whatever it says.
pub(super) async fn post<R: Runtime>(
    context: &Context<'_, R>,
    endpoint: &Url,
    parameters: &[(&str, &str)],
) -> Result<OpResponse, Error> {
    let provider = &context.realm.provider;
    let authentication = match &provider.credential {
        ClientCredential::SecretBasic(secret) => ClientAuthentication::SecretBasic(secret.expose()),
        ClientCredential::SecretPost(secret) => ClientAuthentication::SecretPost(secret.expose()),
    };
    let request = form(endpoint, (&provider.client_id, authentication), parameters);
    let mut request = request.map_err(|_| Error::Bug("a request to the OP is malformed"))?;
    request_id::identify(context, &mut request);
    context.call_op(request).await.map_err(Error::OpUnreachable)
}
