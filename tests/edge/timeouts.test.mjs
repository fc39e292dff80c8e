// Only the head of an answer is waited for, and not for ever.

import assert from "node:assert/strict";
import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { after, afterEach, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";

import { open } from "../worker/exchange.mjs";
import { until } from "./until.mjs";
import { startWorld } from "./world.mjs";

let world;
let browser;
before(async () => {
  const Orders = { Scopes: "orders.read", TimeoutSeconds: 1 };
  world = await startWorld({
    vars: { OpenIdConnect: { BackchannelTimeoutSeconds: 1 }, Gateway: { OriginTimeoutSeconds: 1 } },
    apiVars: { Orders },
  });
  browser = world.browser();
  await browser.signIn();
});
after(() => world.close());
afterEach(() => {
  for (const server of [world.op, world.origin, world.orders]) server.intercept = undefined;
});

const hang = () => true;

for (const [name, path, code] of [["an API", "/api/Orders/orders", "api_unreachable"], ["the origin", "/page/one", "origin_unreachable"]]) {
  test(`${name} that does not answer in time is ${code}, and its late answer is not waited for`, async () => {
    world.orders.intercept = world.origin.intercept = hang;
    const answer = await browser.script(path);
    assert.deepEqual([answer.status, answer.json().code], [502, code]);
    assert.match((await world.events()).at(-1).reason, /TimedOut/);
  });

  test(`a stream of ${name} may last longer than the time-out of its head`, async () => {
    let finish;
    world.orders.intercept = world.origin.intercept = (_request, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" }).write("first\n");
      finish = () => response.end("last\n");
      return true;
    };
    const answer = await open(`${world.publicOrigin}${path}`, { headers: browser.scriptHeaders() });
    const received = answer.setEncoding("utf8")[Symbol.asyncIterator]();
    assert.equal((await received.next()).value, "first\n");
    await pause(1500);
    finish();
    assert.equal((await received.next()).value, "last\n");
  });
}

for (const [name, path, code] of [["an API", "/api/Orders/orders", "api_unreachable"], ["the origin", "/page/one", "origin_unreachable"]]) {
  test(`an upload to ${name} may last longer than the time-out, which begins at its end`, async () => {
    let arrived;
    world.orders.intercept = world.origin.intercept = (request) => {
      arrived = request;
      return true;
    };
    const headers = { host: new URL(world.publicOrigin).host, ...browser.scriptHeaders() };
    const request = httpRequest(`${world.publicOrigin}${path}`, { host: "127.0.0.1", method: "PUT", headers });
    request.write("first\n");
    await until(() => arrived);
    await pause(1500);
    request.end("last\n");
    assert.equal(Buffer.concat(await arrived.toArray()).toString(), "first\nlast\n");
    const [answer] = await once(request, "response");
    assert.deepEqual([answer.statusCode, JSON.parse(Buffer.concat(await answer.toArray())).code], [502, code]);
  });
}

test("an OP that does not answer in time is op_unreachable", async () => {
  const other = world.browser();
  const callback = await other.signInUpToCallback("/page/one");
  world.op.intercept = hang;
  const answer = await other.script(callback);
  assert.deepEqual([answer.status, answer.json().code], [503, "op_unreachable"]);
  assert.equal(other.session, undefined);
});
