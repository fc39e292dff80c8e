// What every store does alike, each as the Worker calls it, in workerd; and what only some can promise.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";

import { Miniflare } from "miniflare";

import { filesUnder, inProject } from "../../scripts/project.mjs";
import { storeOf } from "../worker/stores.mjs";

const day = 86_400;
let runtime;
before(async () => {
  const text = (file) => ({ type: "esm", contents: readFileSync(file, "utf8") });
  const names = ["store.js", "deadline.js", ...filesUnder(inProject("src", "edge", "store")).map((file) => `store/${file.split(/[\\/]/).at(-1)}`)];
  const modules = Object.fromEntries(names.map((name) => [name, text(inProject("build", "worker", name))]));
  modules["store-module.js"] = text(inProject("tests", "worker", "store-module.js"));
  const config = {
    name: "stores",
    compatibilityDate: /^compatibility_date = "(.+)"$/m.exec(readFileSync(inProject("wrangler.toml"), "utf8"))[1],
    manifest: { mainModule: "store-module.js", modulesRoot: inProject("build", "worker"), modules },
    env: { TOKEN_CACHE: { type: "kv", id: "contract" }, TOKEN_CACHE_DB: { type: "d1", id: "contract" } },
    exports: {},
  };
  runtime = new Miniflare({ telemetry: { enabled: false }, workers: [{ config, dev: { rootPath: inProject() } }] });
  await runtime.ready;
});
after(() => runtime.dispose());

/** Makes calls of a store, from `clock` seconds ahead: what each gave. */
async function calls(name, made, clock = 0) {
  const all = [["choose", name], ["clock", clock], ...made];
  const answer = await runtime.dispatchFetch("http://localhost/", { method: "POST", body: JSON.stringify(all) });
  return (await answer.json()).slice(2);
}

const bytes = (...values) => ({ bytes: values });
const put = (key, value = [1], metadata = "{}", lifetime = day) => ["put", key, bytes(...value), metadata, lifetime];
const database = () => storeOf(runtime, "D1");
const tables = async () => (await (await database()).run("SELECT name FROM sqlite_master WHERE name LIKE 'token_cache%'")).results;

test("D1: whoever merely asks finds nothing and makes no table", async () => {
  const asked = [["get", "a"], ["list", "", null, 10], ["remove", "a"], ["replace", "a", bytes(1), "{}", day]];
  assert.deepEqual(await calls("D1", asked), [null, [null], null, false]);
  assert.deepEqual(await tables(), []);
});

for (const name of ["KV", "D1", "Memory"]) {
  test(`${name}: a value comes back as it was written last, until it is deleted`, async () => {
    const every = Array.from({ length: 256 }, (_, byte) => byte);
    const steps = [["get", "v"], put("v", every), ["get", "v"], put("v", [7, 8]), ["get", "v"], ["remove", "v"], ["get", "v"], ["remove", "v"]];
    assert.deepEqual(await calls(name, steps), [null, null, bytes(...every), null, bytes(7, 8), null, null, null]);
  });

  test(`${name}: several values are deleted together, those among them that are not there`, async () => {
    const steps = [put("several/1"), put("several/2"), put("several/'3"), ["remove", "several/1\nnot there\nseveral/'3"], ["list", "several/", null, 10]];
    assert.deepEqual((await calls(name, steps)).at(-1), [null, "several/2", "{}"]);
  });

  test(`${name}: a value is replaced with its metadata`, async () => {
    const steps = [put("r", [1], '{"n":1}'), ["replace", "r", bytes(2), '{"n":2}', day], ["get", "r"], ["list", "r", null, 10]];
    assert.deepEqual(await calls(name, steps), [null, true, bytes(2), [null, "r", '{"n":2}']]);
  });

  test(`${name}: a listing has the keys that begin so and no others, whatever the characters`, async () => {
    const listed = ["account/a_b%/1", "account/a_b%/2", "account/a_b%/~"];
    const others = ["account/a_b%", "account/a_b%0", "account/axb%/1", "account/a_bc/1", "account/A_B%/1", "sid/x"];
    await calls(name, [...listed, ...others].toReversed().map((key) => put(key, [1], `{"of":"${key}"}`)));
    const [found] = await calls(name, [["list", "account/a_b%/", null, 10]]);
    assert.deepEqual(found, [null, ...listed.flatMap((key) => [key, `{"of":"${key}"}`])]);
    const [all] = await calls(name, [["list", "", null, 100]]);
    for (const key of [...listed, ...others]) assert.ok(all.includes(key), key);
  });

  test(`${name}: page after page, every key is listed once`, async () => {
    const keys = Array.from({ length: 7 }, (_, number) => `pages/${number}`);
    await calls(name, keys.map((key) => put(key)));
    for (const limit of [1, 2, 3, 7, 100]) {
      const found = [];
      let cursor = null;
      do {
        const [[next, ...page]] = await calls(name, [["list", "pages/", cursor, limit]]);
        assert.ok(page.length <= 2 * limit);
        found.push(...page.filter((_, index) => index % 2 === 0));
        cursor = next;
      } while (cursor);
      assert.deepEqual(found, keys, `${limit}`);
    }
  });
}

