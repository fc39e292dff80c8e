// OpenID Connect Back-Channel Logout 1.0 with a real OpenID Provider: what ends with its session, what does not, and that
// a logout token counts once.

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";

import { assertEnded, assertEndedForAll, assertGoesOn } from "./endings.mjs";
import { lastSid, logoutToken, postLogout, postLogoutToken } from "./logout-tokens.mjs";
import { alice, bob } from "./people.mjs";
import { assertProblem } from "./refusals.mjs";
import { keepKeys } from "./token-responses.mjs";
import { until } from "./until.mjs";
import { startWorld } from "./world.mjs";

let world;
let key;
let sent;
let ahead = 0;
before(async () => {
  const { kept, adjust } = keepKeys();
  world = await startWorld({ backchannel: true, provider: { adjust: (configuration) => recordingTokens(adjust(configuration)) } });
  key = kept.keys.find(({ alg }) => alg === "RS256");
});
after(() => world.close());
beforeEach(async () => {
  sent = [];
  // A session that begins in the second of a sign-out counts from the next one; the tests leave each other out of that.
  // All in all it is less than the clock skew that the OP's own tokens are allowed.
  await world.advance((ahead += 2));
});

/** Keeps what the OP posts to the Worker. */
function recordingTokens(configuration) {
  const { fetch } = configuration;
  const recording = (url, options) => {
    sent.push(options.body?.get?.("logout_token"));
    return fetch(url, options);
  };
  return { ...configuration, fetch: recording };
}

async function signedIn(account = alice, place = world) {
  const browser = place.browser();
  await browser.signIn("/", account);
  return { browser, session: browser.session, sid: lastSid(place) };
}

const events = (place, name) => place.op.events.filter(({ event }) => event === name).length;
const ids = async (place = world) => (await place.rows("session")).filter(({ entry }) => entry).map(({ id }) => id);
const names = async (prefix, place = world) => (await place.allKeys()).map(({ name }) => name).filter((name) => name.startsWith(prefix));

/** The keys that a sign-in adds to Workers KV: its entry and its index. */
async function signedInWithKeys(account) {
  const before = new Set(await names(""));
  const signedInNow = await signedIn(account);
  const added = async () => (await names("")).filter((name) => !before.has(name) && !name.startsWith("op/"));
  await until(async () => (await added()).length === 2);
  return { ...signedInNow, keys: await added() };
}

/** The object of the account that a session belongs to. The one of the OP's session has a row for it, too, without metadata. */
async function accountObject(id) {
  for (const object of await world.worker.accounts.ids()) {
    const isThere = (await world.tables(object)).includes("session");
    const query = ["SELECT metadata FROM session WHERE id = ?", id];
    const [row] = isThere ? await world.worker.accounts.rows(object, ...query) : [];
    if (row && row.metadata !== "{}") return object;
  }
  throw new Error("no object has the session");
}

function assertRefused(answer) {
  assert.deepEqual([answer.status, answer.headers["content-type"], answer.headers["cache-control"]], [400, "application/json", "no-store"]);
  assert.deepEqual(answer.json(), { error: "invalid_request" });
}

function assertHeard(answer) {
  assert.deepEqual([answer.status, answer.text, answer.headers["cache-control"]], [200, "", "no-store"]);
}

test("a sign-out at the OP ends that session everywhere, and no other one of the account", async () => {
  const [hers, elsewhere, his] = [await signedInWithKeys(alice), await signedInWithKeys(alice), await signedInWithKeys(bob)];
  const heard = events(world, "backchannel.success");
  await hers.browser.signOutAtOp();
  assert.equal(events(world, "backchannel.success"), heard + 1);
  assert.equal(events(world, "backchannel.error"), 0);
  await assertEndedForAll(world, hers.session);
  const left = await names("");
  assert.deepEqual(hers.keys.filter((name) => left.includes(name)), [], "in Workers KV");
  const isIts = (id) => hers.keys.some((name) => name.endsWith(`/${id}`));
  assert.deepEqual((await ids()).filter(isIts), [], "in the objects");
  for (const other of [elsewhere, his]) {
    await assertGoesOn(world, other.session);
    assert.deepEqual(other.keys.filter((name) => !left.includes(name)), []);
  }
});

test("both sessions that one session of the OP led to end with it", async () => {
  const first = await signedIn();
  // As in a browser whose cookies for us were deleted.
  first.browser.session = "";
  await first.browser.navigate("/page/one");
  const second = { session: first.browser.session, sid: lastSid(world) };
  assert.equal(second.sid, first.sid);
  for (const { session } of [first, second]) await assertGoesOn(world, session);
  await first.browser.signOutAtOp();
  for (const { session } of [first, second]) await assertEndedForAll(world, session);
});

