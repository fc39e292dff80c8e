// Logouts that the OP asks for: its logout tokens, signed with its own key, and the address of its hidden frame.

import { randomUUID } from "node:crypto";

import { decodeJwt, importJWK, SignJWT } from "jose";

import { exchange } from "../worker/exchange.mjs";

const path = "/.auth/backchannel-logout";
const form = { "content-type": "application/x-www-form-urlencoded" };
const events = { "http://schemas.openid.net/event/backchannel-logout": {} };

/** A token as oidc-provider makes it, now by the Worker's clock, about whom `claims` name; `undefined` removes a claim. */
export async function logoutToken({ op, client, ahead }, jwk, claims) {
  const now = Math.floor(Date.now() / 1000) + ahead;
  const usual = { iss: op.issuer, aud: client.clientId, iat: now, exp: now + 120, jti: randomUUID(), events };
  const all = Object.entries({ ...usual, ...claims }).filter(([, value]) => value !== undefined);
  const header = { alg: jwk.alg, kid: jwk.kid, typ: "logout+jwt" };
  return new SignJWT(Object.fromEntries(all)).setProtectedHeader(header).sign(await importJWK(jwk, jwk.alg));
}

/** Posts a token as the OP does; `headers` are merged into its own. */
export function postLogoutToken(world, token, headers) {
  const body = new URLSearchParams({ logout_token: token }).toString();
  return postLogout(world, body, headers);
}

export function postLogout(world, body, headers) {
  const all = { ...form, "content-length": Buffer.byteLength(body), ...headers };
  return exchange(`${world.publicOrigin}${path}`, { method: "POST", headers: all, body });
}

/** What the hidden frame of the OP's page loads: no cookie of ours goes with it. */
export function loadFrame(world, parameters, headers) {
  const metadata = { "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe", "sec-fetch-site": "cross-site" };
  const query = new URLSearchParams(parameters);
  return exchange(`${world.publicOrigin}/signout-oidc?${query}`, { headers: { accept: "text/html", ...metadata, ...headers } });
}

/** The OP's session of the sign-in that was completed last, as its ID token names it. */
export function lastSid({ issued }) {
  return decodeJwt(issued.grants.findLast(({ body }) => body.id_token).body.id_token).sid;
}
