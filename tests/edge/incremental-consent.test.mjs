// An API whose scopes are asked for when it is first called, at an OP that rotates a refresh token before it refuses the
// resource that it was not issued for.

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";

import { alice, bob } from "./people.mjs";
import { assertProblem } from "./refusals.mjs";
import { resources, startWorld } from "./world.mjs";

const life = 60;
let ahead = 0;
let world;
before(async () => {
  const apiVars = { Orders: { IncrementalConsent: true } };
  world = await startWorld({ provider: { accessTokenSeconds: life }, apiVars });
});
after(() => world.close());
beforeEach(() => {
  world.op.requests.length = 0;
  world.op.events.length = 0;
});

const passLife = () => world.advance((ahead += life + 5));

async function signedIn() {
  const browser = world.browser();
  await browser.signIn("/", alice);
  return browser;
}

/** The resources of each authorization request so far. */
function asked() {
  const requests = world.op.requests.filter(({ url }) => url.startsWith("/auth?"));
  return requests.map(({ url }) => new URL(url, world.op.issuer).searchParams.getAll("resource"));
}

async function assertBothServedFor(browser, lives) {
  for (let count = 0; count < lives; count += 1) {
    for (const name of ["Orders", "Invoices", "Orders"]) {
      const answer = await browser.script(`/api/${name}/whoami`);
      assert.deepEqual([answer.status, answer.json().aud], [200, resources[name]]);
    }
    await passLife();
  }
  assert.deepEqual(world.op.events.filter(({ event }) => /revoked|error/.test(event)), []);
}

test("a sign-in asks for neither scopes nor resource of the API, and other APIs are served", async () => {
  const browser = await signedIn();
  assert.deepEqual(asked(), [[resources.Invoices]]);
  assert.equal((await browser.script("/api/Invoices/whoami")).status, 200);
});

test("a navigation to the API is sent to the OP once, and comes back to where it was going", async () => {
  const browser = await signedIn();
  const before = browser.session;
  const page = await browser.navigate("/api/Orders/whoami?x=1");
  assert.deepEqual([page.status, page.url], [200, `${world.publicOrigin}/api/Orders/whoami?x=1`]);
  assert.equal(JSON.parse(page.text).aud, resources.Orders);
  assert.deepEqual(asked(), [[resources.Invoices], [resources.Orders, resources.Invoices]]);
  assert.notEqual(browser.session, before);
  await assertBothServedFor(browser, 3);
  assert.equal(asked().length, 2, "exactly one sign-in for the API");
});

test("a script is told what is missing and where to sign in; after that its call succeeds", async () => {
  const browser = await signedIn();
  const refused = await browser.script("/api/Orders/whoami");
  assertProblem(refused, 401, "interaction_required");
  const { api, scopes, login_url: loginUrl } = refused.json();
  assert.deepEqual([api, scopes], ["Orders", ["orders.read", "orders.write"]]);
  const page = await browser.navigate(loginUrl);
  assert.deepEqual([page.status, page.url], [200, `${world.publicOrigin}/page/one`]);
  await assertBothServedFor(browser, 3);
  assert.equal(asked().length, 2);
});

test("until somebody signs in for it, the API costs the others nothing, however often it is called", async () => {
  const browser = await signedIn();
  for (let lives = 0; lives < 3; lives += 1) {
    assertProblem(await browser.script("/api/Orders/whoami"), 401, "interaction_required");
    assert.equal((await browser.script("/api/Invoices/whoami")).status, 200);
    await passLife();
  }
  assert.deepEqual(asked().length, 1);
  assert.deepEqual(world.op.events.filter(({ event }) => /revoked|error/.test(event)), []);
});

test("the address to sign in at serves the account that it was made for, and no other", async () => {
  const browser = await signedIn();
  const { login_url: loginUrl } = (await browser.script("/api/Orders/whoami")).json();
  const { searchParams } = new URL(loginUrl);
  const changed = `${loginUrl.slice(0, -4)}AAAA`;
  const refused = await browser.navigate(changed);
  assert.deepEqual([refused.status, searchParams.get("return_to")], [400, "/page/one"]);
  const stranger = world.browser();
  await stranger.signIn("/", bob);
  const mismatch = await stranger.navigate(loginUrl);
  assert.equal(mismatch.status, 403, mismatch.text);
  assert.equal((await stranger.script("/.auth/me")).json().sub, bob.claims.sub);
});
