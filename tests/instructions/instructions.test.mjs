// How many instructions the layers take that wait for nothing, as bench/instructions/main.rs does each of them once. They are
// counted and not timed, so a busy machine changes nothing.

import assert from "node:assert/strict";
import { before, test } from "node:test";

import { buildProgram, everything, findValgrind, instructionsOf } from "../../bench/instructions/count.mjs";

/**
 * What each took when it was last looked at. A change that takes more than `slack` of it fails and, if it is worth that,
 * writes its own number here; so does one that takes less. Another compiler or C library moves all of them a little.
 */
const budgets = {
  "configuration: read": 1_113_708,
  "head: parse": 11_441,
  "session cookie: open": 18_686,
  "session cookie: seal": 24_484,
  "token cache entry: parse, 10 access tokens": 268_742,
  "scope lookup: 100 access tokens": 9_803,
  "route decision: 1000 rules": 3_385,
  "plan known from before: signed-in API call": 1_600,
  "plan that stands: signed-in API call": 9_509,
  "plan that stands: anonymous": 7_285,
  "decision: signed-in API call": 81_782,
  "decision: origin with identity": 179_571,
  "decision: anonymous": 44_527,
  "decision: 401 without a session": 101_161,
  "decision: API call, 100 APIs": 82_289,
  "decision: API call, 100 access tokens": 99_102,
  "decision: API call, 50 cookies of others": 119_595,
  "decision: origin, 1000 rules": 181_363,
};
const slack = 1.1;

const counts = {};
before(async () => {
  const [valgrind, program] = [findValgrind(), await buildProgram()];
  for (const what of await everything(program)) counts[what] = await instructionsOf(valgrind, program, what);
});

test("nothing takes more instructions than its budget", (context) => {
  assert.deepEqual(Object.keys(counts).sort(), Object.keys(budgets).sort());
  const exceeded = [];
  for (const [what, budget] of Object.entries(budgets)) {
    const percent = (counts[what] / budget - 1) * 100;
    const compared = `${what}: ${counts[what]} instructions, ${Math.abs(percent).toFixed(1)} % ${percent > 0 ? "above" : "below"} ${budget}`;
    context.diagnostic(compared);
    if (counts[what] > budget * slack) exceeded.push(compared);
  }
  assert.ok(exceeded.length === 0, exceeded.join("\n"));
});

/** What there may be more of, and what the decision takes then at most, as a ratio to the same decision in a usual deployment. */
const growth = {
  "decision: origin, 1000 rules": ["decision: origin with identity", 1.05],
  "decision: API call, 100 APIs": ["decision: signed-in API call", 1.05],
  // Fifty times as many tokens, each of which is looked at.
  "decision: API call, 100 access tokens": ["decision: signed-in API call", 1.25],
};

test("a decision hardly grows with the deployment or with the session", () => {
  for (const [what, [usual, most]] of Object.entries(growth)) {
    const ratio = counts[what] / counts[usual];
    assert.ok(ratio <= most, `${what}: ${ratio.toFixed(2)} times as many instructions as ${usual}, and ${most} are the most`);
  }
});
