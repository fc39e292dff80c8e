// The metadata document of an authority (OIDC Discovery 3). As Entra's it does not advertise PKCE, nor `iss` in answers.

import { addressOf, issuerInMetadata } from "./tenants.mjs";

export function metadataOf(entra, authority) {
  const address = addressOf(entra, authority);
  const isFlow = authority.tenant?.kind === "b2c";
  return {
    token_endpoint: `${address}/oauth2/v2.0/token`,
    token_endpoint_auth_methods_supported: ["client_secret_post", "private_key_jwt", "client_secret_basic"],
    jwks_uri: `${address}/discovery/v2.0/keys`,
    response_modes_supported: ["query", "fragment", "form_post"],
    subject_types_supported: ["pairwise"],
    id_token_signing_alg_values_supported: ["RS256"],
    response_types_supported: ["code", "id_token", "code id_token", "id_token token"],
    scopes_supported: ["openid", "profile", "email", "offline_access"],
    issuer: issuerInMetadata(entra, authority),
    request_uri_parameter_supported: false,
    ...(!isFlow && { userinfo_endpoint: `${entra.graph.address}/oidc/userinfo` }),
    authorization_endpoint: `${address}/oauth2/v2.0/authorize`,
    http_logout_supported: true,
    frontchannel_logout_supported: true,
    end_session_endpoint: `${address}/oauth2/v2.0/logout`,
    claims_supported: [
      "sub",
      "iss",
      "aud",
      "exp",
      "iat",
      "auth_time",
      "acr",
      "nonce",
      "preferred_username",
      "name",
      "tid",
      "ver",
      "at_hash",
      "c_hash",
      "email",
    ],
  };
}
