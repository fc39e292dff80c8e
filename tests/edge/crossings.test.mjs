// How often a warm request, and the first of a sign-in, crosses between JavaScript and wasm, whatever the functions are called:
// each crossing costs about as much as a header, and none comes unnoticed.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { startWorld } from "./world.mjs";

/**
 * At most so many calls of `imports` (from wasm) and of `exports` (into wasm). A change that needs more raises its number here,
 * and one that needs fewer lowers it.
 */
const budgets = {
  "signed-in API call": { imports: 0, exports: 1 },
  "origin with identity": { imports: 0, exports: 1 },
  anonymous: { imports: 0, exports: 1 },
  "401 without a session": { imports: 0, exports: 0 },
  // It waits for nothing, so it has no promise of its own that somebody must look after.
  "the way to the OpenID Provider": { imports: 12, exports: 5 },
};

const routes = [{ Path: "/public/**", Access: "Anonymous" }];
let world;
before(async () => {
  // Longer than by default, so that no slow test run looks again.
  world = await startWorld({ vars: { Session: { RevocationDelay: 60 }, Gateway: { Routes: routes } }, countsCrossings: true });
});
after(() => world.close());

/** `[how it is asked, the status]`. */
async function requests() {
  const browser = world.browser();
  await browser.signIn();
  return {
    "signed-in API call": [() => browser.script("/api/Orders/whoami"), 200],
    "origin with identity": [() => browser.script("/page/x"), 200],
    anonymous: [() => world.browser().script("/public/x"), 200],
    "401 without a session": [() => world.browser().script("/api/Orders/whoami"), 401],
    "the way to the OpenID Provider": [() => world.browser().step("/page/x"), 302],
  };
}

/** The least that any of some requests needs: what is tidied up meanwhile comes at random, and only adds. */
async function crossings([ask, status]) {
  let least;
  for (let round = 0; round < 8; round += 1) {
    await world.worker.crossings();
    assert.equal((await ask()).status, status);
    const counts = await world.worker.crossings();
    assert.ok(round > 0 || total(counts.exports) > 0, "nothing was counted");
    if (!least || total(counts.imports) + total(counts.exports) < total(least.imports) + total(least.exports)) least = counts;
  }
  return least;
}

const total = (counts) => Object.values(counts).reduce((sum, count) => sum + count, 0);

test("no warm request crosses more often than its budget", async (context) => {
  const exceeded = [];
  for (const [name, request] of Object.entries(await requests())) {
    const counts = await crossings(request);
    for (const [direction, budget] of Object.entries(budgets[name])) {
      const made = total(counts[direction]);
      const compared = `${name}: ${made} ${direction}, ${Math.abs(made - budget)} ${made > budget ? "above" : "below"} the budget of ${budget}`;
      if (made > budget) exceeded.push(`${compared}: ${JSON.stringify(counts[direction], null, 1)}`);
      if (made < budget) context.diagnostic(`${compared}: lower it`);
    }
  }
  assert.ok(exceeded.length === 0, exceeded.join("\n"));
});
