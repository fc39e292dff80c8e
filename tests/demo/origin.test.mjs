// The demo's origin shows what arrived, and nothing that could be a secret.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { startOrigin } from "../../demo/origin.mjs";

let origin;
let base;
before(async () => {
  origin = await startOrigin({ publicOrigin: "http://localhost:8787" });
  base = `http://127.0.0.1:${origin.port}`;
});
after(() => origin.close());

test("the page names the path and the identity headers, escaped", async () => {
  const headers = {
    "x-ms-client-principal-name": "<i>alice</i>",
    authorization: "Bearer very-secret",
    cookie: "__Host-session=very-secret",
  };
  const response = await fetch(`${base}/page/one?q=<script>`, { headers });
  const html = await response.text();
  assert.equal(response.headers.get("cache-control"), "no-store");
  assert.match(html, /\/page\/one\?q=/);
  assert.match(html, /&lt;i&gt;alice&lt;\/i&gt;/);
  assert.doesNotMatch(html, /very-secret|<script>"/);
});

test("echo returns method, url and headers, or the body", async () => {
  const seen = await (await fetch(`${base}/echo?a=1`, { headers: { "x-one": "1" } })).json();
  assert.deepEqual([seen.method, seen.url, seen.headers["x-one"]], ["GET", "/echo?a=1", "1"]);
  const body = "y".repeat(2_000_000);
  assert.equal(await (await fetch(`${base}/echo`, { method: "POST", body })).text(), body);
});

test("style and scripts are served with all that they import, other files are not", async () => {
  assert.equal((await fetch(`${base}/assets/page.css`)).status, 200);
  const script = await fetch(`${base}/assets/page.js`);
  assert.match(script.headers.get("content-type"), /^text\/javascript/);
  const imported = [...(await script.text()).matchAll(/ from "\.(\/\w+\.js)"/g)].map(([, path]) => `/assets${path}`);
  assert.ok(imported.length > 1);
  for (const path of imported) assert.equal((await fetch(base + path)).status, 200, path);
  assert.equal((await fetch(`${base}/assets/page.html`)).status, 404);
});

test("the page may connect with nothing but the public origin, by WebSocket, too", async () => {
  const policy = (await fetch(`${base}/`)).headers.get("content-security-policy");
  assert.match(policy, /; connect-src 'self' ws:\/\/localhost:8787;/);
});
