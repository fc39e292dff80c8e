// Token responses that must not sign anybody in, and an OP that is down, lost or lying.

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";

import { listen } from "../../demo/listen.mjs";
import { assertRefused } from "./refusals.mjs";
import { answerTokenRequests, changed, foreignlySigned, keepKeys, macSigned, resigned, rewriteTokenResponses, unsigned } from "./token-responses.mjs";
import { freePort } from "../worker/free-port.mjs";
import { startWorld } from "./world.mjs";

const opError = { status: 502, code: "op_error" };
const now = () => Math.floor(Date.now() / 1000);

let world;
let keys;
before(async () => {
  const { kept, adjust } = keepKeys();
  world = await startWorld({ provider: { adjust } });
  keys = kept.keys;
});
after(() => world.close());
afterEach(() => {
  world.op.intercept = undefined;
});

const callback = (browser) => browser.signInUpToCallback("/page/one");
const rs256 = () => keys.find(({ alg }) => alg === "RS256");
const claims = (changes) => (idToken) => resigned(idToken, rs256(), { claims: changes() });
const header = (changes) => (idToken) => resigned(idToken, rs256(), { header: changes });

const tokens = {
  "signed by another key under the OP's kid": [(idToken) => foreignlySigned(idToken, rs256().kid), /signature/],
  "signed by an unknown key": [(idToken) => foreignlySigned(idToken, "unknown"), /signature|key/],
  "not signed (alg none)": [unsigned, /algorithm/],
  "authenticated with the client secret": [(idToken) => macSigned(idToken, world.client.clientSecret, rs256().kid), /algorithm/],
  "authenticated with the OP's public key": [(idToken) => macSigned(idToken, rs256().n, rs256().kid), /algorithm/],
  "of another nonce": [claims(() => ({ nonce: "other" })), /nonce/],
  "without a nonce": [claims(() => ({ nonce: undefined })), /nonce/],
  "for another client": [claims(() => ({ aud: "other" })), /aud/],
  "for two clients without azp": [claims(() => ({ aud: ["edge-tests", "other"] })), /azp/],
  "authorized for another client": [claims(() => ({ azp: "other" })), /azp/],
  "without aud": [claims(() => ({ aud: undefined })), /aud/],
  "of another issuer": [claims(() => ({ iss: "https://evil.example" })), /iss/],
  "of the issuer with a slash": [claims(() => ({ iss: `${world.op.issuer}/` })), /iss/],
  "that has expired": [claims(() => ({ exp: now() - 3600, iat: now() - 7200 })), /exp/],
  "without exp": [claims(() => ({ exp: undefined })), /exp/],
  "whose exp is text": [claims(() => ({ exp: "9999999999" })), /type|exp/],
  "of the future": [claims(() => ({ iat: now() + 7200, exp: now() + 9999 })), /iat/],
  "not valid yet": [claims(() => ({ nbf: now() + 7200 })), /nbf/],
  "without sub": [claims(() => ({ sub: undefined })), /sub/],
  "with a blank sub": [claims(() => ({ sub: " " })), /sub/],
  "whose at_hash is of another token": [claims(() => ({ at_hash: "AAAAAAAAAAAAAAAAAAAAAA" })), /at_hash/],
  "that demands an extension": [header({ crit: ["b64"], b64: true }), /crit/],
  "of another type": [header({ typ: "logout+jwt" }), /typ|type/],
  "that is no token": [() => "a.b.c", /./],
  "with a changed claim": [(idToken) => changed(idToken, { sub: "mallory" }), /signature/],
};
for (const [name, [forge, reason]] of Object.entries(tokens)) {
  test(`an ID token ${name} signs nobody in`, async () => {
    rewriteTokenResponses(world.op, async (body) => {
      body.id_token = await forge(body.id_token);
    });
    await assertRefused(world, callback, { ...opError, reason });
  });
}

const garbage = {
  "nothing": "",
  "no JSON": "<html>",
  "a list": "[]",
  "no access token": '{"token_type":"Bearer","id_token":"x"}',
  "no ID token": '{"token_type":"Bearer","access_token":"x"}',
  "another token type": '{"token_type":"mac","access_token":"x","id_token":"x"}',
  "wrong types": '{"token_type":"Bearer","access_token":7,"id_token":[]}',
  "half an answer": '{"token_type":"Bearer","access_tok',
};
for (const [name, body] of Object.entries(garbage)) {
  test(`a token response with ${name} signs nobody in`, async () => {
    answerTokenRequests(world.op, 200, {}, body);
    await assertRefused(world, callback, { ...opError, reason: /OP misbehaved/ });
  });
}

