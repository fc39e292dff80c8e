// What an operator ends from outside: an account, or everybody, up to a moment.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";

import { exchange } from "../worker/exchange.mjs";
import { answersTo, assertEnded, assertEndedForAll, assertGoesOn } from "./endings.mjs";
import { alice, bob } from "./people.mjs";
import { assertProblem } from "./refusals.mjs";
import { until } from "./until.mjs";
import { startWorld } from "./world.mjs";

const key = randomBytes(32).toString("base64");
const secrets = { Operator__Key: key };

let world;
let alone;
let ahead = 0;
before(async () => {
  const settings = [{ accountsApart: true }, { accountsApart: true, withAccounts: false }];
  [world, alone] = await Promise.all(settings.map((places) => startWorld({ secrets, ...places })));
});
after(() => Promise.all([world.close(), alone.close()]));

const pass = (seconds) => {
  ahead += seconds;
  return Promise.all([world, alone].map((place) => place.advance(ahead)));
};
const now = () => Math.floor(Date.now() / 1000) + ahead;

async function signedIn({ place = world, account = alice } = {}) {
  const browser = place.browser();
  await browser.signIn("/", account);
  return browser.session;
}

function order(place, form, { method = "POST", authorization = `Bearer ${key}`, ...headers } = {}) {
  const body = method === "GET" ? undefined : new URLSearchParams(form).toString();
  const own = { "content-type": "application/x-www-form-urlencoded", "content-length": Buffer.byteLength(body ?? "") };
  const all = { ...own, ...(authorization && { authorization }), ...headers };
  return exchange(`${place.publicOrigin}/.auth/operator/sign-out`, { method, headers: all, body });
}

function assertDone(answer) {
  assert.deepEqual([answer.status, answer.headers["cache-control"], answer.headers["content-type"]], [200, "no-store", "application/json"]);
  return answer.json();
}

const entries = async (place) => (await place.accountEntries()).length;

test("an account is ended everywhere by its subject, and nobody else's", async () => {
  for (const place of [world, alone]) {
    const [one, two, his] = [await signedIn({ place }), await signedIn({ place }), await signedIn({ place, account: bob })];
    await until(async () => (await entries(place)) === 3);
    const { ended_until: ended, cursor } = assertDone(await order(place, { sub: alice.claims.sub }));
    assert.ok(Math.abs(ended - now()) < 120);
    assert.equal(cursor, null);
    assert.equal(await entries(place), 1);
    for (const session of [one, two]) await assertEnded(place, session);
    await place.freshInstance();
    // On Workers KV alone its entry might still be on its way to this isolate.
    await pass(130);
    for (const session of [one, two]) await assertEnded(place, session);
    await assertGoesOn(place, his);
    assertDone(await order(place, { sub: bob.claims.sub }));
    assert.equal(await entries(place), 0);
    await assertGoesOn(place, await signedIn({ place }));
    assertDone(await order(place, { sub: alice.claims.sub }));
    await pass(1);
  }
});

test("a moment spares the sessions that began after it", async () => {
  const before = await signedIn();
  await pass(10);
  const moment = now() - 5;
  const later = await signedIn();
  assert.equal(assertDone(await order(world, { sub: alice.claims.sub, before: moment })).ended_until, moment);
  await assertEndedForAll(world, before);
  await assertGoesOn(world, later);
});

test("everybody's sessions end at once where that is carried out, and within 10 s in another isolate", async () => {
  for (const place of [world, alone]) {
    const sessions = [await signedIn({ place }), await signedIn({ place, account: bob })];
    await pass(11);
    for (const session of sessions) {
      // Each isolate knows them now, and asked just now for the moment that is for everybody.
      for (const isElsewhere of [false, true]) await assertGoesOn(place, session, { isElsewhere });
    }
    const { cursor } = assertDone(await order(place, { everybody: "true" }));
    assert.equal(cursor, null);
    assert.equal(await entries(place), 0);
    for (const session of sessions) {
      await assertEnded(place, session);
      assert.deepEqual(await answersTo(place, session, { isElsewhere: true }), [200, 200, 200]);
    }
    await pass(10);
    for (const session of sessions) await assertEnded(place, session, { isElsewhere: true });
    await place.freshInstance();
    for (const session of sessions) await assertEnded(place, session);
    await pass(1);
    await assertGoesOn(place, await signedIn({ place }));
  }
});

