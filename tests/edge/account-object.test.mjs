// The accounts' objects as the platform runs them: a call that cannot be answered is rejected, and never takes another
// one with it.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { startWorld } from "./world.mjs";

let world;
before(async () => {
  world = await startWorld();
});
after(() => world.close());

const call = (request = "?") => world.worker.accounts.call("account", request);

async function assertServed() {
  assert.equal(typeof (await call()).answer, "string");
}

test("a call is answered with text", async () => {
  await assertServed();
});

test("a call that throws through wasm is rejected, and the next ones are served by a fresh instance", async () => {
  for (let round = 0; round < 3; round += 1) {
    // Not a string, so the bindings throw.
    assert.deepEqual(await call(null), { rejected: "trapped" });
    await assertServed();
    assert.equal((await world.browser().script("/.auth/health")).status, 200);
  }
});

test("an object outlives the panic of a request", async () => {
  await world.freshInstance();
  await assertServed();
});

test("an object rings although nothing is in it", async () => {
  await call();
  const [id] = await world.worker.accounts.ids();
  assert.deepEqual(await world.worker.accounts.ring(id), {});
});

test("an object that is down rejects every call", async () => {
  await world.worker.command({ account: "down" });
  assert.deepEqual(await call(), { rejected: "the object is down" });
  await world.worker.command({ account: "up" });
  await assertServed();
});

test("a deployment that can serve no request answers for no account", async () => {
  const other = await startWorld({ vars: { Gateway: undefined } });
  try {
    for (let round = 0; round < 2; round += 1) {
      assert.deepEqual(await other.worker.accounts.call("account", "?"), { rejected: "misconfigured" });
    }
    const faults = (await other.events()).filter(({ event }) => event === "config.invalid");
    assert.equal(faults.length, 1);
  } finally {
    await other.close();
  }
});
