// Promise 4: sign-out is bounded and stated. Whichever way a session ends, each isolate knows within RevocationDelay, and
// one that has nothing in memory at once.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, beforeEach, test } from "node:test";

import { answersTo, assertEnded, assertGoesOn } from "./endings.mjs";
import { lastSid } from "./logout-tokens.mjs";
import { bob } from "./people.mjs";
import { accountSignOuts, sessionSignOuts, signOuts } from "./sign-outs.mjs";
import { keepKeys } from "./token-responses.mjs";
import { until } from "./until.mjs";
import { startWorld } from "./world.mjs";

const operatorKey = randomBytes(32).toString("base64");
const delay = 10;

let world;
let strict;
let alone;
let database;
let objects;
let ahead = 0;
const places = () => [world, strict, alone, database, objects];
before(async () => {
  const vars = { Session: { RevocationDelay: 0 } };
  const all = [{}, { vars }, { withAccounts: false }, { tokenCache: "D1", withAccounts: false }, { tokenCache: "DurableObject" }];
  [world, strict, alone, database, objects] = await Promise.all(all.map(startWithKey));
});
after(() => Promise.all(places().map((place) => place.close())));
// A session that begins in the second of a sign-out counts from the next one.
beforeEach(() => pass(2));

async function startWithKey(settings) {
  const { kept, adjust } = keepKeys();
  const secrets = { Operator__Key: operatorKey };
  const place = await startWorld({ accountsApart: true, backchannel: true, secrets, provider: { adjust }, ...settings });
  return Object.assign(place, { key: kept.keys.find(({ alg }) => alg === "RS256") });
}

function pass(seconds) {
  ahead += seconds;
  return Promise.all(places().map((place) => place.advance(ahead)));
}

async function signedIn(place, account) {
  const browser = place.browser();
  await browser.signIn("/", account);
  const { session } = browser;
  const sid = lastSid(place);
  // Both isolates know it.
  for (const isElsewhere of [false, true]) await assertGoesOn(place, session, { isElsewhere });
  return { browser, session, end: (signOut, more) => signOut(place, { browser, sid, key: place.key, operatorKey, ...more }) };
}

const apart = { isElsewhere: true };

for (const [how, signOut] of Object.entries(signOuts)) {
  test(`a session that ends ${how} is over for another isolate within RevocationDelay, and for this one at once`, async () => {
    for (const place of [world, database, objects]) {
      const { session, end } = await signedIn(place);
      await end(signOut);
      await assertEnded(place, session);
      assert.deepEqual(await answersTo(place, session, apart), [200, 200, 200], "the delay is another one than is said");
      await pass(delay);
      await assertEnded(place, session, apart);
    }
  });

  test(`a session that ends ${how} in another isolate is over for one that knows nothing of it at once`, async () => {
    for (const place of [world, database, objects]) {
      const { session, end } = await signedIn(place);
      await end(signOut, apart);
      await place.freshInstance();
      await assertEnded(place, session);
    }
  });

  test(`with a delay of 0 a session that ends ${how} is over everywhere at once`, async () => {
    for (const isElsewhere of [false, true]) {
      const { session, end } = await signedIn(strict);
      await end(signOut, { isElsewhere });
      for (const more of [{ isElsewhere }, { isElsewhere: !isElsewhere }]) await assertEnded(strict, session, more);
      await pass(2);
    }
  });

  test(`on Workers KV alone a session that ends ${how} is over within RevocationDelay and KV's own delay`, async () => {
    const { session, end } = await signedIn(alone);
    await until(async () => (await alone.accountEntries()).length > 0);
    // Later, nobody takes a missing entry for one that is on its way.
    await pass(130);
    for (const more of [{}, apart]) await assertGoesOn(alone, session, more);
    await end(signOut);
    await assertEnded(alone, session);
    await pass(delay);
    await assertEnded(alone, session, apart);
  });
}

test("what ends one session leaves the others of its account, and what ends an account leaves everybody else's", async () => {
  for (const place of [world, alone, database, objects]) {
    const his = await signedIn(place, bob);
    for (const signOut of Object.values(sessionSignOuts)) {
      const [other, { session, end }] = [await signedIn(place), await signedIn(place)];
      await end(signOut);
      await pass(delay);
      await assertGoesOn(place, other.session);
      assert.notDeepEqual(await answersTo(place, session), [200, 200, 200]);
    }
    for (const signOut of Object.values(accountSignOuts)) {
      const [other, { session, end }] = [await signedIn(place), await signedIn(place)];
      await end(signOut);
      await pass(delay);
      for (const ended of [other.session, session]) assert.notDeepEqual(await answersTo(place, ended), [200, 200, 200]);
    }
    await assertGoesOn(place, his.session);
  }
});
