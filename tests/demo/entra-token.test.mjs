// The stand-in's token endpoint: grants, scopes of one API, and what it refuses with which number.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { createLocalJWKSet, decodeJwt, jwtVerify } from "jose";

import { contoso, fabrikam } from "../../demo/entra.mjs";
import { ada, assertRefused, client, gus, ordersApi, Party, startWith } from "./entra-party.mjs";

const other = { ...client, clientId: "44444444-aaaa-4bbb-8ccc-000000000004" };
const many = "openid profile offline_access User.Read api://orders/Read";

let entra;
before(async () => {
  entra = await startWith({ otherApps: [other] });
});
after(() => entra.close());

const party = (options) => new Party(entra, options);
const scopesOf = (body) => body.scope.split(" ").sort();

async function code(one, parameters, user = ada) {
  return (await one.signIn(user, parameters)).left.searchParams.get("code");
}

test("only POST is taken, of one grant, with every parameter once", async () => {
  const response = await fetch(`${party().address}/token`);
  assertRefused({ status: response.status, body: await response.json() }, 900561, "invalid_request");
  assertRefused(await party().token({}), 900144, "invalid_request");
  assertRefused(await party().token({ grant_type: "password" }), 70003, "unsupported_grant_type");
  const body = "grant_type=refresh_token&grant_type=refresh_token";
  const twice = await fetch(`${party().address}/token`, {
    method: "POST",
    body,
    headers: { "content-type": "application/x-www-form-urlencoded" },
  });
  assertRefused({ status: twice.status, body: await twice.json() }, 9002313, "invalid_request");
});

test("a code is good once", async () => {
  const one = party();
  const used = await code(one);
  assert.equal((await one.redeem(used)).status, 200);
  assertRefused(await one.redeem(used), 54005, "invalid_grant");
});

test("a code is good for ten minutes", async () => {
  const one = party();
  const late = await code(one);
  entra.ahead = 601;
  assertRefused(await one.redeem(late), 70008, "invalid_grant");
  entra.ahead = 599;
  assert.equal((await one.redeem(late)).status, 200);
  entra.ahead = 0;
});

test("a code is good for its client, its tenant, its redirect URI and its verifier only", async () => {
  const one = party();
  const fresh = await code(one);
  assertRefused(
    await one.redeem(fresh, { redirect_uri: "http://localhost:1/signin-oidc/" }),
    500112,
    "invalid_client",
    401,
  );
  assertRefused(await one.redeem(fresh, { code_verifier: "x".repeat(43) }), 501481, "invalid_grant");
  assertRefused(await one.redeem(fresh, { code_verifier: undefined }), 50148, "invalid_grant");
  assertRefused(await one.redeem(fresh, { client_id: other.clientId }), 9002313, "invalid_request");
  assertRefused(await one.redeem("made up"), 9002313, "invalid_request");
  assertRefused(await one.redeem(fresh, { redirect_uri: undefined }), 900144, "invalid_request");
  assert.equal((await one.redeem(fresh)).status, 200, "nothing of that has used it up");
  const elsewhere = party();
  const misplaced = await code(elsewhere);
  elsewhere.authority = "common";
  assertRefused(await elsewhere.redeem(misplaced), 700005, "invalid_grant");
});

test("without a challenge there must be no verifier", async () => {
  const one = party();
  const plain = await code(one, { code_challenge: undefined, code_challenge_method: undefined });
  assertRefused(await one.redeem(plain), 501481, "invalid_grant");
  assert.equal((await one.redeem(plain, { code_verifier: undefined })).status, 200);
});

test("one token request is for one API, whatever the authorization request named", async () => {
  const one = party();
  const several = await code(one, { scope: many });
  assertRefused(await one.redeem(several, { scope: many }), 28000, "invalid_request");
  const again = await code(one, { scope: many });
  assertRefused(await one.redeem(again), 28003, "invalid_request");
  const third = await code(one, { scope: many });
  const { body } = await one.redeem(third, { scope: "openid offline_access api://orders/Read" });
  assert.equal(decodeJwt(body.access_token).aud, ordersApi.clientId);
});

