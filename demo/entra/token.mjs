// The token endpoint: one client, one grant, one API.

import { appAt } from "./apps.mjs";
import { parseClaims } from "./claims-request.mjs";
import { authenticateClient } from "./client.mjs";
import { lacking } from "./conditional-access.mjs";
import { grantedScopes, missingConsents } from "./consents.mjs";
import { consentMissing, errorBody, malformed, missing, Refusal } from "./errors.mjs";
import { onBehalfOf } from "./on-behalf-of.mjs";
import { readForm } from "./requests.mjs";
import { onlyApi, parseScopes, unknownAtTokenEndpoint } from "./scopes.mjs";
import { accessToken, clientInfo, idToken } from "./tokens.mjs";
import { isWord } from "./tenants.mjs";
import { sendJson } from "../listen.mjs";

const grants = {
  authorization_code: byCode,
  refresh_token: byRefreshToken,
  client_credentials: byItself,
  "urn:ietf:params:oauth:grant-type:jwt-bearer": byAssertion,
};

export async function answerToken(entra, authority, request, response) {
  let form = new URLSearchParams();
  try {
    if (request.method !== "POST") {
      throw new Refusal(
        900561,
        "invalid_request",
        `The endpoint only accepts POST requests. Received a ${request.method} request.`,
      );
    }
    form = await readForm(request);
    const body = await respond(entra, authority, request, form);
    entra.issued.push({ status: 200, params: Object.fromEntries(form), body });
    entra.record("token.success", { clientId: body.clientId, grantType: form.get("grant_type"), scope: body.scope });
    return sendJson(response, 200, body, { pragma: "no-cache" });
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const body = errorBody(entra, error);
    entra.issued.push({ status: error.status, params: Object.fromEntries(form), body });
    entra.record("token.error", { grantType: form.get("grant_type"), error: error.error, number: error.number });
    return sendJson(response, error.status, body, { pragma: "no-cache" });
  }
}

async function respond(entra, authority, request, form) {
  const repeated = [...form.keys()].find((name, position, all) => all.indexOf(name) !== position);
  if (repeated) throw malformed(`${repeated} is given twice`);
  const grantType = form.get("grant_type");
  if (!grantType) throw missing("grant_type");
  if (!Object.hasOwn(grants, grantType)) {
    throw new Refusal(70003, "unsupported_grant_type", `The app requested an unsupported grant type '${grantType}'.`);
  }
  const { clientId, credential } = await authenticateClient(entra, authority, request, form);
  const app = appAt(entra, authority, clientId);
  const method = credential;
  return grants[grantType](entra, {
    app,
    authority,
    form,
    method,
    claims: parseClaims(form.get("claims") ?? undefined),
  });
}

function byCode(entra, { app, authority, form, method, claims }) {
  for (const name of ["code", "redirect_uri"]) if (!form.get(name)) throw missing(name);
  const grant = entra.codes.redeem(app, form);
  if (grant.authority.segment !== authority.segment || grant.authority.policy !== authority.policy) {
    throw new Refusal(
      700005,
      "invalid_grant",
      "Provided Authorization Code is intended to use against other tenant, thus rejected.",
    );
  }
  // What the code stands for has been checked at the authorization endpoint, claims included.
  return forUser(entra, { ...grant, claims: { ...grant.claims, ...(form.has("claims") && claims) }, method }, form);
}

function byRefreshToken(entra, { app, authority, form, method, claims }) {
  if (!form.get("refresh_token")) throw missing("refresh_token");
  const grant = entra.refreshTokens.use(app, authority, form.get("refresh_token"));
  // An ID token that comes with it repeats no nonce (OIDC Core 12.2).
  return forUser(entra, { ...grant, claims, method, nonce: undefined }, form);
}

async function byAssertion(entra, { app, authority, form, method, claims }) {
  const grant = await onBehalfOf(entra, { app, authority, form });
  return forUser(entra, { ...grant, claims, method }, form);
}

