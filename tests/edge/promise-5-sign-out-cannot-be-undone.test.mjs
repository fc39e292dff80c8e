// Promise 5: whichever way a session ended, nothing that is under way, left over or sent again brings it back.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, beforeEach, test } from "node:test";

import { assertEnded, assertEndedForAll, assertGoesOn } from "./endings.mjs";
import { holdPage, holdTokenResponse } from "./holds.mjs";
import { lastSid } from "./logout-tokens.mjs";
import { signOuts } from "./sign-outs.mjs";
import { keepKeys, lasting } from "./token-responses.mjs";
import { until } from "./until.mjs";
import { startWorld } from "./world.mjs";

const operatorKey = randomBytes(32).toString("base64");
const life = 60;
const idle = 3600;

let world;
let alone;
let database;
let objects;
let ahead = 0;
const places = () => [world, alone, database, objects];
before(async () => {
  const apart = { accountsApart: true };
  const all = [apart, { withAccounts: false }, { ...apart, tokenCache: "D1", withAccounts: false }, { ...apart, tokenCache: "DurableObject" }];
  [world, alone, database, objects] = await Promise.all(all.map(startWithKey));
});
after(() => Promise.all(places().map((place) => place.close())));
// A session that begins in the second of a sign-out counts from the next one.
beforeEach(() => pass(2));

async function startWithKey(places) {
  const { kept, adjust } = keepKeys();
  const provider = { accessTokenSeconds: life, adjust: (configuration) => lasting(adjust(configuration)) };
  const place = await startWorld({ backchannel: true, secrets: { Operator__Key: operatorKey }, provider, ...places });
  const keysPerSession = places.tokenCache === "DurableObject" ? 0 : 2;
  return Object.assign(place, { key: kept.keys.find(({ alg }) => alg === "RS256"), keysPerSession });
}

function pass(seconds) {
  ahead += seconds;
  return Promise.all(places().map((place) => place.advance(ahead)));
}

const names = async (place) => (await place.allKeys()).map(({ name }) => name).filter((name) => !name.startsWith("op/"));

/** A browser, what Workers KV has of its session, and what ends it. */
async function signedIn(place) {
  const before = new Set(await names(place));
  const browser = place.browser();
  await browser.signIn();
  const sid = lastSid(place);
  await assertGoesOn(place, browser.session);
  const added = async () => (await names(place)).filter((name) => !before.has(name));
  await until(async () => (await added()).length === place.keysPerSession);
  const end = (signOut, more) => signOut(place, { browser, sid, key: place.key, operatorKey, ...more });
  return { browser, session: browser.session, keys: await added(), end };
}

async function assertNothingIsKept(place, keys) {
  const left = await names(place);
  assert.deepEqual(keys.filter((name) => left.includes(name)), []);
}

for (const [how, signOut] of Object.entries(signOuts)) {
  for (const isElsewhere of [false, true]) {
    const where = isElsewhere ? ", in another isolate," : "";
    test(`a renewal under way while a session ends ${how}${where} brings nothing back`, async () => {
      for (const place of [world, database, objects]) {
        const { browser, session, keys, end } = await signedIn(place);
        await pass(life + 5);
        const { held, release } = holdTokenResponse(place.op);
        const call = browser.script("/api/Orders/whoami", { headers: { cookie: `__Host-session=${session}` } });
        await held;
        await end(signOut, { isElsewhere });
        release();
        assert.deepEqual([(await call).status, (await call).json().code], [401, "session_expired"]);
        if (isElsewhere) await place.freshInstance();
        await assertEndedForAll(place, session);
        await assertNothingIsKept(place, keys);
        await pass(2);
      }
    });
  }

  test(`a renewal under way while a session ends ${how} brings nothing back on Workers KV alone either, in the isolate that knows`, async () => {
    for (const age of [0, 130]) {
      const { browser, session, keys, end } = await signedIn(alone);
      await pass(age);
      await pass(life + 5);
      const { held, release } = holdTokenResponse(alone.op);
      const call = browser.script("/api/Orders/whoami", { headers: { cookie: `__Host-session=${session}` } });
      await held;
      await end(signOut);
      release();
      assert.deepEqual([(await call).status, (await call).json().code], [401, "session_expired"], `${age}`);
      await assertNothingIsKept(alone, keys);
      // Until then its entry might be on its way to an isolate that knows nothing.
      await pass(130);
      await assertEndedForAll(alone, session);
    }
  });

  test(`neither the cookie from before nor one rolled while a session ends ${how} opens anything`, async () => {
    for (const place of [world, database, objects]) {
      const { browser, session, keys, end } = await signedIn(place);
      await pass(idle / 2 + 5);
      const { held, release } = holdPage(place.origin);
      const page = browser.step("/page/held", { headers: { cookie: `__Host-session=${session}` } });
      await held;
      await end(signOut);
      release();
      await page;
      assert.ok(browser.session && browser.session !== session, "the cookie was not rolled");
      for (const cookie of [session, browser.session]) await assertEndedForAll(place, cookie);
      await assertNothingIsKept(place, keys);
    }
  });

  test(`copies that come back to Workers KV after a session ended ${how} open nothing`, async () => {
    const { session, keys, end } = await signedIn(world);
    const copies = [];
    for (const name of keys) copies.push([name, await world.store.getWithMetadata(name, "arrayBuffer")]);
    await end(signOut);
    await assertNothingIsKept(world, keys);
    for (const [name, { value, metadata }] of copies) await world.store.put(name, value, { metadata });
    await assertEndedForAll(world, session);
    // The objects' memory is no part of it.
    for (const id of await world.worker.accounts.ids()) await world.worker.accounts.crash(id);
    await assertEndedForAll(world, session);
    for (const [name] of copies) await world.store.delete(name);
  });

  test(`a sign-in on another device right after a session ended ${how} begins a session and continues none`, async () => {
    for (let round = 0; round < 2; round += 1) {
      const { session, end } = await signedIn(world);
      await end(signOut, { isElsewhere: round === 1 });
      const next = await signedIn(world);
      await world.freshInstance();
      await assertGoesOn(world, next.session);
      await assertEnded(world, session);
      await pass(life + 5);
      await assertGoesOn(world, next.session);
      await assertEnded(world, session);
      await pass(2);
    }
  });
}
