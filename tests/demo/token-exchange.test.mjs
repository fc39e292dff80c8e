// The demo's OP exchanges access tokens (RFC 8693) as strictly as the tests of the Worker take for granted.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { createRemoteJWKSet, decodeJwt, jwtVerify } from "jose";

import { accounts } from "../../demo/accounts.mjs";
import { startProvider } from "../../demo/provider.mjs";
import { confirmed } from "../../demo/settings.mjs";
import { authorizationRequest, Browser, redeem, signIn, tokenRequest } from "./relying-party.mjs";

const [alice] = accounts;
const accessToken = "urn:ietf:params:oauth:token-type:access_token";
const resources = { jwt: "https://gateway.example/jwt", opaque: "https://gateway.example/opaque", orders: "https://orders.example/" };
const settings = {
  clientId: "gateway",
  clientSecret: "SECRET?%Gclient",
  redirectUris: ["http://localhost:1/signin-oidc"],
  scopes: "gateway.use",
  resources: [
    { resource: resources.jwt, scopes: "gateway.use", exchangedBy: "gateway" },
    { resource: resources.opaque, scopes: "gateway.use", exchangedBy: "gateway", format: "opaque" },
    { resource: resources.orders, scopes: "orders.read orders.write" },
  ],
};

let op;
before(async () => {
  op = await startProvider(settings);
});
after(() => op.close());

async function granted(resource, scope = "gateway.use", parameters = {}) {
  const { url, verifier } = authorizationRequest(op, { ...settings, scopes: scope }, { resource, ...parameters });
  const callback = await signIn(new Browser(), op, url, alice);
  return (await redeem(op, settings, callback, verifier, { resource })).body.access_token;
}

function exchange(subject_token, more = {}) {
  const all = {
    grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
    subject_token,
    subject_token_type: accessToken,
    requested_token_type: accessToken,
    resource: resources.orders,
    scope: "orders.read",
    ...more,
  };
  return tokenRequest(op, settings, Object.entries(all).filter(([, value]) => value !== undefined));
}

for (const format of ["jwt", "opaque"]) {
  test(`${format}: the token of an API becomes one of another, for the same end-user`, async () => {
    const { status, body } = await exchange(await granted(resources[format]));
    assert.deepEqual([status, body.issued_token_type, body.token_type, body.scope], [200, accessToken, "Bearer", "orders.read"]);
    const keys = createRemoteJWKSet(new URL(`${op.issuer}/jwks`));
    const options = { issuer: op.issuer, audience: resources.orders, typ: "at+jwt" };
    const { payload } = await jwtVerify(body.access_token, keys, options);
    assert.deepEqual([payload.sub, payload.client_id, payload.scope], [alice.claims.sub, "gateway", "orders.read"]);
    assert.equal(body.refresh_token, undefined);
  });
}

test("what is no token of an end-user for this client is an invalid request", async () => {
  const good = await granted(resources.jwt);
  const [header, payload, signature] = good.split(".");
  const forged = Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(payload, "base64url")), sub: "bob-91ce" })).toString("base64url");
  const forOthers = await granted(resources.orders, "orders.read");
  const machine = await tokenRequest(op, settings, { grant_type: "client_credentials", resource: resources.jwt, scope: "gateway.use" });
  assert.equal(decodeJwt(machine.body.access_token).sub, "gateway");
  for (const token of [forOthers, machine.body.access_token, `${header}.${forged}.${signature}`, "garbage", undefined]) {
    const { status, body } = await exchange(token);
    assert.deepEqual([status, body.error], [400, "invalid_request"], token);
  }
  for (const more of [{ subject_token_type: "urn:ietf:params:oauth:token-type:id_token" }, { requested_token_type: "x" }]) {
    assert.equal((await exchange(good, more)).body.error, "invalid_request");
  }
  assert.equal((await exchange(good, { resource: "https://unknown.example/" })).body.error, "invalid_target");
  assert.equal((await exchange(good, { scope: "gateway.use" })).body.error, "invalid_scope");
});

test("claims that the sign-in does not meet are demanded of the end-user", async () => {
  const claims = JSON.stringify({ id_token: { acr: { essential: true, values: [confirmed] } } });
  const { status, body } = await exchange(await granted(resources.jwt), { claims });
  assert.deepEqual([status, body.error, body.claims], [400, "interaction_required", claims]);
  for (const format of ["jwt", "opaque"]) {
    const stronger = await granted(resources[format], "gateway.use", { claims });
    const met = await exchange(stronger, { claims });
    assert.deepEqual([met.status, decodeJwt(met.body.access_token).acr], [200, confirmed]);
  }
});
