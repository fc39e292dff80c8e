// The signed assertion to the origin: what an origin verifies with a library of its own and the published keys.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

import { decodeProtectedHeader } from "jose";

import { alice } from "./people.mjs";
import { connect, startSockets } from "./web-sockets.mjs";
import { startWorld } from "./world.mjs";

const header = "x-vestibule-assertion";
const Gateway = { OriginAssertion: true, ClaimHeaders: { "X-Shop-User": "sub", "X-Shop-Nothing": "nothing" } };

const project = fileURLToPath(new URL("../..", import.meta.url));
const [, example] = readFileSync(join(project, "docs", "identity.md"), "utf8").match(/```js\n(.+?)```/s);
// Within the project, where the example finds its library.
const examples = mkdtempSync(join(project, "build", "examples-"));
after(() => rmSync(examples, { recursive: true }));

let world;
let browser;
before(async () => {
  world = await startWorld({ vars: { Gateway } });
  browser = world.browser();
  await browser.signIn();
});
after(() => world.close());

/** The claims by what docs/identity.md says for Node.js, with the addresses of a world. */
async function verified(request, { from = world, audience = `http://127.0.0.1:${from.origin.port}`, keysOf = from } = {}) {
  const code = example
    .replace("https://app.example.com/.auth/jwks", `${keysOf.publicOrigin}/.auth/jwks`)
    .replace("https://app.example.com", from.publicOrigin)
    .replace("https://origin.example.com", audience);
  const path = join(examples, `${createHash("sha256").update(code).digest("hex")}.mjs`);
  writeFileSync(path, code);
  const { userOf } = await import(path);
  return userOf(request);
}

const last = () => world.origin.requests.at(-1);

test("every request to the origin carries an assertion that holds for it alone", async () => {
  const ids = new Set();
  for (const [method, path] of [["GET", "/page/one"], ["GET", "/page/one?a=%20b&c"], ["GET", "/page/%2fx?"], ["POST", "/echo"], ["HEAD", "/"]]) {
    await browser.script(path, { method });
    const claims = await verified(last());
    assert.ok(claims.exp - claims.iat <= 60);
    assert.equal(claims.sub, (await browser.script("/.auth/me")).json().sub);
    ids.add(claims.jti);
  }
  assert.equal(ids.size, 5);
  const captured = last();
  for (const change of [{ method: "DELETE" }, { url: "/admin" }, { url: "/?a" }]) {
    await assert.rejects(verified({ ...captured, ...change }), /another request/);
  }
  await assert.rejects(verified(captured, { audience: "https://other.example" }), { code: "ERR_JWT_CLAIM_VALIDATION_FAILED" });
  const [protectedHeader, claims, signature] = captured.headers[header].split(".");
  const flipped = Buffer.from(signature, "base64url");
  flipped[9] ^= 1;
  const forged = [protectedHeader, claims, flipped.toString("base64url")].join(".");
  await assert.rejects(verified({ ...captured, headers: { [header]: forged } }), { code: "ERR_JWS_SIGNATURE_VERIFICATION_FAILED" });
});

test("many requests at once are signed with one key, each for itself", async () => {
  const fresh = await startWorld({ vars: { Gateway } });
  try {
    const one = fresh.browser();
    await one.signIn();
    await fresh.freshInstance();
    const count = fresh.origin.requests.length;
    await Promise.all(Array.from({ length: 20 }, (_, index) => one.script(`/page/${index}`)));
    const requests = fresh.origin.requests.slice(count);
    const claims = await Promise.all(requests.map((request) => verified(request, { from: fresh })));
    assert.equal(new Set(claims.map(({ jti }) => jti)).size, 20);
  } finally {
    await fresh.close();
  }
});

test("nothing of the client's passes for an assertion or a mapped claim", async () => {
  for (const name of ["X-Vestibule-Assertion", "x_vestibule_assertion", "X-Shop_User", "X-Shop-Nothing", "x_shop-nothing"]) {
    await browser.script("/page/one", { headers: { [name]: "spoofed", connection: "X-Vestibule-Assertion" } });
    await verified(last());
    assert.ok(!JSON.stringify(last().rawHeaders).includes("spoofed"), name);
    assert.equal(last().rawHeaders.filter((text) => /^x.vestibule.assertion$/i.test(text)).length, 1);
    await browser.script("/api/Orders/orders", { headers: { [name]: "spoofed" } });
    const { headers } = world.orders.requests.at(-1);
    assert.ok(!JSON.stringify(headers).includes("spoofed"), name);
    assert.ok(!Object.keys(headers).some((other) => other.includes("vestibule")), Object.keys(headers).join());
  }
  assert.ok(last().headers["x-shop-user"]);
});

test("the keys are public, and a previous one verifies after a rotation", async () => {
  const answer = await fetch(`${world.publicOrigin}/.auth/jwks`);
  assert.equal(answer.headers.get("cache-control"), "public, max-age=300");
  const { keys } = await answer.json();
  assert.deepEqual(Object.keys(keys[0]).sort(), ["alg", "crv", "kid", "kty", "use", "x", "y"]);
  await browser.script("/page/one");
  const early = last();
  const secrets = { Session__Key: randomBytes(32).toString("base64"), Session__PreviousKeys: world.sessionKey };
  const rotated = await startWorld({ vars: { Gateway }, secrets });
  try {
    const both = await (await fetch(`${rotated.publicOrigin}/.auth/jwks`)).json();
    assert.deepEqual([both.keys.length, both.keys[1]], [2, keys[0]]);
    await verified(early, { keysOf: rotated });
    const later = rotated.browser();
    await later.signIn();
    const request = rotated.origin.requests.at(-1);
    assert.equal(decodeProtectedHeader(request.headers[header]).kid, both.keys[0].kid);
    await verified(request, { from: rotated });
    await assert.rejects(verified(request, { from: rotated, keysOf: world }), { code: "ERR_JWKS_NO_MATCHING_KEY" });
  } finally {
    await rotated.close();
  }
});

test("a WebSocket is opened with an assertion", async () => {
  const sockets = await startSockets();
  const Origin = `http://127.0.0.1:${sockets.port}`;
  const withSockets = await startWorld({ vars: { Gateway: { ...Gateway, Origin } } });
  try {
    const one = withSockets.browser();
    await one.signIn();
    const connection = await connect(one, "/chat?room=1", { headers: { [header]: "spoofed" } });
    const { request } = sockets.connections[0];
    const claims = await verified(request, { from: withSockets, audience: Origin });
    assert.equal(claims.path, "/chat");
    connection.socket.close();
    await connection.closed;
  } finally {
    await Promise.all([withSockets.close(), sockets.close()]);
  }
});

test("without the option there are no keys and no assertion", async () => {
  const plain = await startWorld();
  try {
    const one = plain.browser();
    await one.signIn("/page/one", alice);
    await one.script("/page/one", { headers: { [header]: "spoofed" } });
    assert.equal(plain.origin.requests.at(-1).headers[header], undefined);
    assert.equal((await fetch(`${plain.publicOrigin}/.auth/jwks`)).status, 404);
  } finally {
    await plain.close();
  }
});
