// Whatever happens to the store, a session whose entry is not its own is over.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { isSignInForm } from "./browser.mjs";
import { alice, bob } from "./people.mjs";
import { startWorld } from "./world.mjs";

let world;
before(async () => {
  world = await startWorld({ vars: { Session: { RevocationDelay: 0 } } });
});
after(() => world.close());

async function signedIn(account) {
  const before = new Set((await world.accountEntries()).map(({ name }) => name));
  const browser = world.browser();
  await browser.signIn("/", account);
  const entry = (await world.accountEntries()).find(({ name }) => !before.has(name));
  return { browser, key: entry.name, value: Buffer.from(await world.store.get(entry.name, "arrayBuffer")) };
}

const breakages = {
  "is overwritten with text": ({ key }) => world.store.put(key, "garbage"),
  "is emptied": ({ key }) => world.store.put(key, ""),
  "has its last byte flipped": ({ key, value }) => world.store.put(key, flipped(value, value.length - 1)),
  "has its first byte flipped": ({ key, value }) => world.store.put(key, flipped(value, 0)),
  "is cut short": ({ key, value }) => world.store.put(key, value.subarray(0, -1)),
  "is another session's of the same account": async ({ key }) => world.store.put(key, (await signedIn(alice)).value),
  "is another account's": async ({ key }) => world.store.put(key, (await signedIn(bob)).value),
  "is deleted": ({ key }) => world.store.delete(key),
};

function flipped(value, position) {
  const copy = Buffer.from(value);
  copy[position] ^= 1;
  return copy;
}

for (const [name, breakEntry] of Object.entries(breakages)) {
  test(`a session whose entry ${name} is over`, async () => {
    const own = await signedIn(alice);
    await breakEntry(own);
    const { session } = own.browser;
    const served = [world.origin.requests.length, world.orders.requests.length];
    for (const path of ["/.auth/me", "/page/one", "/api/Orders/orders"]) {
      own.browser.session = session;
      const answer = await own.browser.script(path);
      assert.deepEqual([answer.status, answer.json().code], [401, "session_expired"]);
      assert.equal(own.browser.session, undefined, "the cookie was not cleared");
    }
    assert.deepEqual([world.origin.requests.length, world.orders.requests.length], served);
    own.browser.session = session;
    const page = await own.browser.step("/page/one");
    assert.equal(page.status, 302);
    assert.equal(own.browser.session, undefined);
    const refusals = (await world.events()).filter(({ code }) => code === "session_expired");
    assert.match(refusals.at(-1).reason, /EntryDoesNotOpen|EntryMissing/);
    const stranger = world.browser();
    assert.ok(isSignInForm(await stranger.navigate("/page/one"), world));
  });
}

test("an entry that moved to another key opens nothing there", async () => {
  const [first, second] = [await signedIn(alice), await signedIn(alice)];
  await world.store.put(second.key, first.value);
  await world.store.put(first.key, second.value);
  for (const { browser } of [first, second]) {
    assert.equal((await browser.script("/.auth/me")).json().code, "session_expired");
  }
});

test("documents of the OP that are garbage in the store are fetched again", async () => {
  await signedIn(alice);
  for (const { name } of await world.allKeys()) if (name.startsWith("op/")) await world.store.put(name, "garbage");
  await world.freshInstance();
  const browser = world.browser();
  assert.equal((await browser.signIn("/page/one")).url, `${world.publicOrigin}/page/one`);
});
