// Consent, second factors and authentication contexts at the stand-in, and on-behalf-of, which can ask for the same.

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";

import { decodeJwt } from "jose";

import { ada, assertRefused, client, grace, numberOf, ordersApi, Party, startWith } from "./entra-party.mjs";

const policy = { id: "99999999-aaaa-4bbb-8ccc-000000000009", resource: "api://vault" };
const vault = {
  clientId: "77777777-aaaa-4bbb-8ccc-000000000007",
  name: "Vault",
  appIdUri: "api://vault",
  scopes: ["Open"],
  audience: "AzureADMultipleOrgs",
};
const offline = "openid profile offline_access";

let entra;
before(async () => {
  entra = await startWith({ app: { adminConsent: undefined }, otherApps: [vault], policies: [policy] });
});
after(() => entra.close());
beforeEach(() => entra.consents.clear());

const party = (options) => new Party(entra, options);
const accept = (one, page) => one.press(page, { accept: "yes" });

async function consented(one, scope, user = ada) {
  const page = await one.signIn(user, { scope: `${offline} ${scope}` });
  const { left } = page.left ? page : await accept(one, page);
  return (await one.redeem(left.searchParams.get("code"), { scope: `${offline} ${scope.split(" ")[0]}` })).body;
}

test("a scope is asked for once, and by name", async () => {
  const one = party();
  const page = await one.signIn(grace, { scope: `${offline} User.Read api://orders/Read` });
  assert.match(page.html, /Sign you in and read your profile[^]+Read orders/);
  assert.ok((await accept(one, page)).left.searchParams.get("code"));
  assert.ok((await one.authorize({ scope: `${offline} User.Read` })).left.searchParams.get("code"));
  const more = await one.authorize({ scope: `${offline} User.Read api://orders/Write` });
  assert.match(more.html, /Write orders/);
  assert.doesNotMatch(more.html, /read your profile/);
});

test("declining is access_denied, and prompt=none asks nobody", async () => {
  const one = party();
  const page = await one.signIn(grace);
  const { left } = await one.press(page, { cancel: "yes" });
  assert.deepEqual([left.searchParams.get("error"), numberOf({ left })], ["access_denied", 65004]);
  const silent = await one.authorize({ prompt: "none" });
  assert.deepEqual([silent.left.searchParams.get("error"), numberOf(silent)], ["interaction_required", 65001]);
});

test("what only an administrator may allow ends the user's way, and not the administrator's", async () => {
  const one = party();
  const page = await one.signIn(grace, { scope: `${offline} User.Read.All` });
  assert.match(page.html, /Need admin approval[^]+AADSTS90094/);
  assert.match((await accept(one, page)).html, /Need admin approval/);
  const { left } = await one.press(page, { cancel: "yes" });
  assert.deepEqual([left.searchParams.get("error"), numberOf({ left })], ["access_denied", 90094]);
  const administrator = party();
  const asked = await administrator.signIn(ada, { scope: `${offline} User.Read.All` });
  assert.ok((await accept(administrator, asked)).left.searchParams.get("code"));
});

test("a refresh for what was not consented to needs the user, whose consent it then has", async () => {
  const one = party();
  const { refresh_token: token, scope } = await consented(one, "User.Read");
  assert.deepEqual(scope.split(" ").sort(), ["User.Read", "openid", "profile"]);
  const refused = await one.refresh(token, "api://orders/Read");
  assertRefused(refused, 65001, "invalid_grant");
  assert.equal(refused.body.suberror, "consent_required");
  await accept(one, await one.authorize({ scope: `${offline} api://orders/Read` }));
  assert.equal((await one.refresh(token, "api://orders/Read")).body.scope, "api://orders/Read");
});

test("all that was ever consented to for an API comes back", async () => {
  const one = party();
  const { refresh_token: token } = await consented(one, "api://orders/Read api://orders/Write");
  assert.equal((await one.refresh(token, "api://orders/Write")).body.scope, "api://orders/Read api://orders/Write");
});

test("an administrator's consent for all spares the question for what it lists", async () => {
  const listed = await startWith({ app: { adminConsent: ["User.Read", "api://orders/Read"] } });
  try {
    const one = new Party(listed);
    assert.ok((await one.signIn(grace, { scope: `${offline} User.Read api://orders/Read` })).left);
    assert.match((await one.authorize({ scope: `${offline} api://orders/Write` })).html, /Permissions requested/);
  } finally {
    await listed.close();
  }
});

test("an API with a policy demands a second factor: a page, and at the token endpoint the claims to ask for", async () => {
  entra.apps.find(({ clientId }) => clientId === client.clientId).adminConsent = true;
  try {
    const one = party();
    const { refresh_token: weak } = await one.tokens(grace, { scope: `${offline} User.Read` });
    const refused = await one.refresh(weak, "api://vault/Open");
    assertRefused(refused, 50076, "interaction_required");
    assert.equal(refused.body.suberror, "basic_action");
    assert.deepEqual(JSON.parse(refused.body.claims), {
      access_token: { capolids: { essential: true, values: [policy.id] } },
    });
    const silent = await one.authorize({ prompt: "none", claims: refused.body.claims });
    assert.deepEqual([silent.left.searchParams.get("error"), numberOf(silent)], ["interaction_required", 50076]);
    const page = await one.authorize({ scope: `${offline} api://vault/Open`, claims: refused.body.claims });
    assert.match(page.html, /Approve the sign-in request/);
    const { left } = await one.press(page, { confirm: "yes" });
    const { body } = await one.redeem(left.searchParams.get("code"));
    assert.equal(decodeJwt(body.access_token).aud, vault.clientId);
    assert.equal((await one.refresh(body.refresh_token, "api://vault/Open")).status, 200);
    assertRefused(await one.refresh(weak, "api://vault/Open"), 50076, "interaction_required");
  } finally {
    entra.apps.find(({ clientId }) => clientId === client.clientId).adminConsent = undefined;
  }
});

