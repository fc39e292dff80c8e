import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { after, before, beforeEach, test } from "node:test";

import { listen } from "../../demo/listen.mjs";
import { open } from "../worker/exchange.mjs";
import { alice } from "./people.mjs";
import { resources, startWorld } from "./world.mjs";

let world;
let browser;
before(async () => {
  world = await startWorld();
  browser = world.browser();
  await browser.signIn();
});
after(() => world.close());
beforeEach(() => {
  for (const server of [world.orders, world.invoices, world.origin]) server.intercept = undefined;
});

function answersWith(status, headers = {}, body = "") {
  return (_request, response) => {
    response.writeHead(status, headers).end(body);
    return true;
  };
}

function sha256(bytes) {
  return createHash("sha256").update(bytes).digest("hex");
}

test("each API gets an access token of its own audience and accepts it", async () => {
  for (const [name, server] of [["Orders", world.orders], ["Invoices", world.invoices], ["Orders", world.orders]]) {
    const answer = await browser.script(`/api/${name}/whoami`);
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.json().aud, resources[name]);
    assert.equal(answer.json().sub, alice.claims.sub);
    assert.equal(server.requests.at(-1).claims.aud, resources[name]);
  }
});

test("method, query and content type reach the API as they were sent", async () => {
  for (const method of ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "POST"]) {
    const headers = { "content-type": "application/x-odd; v=1" };
    await browser.script("/api/Orders/a%20b/%C3%A9?x=1&x=%2F..%2F&y=%26&empty=", { method, headers });
    const seen = world.orders.requests.at(-1);
    assert.deepEqual([seen.method, seen.url], [method, "/a%20b/%C3%A9?x=1&x=%2F..%2F&y=%26&empty="]);
    assert.equal(seen.headers["content-type"], "application/x-odd; v=1");
  }
});

test("an API sees neither cookies nor the address of the page, and no authorization but ours", async () => {
  browser.jar.set("localhost", "theme", "dark");
  const headers = { authorization: "Bearer stolen", origin: world.publicOrigin, "x-forwarded-for": "1.2.3.4" };
  assert.equal((await browser.script("/api/Orders/orders", { headers })).status, 200);
  const seen = world.orders.requests.at(-1).headers;
  for (const name of ["cookie", "origin", "referer", "x-forwarded-for"]) assert.equal(seen[name], undefined, name);
  assert.match(seen.authorization, /^Bearer ey/);
});

for (const [place, path] of [["an API", "/api/Orders/echo"], ["the origin", "/echo"]]) {
  test(`32 MiB go up to ${place} and come back unchanged`, async () => {
    const body = randomBytes(32 * 1024 * 1024);
    const headers = { "content-type": "application/octet-stream", "content-length": body.length };
    const answer = await browser.script(path, { method: "POST", headers, body });
    assert.equal(answer.status, 200);
    assert.equal(answer.bytes.length, body.length);
    assert.equal(sha256(answer.bytes), sha256(body));
  });

  test(`a body goes up to ${place} and down again piece by piece`, async () => {
    const body = new Readable({ read() {} });
    body.push("first\n");
    const headers = { ...browser.scriptHeaders(), "content-type": "text/plain" };
    const answer = await open(`${world.publicOrigin}${path}`, { method: "POST", headers, body });
    const received = answer.setEncoding("utf8")[Symbol.asyncIterator]();
    assert.equal((await received.next()).value, "first\n");
    // Nothing of the second piece exists before the first has come all the way back.
    body.push("second\n");
    body.push(null);
    assert.equal((await received.next()).value, "second\n");
    assert.equal((await received.next()).done, true);
  });
}

test("a stream of an API arrives while the API is still sending", async () => {
  let finish;
  world.orders.intercept = (_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" }).write("data: 1\n\n");
    finish = () => response.end("data: 2\n\n");
    return true;
  };
  const answer = await open(`${world.publicOrigin}/api/Orders/events`, { headers: browser.scriptHeaders() });
  const received = answer.setEncoding("utf8")[Symbol.asyncIterator]();
  assert.equal((await received.next()).value, "data: 1\n\n");
  finish();
  assert.equal((await received.next()).value, "data: 2\n\n");
});

test("an API that is not configured is not found, whatever its name", async () => {
  for (const path of ["/api/Nobody/x", "/api/orders/orders", "/api/Orders%2Forders", "/api/", "/api", "/api//x"]) {
    const answer = await browser.script(path);
    assert.deepEqual([answer.status, answer.json().code], [404, "not_found"], path);
  }
  assert.equal((await browser.navigate("/api/__proto__/x")).status, 404);
});

