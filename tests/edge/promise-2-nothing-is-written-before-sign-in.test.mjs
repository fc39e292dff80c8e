// Promise 2: no write to any store before authentication.

import assert from "node:assert/strict";
import { test } from "node:test";

import { startWorld, tokenCaches } from "./world.mjs";

const paths = [
  ...["/", "/page/one?x=1", "/.auth/login", "/.auth/login?return_to=/page/x", "/.auth/logout", "/.auth/me", "/.auth/health"],
  ...["/.auth/sessions", "/.auth/sessions/AAAAAAAAAAAAAAAAAAAAAA", "/.auth/backchannel-logout", "/.auth/operator/sign-out"],
  ...["/signout-oidc?sid=x", "/signout-callback-oidc?state=x", "/api/Orders/x"],
  ...["/signin-oidc", "/signin-oidc?code=x&state=y", "/signin-oidc?error=access_denied&state=y", "/%2e%2e%2fx", "/x//y", "/api/"],
];
const cookies = [undefined, "__Host-session=AAAA", "__Host-session=", "__Host-login-x=AAAA; __Host-logout=AAAA", `a=${"x".repeat(4000)}`];

for (const { name, places } of tokenCaches) {
  test(`${name}: hundreds of requests of nobody in particular, and sign-ins given up half-way, write nothing to any store`, () => nothingIsWritten(places));
  test(`${name}: a code that the OP does not know writes nothing`, () => aMadeUpCodeWritesNothing(places));
}

async function nothingIsWritten(places) {
  const world = await startWorld(places);
  try {
    let requests = 0;
    for (const path of paths) {
      for (const cookie of cookies) {
        for (const method of ["GET", "POST", "HEAD", "DELETE"]) {
          const browser = world.browser();
          const headers = cookie ? { cookie } : {};
          const ask = requests % 2 ? browser.step(path, { method, headers }) : browser.script(path, { method, headers });
          assert.ok((await ask).status > 0);
          requests += 1;
        }
      }
    }
    for (let round = 0; round < 10; round += 1) await world.browser().navigate("/page/given-up");
    assert.ok(requests >= 300);
    assert.deepEqual(await world.allKeys(), []);
    const operations = new Set((await world.storeCalls()).map(({ operation }) => operation));
    assert.deepEqual([...operations].sort(), places.tokenCache === "DurableObject" ? [] : ["get"]);
    await assertNoTables(world);
    const fetched = world.op.requests.filter(({ url }) => url.startsWith("/.well-known/"));
    assert.equal(fetched.length, 1, "anonymous requests make no traffic to the OP either");
  } finally {
    await world.close();
  }
}

/** A front-channel logout asks who belongs to its sid: that object keeps nothing. */
async function assertNoTables(world) {
  const ids = world.worker.accounts ? await world.worker.accounts.ids() : [];
  assert.ok(ids.length <= 1, "the object of an account was called");
  for (const id of ids) assert.deepEqual(await world.tables(id), []);
  const { results = [] } = (await world.store.run?.("SELECT name FROM sqlite_master WHERE name LIKE 'token_cache%'")) ?? {};
  assert.deepEqual(results, [], "the database has a table");
}

async function aMadeUpCodeWritesNothing(places) {
  const world = await startWorld(places);
  try {
    const browser = world.browser();
    const started = await browser.step("/page/one");
    const state = new URL(started.headers.location).searchParams.get("state");
    const callback = new URLSearchParams({ code: "made-up", state, iss: world.op.issuer });
    const answer = await browser.script(`/signin-oidc?${callback}`);
    assert.deepEqual([answer.status, answer.json().code], [400, "login_attempt_invalid"]);
    assert.deepEqual(await world.allKeys(), []);
    assert.deepEqual((await world.storeCalls()).filter(({ operation }) => operation !== "get"), []);
    await assertNoTables(world);
  } finally {
    await world.close();
  }
}
