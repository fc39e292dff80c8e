// What becomes of the refresh token at the OP: RFC 7009 after a sign-out of the user's, and only then.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, afterEach, before, test } from "node:test";

import { exchange } from "../worker/exchange.mjs";
import { holdTokenResponse } from "./holds.mjs";
import { assertEnded } from "./endings.mjs";
import { lastSid, loadFrame, logoutToken, postLogoutToken } from "./logout-tokens.mjs";
import { leaks } from "./issued.mjs";
import { keepKeys } from "./token-responses.mjs";
import { until } from "./until.mjs";
import { startWorld } from "./world.mjs";

const endpoint = "/token/revocation";
const life = 60;
const operatorKey = randomBytes(32).toString("base64");

let world;
let alone;
let key;
let ahead = 0;
before(async () => {
  const { kept, adjust } = keepKeys();
  const settings = { backchannel: true, provider: { adjust, accessTokenSeconds: life }, secrets: { Operator__Key: operatorKey } };
  world = await startWorld(settings);
  key = kept.keys.find(({ alg }) => alg === "RS256");
  alone = await startWorld({ withAccounts: false });
});
after(() => Promise.all([world.close(), alone.close()]));
afterEach(() => {
  world.op.intercept = undefined;
});

/** A browser whose session has a refresh token that is not its first. */
async function signedIn(place = world) {
  const browser = place.browser();
  await browser.signIn();
  assert.equal((await browser.script("/api/Orders/whoami")).status, 200);
  return { browser, session: browser.session, refreshToken: lastRefreshToken(place) };
}

function lastRefreshToken({ issued }) {
  return issued.grants.findLast(({ body }) => body.refresh_token).body.refresh_token;
}

/** What the OP says to whoever presents a refresh token. It tolerates that once. */
async function presented({ op, client }, refreshToken) {
  const authorization = `Basic ${Buffer.from(`${client.clientId}:${client.clientSecret}`).toString("base64")}`;
  const body = new URLSearchParams({ grant_type: "refresh_token", refresh_token: refreshToken }).toString();
  const headers = { authorization, "content-type": "application/x-www-form-urlencoded", "content-length": Buffer.byteLength(body) };
  const answer = await exchange(`${op.issuer}/token`, { method: "POST", headers, body });
  return answer.status === 200 ? 200 : answer.json().error;
}

const revocations = ({ op }) => op.requests.filter(({ url }) => url === endpoint);
const happened = async (place, name) => (await place.events()).filter(({ event }) => event === name);

/** Ends a session, and waits for what the OP did about it. */
async function revoking(place, end) {
  const before = (await happened(place, "token.revoked")).length;
  const answer = await end();
  await until(async () => (await happened(place, "token.revoked")).length > before);
  return answer;
}

test("a sign-out has the OP revoke the refresh token that the session had last, by the client's own credential", async () => {
  for (const place of [world, alone]) {
    const { browser, refreshToken } = await signedIn(place);
    const asked = revocations(place).length;
    await revoking(place, () => browser.signOut({ atOp: false }));
    assert.equal(revocations(place).length, asked + 1);
    const { method, headers } = revocations(place).at(-1);
    const credential = Buffer.from(headers.authorization.slice("Basic ".length), "base64").toString();
    assert.deepEqual([method, headers["content-type"], credential], ["POST", "application/x-www-form-urlencoded", `${place.client.clientId}:${place.client.clientSecret}`]);
    assert.equal(await presented(place, refreshToken), "invalid_grant");
    assert.deepEqual(leaks(place.issued.secrets, JSON.stringify(await place.worker.log())), []);
  }
});

test("so has an isolate that never saw the session", async () => {
  const { browser, refreshToken } = await signedIn();
  await world.freshInstance();
  await revoking(world, () => browser.signOut({ atOp: false }));
  assert.equal(await presented(world, refreshToken), "invalid_grant");
});

test("so have the buttons for this session and for all of them", async () => {
  for (const path of ["/.auth/sessions", "own"]) {
    const { browser, refreshToken } = await signedIn();
    const { sessions } = (await browser.script("/.auth/sessions")).json();
    const url = path === "own" ? sessions.find(({ current }) => current).url : path;
    const answer = await revoking(world, () => browser.script(url, { method: "DELETE" }));
    assert.equal(answer.status, 204);
    assert.equal(await presented(world, refreshToken), "invalid_grant");
  }
});

