// What is in the store after each step, and how often the store is written to.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { leaks } from "./issued.mjs";
import { alice, bob } from "./people.mjs";
import { startWorld } from "./world.mjs";

let world;
before(async () => {
  world = await startWorld({ provider: { accessTokenSeconds: 600 } });
});
after(() => world.close());

async function writesOf(action) {
  const before = (await world.storeCalls()).length;
  await action();
  const calls = (await world.storeCalls()).slice(before);
  return calls.filter(({ operation }) => ["put", "delete"].includes(operation)).map(({ operation, key }) => {
    return `${operation} ${key.split("/")[0]}${key.startsWith("op/") ? `/${key.split("/")[2]}` : ""}`;
  });
}

test("the first sign-in writes one entry and the OP's documents, the next ones write one entry each", async () => {
  assert.deepEqual(await world.allKeys(), []);
  const first = await writesOf(() => world.browser().signIn("/", alice));
  assert.deepEqual(first, ["put account", "put op/metadata", "put op/jwks"]);
  const second = await writesOf(() => world.browser().signIn("/", alice));
  assert.deepEqual(second, ["put account"]);
  const names = (await world.accountEntries()).map(({ name }) => name.split("/"));
  assert.equal(names.length, 2);
  assert.equal(names[0][1], names[1][1], "one account");
  assert.notEqual(names[0][2], names[1][2], "two sessions");
  assert.deepEqual((await world.allKeys()).map(({ name }) => name.split("/")[0]).sort(), ["account", "account", "op", "op"]);
});

test("the first call of another API refreshes once and writes once; further calls write nothing", async () => {
  const browser = world.browser();
  await browser.signIn("/", bob);
  assert.deepEqual(await writesOf(() => browser.script("/api/Invoices/whoami")), []);
  assert.deepEqual(await writesOf(() => browser.script("/api/Orders/whoami")), ["put account"]);
  const further = await writesOf(async () => {
    for (const name of ["Orders", "Invoices", "Orders"]) assert.equal((await browser.script(`/api/${name}/whoami`)).status, 200);
    for (const path of ["/", "/page/x", "/.auth/me"]) assert.equal((await browser.navigate(path)).status, 200);
  });
  assert.deepEqual(further, []);
});

test("a sign-out deletes each entry of the account and writes nothing", async () => {
  const browser = world.browser();
  await browser.signIn("/", bob);
  const held = (await world.accountEntries()).length;
  const writes = await writesOf(() => browser.signOut());
  assert.ok(writes.length >= 2 && writes.every((write) => write === "delete account"), writes.join());
  assert.equal((await world.accountEntries()).length, held - 2);
});

test("a new sign-in in the same browser replaces the entry of the old one", async () => {
  const browser = world.browser();
  await browser.signIn("/", alice);
  const held = (await world.accountEntries()).map(({ name }) => name);
  const writes = await writesOf(() => browser.navigate("/.auth/login"));
  assert.deepEqual(writes, ["put account", "delete account"]);
  const holds = (await world.accountEntries()).map(({ name }) => name);
  assert.equal(holds.length, held.length);
  assert.equal(holds.filter((name) => held.includes(name)).length, held.length - 1);
});

test("no key, value or metadata in the store holds a token, a name or a key in clear", async () => {
  await world.browser().signIn("/", alice);
  for (const { name, metadata } of await world.allKeys()) {
    const stored = Buffer.from(await world.store.get(name, "arrayBuffer"));
    const forms = ["latin1", "base64", "base64url", "hex"].map((encoding) => stored.toString(encoding));
    const everything = [name, JSON.stringify(metadata ?? null), ...forms].join("\n");
    assert.deepEqual(leaks(world.issued.secrets, everything), []);
    if (name.startsWith("op/")) continue;
    for (const { claims } of [alice, bob]) {
      for (const text of [claims.sub, claims.email, claims.name]) assert.ok(!everything.includes(text), text);
    }
    assert.deepEqual(Object.keys(metadata).sort(), ["created", "device", "expires"]);
    assert.equal(metadata.expires - metadata.created, 28_800);
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

test("two entries of one sign-in are never sealed alike", async () => {
  const values = [];
  for (let count = 0; count < 2; count += 1) {
    const before = new Set((await world.accountEntries()).map(({ name }) => name));
    await world.browser().signIn();
    const { name } = (await world.accountEntries()).find((entry) => !before.has(entry.name));
    values.push(Buffer.from(await world.store.get(name, "arrayBuffer")).toString("hex"));
  }
  assert.notEqual(values[0].slice(0, 40), values[1].slice(0, 40));
});

test("where the OP names its session, an index leads to the entry and goes with it", async () => {
  const other = await startWorld({ provider: { backchannelLogoutUri: "http://127.0.0.1:1/" } });
  try {
    const browser = other.browser();
    await browser.signIn();
    const puts = (await other.storeCalls()).filter(({ operation }) => operation === "put");
    assert.deepEqual(puts.map(({ key }) => key.split("/")[0]), ["account", "sid", "op", "op"]);
    const [{ name: entry, metadata }] = await other.accountEntries();
    assert.equal(await other.store.get(metadata.sid), entry);
    await browser.signOut({ atOp: false });
    assert.deepEqual((await other.allKeys()).map(({ name }) => name.split("/")[0]), ["op", "op"]);
  } finally {
    await other.close();
  }
});
