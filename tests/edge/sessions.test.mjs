// An end-user's own sessions: the list of them, and ending one or all.

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";

import { assertEnded, assertEndedForAll, assertGoesOn } from "./endings.mjs";
import { alice, bob } from "./people.mjs";
import { assertPage, assertProblem } from "./refusals.mjs";
import { startWorld } from "./world.mjs";

const firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
const safari = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile/15E148 Safari/604.1";
const path = "/.auth/sessions";

let world;
let alone;
let ahead = 0;
before(async () => {
  [world, alone] = await Promise.all([startWorld(), startWorld({ withAccounts: false })]);
});
after(() => Promise.all([world.close(), alone.close()]));
// The latest of several is known by its second.
beforeEach(() => pass(2));

const pass = (seconds) => {
  ahead += seconds;
  return Promise.all([world, alone].map((place) => place.advance(ahead)));
};

async function signedIn({ place = world, account = alice, headers = {} } = {}) {
  const browser = place.browser({ headers });
  await browser.signIn("/", account);
  await pass(1);
  return { browser, session: browser.session };
}

async function listed({ browser }) {
  const answer = await browser.script(path);
  assert.deepEqual([answer.status, answer.headers["content-type"], answer.headers["cache-control"]], [200, "application/json", "no-store"]);
  return answer.json().sessions;
}

/** The session of another browser, by its place in the list. */
const other = async (own) => (await listed(own)).find(({ current }) => !current);

async function everyoneOut(place = world) {
  for (const account of [alice, bob]) {
    const { browser } = await signedIn({ place, account });
    assert.equal((await browser.script(path, { method: "DELETE" })).status, 204);
  }
}

test("the list says when, where roughly and with what, which one is this, and nothing of anybody else", async () => {
  for (const place of [world, alone]) {
    await everyoneOut(place);
    const begun = Math.floor(Date.now() / 1000) + ahead;
    await signedIn({ place, headers: { "user-agent": safari, "cf-ipcountry": "DK" } });
    await signedIn({ place, headers: { "user-agent": "<script>alert(1)</script>", "cf-ipcountry": "<b" } });
    await signedIn({ place, account: bob });
    const hers = await signedIn({ place, headers: { "user-agent": firefox, "cf-ipcountry": "T1" } });
    const sessions = await listed(hers);
    const seen = sessions.map(({ current, device, country }) => [current, device, country]);
    assert.deepEqual(seen, [[true, "Firefox on Linux", "T1"], [false, "Unknown browser", null], [false, "Safari on iPhone", "DK"]]);
    for (const { id, created, expires, url, ...rest } of sessions) {
      assert.deepEqual(Object.keys(rest).sort(), ["country", "current", "device"]);
      assert.ok(Math.abs(created - begun) < 120, `${created}`);
      assert.equal(expires - created, 28_800);
      assert.equal(url, `${place.publicOrigin}${path}/${id}`);
      assert.match(id, /^[\w-]{22}$/);
    }
    assert.equal(new Set(sessions.map(({ id }) => id)).size, 3);
  }
});

test("a person sees the same as a page with a button for each and one for all", async () => {
  await everyoneOut();
  await signedIn({ headers: { "user-agent": safari, "cf-ipcountry": "DK" } });
  const { browser } = await signedIn({ headers: { "user-agent": firefox } });
  const page = await browser.navigate(path);
  assertPage(page, 200);
  assert.match(page.text, /Firefox on Linux<\/strong> <small>\(this browser\)/);
  assert.match(page.text, /Safari on iPhone<\/strong><br><small>since \d{4}-\d\d-\d\d \d\d:\d\d UTC, DK</);
  const actions = [...page.text.matchAll(/<form method="post" action="([^"]+)"/g)].map(([, action]) => action);
  const urls = (await listed({ browser })).map(({ url }) => url);
  assert.deepEqual(actions, [...urls, `${world.publicOrigin}${path}`]);
});

test("one that is ended there is signed out everywhere, for good, and the others go on", async () => {
  for (const end of ["DELETE", "POST"]) {
    await everyoneOut();
    const [lost, kept, hers] = [await signedIn(), await signedIn(), await signedIn()];
    const { url, id } = (await listed(hers)).at(-1);
    assert.equal((await hers.browser.script(url, { method: end })).status, 204);
    await assertEndedForAll(world, lost.session);
    for (const { session } of [kept, hers]) await assertGoesOn(world, session);
    assert.ok(!(await world.accountEntries()).some(({ name }) => name.endsWith(id)));
    assert.ok((await world.rows("session")).every(({ id: other, entry }) => other !== id || entry === null));
    // What is over already is what was wanted.
    assert.equal((await hers.browser.script(url, { method: end })).status, 204);
    assert.equal((await listed(hers)).length, 2);
  }
});

