// Tenants, at the stand-in for the Microsoft identity platform: who may come, whose tokens an API gets, and where a sign-in
// that fails leads to.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { contoso, fabrikam } from "../../demo/entra.mjs";
import { ada, gus, pat, startEntraWorld } from "./entra-world.mjs";
import { assertPage, assertProblem } from "./refusals.mjs";

const atHome = [fabrikam.id, gus.oid];
const asGuest = [contoso.id, gus.guestIn[0].oid];

let anyTenant;
let world;
before(async () => {
  [anyTenant, world] = await Promise.all([
    startEntraWorld({
      tenant: "common",
      azureAd: { AllowedTenants: [fabrikam.id.toUpperCase()], AppHomeTenantId: contoso.id },
      apiVars: ({ graph }) => ({
        There: { BaseUrl: `${graph.address}/v1.0`, Scopes: "User.Read", AcquireTokenOptions: { Tenant: contoso.id } },
        App: { BaseUrl: `${graph.address}/v1.0`, Scopes: "https://graph.microsoft.com/.default", RequestAppToken: true },
      }),
    }),
    startEntraWorld({
      azureAd: { ErrorPath: "/page/failed" },
      gateway: { Routes: [{ Path: "/page/failed", Access: "Anonymous" }] },
      apiVars: ({ graph }) => ({
        There: { BaseUrl: `${graph.address}/v1.0`, Scopes: "User.Read", AcquireTokenOptions: { Tenant: fabrikam.id } },
      }),
    }),
  ]);
});
after(() => Promise.all([anyTenant?.close(), world?.close()]));

async function signedIn(place, user) {
  const browser = place.browser();
  const page = await browser.signIn("/", user);
  assert.equal(page.status, 200, page.text);
  return browser;
}

const whoIs = ({ tid, oid }) => [tid, oid];
const claimsOf = async (browser) => (await browser.script("/.auth/me")).json().claims;

test("users of other tenants sign in at Entra, and no further", async () => {
  for (const user of [ada, pat]) {
    const browser = anyTenant.browser();
    const page = await browser.signIn("/", user);
    assertPage(page, 403);
    assert.match(page.text, /This account cannot be used here/);
    assert.equal((await browser.script("/.auth/me")).status, 401);
  }
  assert.deepEqual(await anyTenant.accountEntries(), []);
  const refused = (await anyTenant.events()).filter(({ code }) => code === "tenant_not_allowed");
  assert.match(refused[0].reason, new RegExp(contoso.id));
});

test("a user at home calls an API of another tenant as the guest there, and stays who they are", async () => {
  const browser = await signedIn(anyTenant, gus);
  assert.equal((await browser.script("/api/Graph/me")).json().id, gus.oid);
  assert.equal((await browser.script("/api/There/me")).json().id, gus.guestIn[0].oid);
  assert.deepEqual(whoIs(anyTenant.graph.requests.at(-1).claims), asGuest);
  assert.deepEqual(whoIs(await claimsOf(browser)), atHome);
  // Each was kept: neither has pushed the other out.
  const count = anyTenant.entra.issued.length;
  assert.equal((await browser.script("/api/Graph/me")).json().id, gus.oid);
  assert.equal((await browser.script("/api/There/me")).json().id, gus.guestIn[0].oid);
  assert.equal(anyTenant.entra.issued.length, count);
});

test("so does a guest of ours, towards the tenant that is their home", async () => {
  const browser = await signedIn(world, gus);
  assert.deepEqual(whoIs(await claimsOf(browser)), asGuest);
  assert.equal((await browser.script("/api/There/me")).json().id, gus.oid);
  assert.deepEqual(whoIs(await claimsOf(browser)), asGuest);
  assert.equal((await browser.script("/api/Graph/me")).json().id, gus.guestIn[0].oid);
});

test("whoever is unknown to the tenant of an API is not served there", async () => {
  const browser = await signedIn(world, ada);
  assertProblem(await browser.script("/api/There/me"), 401, "interaction_required");
  assert.equal(world.entra.issued.at(-1).body.error_codes[0], 50020);
  assert.equal((await browser.script("/api/Graph/me")).status, 200);
});

test("the application's own token comes from its home, where users may come from anywhere", async () => {
  const browser = await signedIn(anyTenant, gus);
  await browser.script("/api/App/users");
  const { claims } = anyTenant.graph.requests.at(-1);
  assert.deepEqual([claims.tid, claims.idtyp], [contoso.id, "app"]);
  assert.equal(anyTenant.grants("client_credentials").length, 1);
});

test("a sign-in that fails is explained by the origin's own page", async () => {
  const browser = world.browser();
  const page = await browser.press(await browser.navigate("/"), { cancel: "yes" });
  const url = new URL(page.url);
  assert.deepEqual([page.status, url.origin, url.pathname], [200, world.publicOrigin, "/page/failed"]);
  assert.deepEqual([...url.searchParams.keys()], ["error", "trace"]);
  assert.equal(url.searchParams.get("error"), "access_denied");
  assert.equal(world.origin.requests.at(-1).url, `${url.pathname}${url.search}`);
  const ofTrace = (await world.events()).filter(({ trace }) => trace === url.searchParams.get("trace"));
  const refused = ofTrace.find(({ event }) => event === "request.refused");
  assert.equal(refused.code, "access_denied");
});
