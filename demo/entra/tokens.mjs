// What Entra issues: ID tokens and access tokens, version 2.0 unless an API says otherwise, and client_info.

import { createHash, randomInt, randomUUID } from "node:crypto";

import { graph } from "./apps.mjs";
import { loginHint } from "./browser-sessions.mjs";
import { personalAccounts } from "./directory.mjs";
import { sign } from "./keys.mjs";
import { issuerOf } from "./tenants.mjs";

const hour = 3600;

/** The home account, whichever tenant the user signed in to. At B2C the user flow is a part of it. */
export function clientInfo(user, { policy }) {
  const uid = policy ? `${user.oid}-${policy}` : user.oid;
  return Buffer.from(JSON.stringify({ uid, utid: user.home })).toString("base64url");
}

/** A user has another `sub` in every app. */
export function subjectFor(resource, membership) {
  return createHash("sha256")
    .update(`${resource.clientId} ${membership.tenant.id} ${membership.oid}`)
    .digest("base64url");
}

export function idToken(entra, grant) {
  const { app, user, membership, authority, nonce, oidc, sid, contexts } = grant;
  const { tenant, oid } = membership;
  const now = entra.now();
  const optional = (name, value) => (app.optionalClaims.includes(name) ? value : undefined);
  const profile = (value) => (oidc.includes("profile") ? value : undefined);
  const claims = {
    ver: tenant.kind === "b2c" ? "1.0" : "2.0",
    iss: issuerOf(entra, tenant),
    sub: tenant.kind === "b2c" ? oid : subjectFor(app, membership),
    aud: app.clientId,
    iat: now,
    nbf: now,
    exp: now + hour,
    nonce,
    tid: tenant.kind === "b2c" ? optional("tid", tenant.id) : tenant.id,
    oid: profile(oid),
    name: profile(user.name),
    preferred_username: tenant.kind === "b2c" ? undefined : profile(user.username),
    email: oidc.includes("email") || app.optionalClaims.includes("email") ? user.email : undefined,
    idp: membership.isGuest ? `${entra.instance}${user.home}/` : undefined,
    login_hint: optional("login_hint", loginHint(user)),
    sid: optional("sid", sid),
    acct: optional("acct", membership.isGuest ? 1 : 0),
    groups: app.groupClaims ? membership.groups : undefined,
    roles: membership.roles,
    acrs: contexts.size > 0 ? [...contexts] : undefined,
    auth_time: optional("auth_time", grant.authTime),
    ...flowClaims(app, authority),
    uti: randomUUID(),
  };
  return sign(entra, tenant, claims);
}

function flowClaims(app, { policy }) {
  if (!policy) return {};
  return app.usesAcr ? { acr: policy } : { tfp: policy };
}

/** `{ token, expiresIn, refreshIn }` for one API; `user` is absent from a grant of the app's own. */
export async function accessToken(entra, grant, { resource, scopes }) {
  const isLong = grant.claims.isChallengeable && (resource === graph || resource.takesChallenges);
  const expiresIn = isLong ? 24 * hour : (entra.accessTokenSeconds ?? randomInt(60 * 60, 90 * 60));
  const uti = randomUUID();
  const claims = { ...commonClaims(entra, grant, resource), uti, exp: entra.now() + expiresIn, scp: scopes?.join(" ") };
  if (isLong) claims.xms_cc = ["cp1"];
  entra.accessTokens.set(uti, { moment: entra.moment(), username: grant.user?.username, isChallengeable: isLong });
  const { tenant } = grant.membership;
  const token = resource === graph ? await graphToken(entra, tenant, claims) : await sign(entra, tenant, claims);
  return { token, expiresIn, refreshIn: isLong ? expiresIn / 2 : undefined };
}

function commonClaims(entra, { app, user, membership, authority, contexts, method }, resource) {
  const { tenant, oid } = membership;
  const now = entra.now();
  const isFirst = resource.accessTokenVersion === 1;
  const party = isFirst ? { appid: app.clientId, appidacr: method } : { azp: app.clientId, azpacr: method };
  const person = user
    ? {
        oid,
        sub: subjectFor(resource, membership),
        name: user.name,
        preferred_username: user.username,
        roles: membership.roles,
      }
    : { oid, sub: oid, idtyp: "app", roles: membership.roles };
  return {
    ver: isFirst ? "1.0" : "2.0",
    iss: isFirst ? `https://sts.windows.net/${tenant.id}/` : issuerOf(entra, tenant),
    aud: isFirst ? resource.appIdUri : resource.clientId,
    iat: now,
    nbf: now,
    tid: tenant.id,
    ...party,
    ...person,
    ...(contexts?.size > 0 && { acrs: [...contexts] }),
    ...(authority.policy && { tfp: authority.policy }),
  };
}

/**
 * Microsoft Graph's tokens are not for their bearers to verify: what is signed has the digest of the nonce in its header, and
 * those of personal accounts are no JWT at all.
 */
async function graphToken(entra, tenant, claims) {
  if (tenant.id === personalAccounts) {
    const token = `EwB${Buffer.from(JSON.stringify([claims.uti, Math.random()])).toString("base64")}`;
    entra.opaqueTokens.set(token, claims);
    return token;
  }
  const nonce = randomUUID();
  const signed = await sign(entra, tenant, claims, { nonce: digest(nonce) });
  return withNonce(signed, nonce);
}

/** What was signed, for Graph itself. */
export function asSigned(token) {
  const header = JSON.parse(Buffer.from(token.split(".")[0], "base64url"));
  return withNonce(token, digest(header.nonce ?? ""));
}

function withNonce(token, nonce) {
  const [header, ...rest] = token.split(".");
  const changed = { ...JSON.parse(Buffer.from(header, "base64url")), nonce };
  return [Buffer.from(JSON.stringify(changed)).toString("base64url"), ...rest].join(".");
}

function digest(text) {
  return createHash("sha256").update(text).digest("base64url");
}