test("scopes come back as the client named the API: in full, or alone at Graph with those of OpenID Connect", async () => {
  const one = party();
  const { refresh_token: token } = await one.tokens(
    ada,
    { scope: many },
    { scope: "openid offline_access api://orders/Read" },
  );
  const granted = async (scope) => scopesOf((await one.refresh(token, scope)).body);
  assert.deepEqual(await granted("openid profile User.Read"), ["User.Read", "openid", "profile"]);
  assert.deepEqual(await granted("https://graph.microsoft.com/user.read"), ["https://graph.microsoft.com/User.Read"]);
  assert.deepEqual(await granted("openid API://orders/read"), ["API://orders/Read"]);
  assert.deepEqual(await granted(`${ordersApi.clientId}/Write`), [`${ordersApi.clientId}/Write`]);
  assert.deepEqual(await granted("api://orders/.default"), [
    "api://orders/Everything",
    "api://orders/Read",
    "api://orders/Write",
  ]);
});

test("an access token of an API is signed, names client, tenant, user and scopes, and is Graph's own affair at Graph", async () => {
  const one = party();
  const { access_token: graph, refresh_token: refresh } = await one.tokens();
  const { body } = await one.refresh(refresh, "api://orders/Read api://orders/Write");
  const keys = createLocalJWKSet(await (await fetch(`${entra.instance}common/discovery/v2.0/keys`)).json());
  const { payload } = await jwtVerify(body.access_token, keys, {
    issuer: entra.issuerOf(contoso.id),
    audience: ordersApi.clientId,
  });
  assert.deepEqual(
    [payload.scp, payload.azp, payload.azpacr, payload.oid],
    ["Read Write", client.clientId, "1", ada.oid],
  );
  assert.deepEqual([body.token_type, body.ext_expires_in, body.refresh_in], ["Bearer", body.expires_in, undefined]);
  assert.ok(body.expires_in >= 3600 && body.expires_in < 5400);
  await assert.rejects(jwtVerify(graph, keys));
});

test("a client that answers challenges gets tokens of Graph for a day, to be renewed halfway", async () => {
  const claims = JSON.stringify({ access_token: { xms_cc: { values: ["cp1"] } } });
  const one = party();
  const { refresh_token: refresh, ...first } = await one.tokens(ada, { claims });
  assert.deepEqual([first.expires_in, first.refresh_in], [86_400, 43_200]);
  const { body } = await one.refresh(refresh, "User.Read", { claims });
  assert.deepEqual([body.expires_in, body.refresh_in], [86_400, 43_200]);
  assert.ok((await one.refresh(refresh, "User.Read")).body.expires_in < 5400);
});

const wrongScopes = {
  "of an unknown API": [500011, "invalid_resource", "api://nobody/Read"],
  "that the API does not have": [70011, "invalid_scope", "api://orders/Burn"],
  "that Graph does not have": [70011, "invalid_scope", "orders.read"],
  "of two APIs": [28000, "invalid_request", "User.Read api://orders/Read"],
  "that are .default and more": [70011, "invalid_scope", "api://orders/.default api://orders/Read"],
};
for (const [what, [number, error, scope]] of Object.entries(wrongScopes)) {
  test(`scopes ${what} are refused`, async () => {
    const one = party();
    const { refresh_token: token } = await one.tokens();
    assertRefused(await one.refresh(token, scope), number, error);
  });
}

test("a refresh token stays good when it is used, and serves every API and tenant of its user", async () => {
  const one = party({ authority: "organizations" });
  const { refresh_token: first } = await one.tokens(gus);
  const { body } = await one.refresh(first, "openid User.Read", { client_info: "1" });
  assert.ok(body.refresh_token && body.refresh_token !== first);
  assert.equal(decodeJwt(body.id_token).nonce, undefined);
  assert.equal((await one.refresh(first, "User.Read")).status, 200);
  one.authority = contoso.id;
  const asGuest = (await one.refresh(first, "openid profile User.Read")).body;
  assert.deepEqual(
    [decodeJwt(asGuest.id_token).tid, decodeJwt(asGuest.id_token).oid],
    [contoso.id, gus.guestIn[0].oid],
  );
  one.authority = "consumers";
  assertRefused(await one.refresh(first, "User.Read"), 50020, "invalid_grant");
});

