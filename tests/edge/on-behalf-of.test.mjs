// Programs that call APIs for people, with access tokens of a real OpenID Provider: each is exchanged for one of the API
// (RFC 8693), and the API verifies what it gets.

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";

import { confirmed } from "../../demo/settings.mjs";
import { authorizationRequest, Browser as Person, redeem, signIn, tokenRequest } from "../demo/relying-party.mjs";
import { exchange } from "../worker/exchange.mjs";
import { leaks } from "./issued.mjs";
import { alice, bob } from "./people.mjs";
import { assertProblem } from "./refusals.mjs";
import { resources, startWorld } from "./world.mjs";

const audiences = { jwt: "https://gateway.example/jwt", opaque: "https://gateway.example/opaque" };
const scopes = "gateway.use";
const life = 600;
const program = {
  clientId: "program",
  clientSecret: "SECRET?%Gof a program",
  redirectUris: ["http://localhost:1/callback"],
  scopes,
};
const metadataPath = "/.well-known/oauth-protected-resource";

let world;
before(async () => {
  const own = Object.entries(audiences).map(([format, resource]) => ({ resource, scopes, format, exchangedBy: "edge-tests" }));
  const apis = Object.values(resources).map((resource) => ({ resource, scopes: "orders.read orders.write" }));
  const client = {
    client_id: program.clientId,
    client_secret: program.clientSecret,
    redirect_uris: program.redirectUris,
    grant_types: ["authorization_code", "refresh_token", "client_credentials"],
  };
  world = await startWorld({
    provider: { accessTokenSeconds: life, resources: [...own, ...apis], clients: [client] },
    apiVars: { Invoices: { RequestAppToken: true } },
    vars: {
      Bearer: { Audiences: Object.values(audiences), Introspection: "Opaque" },
      Gateway: {
        Routes: [
          { Path: "/api/Orders/**", Access: "Bearer", Scopes: [scopes], Methods: ["GET"] },
          { Path: "/api/Orders/echo", Access: "Bearer", Scopes: [scopes] },
          { Path: "/api/Invoices/**", Access: "Bearer" },
        ],
      },
    },
  });
});
after(() => world.close());
beforeEach(async () => {
  world.op.intercept = undefined;
  world.orders.intercept = undefined;
  await world.freshInstance();
  for (const { requests } of [world.op, world.orders, world.invoices]) requests.length = 0;
});

/** What a program gets for a person who signs in to it. */
async function granted(resource, account = alice, parameters = {}) {
  const { url, verifier } = authorizationRequest(world.op, program, { resource, ...parameters });
  const callback = await signIn(new Person(), world.op, url, account);
  return (await redeem(world.op, program, callback, verifier, { resource })).body.access_token;
}

function send(path, token, { headers, ...options } = {}) {
  return exchange(`${world.publicOrigin}${path}`, { headers: { authorization: `Bearer ${token}`, ...headers }, ...options });
}

const exchanges = () => world.issued.grants.filter(({ params }) => params.grant_type?.endsWith(":token-exchange"));
const arrived = () => world.orders.requests.map(({ headers }) => headers.authorization);

for (const [format, resource] of Object.entries(audiences)) {
  test(`${format}: the API gets a token of its own for the same person, and the program's never`, async () => {
    for (const account of [alice, bob]) {
      const token = await granted(resource, account);
      const before = exchanges().length;
      for (let round = 0; round < 3; round += 1) {
        const answer = await send("/api/Orders/whoami", token, { headers: { cookie: "a=b" } });
        assert.deepEqual(answer.json(), { sub: account.claims.sub, scope: "orders.read orders.write", aud: resources.Orders });
        assert.equal(answer.headers["cache-control"], "no-store");
        const { headers, claims } = world.orders.requests.at(-1);
        assert.deepEqual([claims.client_id, headers.cookie], [world.client.clientId, undefined]);
        assert.ok(!headers.authorization.includes(token));
      }
      const own = exchanges().slice(before);
      assert.deepEqual([own.length, own[0].params.subject_token, new Set(arrived()).size], [1, token, account === alice ? 1 : 2]);
    }
  });
}

test("a crowd that comes at once makes one exchange", async () => {
  const token = await granted(audiences.jwt);
  const before = exchanges().length;
  // Long enough for all of them to be waiting.
  world.op.intercept = (request, response) => {
    if (request.method !== "POST" || request.url !== "/token" || request.isHeld) return false;
    request.isHeld = true;
    setTimeout(() => world.op.callback(request, response), 500);
    return true;
  };
  const answers = await Promise.all(Array.from({ length: 30 }, () => send("/api/Orders/whoami", token)));
  assert.deepEqual(answers.filter(({ status }) => status !== 200).map(({ status, text }) => `${status} ${text}`), []);
  assert.deepEqual([exchanges().length - before, new Set(arrived()).size], [1, 1]);
});

