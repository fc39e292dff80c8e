// How long a session lasts: cookie, entry in Workers KV and row in the object end together, and what is gone is over on
// every path.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { assertEnded, assertEndedForAll, assertGoesOn } from "./endings.mjs";
import { lasting } from "./token-responses.mjs";
import { until } from "./until.mjs";
import { startWorld } from "./world.mjs";

const [idle, absolute] = [600, 1800];

let world;
let alone;
let ahead = 0;
before(async () => {
  const vars = { Session: { IdleSeconds: idle, AbsoluteSeconds: absolute } };
  const settings = [{ backchannel: true }, { backchannel: true, withAccounts: false }];
  [world, alone] = await Promise.all(settings.map((places) => startWorld({ vars, provider: { adjust: lasting }, ...places })));
});
after(() => Promise.all([world.close(), alone.close()]));

function pass(seconds) {
  ahead += seconds;
  return Promise.all([world, alone].map((place) => place.advance(ahead)));
}

async function signedIn(place) {
  const before = new Set((await place.allKeys()).map(({ name }) => name));
  const browser = place.browser();
  await browser.signIn();
  const added = async () => (await place.allKeys()).filter(({ name }) => !before.has(name) && !name.startsWith("op/"));
  await until(async () => (await added()).length === 2);
  return { browser, session: browser.session, keys: await added() };
}

/** The Max-Age of the last session cookie that a browser got, in seconds. */
function maxAge({ seen }) {
  const lines = seen.flatMap(({ setCookies }) => setCookies).filter((line) => line.startsWith("__Host-session="));
  return Number(lines.at(-1).match(/Max-Age=(\d+)/)[1]);
}

function assertNear(moment, wanted, what) {
  assert.ok(Math.abs(moment - wanted) < 60, `${what}: ${moment} is not about ${wanted}`);
}

const ringAll = async () => {
  for (const id of await world.worker.accounts.ids()) await world.worker.accounts.ring(id);
};

test("whoever comes back within the idle time stays signed in until the absolute end, and not a second longer", async () => {
  for (const place of [world, alone]) {
    const { browser, keys } = await signedIn(place);
    const begun = ahead;
    assert.equal(maxAge(browser), idle);
    const end = Date.now() / 1000 + absolute;
    for (const { name, metadata, expiration } of keys) {
      // Workers KV knows nothing of the tests' clock.
      assertNear(expiration, end, name);
      if (name.startsWith("account/")) assertNear(metadata.expires, end + ahead, name);
    }
    const rows = place === world ? await world.rows("session") : [];
    for (const row of rows) assertNear(row.expires_at, end + ahead, row.id);
    for (let steps = 1; steps <= 4; steps += 1) {
      await pass(idle / 2 + 10);
      const { session } = browser;
      assert.equal((await browser.step("/page/one")).status, 200);
      assert.notEqual(browser.session, session, "the cookie was not rolled");
      const left = absolute - (ahead - begun);
      assert.ok(maxAge(browser) <= Math.min(idle, left));
      assertNear(maxAge(browser), Math.min(idle, left), "Max-Age");
    }
    await pass(begun + absolute - ahead - 30);
    await browser.step("/page/one");
    await assertGoesOn(place, browser.session);
    await pass(30);
    await assertEndedForAll(place, browser.session);
  }
  // Each row has its end, and the alarm comes for it.
  await ringAll();
  assert.deepEqual(await world.rows("session"), []);
});

test("whoever stays away for the idle time is signed out, and what is kept of the session goes at its absolute end", async () => {
  for (const place of [world, alone]) {
    const { session } = await signedIn(place);
    await pass(idle - 30);
    await assertGoesOn(place, session);
    await pass(30);
    await assertEndedForAll(place, session);
  }
  assert.equal((await world.rows("session")).filter(({ metadata }) => metadata !== "{}").length, 1);
  await pass(absolute);
  await ringAll();
  assert.deepEqual(await world.rows("session"), []);
});

test("a script that polls in the background keeps nobody signed in", async () => {
  for (const place of [world, alone]) {
    const { browser, session } = await signedIn(place);
    for (const seconds of [idle / 2 + 10, idle / 2 - 40]) {
      await pass(seconds);
      for (const path of ["/page/one", "/api/Orders/whoami", "/.auth/me"]) assert.equal((await browser.script(path)).status, 200);
      assert.equal(browser.session, session);
    }
    await pass(30);
    await assertEnded(place, session);
  }
});

test("a session whose record is gone is signed out on every path, and its browser can sign in again", async () => {
  for (const place of [world, alone]) {
    const { browser, session, keys } = await signedIn(place);
    // Before that the record might be on its way.
    await pass(130);
    for (const { name } of keys) await place.store.delete(name);
    if (place === world) {
      for (const id of await world.worker.accounts.ids()) {
        if ((await world.tables(id)).length > 0) await world.worker.accounts.rows(id, "DELETE FROM session");
        await world.worker.accounts.crash(id);
      }
    }
    await place.freshInstance();
    await assertEnded(place, session);
    const page = await browser.navigate("/page/one");
    assert.deepEqual([page.status, page.url], [200, `${place.publicOrigin}/page/one`]);
    await assertGoesOn(place, browser.session);
    await assertEnded(place, session);
  }
});

test("an object whose sessions have all ended keeps nothing, once no cookie of theirs can be left", async () => {
  const { browser, session } = await signedIn(world);
  await browser.signOut({ atOp: false });
  await pass(absolute);
  await ringAll();
  assert.deepEqual(await world.rows("session"), []);
  assert.notDeepEqual(await world.rows("watermark"), []);
  await pass(90 * 24 * 3600);
  await ringAll();
  for (const id of await world.worker.accounts.ids()) assert.deepEqual(await world.tables(id), []);
  await assertEnded(world, session);
});
