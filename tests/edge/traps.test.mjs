// A panic in wasm takes its own request with it and nothing else.

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";

import { alice } from "./people.mjs";
import { assertProblem } from "./refusals.mjs";
import { startWorld } from "./world.mjs";

let world;
let browser;
before(async () => {
  world = await startWorld();
  browser = world.browser();
  await browser.signIn();
});
after(() => world.close());
afterEach(() => {
  world.op.intercept = undefined;
});

function assertInternal(answer) {
  assert.deepEqual([answer.status, answer.headers["content-type"]], [500, "application/problem+json"]);
  assert.deepEqual([answer.headers["cache-control"], answer.json().code], ["no-store", "internal"]);
}

async function assertAllIsWell() {
  assert.equal((await browser.script("/.auth/me")).json().sub, alice.claims.sub);
  assert.equal((await browser.script("/page/one")).status, 200);
  assert.equal((await browser.script("/api/Orders/orders")).status, 200);
  assert.equal((await world.browser().signIn("/page/two")).url, `${world.publicOrigin}/page/two`);
}

const traps = {
  "panics at once": { target: "/%2e%2e%2fx", headers: { "x-test": "panic" } },
  "panics while it is awaited": { target: "/.auth/login", headers: { "x-test": "panic" } },
  "throws through wasm": { target: "/page/one", headers: { "x-test": "throw" } },
};
for (const [name, request] of Object.entries(traps)) {
  test(`a request that ${name} gets 500 internal, and the next ones are served`, async () => {
    for (let round = 0; round < 3; round += 1) {
      assertInternal(await world.browser().script("/", request));
      await assertAllIsWell();
    }
  });
}

for (const [name, request] of Object.entries(traps)) {
  test(`an instance in which a request ${name} is not used again: the next one remembers nothing`, async () => {
    const reads = async () => (await world.worker.log()).filter((line) => line.test === "account").length;
    await browser.script("/page/one");
    const remembered = await reads();
    await browser.script("/page/one");
    assert.equal(await reads(), remembered);
    assertInternal(await world.browser().script("/", request));
    await browser.script("/page/one");
    assert.equal(await reads(), remembered + 1);
  });
}

test("requests that wait while another one panics are answered, not left hanging", async () => {
  let isAsked;
  const asked = new Promise((resolve) => (isAsked = resolve));
  let release;
  const released = new Promise((resolve) => (release = resolve));
  const other = world.browser();
  const callback = await other.signInUpToCallback("/page/three");
  world.op.intercept = (request, response) => {
    if (request.url !== "/token") return false;
    isAsked();
    released.then(() => world.op.callback(request, response));
    return true;
  };
  const waiting = other.script(callback);
  await asked;
  assertInternal(await world.browser().script("/", traps["panics at once"]));
  release();
  assertInternal(await waiting);
  world.op.intercept = undefined;
  assert.equal(other.session, undefined);
  await assertAllIsWell();
});

/** An API call whose answer waits for `end(response)`; the second call is forwarded from memory alone. */
async function callUnderWay() {
  await browser.script("/api/Orders/orders");
  let end;
  const ended = new Promise((resolve) => (end = resolve));
  const begun = new Promise((resolve) => {
    world.orders.intercept = (request, response) => {
      if (request.url !== "/slow") return false;
      resolve();
      ended.then((finish) => finish(request, response));
      return true;
    };
  });
  const call = browser.script("/api/Orders/slow");
  await begun;
  return { call, end };
}

test("a forward that is under way while another request panics arrives whole", async () => {
  const { call, end } = await callUnderWay();
  assertInternal(await world.browser().script("/", traps["panics at once"]));
  await browser.script("/.auth/me");
  end((_request, response) => response.writeHead(200).end("late"));
  const answer = await call;
  assert.deepEqual([answer.status, answer.text], [200, "late"]);
});

test("a forward that fails after another request panicked is api_unreachable", async () => {
  const { call, end } = await callUnderWay();
  assertInternal(await world.browser().script("/", traps["panics at once"]));
  await browser.script("/.auth/me");
  end((request) => request.socket.destroy());
  assertProblem(await call, 502, "api_unreachable");
  await assertAllIsWell();
});

test("a method that a path does not take is refused with those that it does", async () => {
  const allowed = { "/.auth/login": "GET, HEAD", "/.auth/me": "GET, HEAD", "/.auth/logout": "GET, POST", "/signout-callback-oidc": "GET" };
  for (const [path, allow] of Object.entries(allowed)) {
    const answer = await browser.script(path, { method: "PUT" });
    assertProblem(answer, 405, "method_not_allowed");
    assert.equal(answer.headers.allow, allow);
  }
});
