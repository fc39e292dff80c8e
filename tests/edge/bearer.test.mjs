// Routes for programs, with the access tokens of a real OpenID Provider: JWTs and opaque ones, by client credentials.

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";

import { exchange } from "../worker/exchange.mjs";
import { leaks } from "./issued.mjs";
import { alice } from "./people.mjs";
import { assertProblem } from "./refusals.mjs";
import { connect, startSockets } from "./web-sockets.mjs";
import { resources, startWorld } from "./world.mjs";

const audiences = { jwt: "https://gateway.example/jwt", opaque: "https://gateway.example/opaque" };
const elsewhere = "https://elsewhere.example/";
const scopes = "orders.read orders.write";
const life = 120;
const metadataPath = "/.well-known/oauth-protected-resource";
let ahead = 0;
let sockets;
let world;
before(async () => {
  sockets = await startSockets();
  const own = Object.entries(audiences).map(([format, resource]) => ({ resource, scopes, format }));
  const others = [elsewhere, ...Object.values(resources)].map((resource) => ({ resource, scopes }));
  world = await startWorld({
    provider: { accessTokenSeconds: life, resources: [...own, ...others] },
    vars: {
      Bearer: { Audiences: Object.values(audiences), Introspection: "Opaque", ResourceName: "Orders" },
      Gateway: {
        Routes: [
          { Path: "/machine/**", Access: "Bearer", Scopes: ["orders.read"] },
          { Path: "/machine/write", Access: "Bearer", Scopes: ["orders.write"] },
          { Path: "/machine/admin", Access: "Bearer", Require: { Roles: ["Admin"] } },
        ],
      },
    },
  });
  world.origin.intercept = (request, response) => request.url.startsWith("/machine/") && response.writeHead(200).end("served");
});
after(() => Promise.all([world.close(), sockets.close()]));
beforeEach(async () => {
  await world.freshInstance();
  world.op.requests.length = 0;
});

async function granted(resource, scope = scopes, { client, op } = world) {
  const { clientId, clientSecret } = client;
  const response = await fetch(`${op.issuer}/token`, {
    method: "POST",
    headers: { authorization: `Basic ${btoa(`${clientId}:${clientSecret}`)}` },
    body: new URLSearchParams({ grant_type: "client_credentials", resource, scope }),
  });
  assert.equal(response.status, 200);
  return (await response.json()).access_token;
}

function send(path, token, { headers, ...options } = {}) {
  const authorization = token && { authorization: `Bearer ${token}` };
  return exchange(`${world.publicOrigin}${path}`, { headers: { ...authorization, ...headers }, ...options });
}

function challenge(parameters = "") {
  return `Bearer ${parameters}resource_metadata="${world.publicOrigin}${metadataPath}"`;
}

function assertRefused(answer, status, code, parameters) {
  assertProblem(answer, status, code);
  assert.deepEqual([answer.headers["www-authenticate"], answer.setCookies], [challenge(parameters), []]);
}

const introspections = () => world.op.requests.filter(({ url }) => url.startsWith("/token/introspection")).length;

for (const [format, resource] of Object.entries(audiences)) {
  test(`${format}: a good token is served, the origin is told whose it is, and what it lacks is refused`, async () => {
    const token = await granted(resource, "orders.read");
    assert.equal(token.split(".").length, format === "jwt" ? 3 : 1);
    for (let round = 0; round < 3; round += 1) {
      assert.equal((await send("/machine/a?b=c", token)).status, 200);
      const { headers } = world.origin.requests.at(-1);
      assert.deepEqual([headers.authorization, headers["x-ms-client-principal-name"]], [undefined, world.client.clientId]);
      const { claims } = JSON.parse(Buffer.from(headers["x-ms-client-principal"], "base64"));
      assert.deepEqual(claims.find(({ typ }) => typ === "scope"), { typ: "scope", val: "orders.read" });
      assert.equal((await send("/machine/a", token, { method: "POST", body: "x" })).status, 200);
      const insufficient = 'error="insufficient_scope", scope="orders.write", ';
      assertRefused(await send("/machine/write", token), 403, "insufficient_scope", insufficient);
      assertProblem(await send("/machine/admin", token), 403, "forbidden");
    }
    assert.equal(introspections(), format === "jwt" ? 0 : 1);
    assert.equal((await send("/machine/write", await granted(resource))).status, 200);
  });

  test(`${format}: a token ends, however well it is remembered`, async () => {
    const token = await granted(resource);
    assert.equal((await send("/machine/a", token)).status, 200);
    await world.advance((ahead += life + 61));
    assertRefused(await send("/machine/a", token), 401, "access_token_invalid", 'error="invalid_token", ');
    await world.advance((ahead = 0));
  });
}

