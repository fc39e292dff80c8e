// Workers KV in trouble where there is nothing else: an isolate goes on with what it knows, and nobody is signed out.

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";

import { alice, bob } from "./people.mjs";
import { assertPage, assertProblem } from "./refusals.mjs";
import { until } from "./until.mjs";
import { startWorld } from "./world.mjs";

const life = 60;
const pastTheEnd = life + 5;

let world;
let ahead = 0;
before(async () => {
  const vars = { Session: { RevocationDelay: 0 } };
  world = await startWorld({ provider: { accessTokenSeconds: life }, vars, withAccounts: false });
  await world.browser().signIn();
});
after(() => world.close());
afterEach(() => world.worker.command({ store: "up" }));

async function signedIn(account = alice) {
  const browser = world.browser();
  await browser.signIn("/", account);
  world.issued.refreshed.length = 0;
  return browser;
}

const passLife = () => world.advance((ahead += pastTheEnd));
const whoami = (browser) => browser.script("/api/Invoices/whoami");

function assertUnavailable(answer) {
  assertProblem(answer, 503, "cache_unavailable");
  assert.equal(answer.headers["retry-after"], "5");
}

for (const fault of ["fail", "throttle", "lost", "hang"]) {
  test(`get: ${fault}: an isolate that knows the session serves and renews it; others say when to come back`, async () => {
    const [hers, his] = [await signedIn(alice), await signedIn(bob)];
    const { session } = his;
    await world.worker.command({ store: { get: fault } });
    await passLife();
    const [mine, call] = await Promise.all([hers.script("/.auth/me"), whoami(his)]);
    assert.equal(mine.json().sub, alice.claims.sub);
    assert.equal(call.json().sub, bob.claims.sub);
    if (fault === "hang") return;
    await world.freshInstance();
    const answers = await Promise.all([his.script("/.auth/me"), whoami(his), his.script("/page/one")]);
    answers.forEach(assertUnavailable);
    assert.equal(his.session, session);
    await world.worker.command({ store: "up" });
    assert.equal((await whoami(his)).json().sub, bob.claims.sub);
    assert.equal(new Set(world.issued.refreshed).size, world.issued.refreshed.length, "a refresh token was presented twice");
  });
}

test("get: stale: an isolate never goes back to an older entry than it knows", async () => {
  const browser = await signedIn();
  await world.freshInstance();
  assert.equal((await whoami(browser)).status, 200);
  await world.worker.command({ store: { get: "stale" } });
  for (let lives = 1; lives <= 3; lives += 1) {
    await passLife();
    assert.equal((await whoami(browser)).status, 200);
  }
  assert.equal(new Set(world.issued.refreshed).size, 3);
});

test("get: stale: an isolate that knows nothing else presents an old refresh token, and one sign-in mends that", async () => {
  const browser = await signedIn();
  const { session } = browser;
  await world.freshInstance();
  await whoami(browser);
  await passLife();
  await whoami(browser);
  await world.worker.command({ store: { get: "stale" } });
  await world.freshInstance();
  assert.deepEqual((await whoami(browser)).json().code, "interaction_required");
  assert.equal((await browser.script("/.auth/me")).status, 200);
  assert.equal(browser.session, session);
  assert.equal((await browser.navigate("/api/Invoices/whoami")).status, 200);
});

for (const fault of ["fail", "throttle", "lost", "hang"]) {
  test(`put: ${fault}: a sign-in fails visibly, and a renewed token serves`, async () => {
    const browser = await signedIn(bob);
    await world.worker.command({ store: { put: fault } });
    await passLife();
    const another = world.browser();
    const [call, page] = await Promise.all([whoami(browser), another.signIn()]);
    assert.equal(call.json().sub, bob.claims.sub);
    assertPage(page, 503);
    assert.equal(another.session, undefined);
  });
}

test("a renewed token that could not be written is written a little later", async () => {
  const held = new Set((await world.accountEntries()).map(({ name }) => name));
  const browser = await signedIn(bob);
  const { name } = (await world.accountEntries()).find((entry) => !held.has(entry.name));
  await world.worker.command({ store: { put: "throttle" } });
  await passLife();
  assert.equal((await whoami(browser)).status, 200);
  const before = await world.store.get(name, "text");
  await world.worker.command({ store: "up" });
  await until(async () => (await world.store.get(name, "text")) !== before);
  await world.freshInstance();
  assert.equal((await whoami(browser)).status, 200);
  assert.equal(world.issued.refreshed.length, 1);
});

for (const [operation, ...faults] of [["list", "fail", "throttle", "hang"], ["delete", "fail", "throttle"]]) {
  test(`${operation} that does not work: a sign-out is not called one, and can be tried again`, async () => {
    for (const fault of faults) {
      const browser = await signedIn();
      const { session } = browser;
      await world.worker.command({ store: { [operation]: fault } });
      assertPage(await browser.signOut({ atOp: false }), 503);
      assert.equal(browser.session, session);
      await world.worker.command({ store: "up" });
      assert.equal((await browser.signOut({ atOp: false })).status, 200);
      await world.freshInstance();
      await world.advance((ahead += 130));
      const replay = world.browser();
      replay.session = session;
      assertProblem(await replay.script("/.auth/me"), 401, "session_expired");
    }
  });
}

test("where the OP names its session, a sign-in needs the index, and fails visibly without it", async () => {
  const other = await startWorld({ backchannel: true, withAccounts: false });
  try {
    for (const fault of ["fail", "throttle", "lost"]) {
      const browser = other.browser();
      await other.worker.command({ store: { put: fault } });
      assertPage(await browser.signIn("/page/one"), 503);
      assert.equal(browser.session, undefined, fault);
      await other.worker.command({ store: "up" });
      assert.equal((await browser.navigate("/page/one")).url, `${other.publicOrigin}/page/one`);
    }
  } finally {
    await other.close();
  }
});
