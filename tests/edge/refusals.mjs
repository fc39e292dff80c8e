// What must hold whenever a sign-in fails, whatever the reason.

import assert from "node:assert/strict";

/**
 * `callback` gives the address that a new browser ends at. It is opened by one browser as a page and by another as a
 * script; both must be refused alike, with `reason` in the log. A page that is only late is sent to the OP once more instead.
 */
export async function assertRefused(world, callback, { status, code, reason, isLate = false }) {
  const [person, program] = [world.browser(), world.browser()];
  const pageAddress = await callback(person);
  const page = await person.step(pageAddress, { site: "cross-site" });
  const scriptAddress = await callback(program);
  const problem = await program.script(scriptAddress);
  if (isLate) assertSentAgain(world, page);
  else assertPage(page, status);
  assertProblem(problem, status, code);
  const events = await world.events();
  const shown = isLate ? events.findLast((line) => line.event === "login.started" && line.for === "another").trace : traceOf(page);
  const refusals = events.filter(({ event }) => event === "request.refused");
  const ours = refusals.filter(({ trace }) => [problem.json().trace, shown].includes(trace));
  assert.equal(ours.length, 2, "each refusal is logged once, under the reference that was shown");
  for (const line of ours) {
    assert.deepEqual([line.code, line.status], [code, status]);
    assert.match(line.reason, reason);
  }
  await assertNotSignedIn(world, person);
  await assertNotSignedIn(world, program);
}

function assertSentAgain(world, page) {
  assert.equal(page.status, 302, page.text);
  assert.ok(page.headers.location.startsWith(`${world.op.issuer}/auth?`), page.headers.location);
  assert.match(new URL(page.headers.location).searchParams.get("state"), /\.2$/);
}

export function assertPage(page, status) {
  assert.equal(page.status, status, page.text);
  assert.match(page.headers["content-type"], /^text\/html/);
  assert.match(page.headers["content-security-policy"], /default-src 'none'.*frame-ancestors 'none'/);
  assert.equal(page.headers["cache-control"], "no-store");
  assert.equal(page.headers["x-content-type-options"], "nosniff");
  assert.doesNotMatch(page.text, /<script|onerror=|javascript:/i);
}

export function assertProblem(problem, status, code) {
  assert.equal(problem.status, status, problem.text);
  assert.equal(problem.headers["content-type"], "application/problem+json");
  assert.equal(problem.headers["cache-control"], "no-store");
  const body = problem.json();
  assert.deepEqual([body.code, body.status, body.type], [code, status, `urn:vestibule:problem:${code}`]);
  assert.ok(body.trace && body.title);
  assert.doesNotMatch(problem.text, /<script/i);
}

export async function assertNotSignedIn(world, browser) {
  assert.equal(browser.session, undefined);
  assert.equal((await browser.script("/.auth/me")).status, 401);
  assert.deepEqual(await world.accountEntries(), []);
}

function traceOf(page) {
  return page.text.match(/<code>([^<]+)<\/code>/)?.[1];
}