/** Tokens for a user: for the one API that the request names, or that the authorization request named. */
async function forUser(entra, grant, form) {
  const text = form.get("scope");
  const wanted = text ? parseScopes(entra, text, unknownAtTokenEndpoint) : { oidc: grant.oidc, apis: grant.apis };
  if (!text && wanted.apis.length > 1) {
    const reason =
      "Provided value for the input parameter scope cannot be empty when requesting an access token using " +
      "the provided authorization code. Please specify a valid scope.";
    throw new Refusal(28003, "invalid_request", reason);
  }
  const api = onlyApi(wanted, text);
  const now = { ...grant, oidc: wanted.oidc };
  expectEnough(entra, now, wanted.apis);
  const isOffline = grant.oidc.includes("offline_access") || wanted.oidc.includes("offline_access");
  const remembered = { ...grant, apis: wanted.apis, oidc: [...new Set([...grant.oidc, ...wanted.oidc])] };
  const body = { token_type: "Bearer", ...(await tokenFor(entra, now, api)) };
  if (isOffline) body.refresh_token = entra.refreshTokens.issue(remembered);
  if (wanted.oidc.includes("openid")) body.id_token = await idToken(entra, now);
  if (form.get("client_info") === "1") body.client_info = clientInfo(grant.user, grant.authority);
  return body;
}

function expectEnough(entra, grant, apis) {
  const { app, user, membership, claims } = grant;
  const lack = lacking(entra, grant, { apis, claims }, { atTokenEndpoint: true });
  if (lack) throw lack.refusal;
  if (claims.notBefore !== undefined && claims.notBefore > entra.now())
    throw malformed("the nbf in claims is in the future");
  if (missingConsents(entra, app, user, membership.tenant, apis).length > 0) {
    throw consentMissing(app, "invalid_grant", "consent_required");
  }
}

async function tokenFor(entra, grant, api) {
  // B2C has no access token for a client that names no API; elsewhere it is Microsoft Graph's.
  if (!api && grant.authority.policy) return { scope: "", not_before: entra.now(), id_token_expires_in: 3600 };
  const resource = api?.resource ?? entra.graphApi;
  const granted = grantedScopes(entra, grant.app, grant.user, grant.membership.tenant, resource);
  // All that is granted for the API, not only what was asked for; an administrator's blanket consent is not listed.
  const isBlanket = grant.app.adminConsent === true && !api?.isDefault;
  const names = isBlanket ? (api?.names ?? []) : granted;
  const { token, expiresIn, refreshIn } = await accessToken(entra, grant, { resource, scopes: names });
  const shown = names.map((name) => `${api?.prefix ?? ""}${name}`);
  const oidc = resource === entra.graphApi ? grant.oidc.filter((scope) => scope !== "offline_access") : [];
  return {
    scope: [...shown, ...oidc].join(" "),
    expires_in: expiresIn,
    ext_expires_in: expiresIn,
    ...(refreshIn && { refresh_in: refreshIn }),
    access_token: token,
  };
}

/** The app's own token (RFC 6749 §4.4), for whatever its registration has been granted. */
async function byItself(entra, { app, authority, form, method, claims }) {
  if (isWord(authority.segment)) {
    const text =
      "No tenant-identifying information found in either the request or implied by any provided credentials: " +
      `/${authority.segment} cannot be used with client credentials.`;
    throw new Refusal(50059, "invalid_request", text);
  }
  const text = form.get("scope");
  if (!text) throw missing("scope");
  if (!/^\S+\/\.default$/i.test(text)) {
    const reason =
      `The provided value for scope ${text} is not valid. Client credential flows must have a scope value ` +
      "with /.default suffixed to the resource identifier (application ID URI).";
    throw new Refusal(text.includes(" ") ? 70011 : 1002012, "invalid_scope", reason);
  }
  const { resource } = onlyApi(parseScopes(entra, text, unknownAtTokenEndpoint), text);
  const roles = app.appRoles?.[resource.appIdUri];
  const membership = { tenant: authority.tenant, oid: app.clientId, roles };
  const { token, expiresIn, refreshIn } = await accessToken(
    entra,
    { app, authority, membership, method, claims },
    { resource },
  );
  const more = refreshIn && { refresh_in: refreshIn };
  return { token_type: "Bearer", expires_in: expiresIn, ext_expires_in: expiresIn, ...more, access_token: token };
}
