// `/.auth/events`: an open page hears that its session has ended, wherever that happened.

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";

import { alice, bob } from "./people.mjs";
import { until } from "./until.mjs";
import { connect } from "./web-sockets.mjs";
import { startWorld } from "./world.mjs";

const events = "/.auth/events";
const signedOut = [4401, "signed out"];
const message = '{"event":"signed_out"}';
let world;
before(async () => {
  world = await startWorld();
});
after(() => world.close());
beforeEach(() => world.worker.command({ account: "up", store: "up" }));

async function signedIn(account = alice, place = world) {
  const browser = place.browser();
  await browser.signIn("/", account);
  return browser;
}

/** A browser with an open page, and what the page hears. */
async function listening(account, place) {
  const browser = await signedIn(account, place);
  return { browser, page: await connect(browser, events) };
}

async function assertTold({ closed, messages }) {
  assert.deepEqual(await closed, signedOut);
  assert.equal(messages.at(-1), message);
}

async function assertHearsNothing({ socket, messages }) {
  const before = messages.length;
  socket.send("ping");
  await until(() => messages.length > before);
  assert.deepEqual(messages.slice(before), ["pong"]);
}

/** The object that holds the WebSocket, of all that there are. */
async function objectWith(count, place = world) {
  const { accounts } = place.worker;
  return until(async () => {
    for (const id of await accounts.ids()) if ((await accounts.watchers(id)).count === count) return id;
    return undefined;
  });
}

test("every open page of an account hears of its sign-out, and no page of another account", async () => {
  const [laptop, phone, other] = [await listening(), await listening(), await listening(bob)];
  const secondTab = await connect(laptop.browser, events);
  assert.equal((await laptop.browser.signOut({ atOp: false })).status, 200);
  for (const page of [laptop.page, secondTab, phone.page]) {
    await assertTold(page);
    assert.deepEqual(page.messages, [message]);
  }
  await assertHearsNothing(other.page);
  await other.browser.signOut({ atOp: false });
  await assertTold(other.page);
});

test("a session that ends alone is told to its own pages", async () => {
  const [laptop, phone] = [await listening(), await listening()];
  await laptop.browser.signIn("/.auth/login?prompt=login");
  await assertTold(laptop.page);
  await assertHearsNothing(phone.page);
  await phone.browser.signOut({ atOp: false });
  await assertTold(phone.page);
  assert.equal((await laptop.browser.script("/.auth/me")).status, 401);
});

test("a page that comes when the session has ended already is told at once", async () => {
  const { browser, page } = await listening();
  const id = await objectWith(1);
  page.socket.close();
  // The memory of this isolate still vouches for the session.
  await world.worker.accounts.rows(id, "UPDATE session SET entry = NULL");
  await assertTold(await connect(browser, events));
  await world.worker.accounts.rows(id, "DELETE FROM session");
  await assertTold(await connect(browser, events));
});

test("keeping a connection alive wakes no object, and nothing that a page says does anything", async () => {
  const { browser, page } = await listening();
  const id = await objectWith(1);
  await assertHearsNothing(page);
  assert.equal((await world.worker.accounts.watchers(id)).wokenBy, undefined);
  page.socket.send(message);
  page.socket.send(Buffer.alloc(1024));
  await until(async () => (await world.worker.accounts.watchers(id)).wokenBy);
  await assertHearsNothing(page);
  await browser.signOut({ atOp: false });
  await assertTold(page);
});

test("an object that sleeps wakes to tell", async () => {
  const { browser, page } = await listening();
  await world.worker.accounts.evict(await objectWith(1));
  await assertHearsNothing(page);
  await browser.signOut({ atOp: false });
  await assertTold(page);
});

test("a connection that breaks says nothing about the session, and is opened again", async () => {
  const { browser, page } = await listening();
  await world.worker.accounts.crash(await objectWith(1));
  const [code] = await page.closed;
  assert.notEqual(code, 4401);
  assert.deepEqual(page.messages, []);
  const again = await connect(browser, events);
  await browser.signOut({ atOp: false });
  await assertTold(again);
});

test("a page that closes its connection is let go", async () => {
  const { browser, page } = await listening();
  const id = await objectWith(1);
  page.socket.close(1000, "enough");
  assert.deepEqual(await page.closed, [1000, "enough"]);
  await until(async () => (await world.worker.accounts.watchers(id)).count === 0);
  await browser.signOut({ atOp: false });
});

test("pages hear of an end although not everything could be removed", async () => {
  const { browser, page } = await listening();
  await world.worker.command({ store: "down" });
  assert.equal((await browser.signOut({ atOp: false })).status, 503);
  await assertTold(page);
  await world.worker.command({ store: "up" });
  await browser.signOut({ atOp: false });
});

test("nobody else may listen, and what is no handshake is asked for one", async () => {
  const browser = await signedIn();
  const refusals = [
    [await connect(browser, events, { headers: { "sec-fetch-site": "cross-site" } }), 403, "csrf_rejected"],
    [await connect(browser, events, { headers: { "sec-fetch-site": undefined, origin: "http://evil.example" } }), 403, "csrf_rejected"],
    [await connect(world.browser(), events), 401, "login_required"],
    [await browser.script(events), 426, "upgrade_required"],
  ];
  for (const [answer, status, code] of refusals) assert.deepEqual([answer.status, answer.json().code], [status, code]);
  await world.worker.command({ account: "down" });
  const down = await connect(browser, events);
  assert.deepEqual([down.status, down.json().code], [503, "cache_unavailable"]);
  await world.worker.command({ account: "up" });
  await browser.signOut({ atOp: false });
});

test("a session that ends by itself is told when the object wakes", async () => {
  const place = await startWorld({ vars: { Session: { AbsoluteSeconds: 300, IdleSeconds: 300 } } });
  try {
    const { page } = await listening(alice, place);
    const id = await objectWith(1, place);
    await place.advance(270);
    await place.worker.accounts.ring(id);
    await assertHearsNothing(page);
    await place.advance(310);
    await place.worker.accounts.ring(id);
    await assertTold(page);
  } finally {
    await place.close();
  }
});

test("on Workers KV alone there is nobody to listen to", async () => {
  const place = await startWorld({ withAccounts: false });
  try {
    const answer = await connect(await signedIn(alice, place), events);
    assert.deepEqual([answer.status, answer.json().code], [404, "not_found"]);
  } finally {
    await place.close();
  }
});
