// What an operator can know: data points, the client's trace, and health.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { assertProblem } from "./refusals.mjs";
import { startWorld } from "./world.mjs";

const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
const traceparent = `00-${traceId}-00f067aa0ba902b7-01`;
const Routes = [
  { Name: "public", Path: "/public/**", Access: "Anonymous" },
  { Name: "admin", Path: "/admin/**", Require: { Roles: ["nobody-has-it"] } },
];

let world;
let plain;
before(async () => {
  [world, plain] = await Promise.all([
    startWorld({ vars: { Gateway: { Routes } }, withMetrics: true }),
    startWorld({ vars: { Gateway: { Routes } } }),
  ]);
});
after(() => Promise.all([world.close(), plain.close()]));

const points = async (place) => (await place.worker.log()).filter(({ test: kind }) => kind === "point").map(({ point }) => point);

/** What was counted while `act` ran, but for the time. */
async function counted(act) {
  const before = (await points(world)).length;
  await act();
  return (await points(world)).slice(before).map(({ indexes, blobs, doubles: [one, milliseconds] }) => {
    assert.deepEqual([indexes, blobs.length, one], [[blobs[0]], 11, 1]);
    assert.ok(Number.isInteger(milliseconds) && milliseconds >= 0);
    return blobs;
  });
}

const served = (rule, access, route, status, decided) =>
  ["request.served", rule, access, "OpenIdConnect", route, "", status, "", "", "", decided];

test("every event and every request that is passed on becomes a data point, in its promised places", async () => {
  const browser = world.browser();
  const signIn = await counted(() => browser.signIn("/page/of-alice"));
  assert.deepEqual(
    signIn.map(([event]) => event),
    ["request.refused", "login.started", "login.completed", "request.served"],
  );
  assert.deepEqual(signIn[0], ["request.refused", "default", "Login", "OpenIdConnect", "origin", "login_required", "4xx", "Caller", "", "", ""]);
  assert.deepEqual(signIn[1], ["login.started", "default", "Login", "OpenIdConnect", "", "", "", "", "", "page", ""]);
  assert.deepEqual(signIn[3], served("default", "Login", "origin", "2xx", "at_once"));
  assert.doesNotMatch(JSON.stringify(signIn), /alice/);
  const get = (path) => counted(() => browser.script(path));
  assert.deepEqual(await get("/public/x"), [served("public", "Anonymous", "origin", "2xx", "at_once")]);
  assert.deepEqual(await get("/nothing-here"), [served("default", "Login", "origin", "4xx", "at_once")]);
  assert.deepEqual((await get("/api/Orders/whoami")).at(-1), served("default", "Api", "api", "2xx", "later"));
  assert.deepEqual(await get("/api/Orders/whoami"), [served("default", "Api", "api", "2xx", "at_once")]);
  assert.deepEqual((await get("/admin/x")).map((blobs) => [blobs[1], blobs[5]]), [["admin", "forbidden"]]);
  await world.freshInstance();
  assert.deepEqual(await get("/page/x"), [served("default", "Login", "origin", "2xx", "later")]);
});

test("the account's objects count, too, and a request that finds nobody behind us is a refusal alone", async () => {
  const browser = world.browser();
  await browser.signIn();
  const events = (await counted(() => browser.script("/api/Orders/whoami"))).map(([event, , , , , , , , api]) => [event, api]);
  assert.deepEqual(events.find(([event]) => event === "token.refreshed"), ["token.refreshed", "Orders"]);
  world.origin.intercept = (request) => request.socket.destroy() || true;
  try {
    const refused = await counted(() => browser.script("/page/x"));
    assert.deepEqual(refused.map((blobs) => [blobs[0], blobs[5], blobs[6]]), [["request.refused", "origin_unreachable", "5xx"]]);
  } finally {
    world.origin.intercept = undefined;
  }
});

test("a dataset that takes nothing fails no request", async () => {
  const browser = world.browser();
  await world.worker.command({ metricsFail: true });
  try {
    assert.deepEqual(await counted(() => browser.signIn()), []);
    assert.equal((await browser.script("/page/x")).status, 200);
    assert.equal((await browser.script("/api/Orders/whoami")).status, 200);
    assertProblem(await browser.script("/admin/x"), 403, "forbidden");
  } finally {
    await world.worker.command({ metricsFail: false });
  }
});

