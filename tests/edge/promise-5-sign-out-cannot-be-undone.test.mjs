// What a sign-out means for the other isolates, and for whatever is under way while it happens.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { holdTokenResponse } from "./holds.mjs";
import { alice } from "./people.mjs";
import { until } from "./until.mjs";
import { startWorld } from "./world.mjs";

const life = 60;
const provider = { accessTokenSeconds: life };
let ahead = 0;
let world;
let strict;
before(async () => {
  const vars = { Session: { RevocationDelay: 0 } };
  const settings = [{ provider }, { provider, vars, accountsApart: true }];
  [world, strict] = await Promise.all(settings.map(startWorld));
});
after(() => Promise.all([world.close(), strict.close()]));

const paths = ["/.auth/me", "/page/one", "/api/Invoices/whoami"];
const pass = (seconds) => Promise.all([world, strict].map((place) => place.advance((ahead += seconds))));

async function signedIn(place) {
  const browser = place.browser();
  await browser.signIn("/", alice);
  for (const path of paths) assert.equal((await browser.script(path)).status, 200);
  return browser;
}

async function statuses(place, session) {
  const replay = place.browser();
  const answers = [];
  for (const path of paths) {
    replay.session = session;
    answers.push((await replay.script(path)).status);
  }
  return answers;
}

/** A sign-out as another isolate carries it out: this one hears of it from the object alone. */
async function signOutElsewhere(place) {
  const entries = () => place.accountEntries();
  const [{ name }] = await until(async () => ((await entries()).length > 0 ? entries() : undefined));
  const account = name.split("/").slice(0, 2).join("/");
  const begun = [];
  for (const id of await place.worker.accounts.ids()) begun.push(...(await place.worker.accounts.rows(id, "SELECT issued_at FROM session")));
  const ask = { SignOut: { prefix: `${account}/`, until: Math.max(...begun.map((row) => row.issued_at)) } };
  const reply = await place.worker.accounts.call(account, JSON.stringify({ trace: "elsewhere", ask }));
  assert.deepEqual(reply, { answer: '{"Done":{}}' });
}

async function assertNothingIsLeft(place) {
  assert.deepEqual(await place.accountEntries(), []);
  for (const id of await place.worker.accounts.ids()) {
    assert.deepEqual(await place.worker.accounts.rows(id, "SELECT id FROM session"), []);
  }
}

test("with a delay of 0 a sign-out elsewhere is seen at once", async () => {
  const browsers = [await signedIn(strict), await signedIn(strict)];
  await signOutElsewhere(strict);
  for (const { session } of browsers) assert.deepEqual(await statuses(strict, session), [401, 401, 401]);
  await assertNothingIsLeft(strict);
});

test("otherwise it is seen within RevocationDelay, 10 s by default, and by an instance that knows nothing at once", async () => {
  const { session } = await signedIn(world);
  await signOutElsewhere(world);
  await pass(5);
  assert.deepEqual(await statuses(world, session), [200, 200, 200]);
  await pass(5);
  assert.deepEqual(await statuses(world, session), [401, 401, 401]);
  const other = await signedIn(world);
  await signOutElsewhere(world);
  await world.freshInstance();
  assert.deepEqual(await statuses(world, other.session), [401, 401, 401]);
  await assertNothingIsLeft(world);
});

const signOuts = { "from the same browser": (browser) => browser.signOut({ atOp: false }), elsewhere: () => signOutElsewhere(world) };
for (const [where, signOut] of Object.entries(signOuts)) {
  test(`a renewal that a sign-out ${where} overtakes brings nothing back, and a sign-in right after works`, async () => {
    const browser = await signedIn(world);
    const { session } = browser;
    await pass(life + 5);
    const { held, release } = holdTokenResponse(world.op);
    const call = browser.script("/api/Orders/whoami");
    await held;
    await signOut(browser);
    const again = world.browser();
    await again.signIn("/", alice);
    release();
    assert.equal((await call).json().code, "session_expired");
    assert.deepEqual(await statuses(world, session), [401, 401, 401]);
    await world.freshInstance();
    assert.deepEqual(await statuses(world, session), [401, 401, 401]);
    assert.equal((await again.script("/api/Orders/whoami")).status, 200);
    await again.signOut({ atOp: false });
    await assertNothingIsLeft(world);
  });
}

test("a copy that comes back to Workers KV after a sign-out opens nothing", async () => {
  const browser = await signedIn(world);
  const { session } = browser;
  const [{ name }] = await until(async () => ((await world.accountEntries()).length > 0 ? world.accountEntries() : undefined));
  const copy = await world.store.get(name, "arrayBuffer");
  await browser.signOut({ atOp: false });
  await world.store.put(name, copy);
  await world.freshInstance();
  assert.deepEqual(await statuses(world, session), [401, 401, 401]);
  await (await signedIn(world)).signOut({ atOp: false });
  await assertNothingIsLeft(world);
});

test("a sign-in in the second of a sign-out goes on, also where only the object knows of the sign-out", async () => {
  for (let round = 0; round < 3; round += 1) {
    const { session } = await signedIn(world);
    await signOutElsewhere(world);
    const next = await signedIn(world);
    await world.freshInstance();
    assert.deepEqual(await statuses(world, next.session), [200, 200, 200]);
    assert.deepEqual(await statuses(world, session), [401, 401, 401]);
  }
});