for (const name of ["D1", "Memory"]) {
  test(`${name}: what was deleted is not replaced`, async () => {
    const replace = ["replace", "gone", bytes(2), "{}", day];
    const steps = [replace, put("gone"), ["remove", "gone"], replace, ["get", "gone"]];
    assert.deepEqual(await calls(name, steps), [false, null, null, false, null]);
  });

  test(`${name}: what has ended is not there, to the second`, async () => {
    const steps = [["get", "ends"], ["list", "ends", null, 10]];
    await calls(name, [put("ends", [1], "{}", 100)]);
    assert.deepEqual(await calls(name, steps, 95), [bytes(1), [null, "ends", "{}"]]);
    assert.deepEqual(await calls(name, [...steps, ["replace", "ends", bytes(2), "{}", day]], 101), [null, [null], false]);
  });
}

test("KV cannot know what was deleted, and writes it", async () => {
  assert.deepEqual(await calls("KV", [["replace", "unknown", bytes(2), "{}", day], ["get", "unknown"]]), [true, bytes(2)]);
});

test("DurableObject: there is no store to ask", async () => {
  const steps = [["get", "a"], put("a"), ["replace", "a", bytes(1), "{}", day], ["remove", "a"], ["list", "", null, 10]];
  for (const { rejected } of await calls("DurableObject", steps)) assert.equal(rejected, "there is no store");
});

test("Memory: the oldest makes room", async () => {
  const many = Array.from({ length: 5001 }, (_, number) => put(`many/${number}`));
  await calls("Memory", [put("oldest"), put("older"), put("oldest"), ...many.slice(0, 4999)]);
  assert.deepEqual(await calls("Memory", [["get", "older"], ["get", "oldest"]]), [null, bytes(1)]);
  await calls("Memory", many.slice(4999));
  assert.deepEqual(await calls("Memory", [["get", "oldest"], ["get", "many/5000"]]), [null, bytes(1)]);
});

test("D1: what has ended goes with later writes, twenty at a time", async () => {
  await calls("D1", Array.from({ length: 45 }, (_, number) => put(`old/${number}`, [1], "{}", 60)));
  const left = async () => (await (await database()).list({ prefix: "old/" })).keys.length;
  const counts = [];
  for (let round = 0; round < 4; round += 1) {
    await calls("D1", [put("new", [1], "{}", 10 * day)], 61);
    counts.push(await left());
  }
  assert.deepEqual(counts, [25, 5, 0, 0]);
  assert.deepEqual(await calls("D1", [["get", "new"]], 61), [bytes(1)]);
});

test("D1: a table that is gone is an empty one, and comes back with the next write", async () => {
  await calls("D1", [put("dropped")]);
  await (await database()).run("DROP TABLE token_cache");
  assert.deepEqual(await calls("D1", [["get", "dropped"], ["list", "", null, 10], put("new"), ["get", "new"]]), [null, [null], null, bytes(1)]);
  assert.deepEqual((await tables()).map(({ name }) => name).sort(), ["token_cache", "token_cache_expires_at"]);
});

test("D1: a table that cannot be read is a failure and never an empty one", async () => {
  await (await database()).run("DROP TABLE token_cache");
  await (await database()).run("CREATE TABLE token_cache (key TEXT PRIMARY KEY)");
  const steps = [["get", "a"], put("a"), ["replace", "a", bytes(1), "{}", day], ["list", "", null, 10]];
  for (const result of await calls("D1", steps)) assert.match(result?.rejected ?? "answered", /D1_ERROR/);
  await (await database()).run("DROP TABLE token_cache");
});

test("D1: the migration makes the same table", async () => {
  const schema = async () => (await (await database()).run("SELECT name, sql FROM sqlite_master WHERE name LIKE 'token_cache%' ORDER BY name")).results;
  await calls("D1", [put("a")]);
  const made = await schema();
  assert.equal(made.length, 2);
  await (await database()).run("DROP TABLE token_cache");
  const migration = readFileSync(inProject("migrations", "0001_token_cache.sql"), "utf8").replace(/^--.*$/gm, "");
  for (const statement of migration.split(";").filter((part) => part.trim())) await (await database()).run(statement);
  const plain = ({ name, sql }) => [name, sql.replaceAll(/\s+/g, " ")];
  assert.deepEqual((await schema()).map(plain), made.map(plain));
});
