// The life of a session, from its sign-in to its end, in each way to keep tokens that Session.TokenCache knows.

import assert from "node:assert/strict";
import { test } from "node:test";

import { assertEnded, assertEndedForAll, assertGoesOn } from "./endings.mjs";
import { lastSid, loadFrame } from "./logout-tokens.mjs";
import { alice, bob } from "./people.mjs";
import { assertProblem } from "./refusals.mjs";
import { until } from "./until.mjs";
import { startWorld, tokenCaches } from "./world.mjs";

const life = 600;
const pastTheEnd = life + 10;
const usual = { provider: { accessTokenSeconds: life }, backchannel: true, vars: { Session: { RevocationDelay: 0 } } };

/** A world of that kind, until the test is over. */
async function inWorld(places, act) {
  const world = await startWorld({ ...usual, ...places, vars: { Session: { ...usual.vars.Session, ...sessionOf(places) } } });
  try {
    await act(world);
  } finally {
    await world.close();
  }
}

const sessionOf = ({ tokenCache }) => (tokenCache ? { TokenCache: tokenCache } : {});
const whoami = (browser, name = "Orders") => browser.script(`/api/${name}/whoami`);
const kept = async (world) => (await world.allKeys()).map(({ name }) => name).filter((name) => !name.startsWith("op/"));

async function signedIn(world, account) {
  const browser = world.browser();
  await browser.signIn("/", account);
  return browser;
}

for (const { name, places, withStore } of tokenCaches) {
  test(`${name}: sign-in, renewal, a fresh instance, a crowd and a sign-out everywhere`, () => inWorld(places, async (world) => {
    const [hers, hersToo, his] = [await signedIn(world, alice), await signedIn(world, alice), await signedIn(world, bob)];
    for (const browser of [hers, hersToo]) await assertGoesOn(world, browser.session);
    await world.freshInstance();
    assert.equal((await whoami(hers)).json().sub, alice.claims.sub);
    assert.equal((await whoami(his)).json().sub, bob.claims.sub);
    world.issued.refreshed.length = 0;
    await world.advance(pastTheEnd);
    // Without objects a crowd would send the same refresh token more than once.
    const crowd = Array.from({ length: world.worker.accounts ? 10 : 1 }, () => whoami(hers));
    for (const answer of await Promise.all(crowd)) assert.equal(answer.status, 200);
    assert.equal(world.issued.refreshed.length, 1);
    await world.freshInstance();
    const before = world.issued.refreshed.length;
    assert.equal((await whoami(hers)).json().sub, alice.claims.sub);
    assert.equal(world.issued.refreshed.length, before, "the renewed token was not kept");
    const { sessions } = (await hers.script("/.auth/sessions")).json();
    assert.equal(sessions.length, 2);
    const [session, other] = [hers.session, hersToo.session];
    assert.equal((await hers.signOut({ atOp: false })).status, 200);
    for (const cookie of [session, other]) await assertEndedForAll(world, cookie);
    assert.equal((await his.script("/.auth/me")).json().sub, bob.claims.sub);
    assert.equal((await kept(world)).length, withStore ? 2 : 0, "his entry and its index");
    assert.deepEqual(world.op.events.filter(({ event }) => event === "grant.error"), []);
    assert.ok(!(await world.events()).some(({ event }) => event.startsWith("store.")));
  }));

  test(`${name}: a front-channel logout ends the sessions of the OP's, moments after the sign-in`, () => inWorld(places, async (world) => {
    const browser = await signedIn(world, alice);
    const sid = lastSid(world);
    const other = await signedIn(world, alice);
    const { session } = browser;
    assert.equal((await loadFrame(world, { sid })).status, 200);
    await assertEndedForAll(world, session);
    await assertGoesOn(world, other.session);
    await until(async () => (await kept(world)).length === (withStore ? 2 : 0));
    assert.equal((await loadFrame(world, { sid: "unknown" })).status, 200);
    await assertGoesOn(world, other.session);
  }));

  test(`${name}: what was signed in before a restart of the process is so after it, and what was signed out is not`, () => inWorld(places, async (world) => {
    const [hers, his] = [await signedIn(world, alice), await signedIn(world, bob)];
    const { session } = hers;
    await whoami(his);
    await hers.signOut({ atOp: false });
    world.issued.refreshed.length = 0;
    await world.worker.restart();
    await assertEnded(world, session);
    assert.equal((await whoami(his)).json().sub, bob.claims.sub);
    assert.deepEqual(world.issued.refreshed, []);
    await world.advance(pastTheEnd);
    assert.equal((await whoami(his)).status, 200);
    assert.deepEqual(world.op.events.filter(({ event }) => event === "grant.error"), []);
  }));
}

