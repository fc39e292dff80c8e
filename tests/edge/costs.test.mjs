// What each step costs in calls of the account's object and of Workers KV, exactly: the README quotes these numbers.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { assertCosts } from "./counted-calls.mjs";
import { lastSid, loadFrame, logoutToken, postLogoutToken } from "./logout-tokens.mjs";
import { alice, bob } from "./people.mjs";
import { keepKeys } from "./token-responses.mjs";
import { until } from "./until.mjs";
import { startWorld } from "./world.mjs";

const provider = { accessTokenSeconds: 600 };
// Longer than by default, so that no slow test run looks again.
const delay = 60;
const vars = { Session: { RevocationDelay: delay } };
let world;
let alone;
let database;
let objects;
before(async () => {
  const places = [{}, { withAccounts: false }, { tokenCache: "D1", withAccounts: false }, { tokenCache: "DurableObject" }];
  const started = places.map((place) => startWorld({ provider, vars, ...place }));
  [world, alone, database, objects] = await Promise.all(started);
});
after(() => Promise.all([world, alone, database, objects].map((place) => place.close())));

const documents = { get: ["get metadata", "get jwks"], put: ["put metadata", "put jwks"] };
const page = (browser) => browser.script("/page/x");
const whoami = (browser, name) => browser.script(`/api/${name}/whoami`);

test("with the objects: what each step costs", async () => {
  const [browser, other] = [world.browser(), world.browser()];
  const costs = (expected, action) => assertCosts(world, expected, action);
  // An isolate that knows nothing yet reads the OP's documents, once in twelve hours; whoever signs in first stores them.
  await costs([...documents.get, ...documents.put, "object", "put account"], () => browser.signIn("/", alice));
  await costs(["object", "put account"], () => other.signIn("/", alice));
  await costs(["object", "put account"], () => whoami(browser, "Orders"));
  const warm = async () => {
    for (let round = 0; round < 10; round += 1) {
      for (const answer of [await page(browser), await whoami(browser, "Orders"), await whoami(browser, "Invoices")]) assert.equal(answer.status, 200);
    }
    assert.equal((await browser.script("/.auth/me")).status, 200);
  };
  await costs([], warm);
  await world.advance(delay);
  await costs(["object"], () => page(browser));
  await costs([], warm);
  await world.advance(310 + delay);
  await costs(["object", "object", "put account"], () => whoami(browser, "Orders"));
  await costs(["object", "put account"], () => whoami(browser, "Invoices"));
  await world.freshInstance();
  await costs(["object"], () => page(browser));
  // A new session in the same browser ends the one before.
  await page(other);
  await costs(["object", "put account", "object", "delete account", ...documents.get], () => other.navigate("/.auth/login"));
  await costs(["object", "list account", ...Array(2).fill("delete account")], () => browser.signOut({ atOp: false }));
  assert.deepEqual(await world.accountEntries(), []);
});

test("on Workers KV alone: what each step costs", async () => {
  const [browser, other] = [alone.browser(), alone.browser()];
  const costs = (expected, action) => assertCosts(alone, expected, action);
  await costs([...documents.get, ...documents.put, "put account"], () => browser.signIn("/", alice));
  await costs(["put account"], () => other.signIn("/", alice));
  await costs(["put account"], () => whoami(browser, "Orders"));
  await costs([], () => whoami(browser, "Invoices"));
  await alone.advance(delay);
  await costs(["get account"], () => page(browser));
  await alone.advance(310 + delay);
  // It looks whether the entry is still there before it writes.
  await costs(["get account", "get account", "put account"], () => whoami(browser, "Orders"));
  await page(other);
  await costs(["put account", "delete account"], () => other.navigate("/.auth/login"));
  // Its own entry is not left to the listing.
  await costs(["list account", ...Array(2).fill("delete account")], () => browser.signOut({ atOp: false }));
  assert.deepEqual(await alone.accountEntries(), []);
});

test("in the objects alone: what each step costs", async () => {
  const [browser, other] = [objects.browser(), objects.browser()];
  const costs = (expected, action) => assertCosts(objects, expected, action);
  await costs(["object"], () => browser.signIn("/", alice));
  await costs(["object"], () => other.signIn("/", alice));
  await costs(["object"], () => whoami(browser, "Orders"));
  await costs([], () => whoami(browser, "Invoices"));
  await objects.advance(delay);
  await costs(["object"], () => page(browser));
  await objects.advance(310 + delay);
  await costs(["object", "object"], () => whoami(browser, "Orders"));
  await page(other);
  await costs(["object", "object"], () => other.navigate("/.auth/login"));
  await costs(["object"], () => browser.signOut({ atOp: false }));
  assert.deepEqual(await objects.rows("deletion"), []);
});

test("on D1 alone: what each step costs", async () => {
  const [browser, other] = [database.browser(), database.browser()];
  const costs = (expected, action) => assertCosts(database, expected, action);
  // The first write of all finds no table, and is made again with it.
  await costs([...documents.get, ...documents.put, "put account"], () => browser.signIn("/", alice));
  await costs(["put account"], () => other.signIn("/", alice));
  await costs(["put account"], () => whoami(browser, "Orders"));
  await costs([], () => whoami(browser, "Invoices"));
  await database.advance(delay);
  await costs(["get account"], () => page(browser));
  await database.advance(310 + delay);
  // It needs no look whether the entry is still there: the database knows when it writes.
  await costs(["get account", "put account"], () => whoami(browser, "Orders"));
  await page(other);
  await costs(["put account", "delete account"], () => other.navigate("/.auth/login"));
  // Both entries with one statement.
  await costs(["list account", "delete account"], () => browser.signOut({ atOp: false }));
  assert.deepEqual(await database.accountEntries(), []);
});