test("without a dataset everything is served and nothing counted", async () => {
  const browser = plain.browser();
  await browser.signIn();
  assert.equal((await browser.script("/page/x")).status, 200);
  assertProblem(await browser.script("/admin/x"), 403, "forbidden");
  assert.deepEqual(await points(plain), []);
});

test("a valid traceparent goes to the origin, the API, the OP and the log; any other goes nowhere", async () => {
  const browser = plain.browser();
  await browser.signIn();
  const headers = { traceparent, tracestate: "vendor=1" };
  await browser.script("/api/Orders/whoami", { headers });
  await browser.script("/page/x", { headers });
  for (const { requests } of [plain.orders, plain.origin]) {
    const { headers: arrived } = requests.at(-1);
    assert.deepEqual([arrived.traceparent, arrived.tracestate], [traceparent, "vendor=1"]);
  }
  const refresh = plain.op.requests.filter(({ headers: arrived }) => arrived.traceparent === traceparent);
  assert.ok(refresh.length > 0 && refresh.every(({ headers: arrived }) => arrived.tracestate === undefined));
  // Written by the account's object, which is another isolate's business.
  const refreshed = (await plain.events()).filter(({ event }) => event === "token.refreshed");
  assert.equal(refreshed.at(-1).trace_id, traceId);
  for (const invalid of [traceparent.toUpperCase(), `${traceparent}-x`, "00-0-0-0"]) {
    await browser.script("/page/x", { headers: { traceparent: invalid, tracestate: "vendor=1" } });
    const { headers: arrived } = plain.origin.requests.at(-1);
    assert.deepEqual([arrived.traceparent, arrived.tracestate], [undefined, undefined]);
  }
});

test("what is refused again and again has a trace of its own each time, which the log knows, and its own page to come back to", async () => {
  const browser = plain.browser();
  const loginUrl = (page) => `${plain.publicOrigin}/.auth/login?return_to=${encodeURIComponent(page)}`;
  const random = /^[0-9a-f]{16}$/;
  const traces = new Set();
  // Whatever is no ray of Cloudflare's is not believed.
  const rays = [undefined, undefined, "8f2a3b4c5d6e7f80-FRA", "9f2a3b4c5d6e7f80-LHR", "no ray", "<b>", "e", "a".repeat(41), undefined];
  for (const page of ["/page/one", "/page/two"]) {
    for (const ray of rays) {
      const headers = { referer: plain.publicOrigin + page, ...(ray && { "cf-ray": ray }) };
      const answer = await browser.script("/api/Orders/whoami", { headers });
      assertProblem(answer, 401, "login_required");
      const { trace, login_url: url } = answer.json();
      assert.equal(url, loginUrl(page));
      if (ray && /^[0-9A-Za-z-]{1,40}$/.test(ray)) assert.equal(trace, ray);
      else assert.match(trace, random);
      traces.add(trace);
    }
  }
  const logged = (await plain.events()).filter(({ event, trace }) => event === "request.refused" && traces.has(trace));
  assert.equal(logged.length, 2 * rays.length);
  assert.equal(new Set(logged.map((line) => JSON.stringify({ ...line, trace: "" }))).size, 1);
  await browser.signIn();
  assert.equal((await browser.script("/api/Orders/whoami")).status, 200);
});

test("health is for everybody, and says nothing of a session", async () => {
  const browser = plain.browser();
  await browser.signIn();
  const count = plain.origin.requests.length;
  for (const somebody of [browser, plain.browser()]) {
    for (const method of ["GET", "HEAD"]) {
      const answer = await somebody.script("/.auth/health", { method });
      assert.deepEqual([answer.status, answer.text, answer.headers["cache-control"]], [200, method === "GET" ? "ok\n" : "", "no-store"]);
      assert.equal(answer.headers["set-cookie"], undefined);
    }
    assertProblem(await somebody.script("/.auth/health", { method: "POST" }), 405, "method_not_allowed");
  }
  assert.equal(plain.origin.requests.length, count);
});