test("the buttons of the page work: one leads back to it, the own one and all lead out", async () => {
  await everyoneOut();
  const [lost, hers] = [await signedIn(), await signedIn()];
  const from = `${world.publicOrigin}${path}`;
  const back = await hers.browser.navigate((await other(hers)).url, { method: "POST", form: {}, from });
  assert.deepEqual([back.status, back.url], [200, from]);
  assert.doesNotMatch(back.text, /<li>.*<li>/s);
  await assertEnded(world, lost.session);
  const own = (await listed(hers)).find(({ current }) => current);
  const left = await hers.browser.navigate(own.url, { method: "POST", form: {}, from });
  assert.ok(left.url.startsWith(`${world.op.issuer}/session/end?`), left.url);
  assert.equal(hers.browser.session, undefined);
  await assertEndedForAll(world, hers.session);
});

test("all are ended by one request, this browser's last of all: nothing of the account is left, and the browser leaves the OP", async () => {
  await everyoneOut();
  const [one, two, his] = [await signedIn(), await signedIn(), await signedIn({ account: bob })];
  const from = `${world.publicOrigin}${path}`;
  const left = await two.browser.navigate(path, { method: "POST", form: {}, from });
  assert.ok(left.url.startsWith(`${world.op.issuer}/session/end?`), left.url);
  for (const { session } of [one, two]) await assertEndedForAll(world, session);
  await assertGoesOn(world, his.session);
  assert.equal((await world.accountEntries()).length, 1);
  assert.equal((await world.rows("session")).filter(({ entry }) => entry).length, 1);
});

test("with SignOutScope = Session a sign-out ends this browser's session alone, and the list still ends all", async () => {
  const place = await startWorld({ vars: { Session: { SignOutScope: "Session" } } });
  try {
    const browsers = [place.browser(), place.browser(), place.browser()];
    for (const browser of browsers) await browser.signIn();
    const [first, second, third] = browsers.map(({ session }) => session);
    const asked = await browsers[0].navigate("/.auth/logout");
    assert.match(asked.text, /in this browser/);
    await browsers[0].signOut({ atOp: false });
    await assertEndedForAll(place, first);
    for (const session of [second, third]) await assertGoesOn(place, session);
    assert.equal((await place.accountEntries()).length, 2);
    assert.equal((await browsers[1].script(path, { method: "DELETE" })).status, 204);
    for (const session of [second, third]) await assertEndedForAll(place, session);
    assert.deepEqual(await place.accountEntries(), []);
  } finally {
    await place.close();
  }
});

test("no other site, no script without our header, no other account and nobody who is signed out ends a session", async () => {
  await everyoneOut();
  const [hers, his] = [await signedIn(), await signedIn({ account: bob })];
  const [own] = await listed(hers);
  const cookie = `__Host-session=${hers.session}`;
  for (const url of [path, own.url]) {
    for (const method of ["POST", "DELETE"]) {
      for (const site of ["cross-site", "same-site", "none"]) {
        const headers = { cookie, "sec-fetch-site": site };
        assertProblem(await world.browser().script(url, { method, headers }), 403, "csrf_rejected");
      }
      assertProblem(await world.browser().script(url, { method }), 401, "login_required");
    }
  }
  // His account has no such session, and says nothing about it.
  assert.equal((await his.browser.script(own.url, { method: "DELETE" })).status, 204);
  await assertGoesOn(world, hers.session);
  for (const id of ["x", "../me", `${own.id}x`, "%00", own.id.slice(1)]) {
    assert.ok([400, 404, 405].includes((await hers.browser.script(`${path}/${id}`, { method: "DELETE" })).status), id);
  }
  await hers.browser.signOut({ atOp: false });
  for (const method of ["GET", "POST", "DELETE"]) {
    assertProblem(await world.browser().script(path, { method, headers: { cookie } }), 401, "session_expired");
  }
  await assertGoesOn(world, his.session);
});

test("a session that ended elsewhere a moment ago ends no others, though this isolate still serves it", async () => {
  await everyoneOut();
  const [lost, kept] = [await signedIn(), await signedIn()];
  const account = (await world.accountEntries())[0].name.split("/").slice(0, 2).join("/");
  const [{ id }] = (await listed(kept)).filter(({ current }) => !current);
  const ask = { End: { prefix: `${account}/`, id, session: null } };
  await world.worker.accounts.call(account, JSON.stringify({ trace: "elsewhere", ask }));
  assertProblem(await lost.browser.script(path, { method: "DELETE" }), 401, "session_expired");
  await assertGoesOn(world, kept.session);
});

test("a store that cannot be listed costs sessions from before the objects, not the list", async () => {
  await everyoneOut();
  const hers = await signedIn();
  await signedIn();
  await world.worker.command({ store: { list: "fail" } });
  assert.equal((await listed(hers)).length, 2);
  await world.worker.command({ account: "down", store: "up" });
  assertProblem(await hers.browser.script(path), 503, "cache_unavailable");
  await world.worker.command({ account: "up" });
});
