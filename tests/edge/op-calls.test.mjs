// The Worker's way to the OP.

import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { callOp } from "../../build/worker/glue.js";

test("what is sent to the OP is copied before the platform waits: memory may move in between", async () => {
  const memory = new Uint8Array([1, 2, 3, 4]);
  let sent;
  mock.method(globalThis, "fetch", async (_url, { body }) => {
    sent = body;
    return new Response("{}");
  });
  try {
    await callOp({}, undefined, "POST", "http://op.example/token", "", memory.subarray(1, 3), 1000, 1000);
  } finally {
    mock.restoreAll();
  }
  memory.fill(9);
  assert.deepEqual(sent, new Uint8Array([2, 3]));
});
