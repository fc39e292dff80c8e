// An account's object that ends between the OP's answer and its own reply: the refresh token is spent by then, and its
// successor is known to nobody, or to the storage alone.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { alice } from "./people.mjs";
import { holdTokenResponse } from "./holds.mjs";
import { startWorld } from "./world.mjs";

const life = 60;
const pastTheEnd = life + 5;

let world;
let ahead = 0;
// Never back: a session that began later than the clock says would outlive a sign-out.
const passLife = () => world.advance((ahead += pastTheEnd));
before(async () => {
  world = await startWorld({ provider: { accessTokenSeconds: life } });
});
after(() => world.close());

async function signedIn() {
  const browser = world.browser();
  await browser.signIn();
  assert.equal((await browser.script("/api/Invoices/whoami")).status, 200);
  world.issued.refreshed.length = 0;
  world.op.events.length = 0;
  return browser;
}

async function everyObject(act) {
  for (const id of await world.worker.accounts.ids()) await act(id);
}

/** A call whose renewal is under way while `end` happens: the OP has rotated the refresh token, and nobody knows yet. */
async function callAround(browser, end) {
  await passLife();
  const { held, release } = holdTokenResponse(world.op);
  const call = browser.script("/api/Invoices/whoami");
  await held;
  await end();
  release();
  return call;
}

async function assertSessionGoesOn(browser, session) {
  assert.equal(browser.session, session);
  assert.equal((await browser.script("/.auth/me")).json().sub, alice.claims.sub);
}

const ends = {
  crashes: [() => everyObject(world.worker.accounts.crash), 503, "cache_unavailable"],
  panics: [() => world.freshInstance(), 500, "internal"],
};
for (const [name, [end, status, code]] of Object.entries(ends)) {
  test(`an object that ${name} while the OP answers loses a token and no session: the OP is asked once more`, async () => {
    const browser = await signedIn();
    const { session } = browser;
    const answer = await callAround(browser, end);
    assert.deepEqual([answer.status, answer.json().code], [status, code]);
    await assertSessionGoesOn(browser, session);
    const next = await browser.script("/api/Invoices/whoami");
    assert.deepEqual([next.status, next.json().code], [401, "interaction_required"]);
    await assertSessionGoesOn(browser, session);
    const page = await browser.navigate("/api/Invoices/whoami");
    assert.deepEqual([page.status, page.url], [200, `${world.publicOrigin}/api/Invoices/whoami`]);
    await passLife();
    assert.equal((await browser.script("/api/Invoices/whoami")).status, 200);
  });
}

async function assertRenewedOnce(browser) {
  assert.equal((await browser.script("/api/Invoices/whoami")).status, 200);
  assert.equal(world.issued.refreshed.length, 1);
  await passLife();
  assert.equal((await browser.script("/api/Invoices/whoami")).status, 200);
  assert.equal(new Set(world.issued.refreshed).size, 2, "a refresh token was presented twice");
  assert.deepEqual(world.op.events.filter(({ event }) => event !== "grant.success"), []);
}

test("an object that is evicted while the OP answers finishes first", async () => {
  const browser = await signedIn();
  let evicted;
  const answer = await callAround(browser, () => void (evicted = everyObject(world.worker.accounts.evict)));
  assert.equal(answer.status, 200);
  await evicted;
  await assertRenewedOnce(browser);
});

test("an object that crashes before its reply has kept the new refresh token: nothing is lost", async () => {
  const browser = await signedIn();
  await passLife();
  await world.worker.command({ account: "crash" });
  const answer = await browser.script("/api/Invoices/whoami");
  await world.worker.command({ account: "up" });
  assert.deepEqual([answer.status, answer.json().code], [503, "cache_unavailable"]);
  assert.equal(world.issued.refreshed.length, 1);
  await assertRenewedOnce(browser);
});

test("a sign-in whose object crashes before its reply fails visibly, and the next one succeeds", async () => {
  const browser = world.browser();
  await world.worker.command({ account: "crash" });
  const failed = await browser.signIn("/page/one");
  await world.worker.command({ account: "up" });
  assert.equal(failed.status, 503);
  assert.equal(browser.session, undefined);
  assert.equal((await browser.navigate("/page/one")).url, `${world.publicOrigin}/page/one`);
});

test("a sign-out whose object crashes before its reply has happened, and is carried out to the end by the next one", async () => {
  const browser = await signedIn();
  const { session } = browser;
  await world.worker.command({ account: "crash" });
  const failed = await browser.signOut({ atOp: false });
  await world.worker.command({ account: "up" });
  assert.deepEqual([failed.status, browser.session], [503, session]);
  // Whoever looks at the object knows; an isolate that looked a moment ago does so a little later.
  await world.freshInstance();
  const replay = world.browser();
  replay.session = session;
  assert.equal((await replay.script("/.auth/me")).json().code, "session_expired");
  await browser.signOut({ atOp: false });
  assert.deepEqual(await world.accountEntries(), []);
});

test("an object in another isolate goes on while the instance that asked it panics: nothing is lost", async () => {
  const apart = await startWorld({ provider: { accessTokenSeconds: life }, accountsApart: true });
  try {
    const browser = apart.browser();
    await browser.signIn();
    await apart.advance(pastTheEnd);
    const { held, release } = holdTokenResponse(apart.op);
    const call = browser.script("/api/Invoices/whoami");
    await held;
    await apart.freshInstance();
    release();
    assert.equal((await call).status, 500);
    assert.equal((await browser.script("/api/Invoices/whoami")).status, 200);
    assert.equal(apart.issued.refreshed.length, 1);
    for (const id of await apart.worker.accounts.ids()) await apart.worker.accounts.crash(id);
    assert.equal((await browser.script("/api/Orders/whoami")).status, 200);
    assert.equal(new Set(apart.issued.refreshed).size, 2, "a refresh token was presented twice");
  } finally {
    await apart.close();
  }
});
