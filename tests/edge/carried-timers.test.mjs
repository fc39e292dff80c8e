// How a WebSocket that is carried learns of its session's end, on a clock of the test's own.

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { callAt, listen, poll } from "../../build/worker/carried.js";

const message = '{"event":"signed_out"}';
const start = 1_800_000_000_000;

beforeEach(() => mock.timers.enable({ apis: ["setInterval", "setTimeout", "Date"], now: start }));
afterEach(() => mock.timers.reset());

/** What has been promised by now happens. */
async function settle() {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
}

async function pass(milliseconds) {
  mock.timers.tick(milliseconds);
  await settle();
}

/** A way to an object whose WebSockets the test breaks. */
function object() {
  const sockets = [];
  const way = { sockets, isDown: false, tries: 0 };
  way.open = async () => {
    way.tries += 1;
    if (way.isDown) throw new Error("down");
    const socket = Object.assign(new EventTarget(), { accept() {}, close: () => (socket.isClosed = true) });
    sockets.push(socket);
    return { webSocket: socket };
  };
  way.say = (type, fields) => sockets.at(-1).dispatchEvent(Object.assign(new Event(type), fields));
  return way;
}

for (const [how, type, fields] of [["message", "message", { data: message }], ["close code", "close", { code: 4401 }]]) {
  test(`the object's ${how} ends it once`, async () => {
    const way = object();
    const onEnd = mock.fn();
    listen(way.open, onEnd);
    await settle();
    way.say(type, fields);
    way.say("close", { code: 4401 });
    await pass(3_600_000);
    assert.deepEqual([onEnd.mock.callCount(), way.tries], [1, 1]);
  });
}

test("nothing else that the object says ends it", async () => {
  const way = object();
  const onEnd = mock.fn();
  listen(way.open, onEnd);
  await settle();
  for (const data of ["pong", "", "signed_out", '{"event":"other"}', new ArrayBuffer(8)]) way.say("message", { data });
  assert.equal(onEnd.mock.callCount(), 0);
});

test("a connection that breaks is opened again after a pause, which doubles up to thirty seconds", async () => {
  const way = object();
  listen(way.open, assert.fail);
  await settle();
  way.isDown = true;
  way.say("error", {});
  way.say("close", { code: 1006 });
  for (const [number, pause] of [1, 2, 4, 8, 16, 30, 30].entries()) {
    await pass(pause * 1000 - 1);
    assert.equal(way.tries, number + 1);
    await pass(1);
    assert.equal(way.tries, number + 2);
  }
});

test("a connection that has held begins with the shortest pause again", async () => {
  const way = object();
  listen(way.open, assert.fail);
  await settle();
  for (const [held, pause] of [[0, 1], [0, 2], [31_000, 1], [0, 2]]) {
    await pass(held);
    way.say("close", { code: 1006 });
    const { tries } = way;
    await pass(pause * 1000 - 1);
    assert.equal(way.tries, tries);
    await pass(1);
    assert.equal(way.tries, tries + 1);
  }
});

test("who is let go hears nothing, opens nothing and keeps no connection", async () => {
  for (const when of ["connected", "connecting", "waiting"]) {
    const way = object();
    const letGo = listen(way.open, assert.fail);
    if (when !== "connecting") await settle();
    if (when === "waiting") way.say("close", { code: 1006 });
    letGo();
    await pass(3_600_000);
    assert.equal(way.tries, 1, when);
    if (when !== "waiting") assert.equal(way.sockets[0].isClosed, true, when);
  }
});

test("without an object the session is looked after every minute, and only a definite end is one", async () => {
  const answers = [true, new Error("trapped"), true, false];
  const goesOn = mock.fn(async () => {
    const answer = answers.shift();
    if (answer instanceof Error) throw answer;
    return answer;
  });
  const onEnd = mock.fn();
  const letGo = poll(goesOn, onEnd);
  for (const [looks, ends] of [[1, 0], [2, 0], [3, 0], [4, 1]]) {
    await pass(59_999);
    assert.equal(goesOn.mock.callCount(), looks - 1);
    await pass(1);
    assert.deepEqual([goesOn.mock.callCount(), onEnd.mock.callCount()], [looks, ends]);
  }
  letGo();
  await pass(600_000);
  assert.equal(goesOn.mock.callCount(), 4);
});

test("a moment is waited for however far it is, and no longer than wanted", async () => {
  const day = 86_400_000;
  const act = mock.fn();
  callAt(start + 90 * day, act);
  for (let days = 0; days < 89; days += 1) await pass(day);
  assert.equal(act.mock.callCount(), 0);
  await pass(day);
  assert.equal(act.mock.callCount(), 1);
  callAt(start + 91 * day, act)();
  await pass(2 * day);
  assert.equal(act.mock.callCount(), 1);
});
