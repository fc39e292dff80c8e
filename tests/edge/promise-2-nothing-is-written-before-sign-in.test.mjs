// Promise 2: no write to any store before authentication.

import assert from "node:assert/strict";
import { test } from "node:test";

import { startWorld } from "./world.mjs";

const paths = [
  ...["/", "/page/one?x=1", "/.auth/login", "/.auth/login?return_to=/page/x", "/.auth/logout", "/.auth/me", "/.auth/health"],
  ...["/.auth/sessions", "/.auth/sessions/AAAAAAAAAAAAAAAAAAAAAA", "/.auth/backchannel-logout", "/.auth/operator/sign-out"],
  ...["/signout-oidc?sid=x", "/signout-callback-oidc?state=x", "/api/Orders/x"],
  ...["/signin-oidc", "/signin-oidc?code=x&state=y", "/signin-oidc?error=access_denied&state=y", "/%2e%2e%2fx", "/x//y", "/api/"],
];
const cookies = [undefined, "__Host-session=AAAA", "__Host-session=", "__Host-login-x=AAAA; __Host-logout=AAAA", `a=${"x".repeat(4000)}`];

test("hundreds of requests of nobody in particular, and sign-ins given up half-way, write nothing to the store", async () => {
  const world = await startWorld();
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
    assert.deepEqual([...operations].sort(), ["get"]);
    // A front-channel logout asks who belongs to its sid: that object keeps nothing.
    assert.ok((await world.worker.accounts.ids()).length <= 1, "the object of an account was called");
    for (const id of await world.worker.accounts.ids()) assert.deepEqual(await world.tables(id), []);
    const fetched = world.op.requests.filter(({ url }) => url.startsWith("/.well-known/"));
    assert.equal(fetched.length, 1, "anonymous requests make no traffic to the OP either");
  } finally {
    await world.close();
  }
});

test("a code that the OP does not know writes nothing", async () => {
  const world = await startWorld();
  try {
    const browser = world.browser();
    const started = await browser.step("/page/one");
    const state = new URL(started.headers.location).searchParams.get("state");
    const callback = new URLSearchParams({ code: "made-up", state, iss: world.op.issuer });
    const answer = await browser.script(`/signin-oidc?${callback}`);
    assert.deepEqual([answer.status, answer.json().code], [400, "login_attempt_invalid"]);
    assert.deepEqual(await world.allKeys(), []);
    assert.deepEqual((await world.storeCalls()).filter(({ operation }) => operation !== "get"), []);
  } finally {
    await world.close();
  }
});
