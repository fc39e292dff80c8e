// The on-behalf-of flow at the stand-in for the Microsoft identity platform: a program's token for us becomes one of an API or
// of Microsoft Graph, in the tenant of whom it acts for.

import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { after, before, beforeEach, test } from "node:test";

import { decodeJwt } from "jose";

import { contoso, fabrikam } from "../../demo/entra.mjs";
import { listen } from "../../demo/listen.mjs";
import { exchange } from "../worker/exchange.mjs";
import { ada, grace, gus, startEntraWorld } from "./entra-world.mjs";
import { assertProblem } from "./refusals.mjs";

const onBehalfOf = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const gateway = { appIdUri: "api://gateway", scopes: ["gateway.use"], accessTokenVersion: 2 };

// A program that signs people in: where it is sent the code, and its registration.
let callback;
let program;
let world;
before(async () => {
  callback = await listen(0, (_request, response) => response.writeHead(200).end("the program"));
  program = {
    clientId: randomUUID(),
    name: "Program",
    tenant: contoso.id,
    audience: "AzureADMultipleOrgs",
    secrets: [randomBytes(12).toString("base64url")],
    redirectUris: [`http://localhost:${callback.port}/callback`],
    adminConsent: true,
    appRoles: { "api://gateway": ["Gateway.Use"] },
  };
  world = await startWorldOf();
});
after(() => Promise.all([world?.close(), callback.close()]));
beforeEach(() => world.freshInstance());

function startWorldOf({ app = {}, azureAd, ...options } = {}) {
  return startEntraWorld({
    app: { ...gateway, ...app },
    otherApps: [program],
    azureAd: { ClientCapabilities: "cp1", ...azureAd },
    vars: (entra, publicOrigin) => ({
      Bearer: { Audiences: entra.apps[0].clientId },
      Gateway: {
        PublicOrigin: publicOrigin,
        Origin: "http://127.0.0.1:1",
        Routes: ["Graph", "Orders"].map((name) => ({ Path: `/api/${name}/**`, Access: "Bearer" })),
      },
    }),
    ...options,
  });
}

/** What the program gets for a user who signs in to it, perhaps with a second factor. */
async function granted(place, user, { tenant = contoso.id, claims } = {}) {
  const browser = place.browser();
  const [redirectUri] = program.redirectUris;
  const query = { client_id: program.clientId, response_type: "code", redirect_uri: redirectUri, scope: "api://gateway/gateway.use", state: "s" };
  const address = `${place.entra.instance}${tenant}/oauth2/v2.0/authorize?${new URLSearchParams({ ...query, ...(claims && { claims }) })}`;
  let page = await browser.answerSignIn(await browser.navigate(address), user);
  if (page.text.includes('name="confirm"')) page = await browser.press(page, { confirm: "yes" });
  const code = new URL(page.url).searchParams.get("code");
  assert.ok(code, page.text);
  return token(place, tenant, { grant_type: "authorization_code", code, redirect_uri: redirectUri, ...(claims && { claims }) });
}

async function token(place, tenant, form) {
  const [client_secret] = program.secrets;
  const body = new URLSearchParams({ client_id: program.clientId, client_secret, ...form });
  const response = await fetch(`${place.entra.instance}${tenant}/oauth2/v2.0/token`, { method: "POST", body });
  const answer = await response.json();
  assert.equal(response.status, 200, JSON.stringify(answer));
  return answer.access_token;
}

function send(place, path, token) {
  return exchange(`${place.publicOrigin}${path}`, { headers: { authorization: `Bearer ${token}` } });
}

/** Status, code and challenge of a refusal. */
function refused(answer, status, code) {
  assertProblem(answer, status, code);
  return answer.headers["www-authenticate"];
}

test("an API and Microsoft Graph get each a token for the program's user, which the program's own is exchanged for once", async () => {
  const presented = await granted(world, ada);
  const count = world.grants(onBehalfOf).length;
  for (let round = 0; round < 3; round += 1) {
    assert.equal((await send(world, "/api/Orders/orders", presented)).json().orders.length, 2);
    assert.equal((await send(world, "/api/Graph/me", presented)).json().displayName, ada.name);
  }
  const { claims } = world.orders.requests.at(-1);
  assert.deepEqual([claims.oid, claims.azp, claims.tid], [ada.oid, world.client.clientId, contoso.id]);
  const own = world.grants(onBehalfOf).slice(count);
  assert.deepEqual(own.map(({ params }) => [params.assertion, params.requested_token_use, params.client_info]), [
    [presented, "on_behalf_of", undefined],
    [presented, "on_behalf_of", undefined],
  ]);
  assert.deepEqual(own.map(({ params }) => params.scope).sort(), ["User.Read", "api://orders/orders.read api://orders/orders.write"]);
  assert.ok(own.every(({ body }) => body.refresh_token === undefined));
});

