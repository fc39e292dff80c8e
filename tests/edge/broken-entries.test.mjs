// A session whose entry is not its own is over, wherever the entry is kept: in Workers KV alone, or in the account's
// object, beside which a broken copy in Workers KV changes nothing.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { isSignInForm } from "./browser.mjs";
import { alice, bob } from "./people.mjs";
import { until } from "./until.mjs";
import { startWorld } from "./world.mjs";

const vars = { Session: { RevocationDelay: 0 } };
let alone;
let world;
before(async () => {
  [alone, world] = await Promise.all([startWorld({ vars, withAccounts: false }), startWorld({ vars })]);
});
after(() => Promise.all([alone.close(), world.close()]));

async function signedIn(place, account = alice) {
  const before = new Set((await place.accountEntries()).map(({ name }) => name));
  const browser = place.browser();
  await browser.signIn("/", account);
  const { name: key } = await until(async () => (await place.accountEntries()).find(({ name }) => !before.has(name)));
  return { place, browser, key, value: Buffer.from(await place.store.get(key, "arrayBuffer")) };
}

function flipped(value, position) {
  const copy = Buffer.from(value);
  copy[position] ^= 1;
  return copy;
}

const breakages = {
  "is overwritten with text": () => Buffer.from("garbage"),
  "is emptied": () => Buffer.alloc(0),
  "has its last byte flipped": ({ value }) => flipped(value, value.length - 1),
  "has its first byte flipped": ({ value }) => flipped(value, 0),
  "is cut short": ({ value }) => value.subarray(0, -1),
  "is another session's of the same account": async ({ place }) => (await signedIn(place)).value,
  "is another account's": async ({ place }) => (await signedIn(place, bob)).value,
};

/** In Workers KV, and with the account's object there, too. */
const placesOfTruth = {
  "Workers KV alone": async (own, value) => alone.store.put(own.key, value),
  "the account's object": async ({ key }, value) => {
    await world.store.put(key, value);
    await rows(key, `UPDATE session SET entry = x'${value.toString("hex")}' WHERE id = ?`);
    // An isolate that has the same revision is not sent the entry again.
    await world.freshInstance();
  },
};

/** Runs a statement about one session in whichever object has it. */
async function rows(key, statement) {
  const id = key.split("/")[2];
  for (const object of await world.worker.accounts.ids()) await world.worker.accounts.rows(object, statement, id);
}

async function assertIsOver({ place, browser }) {
  const { session } = browser;
  const served = [place.origin.requests.length, place.orders.requests.length];
  for (const path of ["/.auth/me", "/page/one", "/api/Orders/orders"]) {
    browser.session = session;
    const answer = await browser.script(path);
    assert.deepEqual([answer.status, answer.json().code], [401, "session_expired"]);
    assert.equal(browser.session, undefined, "the cookie was not cleared");
  }
  assert.deepEqual([place.origin.requests.length, place.orders.requests.length], served);
  browser.session = session;
  assert.equal((await browser.step("/page/one")).status, 302);
  assert.equal(browser.session, undefined);
  const refusals = (await place.events()).filter(({ code }) => code === "session_expired");
  assert.match(refusals.at(-1).reason, /EntryDoesNotOpen|EntryMissing/);
  assert.ok(isSignInForm(await place.browser().navigate("/page/one"), place));
}

for (const [where, breakEntry] of Object.entries(placesOfTruth)) {
  for (const [name, broken] of Object.entries(breakages)) {
    test(`in ${where}: a session whose entry ${name} is over`, async () => {
      const own = await signedIn(where === "Workers KV alone" ? alone : world);
      await breakEntry(own, await broken(own));
      await assertIsOver(own);
    });
  }
}

test("in Workers KV alone: a session whose entry is deleted is over once a miss proves that", async () => {
  const own = await signedIn(alone);
  await alone.store.delete(own.key);
  const early = await own.browser.script("/.auth/me");
  assert.deepEqual([early.status, early.json().code, early.headers["retry-after"]], [503, "cache_unavailable", "5"]);
  await alone.advance(130);
  await assertIsOver(own);
  await alone.advance(0);
});

for (const [name, broken] of Object.entries({ ...breakages, "is deleted": undefined })) {
  test(`a copy in Workers KV that ${name} changes nothing while the account's object has the entry`, async () => {
    const own = await signedIn(world);
    await (broken ? world.store.put(own.key, await broken(own)) : world.store.delete(own.key));
    for (let isCold = 0; isCold < 2; isCold += 1) {
      assert.equal((await own.browser.script("/.auth/me")).json().sub, alice.claims.sub);
      assert.equal((await own.browser.script("/api/Orders/orders")).status, 200);
      await world.freshInstance();
    }
  });
}

for (const [where, put] of Object.entries(placesOfTruth)) {
  test(`an entry in ${where} that does not open is removed by a sign-out like any other`, async () => {
    const own = await signedIn(where === "Workers KV alone" ? alone : world);
    await put(own, Buffer.from("garbage"));
    const page = await own.browser.signOut({ atOp: false });
    assert.deepEqual([page.status, own.browser.session], [200, undefined]);
    assert.ok(!(await own.place.accountEntries()).some(({ name }) => name === own.key));
  });
}

test("an object that lost a row takes the session over from Workers KV, and without the copy it is over", async () => {
  const own = await signedIn(world);
  await rows(own.key, "DELETE FROM session WHERE id = ?");
  await world.freshInstance();
  assert.equal((await own.browser.script("/.auth/me")).status, 200);
  await world.store.delete(own.key);
  await world.freshInstance();
  assert.equal((await own.browser.script("/.auth/me")).status, 200);
  await rows(own.key, "DELETE FROM session WHERE id = ?");
  await world.freshInstance();
  await world.advance(130);
  await assertIsOver(own);
  await world.advance(0);
});

test("an entry that moved to another key opens nothing there", async () => {
  const [first, second] = [await signedIn(alone), await signedIn(alone)];
  await alone.store.put(second.key, first.value);
  await alone.store.put(first.key, second.value);
  for (const { browser } of [first, second]) {
    assert.equal((await browser.script("/.auth/me")).json().code, "session_expired");
  }
});

test("documents of the OP that are garbage in the store are fetched again", async () => {
  await signedIn(world);
  for (const { name } of await world.allKeys()) if (name.startsWith("op/")) await world.store.put(name, "garbage");
  await world.freshInstance();
  const browser = world.browser();
  assert.equal((await browser.signIn("/page/one")).url, `${world.publicOrigin}/page/one`);
});