test("a body goes through, and other APIs get the application's own token", async () => {
  const token = await granted(audiences.jwt);
  const echo = await send("/api/Orders/echo", token, { method: "POST", body: "some text", headers: { "content-type": "text/plain" } });
  assert.deepEqual([echo.status, echo.text], [200, "some text"]);
  assert.equal((await send("/api/Invoices/whoami", token)).status, 200);
  assert.equal(world.invoices.requests.at(-1).claims.sub, world.client.clientId);
});

test("a program that acts for nobody is told so", async () => {
  const form = { grant_type: "client_credentials", resource: audiences.jwt, scope: scopes };
  const { access_token: token } = (await tokenRequest(world.op, program, form)).body;
  const before = exchanges().length;
  const answer = await send("/api/Orders/whoami", token);
  assertProblem(answer, 403, "end_user_required");
  assert.deepEqual([answer.headers["www-authenticate"], exchanges().length - before], [undefined, 0]);
  assert.equal((await send("/api/Invoices/whoami", token)).status, 200);
});

test("what the OP wants the person for is relayed, and a token of that sign-in is enough", async () => {
  const weak = await granted(audiences.jwt);
  const before = exchanges().length;
  for (let round = 0; round < 2; round += 1) {
    const answer = await send("/api/Orders/payment", weak);
    assertProblem(answer, 401, "insufficient_claims");
    const challenge = answer.headers["www-authenticate"];
    const [, encoded, rest] = challenge.match(/^Bearer error="insufficient_claims", claims="([^"]+)", (.+)$/);
    const metadata = `resource_metadata="${world.publicOrigin}${metadataPath}"`;
    assert.equal(rest, `authorization_uri="${world.op.issuer}/auth", ${metadata}`);
    const claims = atob(encoded);
    assert.deepEqual(JSON.parse(claims), { id_token: { acr: { essential: true, values: [confirmed] } } });
    if (round === 1) {
      const strong = await granted(audiences.jwt, alice, { claims });
      assert.equal((await send("/api/Orders/payment", strong)).json().method, "card");
      assert.equal((await send("/api/Orders/payment", strong)).status, 200);
    }
  }
  // The weak one once, and once for the claims; the strong one the same, should its first token not have them.
  assert.ok(exchanges().length - before <= 4);
  assert.equal((await send("/api/Orders/whoami", weak)).status, 200);
});

test("an outage of the OP refuses nobody for good", async () => {
  const token = await granted(audiences.jwt);
  assert.equal((await send("/api/Invoices/whoami", token)).status, 200);
  world.op.intercept = (request, response) => request.url === "/token" && response.writeHead(500).end() && true;
  const answer = await send("/api/Orders/whoami", token);
  assertProblem(answer, 503, "op_unreachable");
  assert.deepEqual([answer.headers["retry-after"], answer.headers["www-authenticate"]], ["5", undefined]);
  world.op.intercept = undefined;
  await world.advance(6);
  assert.equal((await send("/api/Orders/whoami", token)).status, 200);
  await world.advance(0);
});

test("a session serves the other methods of the same API, and opens no path of programs", async () => {
  const browser = world.browser();
  await browser.signIn("/", alice);
  const body = JSON.stringify({ item: "Tea", quantity: 1 });
  assert.equal((await browser.script("/api/Orders/orders", { method: "POST", body })).status, 201);
  assertProblem(await browser.script("/api/Orders/orders"), 401, "access_token_required");
  const token = await granted(audiences.jwt, bob);
  assertProblem(await send("/api/Orders/orders", token, { method: "POST", body }), 401, "login_required");
  assert.equal((await send("/api/Orders/whoami", token, { headers: browser.scriptHeaders() })).json().sub, bob.claims.sub);
});

test("no token is in the log, in a store or in an answer", async () => {
  const tokens = [await granted(audiences.jwt), await granted(audiences.opaque)];
  const answers = [];
  for (const token of tokens) {
    for (const path of ["/api/Orders/whoami", "/api/Orders/payment", "/api/Invoices/whoami", "/api/Orders/none"]) {
      answers.push(await send(path, token));
    }
  }
  const secrets = new Set([...world.issued.secrets, ...tokens.map((token) => `access_token ${token}`)]);
  const seen = [
    ...answers.map(({ text, rawHeaders }) => text + rawHeaders.join("\n")),
    JSON.stringify(await world.worker.log()),
    JSON.stringify(await world.allKeys()),
  ];
  for (const text of seen) assert.deepEqual(leaks(secrets, text), []);
  const events = (await world.events()).filter(({ event }) => event.startsWith("token.exchange"));
  assert.ok(events.some(({ event, api }) => event === "token.exchanged" && api === "Orders"));
  assert.ok(events.some(({ event, code }) => event === "token.exchange_failed" && code === "insufficient_claims"));
});