test("a policy for one scope leaves the others alone", async () => {
  const world = await startWith({ policies: [{ ...policy, resource: ordersApi.clientId, scope: "Write" }] });
  try {
    const one = new Party(world);
    const { refresh_token: token } = await one.tokens(grace);
    assert.equal((await one.refresh(token, "api://orders/Read")).status, 200);
    assertRefused(await one.refresh(token, "api://orders/Write"), 50076, "interaction_required");
  } finally {
    await world.close();
  }
});

test("an authentication context is asked for by claims and is in the tokens afterwards", async () => {
  const one = party();
  const { refresh_token: token } = await consented(one, "api://orders/Read");
  const claims = JSON.stringify({ access_token: { acrs: { essential: true, value: "c1" } } });
  const refused = await one.refresh(token, "api://orders/Read", { claims });
  assertRefused(refused, 50076, "interaction_required");
  assert.deepEqual(JSON.parse(refused.body.claims), JSON.parse(claims));
  const page = await one.authorize({ scope: `${offline} api://orders/Read`, claims });
  const { left } = await one.press(page, { confirm: "yes" });
  const { body } = await one.redeem(left.searchParams.get("code"), { claims });
  assert.deepEqual([decodeJwt(body.access_token).acrs, decodeJwt(body.id_token).acrs], [["c1"], ["c1"]]);
  assert.deepEqual(
    decodeJwt((await one.refresh(body.refresh_token, "api://orders/Read", { claims })).body.access_token).acrs,
    ["c1"],
  );
});

test("a user without an assignment is refused where the app demands one", async () => {
  const strict = await startWith({ app: { assignmentRequired: true, assigned: [ada.username] } });
  try {
    assert.ok((await new Party(strict).signIn(ada)).left.searchParams.get("code"));
    const { left } = await new Party(strict).signIn(grace);
    assert.deepEqual([left.searchParams.get("error"), numberOf({ left })], ["access_denied", 50105]);
  } finally {
    await strict.close();
  }
});

const exchangeType = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/** The Orders API with a token that it was called with. */
async function called(world) {
  const { access_token: token } = await new Party(world).tokens(grace, { scope: "openid api://orders/Read" });
  const api = new Party(world, { app: ordersApi });
  const usual = {
    grant_type: exchangeType,
    requested_token_use: "on_behalf_of",
    assertion: token,
    scope: "User.Read offline_access",
  };
  return { token, exchange: (form = {}) => api.token({ ...usual, ...form }) };
}

async function withApi(orders, work) {
  const world = await startWith({ otherApps: [vault], policies: [policy] });
  Object.assign(
    world.apps.find(({ clientId }) => clientId === ordersApi.clientId),
    orders,
  );
  try {
    await work(world, await called(world));
  } finally {
    await world.close();
  }
}

test("an API exchanges the token that it was called with for one of another API", () =>
  withApi({ adminConsent: true }, async (_world, { exchange }) => {
    const { body } = await exchange();
    assert.equal(body.scope, "User.Read");
    assert.ok(body.refresh_token && !body.id_token);
    const claims = decodeJwt(body.access_token);
    assert.deepEqual(
      [claims.aud, claims.oid, claims.appid],
      ["https://graph.microsoft.com", grace.oid, ordersApi.clientId],
    );
  }));

test("an exchange is refused for a token of another audience, for one that is over, broken, or the app's own", () =>
  withApi({ adminConsent: true }, async (world, { token, exchange }) => {
    const { access_token: graph } = await new Party(world).tokens(grace);
    assertRefused(await exchange({ assertion: graph }), 50013, "invalid_grant");
    const { body } = await new Party(world).token({ grant_type: "client_credentials", scope: "api://vault/.default" });
    assertRefused(await exchange({ assertion: body.access_token }), 500131, "invalid_grant");
    const own = await new Party(world).token({ grant_type: "client_credentials", scope: "api://orders/.default" });
    assertRefused(await exchange({ assertion: own.body.access_token }), 50000, "invalid_grant");
    assertRefused(await exchange({ assertion: "garbage" }), 50027, "invalid_request");
    assertRefused(await exchange({ assertion: `${token.slice(0, -8)}AAAAAAAA` }), 50013, "invalid_grant");
    assertRefused(await exchange({ requested_token_use: undefined }), 900144, "invalid_request");
    assertRefused(await exchange({ requested_token_use: "mine" }), 9002313, "invalid_request");
    world.ahead = 5500;
    assertRefused(await exchange(), 500133, "invalid_grant");
    world.ahead = 0;
    world.revokeSessions(grace.username);
    assertRefused(await exchange(), 50173, "invalid_grant");
  }));

test("an exchange can need the user's consent, or a second factor", () =>
  withApi({ adminConsent: undefined }, async (world, { exchange }) => {
    const refused = await exchange();
    assertRefused(refused, 65001, "invalid_grant");
    assert.equal(refused.body.suberror, "consent_required");
    world.apps.find(({ clientId }) => clientId === ordersApi.clientId).adminConsent = true;
    const demanded = await exchange({ scope: "api://vault/Open" });
    assertRefused(demanded, 50076, "interaction_required");
    assert.match(demanded.body.claims, /capolids/);
  }));
