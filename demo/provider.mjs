// The demo's OpenID Provider: a real, certified one (npm `oidc-provider`) on loopback, with everything in memory.

import { Provider } from "oidc-provider";

import { listen } from "./listen.mjs";
import { providerConfiguration, resourceServer } from "./provider/configuration.mjs";
import { answerInteraction, isInteraction } from "./provider/interactions.mjs";
import { generateSigningKeys } from "./provider/keys.mjs";
import { registerTokenExchange, tokenExchange } from "./provider/token-exchange.mjs";

const recordedEvents = [
  "authorization.success",
  "authorization.error",
  "grant.success",
  "grant.error",
  "grant.revoked",
  "end_session.success",
  "end_session.error",
  "backchannel.success",
  "backchannel.error",
  "server_error",
];

/**
 * Starts the OP. One of `resources` that `asksConsent` is granted by the end-user on a page, all else without a word; one
 * that is `exchangedBy` a client is that client itself, which may exchange tokens for it (RFC 8693).
 * `events` is a growing list of what it did; `requests` of what it was asked. Set `intercept` on the result to a
 * function `(request, response) => boolean` to answer some requests otherwise (an outage, a bad answer). With `tls`, see `listen`, the issuer
 * is an https URL.
 */
export async function startProvider({
  port = 0,
  clientId,
  clientSecret,
  redirectUris,
  postLogoutRedirectUris = [],
  backchannelLogoutUri,
  resources = [],
  accessTokenSeconds = 120,
  idTokenAlg = "RS256",
  authMethod = "client_secret_basic",
  clients = [],
  adjust = (configuration) => configuration,
  tls,
}) {
  const jwks = await generateSigningKeys();
  const op = { events: [], requests: [], intercept: undefined, resources };
  const server = await listen(port, (request, response) => answer(op, request, response), tls);
  const issuer = `${tls ? "https" : "http"}://127.0.0.1:${server.port}`;
  const client = {
    client_id: clientId,
    client_secret: clientSecret,
    redirect_uris: redirectUris,
    post_logout_redirect_uris: postLogoutRedirectUris,
    grant_types: ["authorization_code", "refresh_token", "client_credentials", tokenExchange],
    response_types: ["code"],
    id_token_signed_response_alg: idTokenAlg,
    token_endpoint_auth_method: authMethod,
    ...(backchannelLogoutUri && {
      backchannel_logout_uri: backchannelLogoutUri,
      backchannel_logout_session_required: true,
    }),
  };
  const authMethods = ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"];
  const settings = { jwks, clients: [client, ...clients], resources, accessTokenSeconds, authMethods };
  op.provider = new Provider(issuer, adjust(providerConfiguration(settings)));
  registerTokenExchange(op.provider, { jwks, resources, infoOf: (resource) => resourceServer(resources, resource, accessTokenSeconds) });
  op.callback = op.provider.callback();
  recordEvents(op);
  return Object.assign(op, { issuer, port: server.port, close: server.close });
}

function answer(op, request, response) {
  op.requests.push({ method: request.method, url: request.url, headers: request.headers });
  if (op.intercept?.(request, response)) return;
  if (isInteraction(request)) return answerInteraction(op, request, response);
  return op.callback(request, response);
}

function recordEvents({ provider, events }) {
  for (const event of recordedEvents) {
    provider.on(event, (ctx, ...details) => {
      const error = details.find((detail) => detail instanceof Error);
      events.push({
        event,
        at: Date.now(),
        clientId: ctx.oidc?.client?.clientId,
        grantType: ctx.oidc?.params?.grant_type,
        resource: ctx.oidc?.params?.resource,
        subject: ctx.oidc?.entities?.Account?.accountId,
        error: error && (error.error ?? error.message),
        detail: error && (error.error_detail ?? error.error_description),
      });
    });
  }
}
