// OpenID Connect Front-Channel Logout 1.0: the OP's page loads our address in a hidden frame, without a cookie of ours.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { assertEndedForAll, assertGoesOn } from "./endings.mjs";
import { lastSid, loadFrame } from "./logout-tokens.mjs";
import { alice, bob } from "./people.mjs";
import { assertPage, assertProblem } from "./refusals.mjs";
import { until } from "./until.mjs";
import { startWorld } from "./world.mjs";

let world;
let alone;
before(async () => {
  // Otherwise oidc-provider puts no `sid` into its ID tokens.
  [world, alone] = await Promise.all([{}, { withAccounts: false }].map((places) => startWorld({ backchannel: true, ...places })));
});
after(() => Promise.all([world.close(), alone.close()]));

async function signedIn(place, account = alice) {
  const browser = place.browser();
  await browser.signIn("/", account);
  return { browser, session: browser.session, sid: lastSid(place) };
}

const tables = ["session", "watermark", "logout_token", "deletion"];

/** All that is stored anywhere but the OP's documents. */
async function stored(place) {
  const keys = (await place.allKeys()).filter(({ name }) => !name.startsWith("op/"));
  const rows = place.worker.accounts ? await Promise.all(tables.map((table) => place.rows(table))) : [];
  return { keys, rows: rows.map((all) => all.map((row) => JSON.stringify(row)).sort()) };
}

const named = (place, prefix) => async () => (await place.allKeys()).filter(({ name }) => name.startsWith(prefix)).length;

function assertFramed(answer, { op }) {
  assert.equal(answer.status, 200);
  assert.equal(answer.headers["cache-control"], "no-store");
  assert.match(answer.headers["content-type"], /^text\/html/);
  assert.match(answer.headers["content-security-policy"], new RegExp(`frame-ancestors ${op.issuer}(;|$)`));
  assert.equal(answer.headers["x-frame-options"], undefined);
  assert.deepEqual([answer.text, answer.setCookies], ["", []]);
}

test("the frame of an OP's session ends the session here, and no other one of the account", async () => {
  for (const issuer of [undefined, world.op.issuer]) {
    const [hers, elsewhere, his] = [await signedIn(world), await signedIn(world), await signedIn(world, bob)];
    await until(async () => (await named(world, "account/")()) >= 3);
    const before = [await named(world, "account/")(), await named(world, "sid/")()];
    const answer = await loadFrame(world, { sid: hers.sid, ...(issuer && { iss: issuer }) });
    assertFramed(answer, world);
    assert.deepEqual([await named(world, "account/")(), await named(world, "sid/")()], before.map((count) => count - 1));
    await assertEndedForAll(world, hers.session);
    for (const { session } of [elsewhere, his]) await assertGoesOn(world, session);
    // The page of a frame is loaded more than once without harm.
    assertFramed(await loadFrame(world, { sid: hers.sid }), world);
    for (const { session } of [elsewhere, his]) await assertGoesOn(world, session);
  }
});

test("a sid that is unknown, however strange, gets the same answer and changes nothing that is stored", async () => {
  const { session, sid } = await signedIn(world);
  await until(async () => (await named(world, "sid/")()) > 0);
  const before = await stored(world);
  const strange = ["x", `${sid}x`, sid.slice(1), "sid/x", "../account/", "'; DROP TABLE session; --", "<script>", "\0", "ß\u{1f511}", "x".repeat(512)];
  for (const unknown of strange) {
    assertFramed(await loadFrame(world, { sid: unknown }), world);
  }
  assert.deepEqual(await stored(world), before);
  await assertGoesOn(world, session);
  // The objects of unknown sessions, which were only asked, are empty.
  const kept = await Promise.all((await world.worker.accounts.ids()).map((id) => world.tables(id)));
  assert.ok(kept.some((tables) => tables.length > 0));
  assert.ok(kept.filter((tables) => tables.length === 0).length >= strange.length);
});

test("a request that names no session or another issuer is refused, in whatever way it is made", async () => {
  const { session, sid } = await signedIn(world);
  const queries = [{}, { sid: "" }, { sid: "x".repeat(513) }, { iss: world.op.issuer }, { sid, iss: "https://evil.example" }, { sid, iss: `${world.op.issuer}/` }, { sid, iss: "" }];
  for (const query of [...queries, [["sid", sid], ["sid", sid]], [["sid", sid], ["iss", world.op.issuer], ["iss", world.op.issuer]]]) {
    assertProblem(await loadFrame(world, query), 400, "logout_request_invalid");
    const parameters = new URLSearchParams(query);
    assertProblem(await world.browser().script(`/signout-oidc?${parameters}`), 400, "logout_request_invalid");
  }
  for (const method of ["POST", "HEAD", "DELETE"]) {
    const answer = await world.browser().script(`/signout-oidc?sid=${sid}`, { method });
    assert.deepEqual([answer.status, answer.headers.allow], [405, "GET"], method);
  }
  await assertGoesOn(world, session);
});

test("a cookie that comes along is neither needed nor believed", async () => {
  const [hers, his] = [await signedIn(world), await signedIn(world, bob)];
  const cookie = `__Host-session=${his.session}`;
  assertFramed(await loadFrame(world, { sid: hers.sid }, { cookie }), world);
  await assertEndedForAll(world, hers.session);
  await assertGoesOn(world, his.session);
});

test("a session whose sign-in was under way at the OP when that session ended there does not begin", async () => {
  const { browser, session, sid } = await signedIn(world);
  // As in a browser whose cookies for us were deleted.
  browser.session = "";
  const callback = await browser.signInUpToCallback("/page/one");
  await until(async () => (await named(world, "sid/")()) > 0);
  const before = await named(world, "account/")();
  assertFramed(await loadFrame(world, { sid }), world);
  assertPage(await browser.step(callback, { site: "cross-site" }), 400);
  assert.ok((await named(world, "account/")()) < before, "an entry was left");
  await assertEndedForAll(world, session);
  // Had the OP's session really ended, this would ask for a password. An attempt of the same second counts as under way.
  await world.advance(1);
  await browser.navigate("/page/one");
  await assertGoesOn(world, browser.session);
});

test("objects that are down are no success, and the next frame ends the session", async () => {
  const { session, sid } = await signedIn(world);
  await world.worker.command({ account: "down" });
  assertProblem(await loadFrame(world, { sid }), 503, "cache_unavailable");
  await world.worker.command({ account: "up" });
  await assertGoesOn(world, session);
  assertFramed(await loadFrame(world, { sid }), world);
  await assertEndedForAll(world, session);
});

test("on Workers KV alone the index leads to the session", async () => {
  const [hers, elsewhere] = [await signedIn(alone), await signedIn(alone)];
  const before = await stored(alone);
  assertFramed(await loadFrame(alone, { sid: "unknown" }), alone);
  assert.deepEqual(await stored(alone), before);
  await alone.worker.command({ store: { get: "fail" } });
  assertProblem(await loadFrame(alone, { sid: hers.sid }), 503, "cache_unavailable");
  await alone.worker.command({ store: "up" });
  assertFramed(await loadFrame(alone, { sid: hers.sid }), alone);
  assert.deepEqual([await named(alone, "account/")(), await named(alone, "sid/")()], [1, 1]);
  // Until then its entry might be on its way to this isolate.
  await alone.advance(130);
  await assertEndedForAll(alone, hers.session);
  await assertGoesOn(alone, elsewhere.session);
});
