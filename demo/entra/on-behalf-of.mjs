// On-behalf-of: an API exchanges the token that it was called with for one of another API.

import { createLocalJWKSet, errors, jwtVerify } from "jose";

import { malformed, missing, Refusal, sessionRevoked } from "./errors.mjs";
import { jwksOf } from "./keys.mjs";
import { authorityOf, issuerOf, membershipAt } from "./tenants.mjs";

/** What the user has granted the API, at the authority of the request. */
export async function onBehalfOf(entra, { app, authority, form }) {
  for (const name of ["assertion", "requested_token_use", "scope"]) if (!form.get(name)) throw missing(name);
  if (form.get("requested_token_use") !== "on_behalf_of") throw malformed("requested_token_use is not on_behalf_of");
  const claims = await assertionClaims(entra, form.get("assertion"));
  const audiences = [app.clientId, app.appIdUri].filter(Boolean);
  if (!audiences.includes(claims.aud)) {
    const text =
      "Assertion audience does not match the Client app presenting the assertion. The audience in the " +
      `assertion was '${claims.aud}' and the expected audience is '${app.appIdUri ?? app.clientId}' or ` +
      `one of the Application Uris of this application with App ID '${app.clientId}'.`;
    throw new Refusal(500131, "invalid_grant", text);
  }
  if (!claims.scp)
    throw new Refusal(50000, "invalid_grant", "There was an error issuing a token: the assertion is no user's.");
  const record = entra.accessTokens.get(claims.uti);
  const user = entra.users.find(({ username }) => username === record?.username);
  const membership = user && membershipAt(entra, authorityOf(entra, claims.tid), user);
  if (!membership) throw new Refusal(50013, "invalid_grant", "Assertion failed signature validation.");
  if (record.moment <= (entra.validFrom.get(user.username) ?? 0)) throw sessionRevoked();
  const contexts = new Set(claims.acrs ?? []);
  const amr = new Set(contexts.size > 0 ? ["pwd", "mfa"] : ["pwd"]);
  return {
    app,
    authority,
    user,
    membership,
    oidc: [],
    apis: [],
    amr,
    contexts,
    moment: record.moment,
    authTime: claims.iat,
  };
}

async function assertionClaims(entra, assertion) {
  const keys = createLocalJWKSet(jwksOf(entra, { kind: "common" }));
  try {
    const { payload } = await jwtVerify(assertion, keys, { currentDate: new Date(entra.now() * 1000) });
    if (
      !entra.tenants.some((tenant) => issuerOf(entra, tenant) === payload.iss || payload.iss.endsWith(`/${tenant.id}/`))
    )
      throw new Error();
    return payload;
  } catch (error) {
    if (error instanceof errors.JWTExpired)
      throw new Refusal(500133, "invalid_grant", "Assertion is not within its valid time range.");
    if (error instanceof errors.JWSInvalid || error instanceof errors.JWTInvalid) {
      throw new Refusal(50027, "invalid_request", "JWT token is invalid or malformed.");
    }
    const text =
      "Assertion failed signature validation. [Reason - The key was not found or the signature does not " + "verify.]";
    throw new Refusal(50013, "invalid_grant", text);
  }
}
