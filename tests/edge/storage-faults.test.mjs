// Workers KV in trouble while the accounts' objects are well: KV holds copies, so that nobody notices before a sign-out.

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";

import { assertEnded } from "./endings.mjs";
import { alice, bob } from "./people.mjs";
import { until } from "./until.mjs";
import { startWorld } from "./world.mjs";

const life = 60;
const pastTheEnd = life + 5;

let world;
let ahead = 0;
before(async () => {
  const vars = { Session: { RevocationDelay: 0 } };
  world = await startWorld({ provider: { accessTokenSeconds: life }, vars });
  // From here on the OP's documents are known and stored.
  await world.browser().signIn();
});
after(() => world.close());
afterEach(() => world.worker.command({ store: "up" }));

async function signedIn(account = alice) {
  const browser = world.browser();
  await browser.signIn("/", account);
  return browser;
}

async function assertServed(browser, { claims }) {
  assert.equal((await browser.script("/.auth/me")).json().sub, claims.sub);
  for (const name of ["Invoices", "Orders"]) assert.equal((await browser.script(`/api/${name}/whoami`)).json().sub, claims.sub);
}

const passLife = () => world.advance((ahead += pastTheEnd));
const all = (fault) => ({ get: fault, put: fault, list: fault, delete: fault });

for (const fault of ["fail", "throttle", "lost", "hang"]) {
  const store = all(fault);
  test(`every operation: ${fault}: sessions, renewals and sign-ins go on, in a fresh instance, too`, async () => {
    const [hers, his] = [await signedIn(alice), await signedIn(bob)];
    world.op.events.length = 0;
    await world.worker.command({ store });
    for (let lives = 0; lives < 2; lives += 1) {
      await passLife();
      await Promise.all([assertServed(hers, alice), assertServed(his, bob)]);
      // While KV hangs, a fresh instance reads the OP's documents from the OP, but only after the limit.
      if (fault !== "hang") await world.freshInstance();
    }
    const another = await signedIn(bob);
    await assertServed(another, bob);
    assert.deepEqual(world.op.events.filter(({ event }) => /revoked|error/.test(event)), []);
  });
}

for (const [operation, ...faults] of [["list", "fail", "throttle", "hang"], ["delete", "fail", "throttle", "lost"]]) {
  test(`${operation} that does not work: a sign-out is not called one, and has ended the session all the same`, async () => {
    // Only her entries are left.
    await (await signedIn(bob)).signOut({ atOp: false });
    for (const fault of faults) {
      const browser = await signedIn();
      const { session } = browser;
      await until(async () => (await world.accountEntries()).length > 0);
      await world.worker.command({ store: { [operation]: fault } });
      const failed = await browser.signOut({ atOp: false });
      assert.deepEqual([failed.status, failed.headers["retry-after"], browser.session], [503, "5", session], fault);
      assert.doesNotMatch(failed.text, /You are signed out/);
      const replay = world.browser();
      replay.session = session;
      assert.equal((await replay.script("/.auth/me")).json().code, "session_expired", fault);
      await world.worker.command({ store: "up" });
      const page = await browser.signOut({ atOp: false });
      assert.deepEqual([page.status, browser.session], [200, undefined], fault);
      assert.deepEqual(await world.accountEntries(), [], fault);
      await assertServed(await signedIn(), alice);
    }
  });
}

test("what a sign-out could not delete is deleted by an alarm, though nobody tries again", async () => {
  const browser = await signedIn();
  const { session } = browser;
  await until(async () => (await world.accountEntries()).length > 0);
  await world.worker.command({ store: { delete: "fail", list: "fail" } });
  assert.equal((await browser.signOut({ atOp: false })).status, 503);
  await world.worker.command({ store: "up" });
  assert.notDeepEqual(await world.accountEntries(), []);
  for (const id of await world.worker.accounts.ids()) await world.worker.accounts.ring(id);
  assert.deepEqual([await world.accountEntries(), await world.rows("deletion")], [[], []]);
  await assertEnded(world, session);
});

test("get and put that do not work stop no sign-out", async () => {
  for (const fault of ["fail", "hang", "stale", "throttle", "lost"]) {
    const browser = await signedIn();
    await world.worker.command({ store: { get: fault, put: fault } });
    assert.equal((await browser.signOut({ atOp: false })).status, 200);
    await world.worker.command({ store: "up" });
  }
});

test("a copy that could not be written is written a little later", async () => {
  const browser = await signedIn(bob);
  await browser.signOut({ atOp: false });
  await until(async () => (await world.accountEntries()).length === 0);
  await world.worker.command({ store: { put: "throttle" } });
  await signedIn(bob);
  assert.deepEqual(await world.accountEntries(), []);
  await world.worker.command({ store: "up" });
  await until(async () => (await world.accountEntries()).length === 1);
});

test("a copy that is stale is never read while the object has the entry", async () => {
  const browser = await signedIn();
  await world.worker.command({ store: { get: "stale" } });
  for (let lives = 0; lives < 2; lives += 1) {
    await passLife();
    await assertServed(browser, alice);
    await world.freshInstance();
  }
});

test("where the OP names its session, a sign-in does without the index in Workers KV: an object has it", async () => {
  const other = await startWorld({ backchannel: true });
  try {
    for (const fault of ["fail", "throttle"]) {
      const browser = other.browser();
      await other.worker.command({ store: { put: fault } });
      await browser.signIn("/page/one");
      const { session } = browser;
      assert.ok(!(await other.allKeys()).some(({ name }) => name.startsWith("sid/")), fault);
      await browser.signOutAtOp();
      await other.worker.command({ store: "up" });
      await assertEnded(other, session);
    }
  } finally {
    await other.close();
  }
});
