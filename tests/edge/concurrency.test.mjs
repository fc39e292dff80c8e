// One renewal for a crowd, at an OP that rotates refresh tokens and ends the grant of whoever presents one twice.

import assert from "node:assert/strict";
import { request as httpRequest } from "node:http";
import { after, afterEach, before, test } from "node:test";

import { holdTokenResponse } from "./holds.mjs";
import { until } from "./until.mjs";
import { startWorld } from "./world.mjs";

const life = 600;
const pastTheEnd = life + 10;
const provider = { accessTokenSeconds: life };

let world;
let apart;
let alone;
before(async () => {
  const settings = [{}, { accountsApart: true }, { withAccounts: false }];
  [world, apart, alone] = await Promise.all(settings.map((places) => startWorld({ provider, ...places })));
});
after(() => Promise.all([world, apart, alone].map((place) => place.close())));
afterEach(() => Promise.all([world, apart, alone].map((place) => place.advance(0))));

async function signedIn(place) {
  const browser = place.browser();
  await browser.signIn();
  for (const name of ["Invoices", "Orders"]) assert.equal((await browser.script(`/api/${name}/whoami`)).status, 200);
  place.issued.refreshed.length = 0;
  place.op.events.length = 0;
  return browser;
}

function crowd(browser, size, ...names) {
  const call = (_, number) => browser.script(`/api/${names[number % names.length]}/whoami`);
  return Promise.all(Array.from({ length: size }, call));
}

function assertAllServed(answers) {
  const others = answers.filter(({ status }) => status !== 200).map(({ status, text }) => `${status} ${text}`);
  assert.deepEqual(others, []);
}

/** `count` renewals so far, no refresh token seen twice, and no complaint of the OP. */
function assertRenewed({ issued, op }, count) {
  assert.equal(issued.refreshed.length, count);
  assert.equal(new Set(issued.refreshed).size, count, "a refresh token was presented twice");
  assert.deepEqual(op.events.filter(({ event }) => event !== "grant.success"), []);
}

const instances = {
  "an instance that knows the session": [() => world, () => {}],
  "a fresh instance": [() => world, () => world.freshInstance()],
  "an isolate that is not the object's": [() => apart, () => {}],
  "a fresh instance in such an isolate": [() => apart, () => apart.freshInstance()],
  "an instance on Workers KV alone": [() => alone, () => {}],
  "a fresh instance on Workers KV alone": [() => alone, () => alone.freshInstance()],
};
for (const [name, [where, prepare]] of Object.entries(instances)) {
  test(`a hundred requests with an expired token make one token request through ${name}`, async () => {
    const browser = await signedIn(where());
    for (let lives = 1; lives <= 2; lives += 1) {
      await where().advance(lives * pastTheEnd);
      await prepare();
      const before = where().invoices.requests.length;
      assertAllServed(await crowd(browser, 100, "Invoices"));
      const sent = where().invoices.requests.slice(before).map(({ headers }) => headers.authorization);
      assert.deepEqual([sent.length, new Set(sent).size], [100, 1]);
      assertRenewed(where(), lives);
    }
  });

  test(`a hundred requests to two APIs make one token request for each through ${name}`, async () => {
    const browser = await signedIn(where());
    for (let lives = 1; lives <= 2; lives += 1) {
      await where().advance(lives * pastTheEnd);
      await prepare();
      assertAllServed(await crowd(browser, 100, "Invoices", "Orders"));
      assertRenewed(where(), 2 * lives);
    }
  });
}

test("two browsers of one account renew each for itself, and neither takes the other's token away", async () => {
  const browsers = [await signedIn(world), await signedIn(world)];
  await world.advance(pastTheEnd);
  const answers = await Promise.all(browsers.map((browser) => crowd(browser, 20, "Orders")));
  assertAllServed(answers.flat());
  assertRenewed(world, 2);
});

test("a browser that hangs up in the middle of a renewal loses nothing, and whoever waits for it has the new token", async () => {
  for (const place of [world, apart, alone]) {
    const browser = await signedIn(place);
    await place.advance(pastTheEnd);
    const { held, release } = holdTokenResponse(place.op);
    const url = { host: "127.0.0.1", port: place.port, path: "/api/Orders/whoami" };
    const request = httpRequest({ ...url, headers: { host: `localhost:${place.port}`, ...browser.scriptHeaders() } });
    request.on("error", () => {}).end();
    await held;
    const waiting = crowd(browser, 5, "Orders");
    // Sent later than they, and answered: they are waiting by now.
    await browser.script("/");
    request.destroy();
    release();
    assertAllServed(await waiting);
    await until(async () => (await place.events()).some(({ event }) => event === "token.refreshed"));
    assertAllServed(await crowd(browser, 5, "Orders"));
    assertRenewed(place, 1);
    await place.advance(2 * pastTheEnd);
    assertAllServed([await browser.script("/api/Orders/whoami")]);
    assertRenewed(place, 2);
  }
});