test("without offline_access there is no refresh token, and without openid no ID token", async () => {
  const one = party();
  const tokens = await one.tokens(ada, { scope: "openid User.Read" });
  assert.deepEqual([Boolean(tokens.id_token), tokens.refresh_token], [true, undefined]);
  const plain = await party().tokens(ada, { scope: "User.Read" });
  assert.deepEqual([plain.id_token, plain.client_info], [undefined, undefined]);
});

test("a refresh token is good for its client, ninety days, and until its user's sessions are revoked", async () => {
  const one = party();
  const { refresh_token: token } = await one.tokens();
  assertRefused(await one.refresh(token, "User.Read", { client_id: other.clientId }), 70000, "invalid_grant");
  assert.equal((await one.refresh("made up", "User.Read")).body.suberror, "bad_token");
  entra.ahead = 91 * 86_400;
  assertRefused(await one.refresh(token, "User.Read"), 700082, "invalid_grant");
  entra.ahead = 0;
  entra.revokeSessions(ada.username);
  assertRefused(await one.refresh(token, "User.Read"), 50173, "invalid_grant");
  assert.equal((await one.refresh((await one.tokens()).refresh_token, "User.Read")).status, 200);
});

test("an app's own token needs a tenant and one API's .default", async () => {
  const grant = { grant_type: "client_credentials" };
  const roles = { "https://graph.microsoft.com": ["User.Read.All"] };
  const daemon = await startWith({ app: { appRoles: roles } });
  try {
    const one = new Party(daemon);
    const { body } = await one.token({ ...grant, scope: "https://graph.microsoft.com/.default" });
    assert.deepEqual(Object.keys(body).sort(), ["access_token", "expires_in", "ext_expires_in", "token_type"]);
    const claims = decodeJwt(body.access_token);
    assert.deepEqual([claims.idtyp, claims.roles, claims.scp], ["app", ["User.Read.All"], undefined]);
    assertRefused(await one.token({ ...grant, scope: "api://orders/Read" }), 1002012, "invalid_scope");
    assertRefused(await one.token({ ...grant, scope: "api://orders/.default User.Read" }), 70011, "invalid_scope");
    assertRefused(await one.token(grant), 900144, "invalid_request");
    for (const authority of ["common", "organizations"]) {
      assertRefused(
        await new Party(daemon, { authority }).token({ ...grant, scope: "api://orders/.default" }),
        50059,
        "invalid_request",
      );
    }
  } finally {
    await daemon.close();
  }
});

test("an error says what to quote to support, and where to read on", async () => {
  const { body } = await party().token({ grant_type: "refresh_token" });
  assert.deepEqual(Object.keys(body).sort(), [
    "correlation_id",
    "error",
    "error_codes",
    "error_description",
    "error_uri",
    "timestamp",
    "trace_id",
  ]);
  assert.equal(body.error_uri, `${entra.instance}error?code=900144`);
  assert.match(body.timestamp, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ$/);
  assert.ok(body.error_description.includes(body.trace_id) && body.error_description.includes(body.correlation_id));
});

test("a tenant that does not exist, or does not have the app, has no tokens", async () => {
  const own = { ...client, clientId: "55555555-aaaa-4bbb-8ccc-000000000005", audience: "AzureADMyOrg" };
  const strict = await startWith({ otherApps: [own] });
  try {
    assertRefused(
      await new Party(strict, { authority: fabrikam.id, app: own }).token({ grant_type: "refresh_token" }),
      700016,
      "unauthorized_client",
    );
    assertRefused(
      await new Party(strict, { authority: "nowhere" }).token({ grant_type: "refresh_token" }),
      90002,
      "invalid_tenant",
    );
  } finally {
    await strict.close();
  }
});