test("what is stored of everybody goes page by page", async () => {
  for (const place of [world, alone]) {
    assertDone(await order(place, { everybody: "true" }));
    await pass(1);
    const session = await signedIn({ place });
    await until(async () => (await entries(place)) > 0);
    const [{ name, metadata }] = await place.accountEntries();
    const value = await place.store.get(name, "arrayBuffer");
    // As if others had signed in before there were objects, each with an account of its own that is listed earlier.
    for (let number = 100; number < 230; number += 1) {
      await place.store.put(`account/--${number}/${randomBytes(16).toString("base64url")}`, value, { metadata });
    }
    let cursor;
    const left = [];
    do {
      const body = assertDone(await order(place, { everybody: "true", ...(cursor && { cursor }) }));
      cursor = body.cursor;
      left.push(await entries(place));
      // The moment is compared, however much is still stored.
      await place.freshInstance();
      await assertEnded(place, session);
    } while (cursor);
    assert.deepEqual(left, [31, 0]);
    await pass(1);
  }
});

test("without the right key nothing ends, and nothing is said", async () => {
  const session = await signedIn();
  const form = { everybody: "true" };
  const wrong = [randomBytes(32).toString("base64"), key.slice(0, -4), `${key}x`, "", "null", "%00", key.toLowerCase()];
  const headers = [...wrong.map((value) => `Bearer ${value}`), `Basic ${key}`, key, "", "Bearer", `Basic ${Buffer.from(`operator:${key}`).toString("base64")}`];
  for (const authorization of headers) {
    const answer = await order(world, form, { authorization });
    assertProblem(answer, 401, "operator_refused");
    assert.ok(!answer.text.includes(key) && !JSON.stringify(answer.headers).includes(key));
  }
  // A cookie is no credential of an operator.
  assertProblem(await order(world, form, { authorization: "", cookie: `__Host-session=${session}` }), 401, "operator_refused");
  for (const method of ["GET", "PUT", "DELETE"]) assert.equal((await order(world, form, { method })).status, 405);
  await assertGoesOn(world, session);
  // Either alphabet, padded or not.
  const url = key.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
  assertDone(await order(world, { sub: "nobody's 'sub'" }, { authorization: `bearer ${url}` }));
  assert.ok((await world.events()).every((line) => !JSON.stringify(line).includes(key)));
});

test("an order that is not understood ends nothing", async () => {
  const session = await signedIn();
  const { sub } = alice.claims;
  const orders = [
    ...[{}, { sub: "" }, { account: "uid.utid" }, { everybody: "false" }, { everybody: "" }, { sub, everybody: "true" }, { sub, all: "1" }],
    ...[{ sub, before: "soon" }, { sub, before: "-1" }, { sub, before: "1e9" }, { sub, before: now() + 3600 }, { sub, cursor: "x" }, [["sub", sub], ["sub", sub]]],
  ];
  for (const form of orders) assertProblem(await order(world, form), 400, "operator_request_invalid");
  for (const type of ["application/json", "text/plain"]) {
    assertProblem(await order(world, { sub }, { "content-type": type }), 400, "operator_request_invalid");
  }
  assertProblem(await order(world, { sub, x: "x".repeat(33 * 1024) }), 400, "operator_request_invalid");
  await assertGoesOn(world, session);
});

test("a store that fails is no success, and the next order carries it out", async () => {
  const session = await signedIn();
  await until(async () => (await entries(world)) > 0);
  await world.worker.command({ account: "down" });
  for (const form of [{ sub: alice.claims.sub }, { everybody: "true" }]) assertProblem(await order(world, form), 503, "cache_unavailable");
  await world.worker.command({ account: "up", store: { list: "fail" } });
  assertProblem(await order(world, { everybody: "true" }), 503, "cache_unavailable");
  await world.worker.command({ store: "up" });
  assertDone(await order(world, { everybody: "true" }));
  assert.equal(await entries(world), 0);
  await assertEndedForAll(world, session);
  await pass(1);
});

test("where no key is configured there is no such path", async () => {
  const other = await startWorld();
  try {
    const browser = other.browser();
    await browser.signIn();
    for (const method of ["POST", "GET"]) assertProblem(await order(other, { everybody: "true" }, { method }), 404, "not_found");
    await assertGoesOn(other, browser.session);
    const names = (await other.storeCalls()).map(({ key: name }) => name);
    assert.ok(!names.includes("everybody"), "there is nothing to ask for");
  } finally {
    await other.close();
  }
});