test("a token response without end is given up", async () => {
  answerTokenRequests(world.op, 200, {}, `{"access_token":"${"x".repeat(1024 * 1024)}"}`);
  await assertRefused(world, callback, { status: 503, code: "op_unreachable", reason: /TooLarge/ });
});

for (const [status, body, expected] of [
  [500, "oops", { status: 503, code: "op_unreachable", reason: /Failing/ }],
  [503, "", { status: 503, code: "op_unreachable", reason: /Failing\(503\)/ }],
  [429, "", { status: 503, code: "op_unreachable", reason: /Busy/ }],
  [400, '{"error":"invalid_grant"}', { status: 400, code: "login_attempt_invalid", reason: /invalid_grant/, isLate: true }],
  [401, '{"error":"invalid_client"}', { status: 500, code: "misconfigured", reason: /invalid_client/ }],
  [400, '{"error":"\\"><script>"}', { status: 503, code: "op_unreachable", reason: /Busy/ }],
  [400, "no json", { status: 502, code: "op_error", reason: /./ }],
]) {
  test(`a token endpoint that answers ${status} ${body} is ${expected.code}`, async () => {
    answerTokenRequests(world.op, status, {}, body);
    await assertRefused(world, callback, expected);
  });
}

test("a token request that is redirected is not followed: code, verifier and secret stay here", async () => {
  const visitors = [];
  const elsewhere = await listen(0, (request, response) => {
    visitors.push(request.url);
    response.end("{}");
  });
  try {
    for (const status of [301, 302, 303, 307, 308]) {
      answerTokenRequests(world.op, status, { location: `http://127.0.0.1:${elsewhere.port}/` }, "");
      await assertRefused(world, callback, { ...opError, reason: /./ });
    }
    assert.deepEqual(visitors, []);
  } finally {
    await elsewhere.close();
  }
});

test("a code is redeemed once: a failing token endpoint is not asked again", async () => {
  answerTokenRequests(world.op, 503, {}, "");
  const browser = world.browser();
  const address = await browser.signInUpToCallback("/page/one");
  const asked = () => world.op.requests.filter(({ url }) => url === "/token").length;
  const before = asked();
  await browser.step(address);
  await browser.step(address);
  assert.equal(asked(), before + 1);
});

test("an OP that cannot be reached is op_unreachable, to people and to scripts", async () => {
  const authority = `http://127.0.0.1:${await freePort()}`;
  const lost = await startWorld({ vars: { OpenIdConnect: { Authority: authority } } });
  try {
    const expected = { status: 503, code: "op_unreachable", reason: /NoConnection/ };
    await assertRefused(lost, () => "/.auth/login", expected);
  } finally {
    await lost.close();
  }
});

test("metadata that is garbage or of another issuer starts no sign-in", async () => {
  const lying = await startWorld();
  try {
    const bodies = ["", "<html>", "[]", "{}", `{"issuer":"https://evil.example"}`, JSON.stringify({ issuer: lying.op.issuer })];
    for (const body of bodies) {
      lying.op.intercept = (_request, response) => Boolean(response.writeHead(200).end(body));
      await assertRefused(lying, () => "/.auth/login", { ...opError, reason: /Metadata/ });
    }
    lying.op.intercept = (_request, response) => Boolean(response.writeHead(302, { location: "https://evil.example/" }).end());
    await assertRefused(lying, () => "/.auth/login", { ...opError, reason: /Status/ });
    lying.op.intercept = undefined;
    assert.equal((await lying.browser().signIn("/page/one")).url, `${lying.publicOrigin}/page/one`);
  } finally {
    await lying.close();
  }
});

test("keys that are garbage verify nothing, and a good copy is fetched for the next sign-in", async () => {
  const lying = await startWorld();
  try {
    for (const body of ["", "[]", '{"keys":{}}', "<html>"]) {
      lying.op.intercept = (request, response) => request.url === "/jwks" && Boolean(response.writeHead(200).end(body));
      await assertRefused(lying, callback, { ...opError, reason: /Jwks/ });
    }
    lying.op.intercept = undefined;
    assert.equal((await lying.browser().signIn("/page/one")).status, 200);
  } finally {
    await lying.close();
  }
});
