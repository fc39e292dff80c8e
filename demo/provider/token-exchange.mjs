// OAuth 2.0 Token Exchange (RFC 8693), which oidc-provider lacks: an API of this OP gives the access token that it was called
// with and gets one of another API, for the same end-user.

import { errors } from "oidc-provider";
import { createLocalJWKSet, jwtVerify } from "jose";

import { accountBySubject } from "../accounts.mjs";

export const tokenExchange = "urn:ietf:params:oauth:grant-type:token-exchange";
const accessToken = "urn:ietf:params:oauth:token-type:access_token";
const parameters = ["subject_token", "subject_token_type", "requested_token_type", "resource", "audience", "scope", "claims"];

/** `resources` with `exchangedBy` name the client that they are: it alone may exchange tokens that were issued for them. */
export function registerTokenExchange(provider, { jwks, resources, infoOf }) {
  const keys = createLocalJWKSet({ keys: jwks.keys.map(publicPart) });
  const settings = { keys, resources, infoOf };
  provider.registerGrantType(tokenExchange, (ctx) => exchange(provider, settings, ctx), parameters);
}

async function exchange(provider, settings, ctx) {
  const { client, params } = ctx.oidc;
  const kinds = [params.subject_token_type, params.requested_token_type ?? accessToken];
  if (kinds.some((kind) => kind !== accessToken)) throw new errors.InvalidRequest("only access tokens are exchanged");
  const subject = await subjectOf(provider, settings, params.subject_token, client.clientId);
  const wanted = settings.infoOf(params.resource);
  const asked = (params.scope ?? "").split(" ").filter(Boolean);
  if (asked.some((scope) => !wanted.scope.split(" ").includes(scope))) throw new errors.InvalidScope("unknown scope", params.scope);
  const missing = missingClaims(params.claims, subject.acr);
  // No word of RFC 8693: how the Microsoft identity platform says that the end-user must sign in otherwise.
  if (missing) return refuse(ctx, { error: "interaction_required", error_description: "another sign-in is needed", claims: missing });
  const scope = asked.join(" ") || undefined;
  const token = new provider.AccessToken({ accountId: subject.sub, client, gty: "token_exchange", scope });
  token.resourceServer = new provider.ResourceServer(params.resource, wanted);
  ctx.oidc.entity("AccessToken", token);
  // Where the extra claims of access tokens come from.
  ctx.oidc.subjectAcr = subject.acr;
  ctx.status = 200;
  ctx.body = {
    access_token: await token.save(),
    issued_token_type: accessToken,
    token_type: token.tokenType,
    expires_in: token.expiration,
    scope,
  };
}

/** Whose token it is, if it was issued for this client (§2.2.2: anything else is an invalid request). */
async function subjectOf(provider, { keys, resources }, value, clientId) {
  const opaque = value && (await provider.AccessToken.find(value));
  const claims = opaque ? { sub: opaque.accountId, aud: opaque.aud, acr: opaque.extra?.acr } : await claimsOf(provider, keys, value);
  const audience = resources.find(({ resource, audience = resource }) => audience === claims?.aud);
  if (audience?.exchangedBy !== clientId) throw new errors.InvalidRequest("the subject token is none for this client");
  if (!accountBySubject(claims.sub)) throw new errors.InvalidRequest("the subject token stands for no end-user");
  return claims;
}

async function claimsOf(provider, keys, value) {
  try {
    return (await jwtVerify(value, keys, { issuer: provider.issuer, typ: "at+jwt", requiredClaims: ["exp", "sub", "client_id"] })).payload;
  } catch {
    return undefined;
  }
}

/** Those of a claims request (OIDC Core 5.5) that the sign-in does not meet. */
function missingClaims(request, acr) {
  if (!request) return undefined;
  const wanted = JSON.parse(request).id_token?.acr;
  return wanted?.essential && !wanted.values?.includes(acr) ? request : undefined;
}

function refuse(ctx, body) {
  ctx.status = 400;
  ctx.body = body;
}

function publicPart({ d: _d, p: _p, q: _q, dp: _dp, dq: _dq, qi: _qi, ...jwk }) {
  return jwk;
}