test("an OP that names no session ends all of the end-user's", async () => {
  const withoutSession = (configuration) => {
    configuration.clients[0].backchannel_logout_session_required = false;
    return configuration;
  };
  const other = await startWorld({ backchannel: true, provider: { adjust: withoutSession } });
  try {
    const [here, there, his] = [await signedIn(alice, other), await signedIn(alice, other), await signedIn(bob, other)];
    assert.equal(here.sid, undefined);
    await until(async () => (await names("account/", other)).length === 3);
    await here.browser.signOutAtOp();
    assert.equal(events(other, "backchannel.success"), 1);
    for (const { session } of [here, there]) await assertEndedForAll(other, session);
    await assertGoesOn(other, his.session);
    assert.equal((await names("account/", other)).length, 1);
    assert.equal((await ids(other)).length, 1);
    const again = await signedIn(alice, other);
    await assertGoesOn(other, again.session);
  } finally {
    await other.close();
  }
});

const subjects = {
  sid: (sid) => ({ sid }),
  sub: () => ({ sub: bob.claims.sub }),
  "both sid and sub": (sid) => ({ sid, sub: bob.claims.sub }),
};
for (const [name, claims] of Object.entries(subjects)) {
  test(`of 32 identical tokens by ${name} at once one is heard, and none later`, async () => {
    const { session, sid } = await signedIn(bob);
    const token = await logoutToken(world, key, claims(sid));
    const answers = await Promise.all(Array.from({ length: 32 }, () => postLogoutToken(world, token)));
    const heard = answers.filter(({ status }) => status === 200);
    assert.equal(heard.length, 1);
    heard.forEach(assertHeard);
    answers.filter(({ status }) => status !== 200).forEach(assertRefused);
    await assertEnded(world, session);
    // A session that began since then is none of its business.
    await world.advance((ahead += 2));
    const next = await signedIn(bob);
    await world.freshInstance();
    assertRefused(await postLogoutToken(world, token));
    await assertGoesOn(world, next.session);
  });

  test(`a token by ${name} and the end of the session are kept by one object, whatever happens after the answer`, async () => {
    const { session, sid, keys } = await signedInWithKeys(bob);
    const id = keys.find((name) => name.startsWith("account/")).split("/")[2];
    const home = await accountObject(id);
    const rows = (table) => world.worker.accounts.rows(home, `SELECT * FROM ${table}`);
    const used = (await rows("logout_token")).length;
    const token = await logoutToken(world, key, claims(sid));
    assertHeard(await postLogoutToken(world, token));
    for (const object of await world.worker.accounts.ids()) await world.worker.accounts.crash(object);
    assert.equal((await rows("logout_token")).length, used + 1);
    assert.ok((await rows("session")).every((row) => row.id !== id || row.entry === null));
    assertRefused(await postLogoutToken(world, token));
    await assertEndedForAll(world, session);
  });

  test(`an object that crashes before its reply has heard a token by ${name}: what it says of it again brings nothing back`, async () => {
    const { session, sid } = await signedIn(bob);
    const token = await logoutToken(world, key, claims(sid));
    await world.worker.command({ account: "crash" });
    assertProblem(await postLogoutToken(world, token), 503, "cache_unavailable");
    await world.worker.command({ account: "up" });
    assert.ok([200, 400].includes((await postLogoutToken(world, token)).status));
    // Whoever looks at the object knows; an isolate that looked a moment ago does so a little later.
    await world.freshInstance();
    await assertEnded(world, session);
  });
}

test("a token that the OP sent is refused when somebody else sends it again", async () => {
  const { browser } = await signedIn();
  await browser.signOutAtOp();
  const [token] = sent;
  const { session } = await signedIn();
  assertRefused(await postLogoutToken(world, token));
  await assertGoesOn(world, session);
});

test("a token of the OP for somebody who is not signed in is heard and keeps nobody from signing in", async () => {
  for (const claims of [{ sid: "unknown'\"<>&;--" }, { sub: "unknown'\"<>&;--" }, { sid: "gone", sub: alice.claims.sub }]) {
    assertHeard(await postLogoutToken(world, await logoutToken(world, key, claims)));
  }
  await assertGoesOn(world, (await signedIn()).session);
});

