// What the platform wants of a user on the way to an API, and what the Worker makes of it: consent, an administrator's
// permission, a second factor, an authentication context.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { ada, grace, ordersApi, startEntraWorld } from "./entra-world.mjs";
import { assertPage, assertProblem } from "./refusals.mjs";

const policy = { id: "99999999-aaaa-4bbb-8ccc-000000000009", resource: ordersApi.appIdUri };
const scopes = "api://orders/orders.read api://orders/orders.write";
const later = (_entra, _publicOrigin, orders) => ({
  Orders: { BaseUrl: `http://127.0.0.1:${orders.port}`, Scopes: scopes, IncrementalConsent: true },
});

let asking;
let guarded;
before(async () => {
  [asking, guarded] = await Promise.all([
    startEntraWorld({ app: { adminConsent: undefined }, apiVars: later }),
    startEntraWorld({ entra: { policies: [policy] }, apiVars: later }),
  ]);
});
after(() => Promise.all([asking?.close(), guarded?.close()]));

const lastNumber = (world) => world.entra.issued.at(-1).body.error_codes?.[0];

test("consent is asked for what sign-in needs, and for an API when it is first called", async () => {
  const browser = asking.browser();
  const first = await browser.signIn("/page/one", grace);
  assert.match(first.text, /read your profile/);
  assert.doesNotMatch(first.text, /Read your orders/);
  assert.equal((await browser.press(first, { accept: "yes" })).url, `${asking.publicOrigin}/page/one`);
  assert.equal((await browser.script("/api/Graph/me")).json().displayName, grace.name);
  const refused = await browser.script("/api/Orders/orders");
  assertProblem(refused, 401, "interaction_required");
  assert.equal(lastNumber(asking), 65001);
  const question = await browser.navigate(refused.json().login_url);
  assert.match(question.text, /Read your orders[^]+Order for you/);
  await browser.press(question, { accept: "yes" });
  assert.equal((await browser.script("/api/Orders/orders")).status, 200);
  assert.equal((await browser.script("/api/Graph/me")).status, 200);
});

test("declining is an error page, and changes nothing about the session", async () => {
  const browser = asking.browser();
  const declined = await browser.press(await browser.signIn("/", ada), { cancel: "yes" });
  assertPage(declined, 403);
  assert.equal(asking.entra.events.at(-1).number, 65004);
  assert.equal(browser.session, undefined);
});

test("what only an administrator can allow is an error page when the user comes back without it", async () => {
  const world = await startEntraWorld({
    app: { adminConsent: undefined },
    apiVars: (entra) => ({
      Graph: { BaseUrl: `${entra.graph.address}/v1.0`, Scopes: "User.Read.All" },
      Orders: undefined,
    }),
  });
  try {
    const browser = world.browser();
    const page = await browser.signIn("/", grace);
    assert.match(page.text, /Need admin approval/);
    assertPage(await browser.press(page, { cancel: "yes" }), 403);
    assert.equal(world.entra.events.at(-1).number, 90094);
  } finally {
    await world.close();
  }
});

test("a second factor that a policy demands is asked for when the API is called, with the platform's claims", async () => {
  const browser = guarded.browser();
  await browser.signIn("/", grace);
  assert.equal((await browser.script("/api/Graph/me")).status, 200);
  const refused = await browser.script("/api/Orders/orders");
  assertProblem(refused, 401, "interaction_required");
  assert.equal(lastNumber(guarded), 50076);
  const question = await browser.navigate(refused.json().login_url);
  assert.match(question.text, /Approve the sign-in request/);
  const sent = guarded.entra.requests.findLast(({ url }) => url.includes("/authorize?"));
  assert.match(new URL(sent.url, guarded.entra.issuer).searchParams.get("claims"), new RegExp(policy.id));
  await browser.press(question, { confirm: "yes" });
  assert.equal((await browser.script("/api/Orders/orders")).status, 200);
});

test("an authentication context that an API demands takes one sign-in", async () => {
  const browser = guarded.browser();
  await browser.signIn("/", ada);
  const page = await browser.navigate("/api/Orders/payment", { from: `${guarded.publicOrigin}/` });
  assert.match(page.text, /Approve the sign-in request/, "the policy's factor");
  const challenged = await browser.press(page, { confirm: "yes" });
  assert.match(challenged.text, /Approve the sign-in request/, "the API's context");
  const shown = await browser.press(challenged, { confirm: "yes" });
  assert.deepEqual([shown.status, shown.json().method], [200, "card"]);
  assert.deepEqual(guarded.orders.requests.at(-1).claims.acrs, ["c1"]);
});

test("the application's own token is of its tenant, and Graph knows no user behind it", async () => {
  const world = await startEntraWorld({
    app: { appRoles: { "https://graph.microsoft.com": ["User.Read.All"] } },
    apiVars: (entra) => ({
      Directory: {
        BaseUrl: `${entra.graph.address}/v1.0`,
        Scopes: "https://graph.microsoft.com/.default",
        RequestAppToken: true,
      },
    }),
  });
  try {
    const browser = world.browser();
    await browser.signIn("/", grace);
    assert.equal((await browser.script("/api/Directory/users")).json().value.length, 2);
    assert.equal((await browser.script("/api/Directory/me")).status, 400);
    assert.equal(world.grants("client_credentials").length, 1);
  } finally {
    await world.close();
  }
});