test("a crowd at a refresh costs one call of the object and one write", async () => {
  await world.advance(0);
  const browser = world.browser();
  await assertCosts(world, ["object", "put account"], () => browser.signIn("/", bob));
  await world.advance(310 + delay);
  await page(browser);
  const crowd = () => Promise.all(Array.from({ length: 20 }, () => whoami(browser, "Invoices")));
  await assertCosts(world, ["object", "put account"], crowd);
});

const removed = ["delete sid", "delete account"];

/** What each way out of a session costs: of the object's calls, and of Workers KV where there are objects and where not. */
const waysOut = {
  "the user's sign-out": [({ browser }) => browser.signOut({ atOp: false }), ["object"], ["list account"], ["list account"]],
  "front-channel": [({ place, sid }) => loadFrame(place, { sid }), ["object", "object"], ["list account"], ["get sid", "list account"]],
  "back-channel with sid alone": [by(({ sid }) => ({ sid })), ["object", "object"], ["list account"], ["get sid", "list account"]],
  "back-channel with sub alone": [by(() => ({ sub })), ["object"], ["list account"], ["list account"]],
  "back-channel with both": [by(({ sid }) => ({ sid, sub })), Array(3).fill("object"), ["list account", "list account"], ["list account"]],
  "another browser": [({ other }) => other(), ["object", "object"], [], ["get account", "list account"]],
};
const { sub } = alice.claims;

function by(claims) {
  return async (session) => {
    const token = await logoutToken(session.place, session.place.key, claims(session));
    assert.equal((await postLogoutToken(session.place, token)).status, 200);
  };
}

test("where the OP names its session: what a sign-in and each way out of it cost", async () => {
  for (const withAccounts of [true, false]) {
    const { kept, adjust } = keepKeys();
    const place = await startWorld({ provider: { ...provider, adjust }, vars, backchannel: true, withAccounts });
    place.key = kept.keys.find(({ alg }) => alg === "RS256");
    try {
      const signIn = [...(withAccounts ? ["object", "object"] : []), "put account", "put sid"];
      await assertCosts(place, [...documents.get, ...documents.put, ...signIn], () => place.browser().signIn("/", bob));
      const [{ name: entry, metadata }] = await place.accountEntries();
      assert.equal(await place.store.get(metadata.sid), entry);
      for (const [out, ofObjects, ofCopies, ofKvAlone] of Object.values(waysOut)) {
        const browser = place.browser();
        await assertCosts(place, signIn, () => browser.signIn("/", alice));
        const session = { place, browser, sid: lastSid(place), other: await otherBrowser(place, browser, out) };
        const expected = withAccounts ? [...ofObjects, ...ofCopies] : ofKvAlone;
        await assertCosts(place, [...expected, ...removed], () => out(session));
      }
      const unknown = withAccounts ? ["object", "get sid"] : ["get sid"];
      await assertCosts(place, unknown, () => loadFrame(place, { sid: "unknown" }));
    } finally {
      await place.close();
    }
  }
});

/** Signs in elsewhere, for the way out that needs it; ends the browser's session from there. */
async function otherBrowser(place, browser, out) {
  if (out !== waysOut["another browser"][0]) return undefined;
  const { sessions } = (await browser.script("/.auth/sessions")).json();
  const other = place.browser();
  await other.signIn("/", alice);
  await until(async () => (await place.allKeys()).filter(({ name }) => name.startsWith("sid/")).length === 3);
  return () => other.script(sessions[0].url, { method: "DELETE" });
}

test("nobody's requests cost nothing, forged and ended sessions among them", async () => {
  const browser = world.browser();
  await browser.signIn("/", alice);
  const { session } = browser;
  await browser.signOut({ atOp: false });
  const anonymous = async () => {
    for (let round = 0; round < 25; round += 1) {
      for (const path of ["/page/x", "/api/Orders/whoami", "/.auth/me"]) {
        for (const value of [session, `${session.slice(0, -3)}AAA`]) {
          await world.browser().script(path, { headers: { cookie: `__Host-session=${value}` } });
          await world.browser().step(path);
        }
      }
    }
  };
  await assertCosts(world, [], anonymous);
});

test("a crowd at an isolate that knows nothing costs one read, and so does one after the delay", async () => {
  for (const [place, read] of [[world, "object"], [alone, "get account"], [database, "get account"], [objects, "object"]]) {
    await place.advance(0);
    const browser = place.browser();
    await browser.signIn("/", bob);
    const crowd = async () => {
      const answers = await Promise.all(Array.from({ length: 32 }, () => page(browser)));
      assert.deepEqual(answers.filter(({ status }) => status !== 200), []);
    };
    await until(async () => place === objects || (await place.accountEntries()).length > 0);
    await place.freshInstance();
    await assertCosts(place, [read], crowd);
    await assertCosts(place, [], crowd);
    await place.advance(delay);
    await assertCosts(place, [read], crowd);
  }
});
