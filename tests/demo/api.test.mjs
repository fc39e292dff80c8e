// The demo's downstream API refuses every token that is not meant for it.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { exportJWK, generateKeyPair, SignJWT } from "jose";

import { startApi } from "../../demo/api.mjs";
import { listen, sendJson } from "../../demo/listen.mjs";
import { confirmed } from "../../demo/settings.mjs";

const audience = "https://orders.example/";
let issuer;
let keys;
let foreignKeys;
let api;
let invoices;
let op;

before(async () => {
  keys = await generateKeyPair("ES256");
  foreignKeys = await generateKeyPair("ES256");
  const jwk = { ...(await exportJWK(keys.publicKey)), alg: "ES256", kid: "one" };
  op = await listen(0, (request, response) =>
    sendJson(response, 200, request.url === "/jwks" ? { keys: [jwk] } : { jwks_uri: `${issuer}/jwks` }),
  );
  issuer = `http://127.0.0.1:${op.port}`;
  api = await startApi({ issuer, audience });
  invoices = await startApi({ issuer, audience, list: "invoices" });
});
after(async () => {
  await api.close();
  await invoices.close();
  await op.close();
});

function token({ claims = {}, header = {}, key = keys.privateKey, expires = "1m" } = {}) {
  return new SignJWT({ client_id: "c", scope: "orders.read orders.write", ...claims })
    .setProtectedHeader({ alg: "ES256", kid: "one", typ: "at+jwt", ...header })
    .setIssuer(claims.iss ?? issuer)
    .setAudience(claims.aud ?? audience)
    .setSubject("alice")
    .setIssuedAt()
    .setExpirationTime(expires)
    .sign(key);
}

function call(path, credentials, { to = api, ...options } = {}) {
  const headers = { ...options.headers, ...(credentials && { authorization: `Bearer ${credentials}` }) };
  return fetch(`http://127.0.0.1:${to.port}${path}`, { ...options, headers });
}

const refused = {
  "no token": () => undefined,
  "no token at all but a word": () => "word",
  "another issuer": () => token({ claims: { iss: "http://evil.example" } }),
  "another audience": () => token({ claims: { aud: "https://other.example/" } }),
  "another key": () => token({ key: foreignKeys.privateKey }),
  "an ID token's type": () => token({ header: { typ: "JWT" } }),
  "an expired token": () => token({ expires: "-1m" }),
};
for (const [name, make] of Object.entries(refused)) {
  test(`refused with 401 invalid_token: ${name}`, async () => {
    const response = await call("/orders", await make());
    assert.equal(response.status, 401);
    assert.equal(response.headers.get("www-authenticate"), 'Bearer error="invalid_token"');
  });
}

test("a scope that is missing is 403 insufficient_scope", async () => {
  const readOnly = await token({ claims: { scope: "orders.read" } });
  assert.equal((await call("/orders", readOnly)).status, 200);
  const response = await call("/orders", readOnly, { method: "POST", body: "{}" });
  assert.equal(response.status, 403);
  assert.match(response.headers.get("www-authenticate"), /error="insufficient_scope", scope="orders\.write"/);
});

test("an order that was posted is in the list", async () => {
  const body = JSON.stringify({ item: "Teapot", quantity: 1 });
  const created = await call("/orders", await token(), { method: "POST", body });
  assert.equal(created.status, 201);
  const { orders } = await (await call("/orders", await token())).json();
  assert.deepEqual(orders.at(-1), { id: 3, item: "Teapot", quantity: 1, orderedBy: "alice" });
});

test("payment details want a token of a sign-in with the acr that the claims challenge names", async () => {
  for (const acr of [undefined, "another"]) {
    const response = await call("/payment", await token({ claims: { acr } }));
    assert.equal(response.status, 401);
    const challenge = /^Bearer error="insufficient_claims", claims="([^"]+)"$/;
    const [, encoded] = challenge.exec(response.headers.get("www-authenticate"));
    const claims = JSON.parse(Buffer.from(encoded, "base64").toString());
    assert.deepEqual(claims, { id_token: { acr: { essential: true, values: [confirmed] } } });
  }
  const shown = await call("/payment", await token({ claims: { acr: confirmed } }));
  assert.deepEqual(await shown.json(), { method: "card", number: "ends in 4242" });
});

test("an API of invoices wants the scope of invoices, and has no orders", async () => {
  const read = await token({ claims: { scope: "invoices.read" } });
  const { invoices: list } = await (await call("/invoices", read, { to: invoices })).json();
  assert.equal(list[0].id, "2026-001");
  assert.equal((await call("/orders", read, { to: invoices })).status, 404);
  const refused = await call("/invoices", await token(), { to: invoices });
  assert.match(refused.headers.get("www-authenticate"), /error="insufficient_scope", scope="invoices\.read"/);
});

test("whoami says who, never the token", async () => {
  const credentials = await token();
  const text = await (await call("/whoami", credentials)).text();
  assert.deepEqual(JSON.parse(text), { sub: "alice", scope: "orders.read orders.write", aud: audience });
  assert.ok(!text.includes(credentials.split(".")[2]));
});

test("echo returns the body, stream sends its lines over time", async () => {
  const body = "x".repeat(3_000_000);
  const echoed = await call("/echo", await token(), { method: "POST", body });
  assert.equal(await echoed.text(), body);
  const streamed = await call("/stream?lines=3&pause=10", await token());
  assert.equal((await streamed.text()).trim().split("\n").length, 3);
});