test("Memory: a session lives as long as the isolate, with the objects bound or not, and the log says so", () =>
  inWorld({ tokenCache: "Memory" }, async (world) => {
    const [hers, his] = [await signedIn(world, alice), await signedIn(world, bob)];
    await world.advance(pastTheEnd);
    assert.equal((await whoami(hers)).json().sub, alice.claims.sub);
    await world.freshInstance();
    assert.equal((await whoami(hers)).json().sub, alice.claims.sub, "the wasm instance is not the isolate");
    const { session } = his;
    await his.signOut({ atOp: false });
    await assertEndedForAll(world, session);
    assert.deepEqual(await world.worker.accounts.ids(), []);
    // Once in each life of the instance.
    assert.ok((await world.events()).some(({ event }) => event === "store.in_memory"));
    await world.worker.restart();
    await assertEnded(world, hers.session);
  }));

test("D1 alone: of all that an isolate remembers, a sign-out elsewhere leaves nothing after RevocationDelay", async () => {
  const places = { tokenCache: "D1", withAccounts: false, accountsApart: true };
  const world = await startWorld({ ...usual, ...places, vars: {} });
  try {
    const browser = await signedIn(world, alice);
    const { session } = browser;
    const apart = { isElsewhere: true };
    for (const more of [{}, apart]) await assertGoesOn(world, session, more);
    await browser.signOut({ atOp: false });
    await assertGoesOn(world, session, apart);
    await world.advance(10);
    await assertEnded(world, session, apart);
    assert.deepEqual(await kept(world), []);
  } finally {
    await world.close();
  }
});

for (const fault of ["fail", "hang", "lost"]) {
  test(`D1 and the objects: every operation: ${fault}: nobody notices before a sign-out, which an alarm completes`, () => inWorld({ tokenCache: "D1" }, async (world) => {
    const browser = await signedIn(world, alice);
    await until(async () => (await kept(world)).length === 2);
    const hers = await kept(world);
    await world.worker.command({ store: { get: fault, put: fault, list: fault, delete: fault } });
    const another = await signedIn(world, bob);
    for (const { session } of [browser, another]) await assertGoesOn(world, session);
    await world.advance(pastTheEnd);
    assert.equal((await whoami(browser)).status, 200);
    const { session } = browser;
    assert.equal((await browser.signOut({ atOp: false })).status, 503);
    await world.worker.command({ store: "up" });
    await assertEndedForAll(world, session);
    for (const id of await world.worker.accounts.ids()) await world.worker.accounts.ring(id);
    assert.deepEqual((await kept(world)).filter((name) => hers.includes(name)), []);
    assert.deepEqual(await world.rows("deletion"), []);
  }));
}

test("D1 alone: a database that cannot be read signs nobody out, and one whose table is gone is an empty one", () =>
  inWorld({ tokenCache: "D1", withAccounts: false }, async (world) => {
    const browser = await signedIn(world, alice);
    await world.store.run("ALTER TABLE token_cache RENAME COLUMN value TO other");
    assert.equal((await browser.script("/.auth/me")).status, 200, "the isolate goes on with what it knows");
    await world.freshInstance();
    assertProblem(await browser.script("/.auth/me"), 503, "cache_unavailable");
    assert.ok(browser.session);
    await world.store.run("ALTER TABLE token_cache RENAME COLUMN other TO value");
    assert.equal((await browser.script("/.auth/me")).status, 200);
    await world.store.run("DROP TABLE token_cache");
    await assertEnded(world, browser.session);
    const again = await signedIn(world, alice);
    await assertGoesOn(world, again.session);
  }));

test("the objects alone: while they cannot be reached every answer is 503, and the session goes on afterwards", () =>
  inWorld({ tokenCache: "DurableObject" }, async (world) => {
    const browser = await signedIn(world, alice);
    const { session } = browser;
    await world.worker.command({ account: "down" });
    for (let isCold = 0; isCold < 2; isCold += 1) {
      for (const path of ["/.auth/me", "/page/one", "/api/Orders/whoami"]) {
        const answer = await browser.script(path);
        assertProblem(answer, 503, "cache_unavailable");
        assert.equal(answer.headers["retry-after"], "5");
      }
      await world.freshInstance();
    }
    assert.equal((await browser.signOut({ atOp: false })).status, 503);
    assert.equal(browser.session, session);
    await world.worker.command({ account: "up" });
    await assertGoesOn(world, session);
    // An object that loses its memory has all that it needs.
    for (const id of await world.worker.accounts.ids()) await world.worker.accounts.crash(id);
    await assertGoesOn(world, session);
    await browser.signOut({ atOp: false });
    await assertEndedForAll(world, session);
    assert.deepEqual((await world.rows("session")).filter(({ id, entry }) => entry && id.length > 30), []);
    assert.deepEqual(await world.rows("deletion"), []);
  }));
