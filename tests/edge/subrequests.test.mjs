// Everything that a request asks of others, fetches included: the platform allows a request so many subrequests, and each is a
// way to wait.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { assertCosts } from "./counted-calls.mjs";
import { alice, bob } from "./people.mjs";
import { startWorld } from "./world.mjs";

// Longer than by default, so that no slow test run looks again.
const delay = 60;
const settings = {
  provider: { accessTokenSeconds: 600 },
  vars: { Session: { RevocationDelay: delay }, Gateway: { Routes: [{ Path: "/public/**", Access: "Anonymous" }] } },
};
let world;
let alone;
before(async () => {
  [world, alone] = await Promise.all([startWorld(settings), startWorld({ ...settings, withAccounts: false })]);
  for (const place of [world, alone]) await place.worker.command({ fetches: true });
});
after(() => Promise.all([world, alone].map((place) => place.close())));

const answered = async (answer, status) => assert.equal((await answer).status, status);
const many = (count, ...calls) => Array(count).fill(calls).flat();

test("with the objects: every subrequest of each step", async () => {
  const browser = world.browser();
  const costs = (expected, action) => assertCosts(world, expected, action);
  const documents = ["get metadata", "get jwks", "put metadata", "put jwks", ...many(2, "fetch OP")];
  await costs([...documents, "fetch OP", "object", "put account", "fetch origin"], () => browser.signIn("/", alice));
  await costs(["object", "fetch OP", "put account", "fetch API"], () => browser.script("/api/Orders/whoami"));
  await costs(["fetch API"], () => answered(browser.script("/api/Orders/whoami"), 200));
  await costs(["fetch origin"], () => answered(browser.script("/page/x"), 200));
  await costs(["fetch origin"], () => answered(world.browser().script("/public/x"), 200));
  await costs([], () => answered(world.browser().script("/api/Orders/whoami"), 401));
  await costs([], () => answered(browser.script("/.auth/me"), 200));
  await costs([], () => answered(browser.script("/.auth/health"), 200));
});

test("with the objects: a renewal and a sign-out", async () => {
  const browser = world.browser();
  const costs = (expected, action) => assertCosts(world, expected, action);
  await costs(["fetch OP", "object", "put account", "fetch origin"], () => browser.signIn("/", bob));
  await browser.script("/api/Orders/whoami");
  await world.advance(310 + delay);
  await costs(["object", "object", "fetch OP", "put account", "fetch API"], () => answered(browser.script("/api/Orders/whoami"), 200));
  await costs(["object", "list account", "delete account", "fetch OP"], () => browser.signOut({ atOp: false }));
});

test("on Workers KV alone: every subrequest of each step", async () => {
  const browser = alone.browser();
  const costs = (expected, action) => assertCosts(alone, expected, action);
  const documents = ["get metadata", "get jwks", "put metadata", "put jwks", ...many(2, "fetch OP")];
  await costs([...documents, "fetch OP", "put account", "fetch origin"], () => browser.signIn("/", alice));
  await costs(["fetch OP", "put account", "fetch API"], () => answered(browser.script("/api/Orders/whoami"), 200));
  await costs(["fetch API"], () => answered(browser.script("/api/Orders/whoami"), 200));
  await alone.freshInstance();
  await costs(["get account", "fetch API"], () => answered(browser.script("/api/Orders/whoami"), 200));
});

test("on Workers KV alone: a renewal and a sign-out", async () => {
  const browser = alone.browser();
  const costs = (expected, action) => assertCosts(alone, expected, action);
  await browser.signIn("/", bob);
  await browser.script("/api/Orders/whoami");
  await alone.advance(310 + delay);
  await costs([...many(2, "get account"), "fetch OP", "put account", "fetch API"], () => answered(browser.script("/api/Orders/whoami"), 200));
  await costs(["list account", "delete account", "fetch OP"], () => browser.signOut({ atOp: false }));
});