test("without the objects nothing is said to have ended: 503, and the OP's next attempt is heard", async () => {
  const { browser, session } = await signedIn();
  const failed = events(world, "backchannel.error");
  await world.worker.command({ account: "down" });
  await browser.signOutAtOp();
  assert.equal(events(world, "backchannel.error"), failed + 1, "the OP was told that it is done");
  const [token] = sent;
  assertProblem(await postLogoutToken(world, token), 503, "cache_unavailable");
  await world.worker.command({ account: "up" });
  await assertGoesOn(world, session);
  assertHeard(await postLogoutToken(world, token));
  await assertEndedForAll(world, session);
});

test("Workers KV that deletes nothing holds nothing up: an alarm deletes what is left", async () => {
  const { browser, session, keys } = await signedInWithKeys(alice);
  await world.worker.command({ store: { delete: "fail" } });
  const heard = events(world, "backchannel.success");
  await browser.signOutAtOp();
  assert.equal(events(world, "backchannel.success"), heard + 1);
  await assertEndedForAll(world, session);
  const left = async () => (await names("")).filter((name) => keys.includes(name));
  assert.deepEqual(await left(), keys);
  const noted = (await world.rows("deletion")).map(({ key: name }) => name);
  assert.deepEqual(keys.filter((name) => !noted.includes(name)), []);
  const ring = async () => {
    for (const id of await world.worker.accounts.ids()) assert.deepEqual(await world.worker.accounts.ring(id), {});
  };
  await ring();
  assert.deepEqual(await left(), keys, "still down");
  await world.worker.command({ store: "up" });
  await ring();
  assert.deepEqual([await left(), await world.rows("deletion")], [[], []]);
  await assertEndedForAll(world, session);
});

test("only a form of reasonable size with one token is read, and only by POST", async () => {
  const { session, sid } = await signedIn();
  const token = await logoutToken(world, key, { sid });
  const form = `logout_token=${token}`;
  const bodies = ["", "logout_token=", "logout_token=%00", "logout_token=a.b.c", `token=${token}`, `${form}&${form}`, `${form}&x=${"x".repeat(32 * 1024)}`];
  for (const body of bodies) assertRefused(await postLogout(world, body));
  for (const type of ["application/json", "text/plain", "multipart/form-data; boundary=x", ""]) {
    assertRefused(await postLogout(world, form, { "content-type": type }));
  }
  const browser = world.browser();
  for (const method of ["GET", "PUT", "DELETE"]) {
    const answer = await browser.script(`/.auth/backchannel-logout?${form}`, { method });
    assert.deepEqual([answer.status, answer.headers.allow], [405, "POST"]);
  }
  await assertGoesOn(world, session);
  // None of these used the token up.
  const charset = "application/x-www-form-urlencoded; charset=UTF-8";
  assertHeard(await postLogout(world, `x=${"x".repeat(28 * 1024)}&${form}`, { "content-type": charset }));
  await assertEnded(world, session);
});

test("a token that is wrong in any way ends nothing", async () => {
  const { session, sid } = await signedIn();
  const now = Math.floor(Date.now() / 1000);
  const wrong = [
    ...[{ nonce: "n" }, { aud: "other" }, { iss: "https://evil.example" }, { events: {} }, { events: undefined }],
    ...[{ jti: undefined }, { iat: undefined }, { exp: now - 3600, iat: now - 7200 }, { iat: now + 7200 }, { sid: undefined }, { sid: 7 }],
  ];
  for (const claims of wrong) {
    assertRefused(await postLogoutToken(world, await logoutToken(world, key, { sid, ...claims })));
  }
  const idToken = world.issued.grants.at(-1).body.id_token;
  assertRefused(await postLogoutToken(world, idToken));
  await assertGoesOn(world, session);
});

test("on Workers KV alone: the OP's sign-out ends the session, and a store that is down is told apart", async () => {
  const alone = await startWorld({ backchannel: true, withAccounts: false, provider: { adjust: recordingTokens } });
  try {
    const [hers, other] = [await signedIn(alice, alone), await signedIn(alice, alone)];
    await alone.worker.command({ store: { list: "fail", delete: "fail" } });
    await hers.browser.signOutAtOp();
    assert.equal(events(alone, "backchannel.error"), 1);
    await alone.worker.command({ store: "up" });
    await assertGoesOn(alone, hers.session);
    assertHeard(await postLogoutToken(alone, sent[0]));
    // Until then its entry might be on its way to this isolate.
    await alone.advance(130);
    await assertEnded(alone, hers.session);
    assert.deepEqual([(await names("account/", alone)).length, (await names("sid/", alone)).length], [1, 1]);
    await assertGoesOn(alone, other.session);
  } finally {
    await alone.close();
  }
});