test("an OP that stumbles is asked again in the background, and nobody waits for it", async () => {
  const { browser, session, refreshToken } = await signedIn();
  const asked = revocations(world).length;
  let isAnswered = false;
  world.op.intercept = (request, response) => {
    if (request.url !== endpoint || isAnswered) return false;
    isAnswered = true;
    response.writeHead(503, { "content-type": "application/json" }).end('{"error":"temporarily_unavailable"}');
    return true;
  };
  await revoking(world, async () => {
    assert.equal((await browser.signOut({ atOp: false })).status, 200);
    await assertEnded(world, session);
  });
  assert.equal(revocations(world).length, asked + 2);
  assert.equal(await presented(world, refreshToken), "invalid_grant");
  assert.equal((await happened(world, "token.revocation_failed")).length, 1);
});

test("an OP that refuses is not asked again, and the sign-out is one all the same", async () => {
  const { browser, session } = await signedIn();
  const asked = revocations(world).length;
  const failed = (await happened(world, "token.revocation_failed")).length;
  world.op.intercept = (request, response) => {
    if (request.url !== endpoint) return false;
    response.writeHead(400, { "content-type": "application/json" }).end('{"error":"unsupported_token_type"}');
    return true;
  };
  assert.equal((await browser.signOut({ atOp: false })).status, 200);
  await until(async () => (await happened(world, "token.revocation_failed")).length === failed + 1);
  assert.equal((await happened(world, "token.revocation_failed")).at(-1).status, 400);
  assert.equal(revocations(world).length, asked + 1);
  await assertEnded(world, session);
});

test("an OP without a revocation endpoint is not asked for one", async () => {
  const adjust = (configuration) => {
    configuration.features.revocation.enabled = false;
    return configuration;
  };
  const other = await startWorld({ provider: { adjust } });
  try {
    const { browser, session } = await signedIn(other);
    await browser.signOut();
    await assertEnded(other, session);
    assert.deepEqual((await happened(other, "token.revocation_failed")).length, 0);
    assert.ok(!other.op.requests.some(({ url }) => url.includes("revo")));
  } finally {
    await other.close();
  }
});

const others = {
  "the front-channel": async ({ sid }) => loadFrame(world, { sid }),
  "the back-channel": async ({ sid }) => postLogoutToken(world, await logoutToken(world, key, { sid })),
  "another browser of the account": async () => {
    const { browser } = await signedIn();
    const { sessions } = (await browser.script("/.auth/sessions")).json();
    for (const { url } of sessions.filter(({ current }) => !current)) await browser.script(url, { method: "DELETE" });
  },
  "another sign-in in the same browser": ({ browser }) => browser.navigate("/.auth/login"),
  "the operator": async () => {
    const headers = { authorization: `Bearer ${operatorKey}`, "content-type": "application/x-www-form-urlencoded" };
    const body = "everybody=true";
    return exchange(`${world.publicOrigin}/.auth/operator/sign-out`, { method: "POST", headers: { ...headers, "content-length": body.length }, body });
  },
};
for (const [who, end] of Object.entries(others)) {
  test(`a session that ${who} ends is gone here, and nothing is revoked at the OP`, async () => {
    await world.advance((ahead += 2));
    const { browser, session, refreshToken } = await signedIn();
    const asked = revocations(world).length;
    await end({ browser, sid: lastSid(world) });
    await assertEnded(world, session);
    assert.equal(revocations(world).length, asked);
    assert.equal(await presented(world, refreshToken), 200);
  });
}

test("a refresh token that the OP issues while the user signs out is dead with the one before it", async () => {
  const { browser, session } = await signedIn();
  await world.advance((ahead += life + 5));
  const { held, release } = holdTokenResponse(world.op);
  const call = browser.script("/api/Orders/whoami");
  await held;
  await revoking(world, () => browser.signOut({ atOp: false }));
  release();
  assert.equal((await call).json().code, "session_expired");
  await assertEnded(world, session);
  // Nobody told the OP of this one: it revokes what came from the same grant.
  assert.equal(await presented(world, lastRefreshToken(world)), "invalid_grant");
});
