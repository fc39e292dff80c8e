// Requests and answers of every form pass as HTTP has them.

import assert from "node:assert/strict";
import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { after, afterEach, before, test } from "node:test";
import { brotliCompressSync, gzipSync } from "node:zlib";

import { exchange } from "../worker/exchange.mjs";
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
  world.origin.intercept = undefined;
});

function originAnswers(status, headers, body) {
  world.origin.intercept = (_request, response) => {
    response.writeHead(status, headers).end(body);
    return true;
  };
}

/** A request to the origin by a script of our page. */
function ask(path, { method, headers, body } = {}) {
  return exchange(`${world.publicOrigin}${path}`, { method, body, headers: { ...browser.scriptHeaders(), ...headers } });
}

const page = "Zoë ".repeat(2000);
const own = { "cache-control": "no-cache", "content-type": "text/plain" };

for (const [encoding, bytes] of [["gzip", gzipSync(page, { level: 1 })], ["br", brotliCompressSync(page)]]) {
  for (const [form, headers] of [["an answer", own], ["an answer that gets a header", { "content-type": "text/plain" }]]) {
    test(`${form} in ${encoding} passes byte by byte`, async () => {
      originAnswers(200, { ...headers, "content-encoding": encoding, "content-length": bytes.length }, bytes);
      // Miniflare's own front encodes an answer anew for a caller that prefers another encoding.
      const answer = await ask("/page", { headers: { "accept-encoding": encoding } });
      assert.equal(answer.headers["content-encoding"], encoding);
      assert.deepEqual(answer.bytes, bytes);
      assert.equal(answer.headers["content-length"], String(bytes.length));
    });
  }
}

test("an answer to HEAD has the length that GET would have, and no body", async () => {
  originAnswers(200, { ...own, "content-length": 12345, etag: '"1"' });
  const answer = await ask("/page", { method: "HEAD" });
  assert.deepEqual([answer.status, answer.bytes.length, answer.headers.etag], [200, 0, '"1"']);
  assert.equal(answer.headers["content-length"], "12345");
});

for (const headers of [own, {}]) {
  test(`204 and 304 pass without a body, ${headers === own ? "as they are" : "with a header more"}`, async () => {
    for (const status of [204, 304]) {
      originAnswers(status, { ...headers, etag: '"1"' });
      const answer = await ask("/page", { headers: { "if-none-match": '"1"' } });
      assert.deepEqual([answer.status, answer.bytes.length, answer.headers.etag], [status, 0, '"1"']);
      assert.equal(world.origin.requests.at(-1).headers["if-none-match"], '"1"');
    }
  });
}

test("a part of something passes as a part", async () => {
  originAnswers(206, { ...own, "content-range": "bytes 2-5/10", "accept-ranges": "bytes", "content-length": 4 }, "cdef");
  const answer = await ask("/page", { headers: { range: "bytes=2-5", "if-range": '"1"' } });
  assert.deepEqual([answer.status, answer.text], [206, "cdef"]);
  assert.deepEqual([answer.headers["content-range"], answer.headers["content-length"]], ["bytes 2-5/10", "4"]);
  const { headers } = world.origin.requests.at(-1);
  assert.deepEqual([headers.range, headers["if-range"]], ["bytes=2-5", '"1"']);
});

test("an upload keeps its length", async () => {
  world.origin.intercept = undefined;
  const body = "x".repeat(70_000);
  const answer = await ask("/echo", { method: "POST", body, headers: { "content-length": body.length } });
  assert.equal(answer.text, body);
  assert.equal(world.origin.requests.at(-1).headers["content-length"], "70000");
});

test("a caller that waits for 100 Continue is served", async () => {
  const headers = { host: new URL(world.publicOrigin).host, ...browser.scriptHeaders(), expect: "100-continue", "content-length": 4 };
  const request = httpRequest(`${world.publicOrigin}/echo`, { host: "127.0.0.1", method: "POST", headers });
  request.on("continue", () => request.end("body"));
  request.flushHeaders();
  const [answer] = await once(request, "response");
  assert.equal(Buffer.concat(await answer.toArray()).toString(), "body");
});

test("values of headers that occur more than once stay apart where HTTP has them apart", async () => {
  const headers = { ...own, "set-cookie": ["a=1; Path=/", "b=2"], link: ["</a>; rel=preload", "</b>; rel=preload"] };
  originAnswers(200, headers, "body");
  const { setCookies, rawHeaders } = await ask("/page");
  assert.deepEqual(setCookies, ["a=1; Path=/", "b=2"]);
  const links = rawHeaders.filter((_, index) => rawHeaders[index - 1]?.toLowerCase() === "link");
  assert.equal(links.join(", "), "</a>; rel=preload, </b>; rel=preload");
});

test("headers of 8 KiB pass in both directions", async () => {
  const value = "v".repeat(8192);
  originAnswers(200, { ...own, "x-large": value }, "body");
  const answer = await ask("/page", { headers: { "x-large": value } });
  assert.deepEqual([answer.headers["x-large"], world.origin.requests.at(-1).headers["x-large"]], [value, value]);
});

test("any status and any method of the origin's passes", async () => {
  for (const status of [201, 226, 300, 400, 401, 418, 429, 500, 503, 599]) {
    originAnswers(status, own, "body");
    const answer = await ask("/page");
    assert.deepEqual([answer.status, answer.text], [status, "body"]);
  }
  for (const method of ["PATCH", "DELETE", "OPTIONS", "PROPFIND"]) {
    originAnswers(200, own, "body");
    assert.equal((await ask("/page", { method })).text, "body");
    assert.equal(world.origin.requests.at(-1).method, method);
  }
});
