// What is in Workers KV and in the accounts' objects after each step. How often they are called is in costs.test.mjs.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { leaks } from "./issued.mjs";
import { alice, bob } from "./people.mjs";
import { until } from "./until.mjs";
import { startWorld } from "./world.mjs";

let world;
before(async () => {
  world = await startWorld({ provider: { accessTokenSeconds: 600 } });
});
after(() => world.close());

async function signedIn(account = alice) {
  const before = new Set((await world.accountEntries()).map(({ name }) => name));
  const browser = world.browser();
  await browser.signIn("/", account);
  const entry = await until(async () => (await world.accountEntries()).find(({ name }) => !before.has(name)));
  return { browser, entry };
}

/** Every row of a table, or of all that the runtime lets anybody read, in every object. */
async function rows(table) {
  const all = [];
  for (const id of await world.worker.accounts.ids()) {
    const query = (statement) => world.worker.accounts.rows(id, statement);
    const tables = table ? [{ name: table }] : await query("SELECT name FROM sqlite_master WHERE type = 'table'");
    const readable = tables.filter(({ name }) => !name.startsWith("_cf"));
    for (const { name } of readable) all.push(...(await query(`SELECT * FROM ${name}`)));
  }
  return all;
}

test("two sign-ins of one account are two sessions of it, in Workers KV and in one object", async () => {
  assert.deepEqual(await world.allKeys(), []);
  const entries = [await signedIn(), await signedIn()].map(({ entry }) => entry);
  const names = entries.map(({ name }) => name.split("/"));
  assert.equal(names[0][1], names[1][1], "one account");
  assert.notEqual(names[0][2], names[1][2], "two sessions");
  assert.deepEqual((await world.allKeys()).map(({ name }) => name.split("/")[0]).sort(), ["account", "account", "op", "op"]);
  assert.deepEqual((await rows("session")).map(({ id }) => id).sort(), names.map(([, , id]) => id).sort());
  assert.equal((await world.worker.accounts.ids()).length, 1);
  for (const row of await rows("session")) {
    const copy = await world.store.get(entries.find(({ name }) => name.endsWith(row.id)).name, "arrayBuffer");
    assert.deepEqual(Buffer.from(row.entry), Buffer.from(copy), "the copy is what the object has");
  }
});

test("a new sign-in in the same browser replaces the entry of the old one", async () => {
  const { browser, entry } = await signedIn();
  const held = (await world.accountEntries()).length;
  await browser.navigate("/.auth/login");
  await until(async () => (await world.accountEntries()).length === held);
  assert.ok(!(await world.accountEntries()).some(({ name }) => name === entry.name));
  const row = (await rows("session")).find(({ id }) => entry.name.endsWith(id));
  assert.equal(row.entry, null, "the ended session is known as such, and nothing of it is kept");
});

test("a sign-out leaves nothing of the account but the moment of it", async () => {
  const [{ browser, entry }] = [await signedIn(bob), await signedIn(bob)];
  const account = entry.name.split("/")[1];
  await browser.signOut({ atOp: false });
  assert.ok(!(await world.accountEntries()).some(({ name }) => name.includes(account)));
  const left = await rows("watermark");
  assert.equal(left.length, 1);
  assert.ok(left[0].valid_after <= Date.now() / 1000 + 1);
});

function assertDiscreet(name, bytes, more) {
  const forms = ["latin1", "base64", "base64url", "hex"].map((encoding) => bytes.toString(encoding));
  const everything = [name, JSON.stringify(more ?? null), ...forms].join("\n");
  assert.deepEqual(leaks(world.issued.secrets, everything), []);
  if (name.startsWith("op/")) return;
  for (const { claims } of [alice, bob]) {
    for (const text of [claims.sub, claims.email, claims.name]) assert.ok(!everything.includes(text), text);
  }
}

test("no key, value, metadata or row holds a token, a name or a key in clear", async () => {
  const { browser } = await signedIn();
  for (const name of ["Orders", "Invoices"]) assert.equal((await browser.script(`/api/${name}/whoami`)).status, 200);
  for (const { name, metadata } of await world.allKeys()) {
    assertDiscreet(name, Buffer.from(await world.store.get(name, "arrayBuffer")), metadata);
    if (name.startsWith("op/")) continue;
    assert.deepEqual(Object.keys(metadata).sort(), ["created", "device", "expires"]);
    assert.equal(metadata.expires - metadata.created, 28_800);
  }
  const sessions = (await rows("session")).filter(({ entry }) => entry);
  assert.ok(sessions.length > 1);
  for (const { entry, ...row } of await rows()) assertDiscreet("row", Buffer.from(entry ?? []), row);
});

test("with the application's own tokens: no row holds one in clear", async () => {
  const other = await startWorld({ apiVars: { Orders: { RequestAppToken: true } } });
  try {
    const browser = other.browser();
    await browser.signIn();
    assert.equal((await browser.script("/api/Orders/whoami")).status, 200);
    const ids = await other.worker.accounts.ids();
    assert.equal(ids.length, 2, "an object of its own");
    for (const id of ids) {
      for (const { entry, ...row } of await other.worker.accounts.rows(id, "SELECT * FROM session")) {
        const forms = ["latin1", "base64", "base64url", "hex"].map((encoding) => Buffer.from(entry).toString(encoding));
        assert.deepEqual(leaks(other.issued.secrets, [JSON.stringify(row), ...forms].join("\n")), []);
      }
    }
  } finally {
    await other.close();
  }
});

test("an entry ends in the store when its session ends", async () => {
  const begun = Date.now() / 1000;
  await world.browser().signIn();
  for (const { name, expiration } of await world.allKeys()) {
    assert.ok(expiration > begun, name);
    if (name.startsWith("account/")) assert.ok(expiration <= begun + 28_800 + 60, name);
  }
});

test("two entries of one account are never sealed alike", async () => {
  const values = [];
  for (let count = 0; count < 2; count += 1) {
    const { entry } = await signedIn();
    values.push(Buffer.from(await world.store.get(entry.name, "arrayBuffer")).toString("hex"));
  }
  assert.notEqual(values[0].slice(0, 40), values[1].slice(0, 40));
});
