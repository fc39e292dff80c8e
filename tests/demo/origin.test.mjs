// The demo's origin shows what arrived, and nothing that could be a secret.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";

import { SignJWT, exportJWK, generateKeyPair } from "jose";

import { listen, sendJson } from "../../demo/listen.mjs";
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

test("the pages of the gateway's rules are there", async () => {
  for (const path of ["/public/about", "/welcome", "/admin/reports"]) assert.equal((await fetch(base + path)).status, 200, path);
  assert.equal((await fetch(`${base}/nothing`)).status, 404);
});

test("what comes past the gateway is told so, whoever it claims to be", async () => {
  const html = await (await fetch(`${base}/admin/reports`, { headers: { "x-ms-client-principal-name": "<b>" } })).text();
  assert.match(html, /id="gateway">no: the request carries no assertion</);
  assert.match(html, /id="user">&lt;b&gt;</);
});

test("an assertion counts for the gateway's key, this origin and the request that it is about", async () => {
  const gateway = await startGateway();
  const behind = await startOrigin({ publicOrigin: gateway.publicOrigin });
  const audience = `http://127.0.0.1:${behind.port}`;
  const said = async (assertion, path = "/page/one?a=%20b") => {
    const html = await (await fetch(audience + path, { headers: { "x-vestibule-assertion": assertion } })).text();
    assert.doesNotMatch(html, new RegExp(assertion.slice(0, 40)), "an assertion is nobody else's");
    return /id="gateway">([^<]*)</.exec(html)[1];
  };
  try {
    assert.equal(await said(await gateway.assertion({ audience })), "yes, and nobody is signed in");
    assert.equal(await said(await gateway.assertion({ audience, claims: { sub: "alice-1" } })), "yes, and alice-1 is signed in");
    for (const path of ["/page/two?a=%20b", "/page/one", "/page/one?a=b"]) {
      assert.equal(await said(await gateway.assertion({ audience }), path), "no: the assertion is another request&#39;s");
    }
    for (const wrong of [{ audience: "https://other.example" }, { issuer: "https://other.example" }, { typ: "JWT" }, { expires: "-1m" }]) {
      assert.match(await said(await gateway.assertion({ audience, ...wrong })), /^no: the assertion does not verify/);
    }
    assert.match(await said(await (await startGateway()).assertion({ audience, issuer: gateway.publicOrigin })), /^no: /);
    assert.match(await said("not.an.assertion-at-all-but-long-enough-for-the-test"), /^no: /);
  } finally {
    await Promise.all([behind.close(), ...gateways.map((one) => one.close())]);
  }
});

const gateways = [];

/** As much of a gateway as publishes keys and signs. */
async function startGateway() {
  const { publicKey, privateKey } = await generateKeyPair("ES256");
  const keys = [{ ...(await exportJWK(publicKey)), kid: "one", alg: "ES256", use: "sig" }];
  const server = await listen(0, (_request, response) => sendJson(response, 200, { keys }));
  const publicOrigin = `http://localhost:${server.port}`;
  const digest = createHash("sha256").update("a=%20b").digest("base64url");
  const assertion = ({ audience, issuer = publicOrigin, typ = "vestibule-assertion+jwt", expires = "1m", claims = {} }) =>
    new SignJWT({ htm: "GET", path: "/page/one", query_sha256: digest, ...claims })
      .setProtectedHeader({ alg: "ES256", kid: "one", typ })
      .setIssuer(issuer)
      .setAudience(audience)
      .setIssuedAt()
      .setExpirationTime(expires)
      .sign(privateKey);
  const gateway = { publicOrigin, assertion, close: server.close };
  gateways.push(gateway);
  return gateway;
}