test("a program that acts for nobody is told so", async () => {
  const itself = await token(world, contoso.id, { grant_type: "client_credentials", scope: "api://gateway/.default" });
  assert.equal(decodeJwt(itself).idtyp, "app");
  const count = world.grants(onBehalfOf).length;
  assert.equal(refused(await send(world, "/api/Orders/orders", itself), 403, "end_user_required"), undefined);
  assert.equal(world.grants(onBehalfOf).length, count);
});

test("an API that demands a second factor is reached with a token of a sign-in that had it", async () => {
  const weak = await granted(world, grace);
  const challenge = refused(await send(world, "/api/Orders/payment", weak), 401, "insufficient_claims");
  assert.equal(world.entra.issued.at(-1).body.error_codes[0], 50076);
  const [, encoded] = challenge.match(/claims="([^"]+)"/);
  const claims = atob(encoded);
  assert.deepEqual(JSON.parse(claims), { access_token: { acrs: { essential: true, value: "c1" } } });
  assert.match(challenge, new RegExp(`authorization_uri="${world.entra.instance}${contoso.id}/oauth2/v2.0/authorize"`));
  const strong = await granted(world, grace, { claims });
  assert.deepEqual(decodeJwt(strong).acrs, ["c1"]);
  assert.equal((await send(world, "/api/Orders/payment", strong)).json().method, "card");
  const events = await world.events();
  assert.doesNotMatch(JSON.stringify(events), /acrs/, "claims can name somebody");
  assert.ok(events.some(({ event, op_error_code: code }) => event === "op.error" && code === "AADSTS50076"));
});

test("Graph evaluates access anew, and gets a newer token without the user", async () => {
  const presented = await granted(world, ada);
  assert.equal((await send(world, "/api/Graph/me", presented)).status, 200);
  world.entra.evaluateAnew(ada.username);
  assert.equal((await send(world, "/api/Graph/me", presented)).json().displayName, ada.name);
  const { params } = world.grants(onBehalfOf).at(-1);
  const { nbf, xms_cc: capabilities } = JSON.parse(params.claims).access_token;
  assert.deepEqual([nbf.essential, capabilities.values], [true, ["cp1"]]);
});

test("once an administrator has revoked the user's sessions, the program needs another token", async () => {
  const presented = await granted(world, grace);
  assert.equal((await send(world, "/api/Graph/me", presented)).status, 200);
  world.entra.revokeSessions(grace.username);
  const challenge = refused(await send(world, "/api/Graph/me", presented), 401, "access_token_invalid");
  assert.match(challenge, /^Bearer error="invalid_token", /);
  assert.equal(world.entra.issued.at(-1).body.error_codes[0], 50173);
  assert.equal((await send(world, "/api/Graph/me", await granted(world, grace))).json().displayName, grace.name);
});

test("where nobody has consented for the gateway, the program is told that consent is missing", async () => {
  const place = await startWorldOf({ app: { adminConsent: ["User.Read"] } });
  try {
    const presented = await granted(place, ada);
    assert.equal((await send(place, "/api/Graph/me", presented)).status, 200);
    assert.equal(refused(await send(place, "/api/Orders/orders", presented), 403, "consent_required"), undefined);
    assert.equal(place.entra.issued.at(-1).body.suberror, "consent_required");
  } finally {
    await place.close();
  }
});

test("through common, the tenant that issued the token exchanges it", async () => {
  const place = await startWorldOf({ tenant: "common" });
  try {
    for (const [user, tenant] of [[ada, contoso], [gus, fabrikam], [gus, contoso]]) {
      const presented = await granted(place, user, { tenant: tenant.id });
      assert.equal((await send(place, "/api/Orders/orders", presented)).status, 200);
      assert.equal(place.orders.requests.at(-1).claims.tid, tenant.id);
      const asked = place.entra.requests.filter(({ url }) => url.endsWith("/oauth2/v2.0/token")).at(-1);
      assert.equal(asked.url, `/${tenant.id}/oauth2/v2.0/token`);
    }
  } finally {
    await place.close();
  }
});
