// An account's object that cannot be reached: the copy in Workers KV serves what is still valid, and nothing begins,
// is renewed or ends that only the object can.

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";

import { alice, bob } from "./people.mjs";
import { assertPage, assertProblem } from "./refusals.mjs";
import { until } from "./until.mjs";
import { startWorld } from "./world.mjs";

const life = 600;
const intoTheWindow = 310;
const pastTheEnd = life + 10;

let world;
before(async () => {
  const vars = { Session: { RevocationDelay: 0 } };
  world = await startWorld({ provider: { accessTokenSeconds: life }, vars });
  await world.browser().signIn();
});
after(() => world.close());
afterEach(async () => {
  await world.worker.command({ store: "up", account: "up" });
  await world.advance(0);
});

async function signedIn(account = bob) {
  const before = (await world.accountEntries()).length;
  const browser = world.browser();
  await browser.signIn("/", account);
  await until(async () => (await world.accountEntries()).length > before);
  world.issued.refreshed.length = 0;
  return browser;
}

const whoami = (browser) => browser.script("/api/Invoices/whoami");

function assertUnavailable(answer) {
  assertProblem(answer, 503, "cache_unavailable");
  assert.equal(answer.headers["retry-after"], "5");
}

test("while the object is down, sessions are served from Workers KV with the token that they have", async () => {
  const browser = await signedIn();
  await world.worker.command({ account: "down" });
  for (let isCold = 0; isCold < 2; isCold += 1) {
    assert.equal((await browser.script("/.auth/me")).json().sub, bob.claims.sub);
    assert.equal((await browser.script("/page/one")).status, 200);
    assert.equal((await whoami(browser)).json().sub, bob.claims.sub);
    await world.freshInstance();
  }
  await world.advance(intoTheWindow);
  assert.equal((await whoami(browser)).status, 200, "a token in its expiry window is still a valid one");
  assert.deepEqual(world.issued.refreshed, []);
});

test("while the object is down, nothing is renewed outside it, and the token comes when it is back", async () => {
  const browser = await signedIn();
  const { session } = browser;
  await world.worker.command({ account: "down" });
  await world.advance(pastTheEnd);
  assertUnavailable(await whoami(browser));
  assertUnavailable(await browser.script("/api/Orders/whoami"));
  assert.equal((await browser.script("/.auth/me")).status, 200);
  assert.deepEqual([browser.session, world.issued.refreshed], [session, []]);
  await world.worker.command({ account: "up" });
  assert.equal((await whoami(browser)).json().sub, bob.claims.sub);
  assert.equal(world.issued.refreshed.length, 1);
});

test("while the object is down, a sign-in and a sign-out fail visibly", async () => {
  const browser = await signedIn();
  const { session } = browser;
  await world.worker.command({ account: "down" });
  const another = world.browser();
  assertPage(await another.signIn("/", alice), 503);
  assert.equal(another.session, undefined);
  const failed = await browser.signOut({ atOp: false });
  assertPage(failed, 503);
  assert.deepEqual([failed.headers["retry-after"], browser.session], ["5", session]);
  await world.worker.command({ account: "up" });
  assert.equal((await browser.signOut({ atOp: false })).status, 200);
  assert.equal(browser.session, undefined);
  assert.equal((await another.navigate("/page/one")).status, 200);
});

test("a session that is signed out is not served from anywhere while the object is down", async () => {
  const browser = await signedIn();
  const { session } = browser;
  await browser.signOut({ atOp: false });
  await world.worker.command({ account: "down" });
  for (let isCold = 0; isCold < 2; isCold += 1) {
    const replay = world.browser();
    replay.session = session;
    for (const path of ["/.auth/me", "/page/one", "/api/Orders/whoami"]) {
      assert.ok([401, 503].includes((await replay.script(path)).status), path);
      replay.session = session;
    }
    await world.freshInstance();
  }
});

test("with object and Workers KV down, an isolate goes on with what it knows, and others say when to come back", async () => {
  const browser = await signedIn();
  const { session } = browser;
  await whoami(browser);
  await world.worker.command({ account: "down", store: "down" });
  assert.equal((await browser.script("/.auth/me")).json().sub, bob.claims.sub);
  assert.equal((await whoami(browser)).json().sub, bob.claims.sub);
  await world.freshInstance();
  for (const path of ["/.auth/me", "/page/one", "/api/Invoices/whoami"]) assertUnavailable(await browser.script(path));
  assert.equal(browser.session, session);
});
