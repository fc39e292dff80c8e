// Directories of the Microsoft identity platform that are known by more than a GUID, at its stand-in: Azure AD B2C with its
// user flows, and a tenant by its domain.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { decodeJwt } from "jose";

import { contoso } from "../../demo/entra.mjs";
import { sendJson } from "../../demo/listen.mjs";
import { ada, startEntraWorld } from "./entra-world.mjs";
import { assertPage, assertProblem } from "./refusals.mjs";

const directory = {
  id: "b2c2c2c2-8c44-4e0f-a6d3-00000000b2c0",
  domain: "contosob2c.onmicrosoft.example",
  name: "Contoso's customers",
  kind: "b2c",
  policies: { B2C_1_susi: "signIn", B2C_1_reset: "resetPassword", B2C_1_edit: "editProfile" },
  requiresIdTokenHint: true,
};
const cleo = {
  username: "cleo@example.com",
  password: "asp",
  home: directory.id,
  oid: "c1e0c1e0-0000-4000-8000-00000000b2c1",
  name: "Cleo Customer",
};
const api = {
  clientId: "77777777-aaaa-4bbb-8ccc-000000000007",
  tenant: directory.id,
  name: "Orders",
  appIdUri: "https://contosob2c.onmicrosoft.example/orders",
  scopes: ["read"],
};

let world;
let byDomain;
before(async () => {
  [world, byDomain] = await Promise.all([startCustomersWorld(), startEntraWorld({ tenant: contoso.domain.toUpperCase() })]);
  // Which tokens arrive is all that is of interest.
  world.orders.intercept = (request, response) => sendJson(response, 200, decodeJwt(request.headers.authorization.slice(7))) ?? true;
});
after(() => Promise.all([world?.close(), byDomain?.close()]));

function startCustomersWorld() {
  const section = {
    TenantId: undefined,
    Domain: directory.domain,
    SignUpSignInPolicyId: "B2C_1_susi",
    ResetPasswordPolicyId: "B2C_1_reset",
    EditProfilePolicyId: "B2C_1_edit",
    OmitIdTokenHint: false,
  };
  return startEntraWorld({
    app: { tenant: directory.id, audience: "AzureADMyOrg" },
    entra: { tenants: [directory], users: [cleo] },
    otherApps: [api],
    azureAd: section,
    apiVars: (entra, publicOrigin, orders) => ({
      Graph: undefined,
      Orders: { BaseUrl: `http://127.0.0.1:${orders.port}`, Scopes: `${api.appIdUri}/read` },
    }),
  });
}

const password = () => world.entra.users[0].password;

async function signedIn(path = "/") {
  const browser = world.browser();
  const page = await browser.signIn(path, { ...cleo, password: password() });
  assert.equal(page.status, 200, page.text);
  return browser;
}

const called = async (browser) => {
  const answer = await browser.script("/api/Orders/x");
  assert.equal(answer.status, 200, answer.text);
  return answer.json();
};

/** The user flows whose endpoints of that name the Worker or a browser called, in order. */
const flowsAt = (endpoint, requests) =>
  requests.map(({ url }) => url.match(new RegExp(`/(b2c_1_[a-z]+)/oauth2/v2.0/${endpoint}`, "i"))?.[1].toLowerCase()).filter(Boolean);

test("a customer signs in, calls an API, stays signed in and signs out with the ID token as a hint", async () => {
  const browser = await signedIn("/page/one");
  const token = await called(browser);
  assert.deepEqual([token.aud, token.scp, token.tfp], [api.clientId, "read", "b2c_1_susi"]);
  assert.equal(token.iss, `${world.entra.instance}${directory.id}/v2.0/`);
  try {
    await world.advance(3000);
    await browser.navigate("/page/keep");
    await world.advance(6000);
    await called(browser);
  } finally {
    await world.advance(0);
  }
  const leaving = await browser.signOut({ atOp: false });
  assert.equal(leaving.status, 200, leaving.text);
  const { url } = browser.seen.find((answer) => answer.url.includes("/logout?"));
  assert.match(url, /\/b2c_1_susi\/oauth2\/v2\.0\/logout\?.*id_token_hint=/i);
  assert.deepEqual(await world.accountEntries(), []);
});

test("whoever forgot their password chooses another one and arrives where they wanted to go", async () => {
  const browser = world.browser();
  const asked = await browser.navigate("/page/two?a=%2F");
  const reset = await browser.press(asked, { forgot: "yes" });
  assert.match(reset.text, /Reset your password/);
  const page = await browser.press(reset, { username: cleo.username, newPassword: "viper" });
  assert.equal(page.url, `${world.publicOrigin}/page/two?a=%2F`);
  assert.equal(password(), "viper");
  assert.equal((await called(browser)).tfp, "b2c_1_reset");
  assert.deepEqual(flowsAt("token", world.entra.requests).slice(-1), ["b2c_1_reset"]);
  // Nothing of what the platform said is in what the Worker sent.
  assert.ok(browser.seenOfWorker.every(({ text, headers }) => !/AADB2C|forgotten/.test(text + JSON.stringify(headers))));
});

test("a customer edits their profile, and remains one account whichever way they came", async () => {
  const [browser, other] = [await signedIn(), await signedIn()];
  const form = await browser.navigate("/.auth/login?policy=edit_profile&return_to=/page/me", { from: `${world.publicOrigin}/` });
  assert.match(form.text, /Edit your profile/);
  const page = await browser.press(form, { displayName: "Cleo <Renamed>" });
  assert.equal(page.url, `${world.publicOrigin}/page/me`);
  const me = (await browser.script("/.auth/me")).json();
  assert.equal(me.claims.name ?? me.name, "Cleo <Renamed>");
  assert.equal((await called(browser)).tfp, "b2c_1_edit");
  const prefixes = (await world.accountEntries()).map(({ name }) => name.split("/")[1]);
  assert.equal(new Set(prefixes).size, 1);
  await browser.signOut({ atOp: false });
  assert.deepEqual(await world.accountEntries(), [], "the other session of the account, too");
  assert.equal((await other.script("/.auth/me")).status, 401);
});

test("whoever gives up is told so, or goes back to where they are signed in", async () => {
  const stranger = world.browser();
  assertPage(await stranger.press(await stranger.navigate("/page"), { cancel: "yes" }), 403);
  assert.doesNotMatch(stranger.seen.at(-1).text, /AADB2C|self-asserted/);
  const browser = await signedIn();
  const form = await browser.navigate("/.auth/login?policy=edit_profile&return_to=/page/me", { from: `${world.publicOrigin}/` });
  const page = await browser.press(form, { cancel: "yes" });
  assert.deepEqual([page.url, page.status], [`${world.publicOrigin}/page/me`, 200]);
  assertProblem(await browser.script("/.auth/login?policy=B2C_1_edit"), 404, "not_found");
});

test("a tenant by its domain takes the issuer that its metadata name", async () => {
  const browser = byDomain.browser();
  assert.equal((await browser.signIn("/", ada)).status, 200);
  assert.equal((await browser.script("/.auth/me")).json().claims.tid, contoso.id);
  assert.equal((await browser.script("/api/Orders/orders")).status, 200);
  const page = await browser.signOut({ atOp: false });
  const { frames, answers } = await browser.leave(page);
  assert.equal(frames.length, 1);
  assert.deepEqual(answers.map(({ status }) => status), [200]);
  assert.deepEqual(await byDomain.accountEntries(), []);
});