test("what an API answers to a request passes untouched, failures too", async () => {
  for (const status of [200, 204, 304, 400, 401, 403, 404, 409, 422, 429, 500, 503]) {
    const body = [204, 304].includes(status) ? "" : `{"status":${status}}`;
    const headers = { "content-type": "application/problem+json", etag: '"x"', "retry-after": "7", "x-own": "kept" };
    world.orders.intercept = answersWith(status, headers, body);
    const answer = await browser.script("/api/Orders/orders");
    assert.deepEqual([answer.status, answer.text, answer.headers["x-own"]], [status, body, "kept"]);
    assert.equal(answer.headers["retry-after"], "7");
  }
  assert.ok(browser.session);
});

test("a redirect of an API or of the origin is the browser's to follow: no token goes where it points", async () => {
  const visitors = [];
  const elsewhere = await listen(0, (request, response) => {
    visitors.push(request.headers);
    response.end();
  });
  try {
    const location = `http://127.0.0.1:${elsewhere.port}/steal`;
    for (const status of [301, 302, 303, 307, 308]) {
      world.orders.intercept = world.origin.intercept = answersWith(status, { location });
      for (const path of ["/api/Orders/orders", "/page/one"]) {
        const answer = await browser.script(path);
        assert.deepEqual([answer.status, answer.headers.location], [status, location]);
      }
    }
    assert.deepEqual(visitors, []);
  } finally {
    await elsewhere.close();
  }
});

test("an API sets no cookie on our origin; the origin may", async () => {
  world.orders.intercept = answersWith(200, { "set-cookie": ["a=1; Path=/", "__Host-session=x; Path=/; Secure"] }, "{}");
  assert.deepEqual((await browser.script("/api/Orders/orders")).setCookies, []);
  world.origin.intercept = answersWith(200, { "set-cookie": ["theme=dark; Path=/", "b=2; Path=/"] });
  assert.deepEqual((await browser.script("/page/one")).setCookies, ["theme=dark; Path=/", "b=2; Path=/"]);
});

test("no shared cache may keep an answer of an API; the origin's own caching rules stay", async () => {
  const kept = { api: ["no-store", "private, max-age=60", "max-age=5, Private"], origin: ["public, max-age=60"] };
  const replaced = ["public, max-age=60", "max-age=60", "s-maxage=9", "", undefined];
  const cacheControl = async (path, stated) => {
    const answer = answersWith(200, stated === undefined ? {} : { "cache-control": stated }, "{}");
    world.orders.intercept = world.origin.intercept = answer;
    return (await browser.script(path)).headers["cache-control"];
  };
  for (const stated of kept.api) assert.equal(await cacheControl("/api/Orders/orders", stated), stated);
  for (const stated of replaced) assert.equal(await cacheControl("/api/Orders/orders", stated), "no-store");
  for (const stated of kept.origin) assert.equal(await cacheControl("/page/one", stated), stated);
  assert.equal(await cacheControl("/page/one", undefined), "no-store");
});

test("an API that cannot be reached is api_unreachable, and the session goes on", async () => {
  world.orders.intercept = (request) => {
    request.socket.destroy();
    return true;
  };
  const answer = await browser.script("/api/Orders/orders");
  assert.deepEqual([answer.status, answer.json().code], [502, "api_unreachable"]);
  world.origin.intercept = world.orders.intercept;
  const page = await browser.navigate("/page/one");
  assert.equal(page.status, 502);
  assert.match(page.headers["content-type"], /^text\/html/);
  assert.equal((await browser.script("/.auth/me")).status, 200);
});

test("only a page of ours may call an API or change something at the origin", async () => {
  const before = [world.orders.requests.length, world.origin.requests.length];
  const foreign = [
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site" },
    { "sec-fetch-site": undefined, origin: "https://evil.example" },
    { "sec-fetch-site": undefined, origin: "null", "x-csrf": "1" },
    { "sec-fetch-site": undefined },
  ];
  for (const headers of foreign.map(withSession)) {
    for (const [method, path] of [["GET", "/api/Orders/orders"], ["POST", "/api/Orders/orders"], ["POST", "/echo"], ["DELETE", "/x"]]) {
      const answer = await world.browser().script(path, { method, headers });
      assert.deepEqual([answer.status, answer.json().code], [403, "csrf_rejected"], `${method} ${path}`);
    }
  }
  assert.deepEqual([world.orders.requests.length, world.origin.requests.length], before);
});

function withSession(headers) {
  const all = { ...headers, cookie: `__Host-session=${browser.session}` };
  if (!all["sec-fetch-site"]) all["sec-fetch-site"] = [];
  return all;
}
