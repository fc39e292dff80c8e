// The Worker's way to its stores, with stores that misbehave in the ways that the platform's can.

import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { callAccount, get, list, put, remove } from "../../build/worker/store.js";

const kv = (methods) => ({ TOKEN_CACHE: methods });
const hang = () => new Promise(() => {});
const calls = {
  get: [(env) => get(env, "key"), 5000],
  put: [(env) => put(env, "key", new Uint8Array(3), "{}", 60), 5000],
  delete: [(env) => remove(env, "key"), 5000],
  list: [(env) => list(env, "prefix"), 5000],
  call: [(env) => callAccount(env, "name", "request"), 20_000],
};
const all = (act) => ({
  ...kv({ get: act, put: act, delete: act, list: act }),
  ACCOUNTS: { idFromName: (name) => name, get: () => ({ call: act }) },
});

for (const [name, [call, limit]] of Object.entries(calls)) {
  test(`${name}: no answer is a failure at the limit, and not before`, async () => {
    mock.timers.enable({ apis: ["setTimeout"] });
    try {
      let failed = false;
      const done = call(all(hang)).catch(() => (failed = true));
      mock.timers.tick(limit - 1);
      await new Promise(setImmediate);
      assert.equal(failed, false);
      mock.timers.tick(1);
      await done;
      assert.equal(failed, true);
    } finally {
      mock.timers.reset();
    }
  });

  test(`${name}: a rejection, an exception and a missing binding are all rejections`, async () => {
    const fail = () => Promise.reject(new Error("down"));
    const raise = () => {
      throw new Error("down");
    };
    for (const env of [all(fail), all(raise)]) await assert.rejects(call(env), /down/);
    await assert.rejects(call({}), TypeError);
  });
}

test("no timer is left behind by an answer in time", async () => {
  const running = () => process.getActiveResourcesInfo().filter((resource) => resource === "Timeout").length;
  const before = running();
  assert.equal(await get(kv({ get: async () => null }), "key"), null);
  assert.equal(running(), before);
});

test("a value is copied before the platform waits: memory may move in between", async () => {
  const memory = new Uint8Array([1, 2, 3, 4]);
  let given;
  await put(kv({ put: async (...args) => (given = args) }), "key", memory.subarray(1, 3), '{"created":1}', 60);
  memory.fill(9);
  assert.deepEqual(given, ["key", new Uint8Array([2, 3]), { expirationTtl: 60, metadata: { created: 1 } }]);
});

test("a page of a listing says where the next one begins, and has keys, each with its metadata", async () => {
  const pages = {
    first: { keys: [{ name: "p/1", metadata: { a: 1 } }, { name: "p/2" }], list_complete: false, cursor: "second" },
    second: { keys: [], list_complete: false, cursor: "third" },
    third: { keys: [{ name: "p/3", metadata: null }], list_complete: true, cursor: "of no use" },
  };
  const asked = [];
  const env = kv({
    list: async (options) => {
      asked.push(options);
      return pages[options.cursor ?? "first"];
    },
  });
  assert.deepEqual(await list(env, "p/", undefined, 100), ["second", "p/1", '{"a":1}', "p/2", undefined]);
  assert.deepEqual(await list(env, "p/", "second", 100), ["third"]);
  assert.deepEqual(await list(env, "p/", "third", 100), [undefined, "p/3", undefined]);
  const cursors = [undefined, "second", "third"];
  assert.deepEqual(asked, cursors.map((cursor) => ({ prefix: "p/", cursor, limit: 100 })));
});