test("a token for another resource, an ID token, a changed one and garbage are refused alike", async () => {
  const other = await granted(elsewhere);
  const good = await granted(audiences.jwt);
  const [header, claims, signature] = good.split(".");
  const forged = Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(claims, "base64url")), sub: "root" }));
  const browser = world.browser();
  await browser.signIn("/", alice);
  const idToken = world.issued.grants.map(({ body }) => body.id_token).find(Boolean);
  for (const token of [other, idToken, `${header}.${forged.toString("base64url")}.${signature}`, "garbage", "a.b.c"]) {
    assertRefused(await send("/machine/a", token), 401, "access_token_invalid", 'error="invalid_token", ');
  }
  assertRefused(await send("/machine/a"), 401, "access_token_required", "");
  assertRefused(await send("/machine/a", "a b"), 400, "access_token_malformed", 'error="invalid_request", ');
  assertRefused(await browser.script("/machine/a"), 401, "access_token_required", "");
  assertProblem(await send("/page", good, { headers: { "sec-fetch-mode": "cors" } }), 401, "login_required");
});

test("a revoked token is noticed once the OP's word is old", async () => {
  const token = await granted(audiences.opaque);
  assert.equal((await send("/machine/a", token)).status, 200);
  const { clientId, clientSecret } = world.client;
  const headers = { authorization: `Basic ${btoa(`${clientId}:${clientSecret}`)}` };
  const revoked = await fetch(`${world.op.issuer}/token/revocation`, { method: "POST", headers, body: new URLSearchParams({ token }) });
  assert.equal(revoked.status, 200);
  await world.advance((ahead += 31));
  assertRefused(await send("/machine/a", token), 401, "access_token_invalid", 'error="invalid_token", ');
  await world.advance((ahead = 0));
});

test("an outage of the OP refuses nobody for good", async () => {
  const [known, unknown] = [await granted(audiences.opaque), await granted(audiences.opaque)];
  assert.equal((await send("/machine/a", known)).status, 200);
  world.op.intercept = (_request, response) => response.writeHead(500).end() && true;
  const answer = await send("/machine/a", unknown);
  assertProblem(answer, 503, "op_unreachable");
  assert.deepEqual([answer.headers["retry-after"], answer.headers["www-authenticate"]], ["5", undefined]);
  assert.equal((await send("/machine/a", known)).status, 200);
  world.op.intercept = undefined;
});

test("anybody reads where tokens are to be had", async () => {
  const answer = await send(metadataPath);
  assert.deepEqual(answer.json(), {
    resource: world.publicOrigin,
    authorization_servers: [world.op.issuer],
    bearer_methods_supported: ["header"],
    scopes_supported: ["orders.read", "orders.write"],
    resource_name: "Orders",
  });
  const { "access-control-allow-origin": cors, "cache-control": caching, "content-type": type } = answer.headers;
  assert.deepEqual([answer.status, cors, caching, type], [200, "*", "public, max-age=300", "application/json"]);
});

test("a WebSocket of a program is carried until its token ends", async (t) => {
  const place = await startWorld({
    provider: { accessTokenSeconds: 3, resources: [{ resource: audiences.jwt, scopes }] },
    vars: {
      Bearer: { Audiences: [audiences.jwt] },
      Gateway: { Origin: `http://127.0.0.1:${sockets.port}`, Routes: [{ Path: "/machine/**", Access: "Bearer" }] },
    },
  });
  t.after(() => place.close());
  const token = await granted(audiences.jwt, scopes, place);
  const headers = { authorization: `Bearer ${token}`, origin: undefined, "sec-fetch-site": undefined };
  const theirs = await connect({ world: place }, "/machine/chat", { headers });
  assert.equal(theirs.status, undefined, JSON.stringify(theirs.json?.()));
  const [ours] = sockets.connections.splice(0);
  theirs.socket.send("hello");
  const expired = [4401, "access token expired"];
  assert.deepEqual([await theirs.closed, await ours.closed, ours.messages], [expired, expired, ["hello"]]);
  const refused = await connect({ world: place }, "/machine/chat");
  assert.deepEqual([refused.status, refused.json().code], [401, "access_token_required"]);
});

test("no token is in the log, at the origin or in an answer", async () => {
  const tokens = [await granted(audiences.jwt), await granted(audiences.opaque)];
  // Each part is looked for by itself, so none may occur by chance.
  const made = "made-up-header.made-up-claims-of-nobody.somebody-who-wants-to-see-it-again";
  const answers = [];
  for (const token of [...tokens, made]) {
    for (const path of ["/machine/a", "/machine/write", "/machine/admin"]) answers.push(await send(path, token));
  }
  const secrets = new Set([...world.issued.secrets, ...tokens.map((token) => `access_token ${token}`), `made_up ${made}`]);
  const seen = [
    ...answers.map(({ text, rawHeaders }) => text + rawHeaders.join("\n")),
    JSON.stringify(await world.worker.log()),
    JSON.stringify(world.origin.requests.map(({ url, headers }) => [url, headers])),
    JSON.stringify(await world.allKeys()),
  ];
  for (const text of seen) assert.deepEqual(leaks(secrets, text), []);
});
