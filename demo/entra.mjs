// A local stand-in for the Microsoft identity platform: what npm `oidc-provider` lacks of it, and as strict as it, so that a
// request that is wrong there is wrong here. Everything is in memory.

import { administrate, isAdministration } from "./entra/administration.mjs";
import { graph as graphApi, registrationOf } from "./entra/apps.mjs";
import { authorize } from "./entra/authorize.mjs";
import { codeStore } from "./entra/codes.mjs";
import * as directory from "./entra/directory.mjs";
import { errorBody, noSuchTenant } from "./entra/errors.mjs";
import { startGraph } from "./entra/graph.mjs";
import { answerInteraction, isInteraction } from "./entra/interaction.mjs";
import { generateKeys, jwksOf } from "./entra/keys.mjs";
import { logout } from "./entra/logout.mjs";
import { metadataOf } from "./entra/metadata.mjs";
import { showRefusal } from "./entra/pages.mjs";
import { refreshTokenStore } from "./entra/refresh-tokens.mjs";
import { authorityOf, issuerOf } from "./entra/tenants.mjs";
import { answerToken } from "./entra/token.mjs";
import { listen, sendJson } from "./listen.mjs";

export { contoso, fabrikam, consumers, personalAccounts } from "./entra/directory.mjs";

/**
 * Starts the stand-in, and a Microsoft Graph on a port of its own.
 *
 * - `tenants`: `{ id, domain, name, kind?, policies?, requiresIdTokenHint? }`. `kind` is "b2c" (with `policies`, a map from
 *   the name of a user flow to "signIn", "resetPassword" or "editProfile") or "ciam"; an organization otherwise.
 * - `users`: as in entra/directory.mjs.
 * - `apps`: app registrations, clients and APIs alike:
 *   `{ clientId, name, tenant, audience }`, where `audience` is Entra's signInAudience ("AzureADMyOrg" by default);
 *   `redirectUris`, those after sign-out included, `logoutUrl` (front channel) and `sendsIssuer` (adds `iss` to it);
 *   `secrets` (text, or `{ value, expiresAt }`), `certificates` (PEM), `trustedNames` (`{ subject, authority }`, the latter a
 *   PEM of the issuer) and `federated` (`{ issuer, subject, jwks }`, the latter a document or its URL);
 *   `optionalClaims` of ID tokens ("sid", "login_hint", "email", "acct", "auth_time"), `groupClaims`;
 *   `adminConsent` (true, or a list of scopes that an administrator has consented to: users are asked for all others),
 *   `permissions` and `appRoles` (by App ID URI: what `.default` stands for, and what the app itself may do);
 *   `assignmentRequired` with `assigned` user names; and, for an API, `appIdUri`, `scopes` (a list, or
 *   `{ name: { meaning, isForAdmins } }`), `accessTokenVersion` (1 or 2), `takesChallenges` (long-lived tokens for `cp1`).
 * - `policies`: `{ id, resource, scope? }` that demand a second factor for an API, by its App ID URI or client id, or for one of
 *   its scopes.
 * - `accessTokenSeconds`: 60 to 90 minutes at random unless given.
 *
 * The result: `instance` (with a slash at its end, as `AzureAd.Instance`), `issuer` (the same without one), `issuerOf(tenant)`;
 * `now()`, Unix seconds; `events`, `requests`, and `issued`, the token endpoint's `{ status, params, body }`; `intercept`, a function
 * `(request, response) => boolean` that answers some requests otherwise; `ahead`, seconds that its clock is ahead;
 * `signWith`, the name of the one of `keys` that signs everything; `graph`, see entra/graph.mjs; and what an administrator does:
 * `revokeSessions(username)` ends every session and refresh token of a user, `evaluateAnew(username)` only has APIs demand
 * newer tokens.
 */
export async function startEntra({
  port = 0,
  graphPort = 0,
  tenants,
  users,
  apps = [],
  policies = [],
  accessTokenSeconds,
} = {}) {
  const entra = {
    events: [],
    requests: [],
    issued: [],
    intercept: undefined,
    signWith: undefined,
    ahead: 0,
    moments: 0,
  };
  const server = await listen(port, (request, response) => answer(entra, request, response));
  const issuer = `http://127.0.0.1:${server.port}`;
  Object.assign(entra, { issuer, instance: `${issuer}/`, port: server.port, graphApi, policies, accessTokenSeconds });
  entra.tenants = structuredClone(tenants ?? directory.tenants);
  entra.users = structuredClone(users ?? directory.users);
  entra.apps = apps.map(registrationOf);
  for (const name of ["attempts", "sessions", "consents", "validFrom", "evaluatedAnew", "accessTokens", "opaqueTokens"])
    entra[name] = new Map();
  entra.assertionIds = new Set();
  entra.keys = await generateKeys(entra.instance);
  entra.now = () => Math.floor(Date.now() / 1000) + entra.ahead;
  // Seconds are too coarse to say what came first.
  entra.moment = () => (entra.moments += 1);
  entra.record = (event, details) => entra.events.push({ event, at: Date.now(), ...details });
  entra.codes = codeStore(entra);
  entra.refreshTokens = refreshTokenStore(entra);
  entra.graph = await startGraph(entra, graphPort);
  entra.issuerOf = (id) => {
    const tenant = entra.tenants.find((known) => known.id === id);
    return tenant && issuerOf(entra, tenant);
  };
  entra.revokeSessions = (username) => entra.validFrom.set(username, entra.moment());
  entra.evaluateAnew = (username) => entra.evaluatedAnew.set(username, { moment: entra.moment(), at: entra.now() });
  entra.close = () => Promise.all([server.close(), entra.graph.close()]);
  return entra;
}

const endpoints = {
  "v2.0/.well-known/openid-configuration": (entra, authority, _request, response) =>
    sendJson(response, 200, metadataOf(entra, authority)),
  "discovery/v2.0/keys": (entra, authority, _request, response) => sendJson(response, 200, jwksOf(entra, authority)),
  "oauth2/v2.0/authorize": authorize,
  "oauth2/v2.0/token": answerToken,
  "oauth2/v2.0/logout": logout,
};

function answer(entra, request, response) {
  entra.requests.push({ method: request.method, url: request.url, headers: request.headers });
  if (entra.intercept?.(request, response)) return undefined;
  if (isInteraction(request)) return answerInteraction(entra, request, response);
  if (isAdministration(request)) return administrate(entra, request, response);
  const path = decodeURIComponent(new URL(request.url, entra.instance).pathname)
    .slice(1)
    .replace(/^tfp\//, "");
  const name = Object.keys(endpoints).find((suffix) => path.endsWith(`/${suffix}`));
  const [segment, policy, ...more] = name ? path.slice(0, -name.length - 1).split("/") : [];
  if (!segment || more.length > 0) return sendJson(response, 404, { error: "not_found" });
  const authority = authorityOf(entra, segment, policy);
  if (authority) return endpoints[name](entra, authority, request, response);
  const refusal = noSuchTenant(segment);
  const isPage = /authorize$|logout$/.test(name);
  if (isPage) return showRefusal(entra, response, refusal);
  return sendJson(response, 400, { ...errorBody(entra, refusal), error: "invalid_tenant" });
}
