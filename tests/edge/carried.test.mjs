// WebSockets of the origin and of APIs: everything passes as it is, and all of it ends with the session.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, beforeEach, test } from "node:test";

import { alice, bob } from "./people.mjs";
import { until } from "./until.mjs";
import { connect, startSockets } from "./web-sockets.mjs";
import { startWorld } from "./world.mjs";

const signedOut = [4401, "signed out"];
const paths = { "the origin": "/chat?room=%2F", "an API": "/api/Orders/chat?room=%2F" };
let servers;
let world;
before(async () => {
  servers = { "the origin": await startServer(), "an API": await startServer() };
  world = await start();
});
after(() => Promise.all([world, ...Object.values(servers)].map((part) => part.close())));
beforeEach(() => {
  for (const server of Object.values(servers)) Object.assign(server, { connections: [], verdict: true });
});

async function startServer() {
  const server = await startSockets({
    headers: ["Set-Cookie: room=1; Path=/", "X-Own: kept"],
    handleProtocols: (offered) => [...offered][1],
    verifyClient: (_info, answer) => answer(server.verdict, 418, "no"),
  });
  return server;
}

function start(settings = {}) {
  const base = (server) => `http://127.0.0.1:${server.port}`;
  const { vars, ...rest } = settings;
  return startWorld({
    vars: { Gateway: { Origin: base(servers["the origin"]) }, ...vars },
    apiVars: { Orders: { BaseUrl: base(servers["an API"]) } },
    ...rest,
  });
}

async function signedIn(account = alice, where = world) {
  const browser = where.browser();
  await browser.signIn("/", account);
  return browser;
}

/** A WebSocket from a page to a server: both ends of it. */
async function carried(browser, place, options) {
  const theirs = await connect(browser, paths[place], options);
  assert.equal(theirs.status, undefined, JSON.stringify(theirs.json?.()));
  const [ours] = servers[place].connections.splice(0);
  return { theirs, ours };
}

async function assertEchoes({ theirs, ours }) {
  const text = `Zoë ${crypto.randomUUID()}`;
  theirs.socket.send(text);
  await until(() => ours.messages.at(-1) === text);
  ours.socket.send(text);
  await until(() => theirs.messages.at(-1) === text);
}

async function assertSignedOut({ theirs, ours }) {
  assert.deepEqual([await theirs.closed, await ours.closed], [signedOut, signedOut]);
}

/** How often the store was asked for an entry. */
async function looksOf(place) {
  const calls = await place.storeCalls();
  return calls.filter(({ operation, key }) => operation === "get" && key.startsWith("account/")).length;
}

/** The object that holds so many WebSockets, of all that there are. */
async function objectWith(count) {
  const { accounts } = world.worker;
  return until(async () => {
    for (const id of await accounts.ids()) if ((await accounts.watchers(id)).count === count) return id;
    return undefined;
  });
}

for (const place of Object.keys(paths)) {
  test(`text, bytes and large messages pass to ${place} and back, in their order`, async () => {
    const browser = await signedIn();
    const { theirs, ours } = await carried(browser, place);
    const messages = ["", "Zoë \u{1f600}\0\n", Buffer.from([0, 255, 39, 128]), Buffer.alloc(0), randomBytes(1024 * 1024), "x".repeat(1024 * 1024), "last"];
    for (const [from, to] of [[theirs, ours], [ours, theirs]]) {
      for (const message of messages) from.socket.send(message);
      await until(() => to.messages.length === messages.length);
      assert.deepEqual(to.messages, messages);
    }
    await browser.signOut({ atOp: false });
  });

  test(`codes and reasons of the close pass between a page and ${place}`, async () => {
    const browser = await signedIn();
    const ends = [[1000, "done"], [1001, ""], [3000, "Zoë"], [4999, "x".repeat(123)], [4401, "of its own"]];
    for (const end of ends) {
      for (const from of ["theirs", "ours"]) {
        const pair = await carried(browser, place);
        pair[from].socket.close(...end);
        assert.deepEqual([await pair.theirs.closed, await pair.ours.closed], [end, end], `${end} ${from}`);
      }
    }
    for (const [from, other] of [["theirs", "ours"], ["ours", "theirs"]]) {
      const bare = await carried(browser, place);
      bare[from].socket.close();
      assert.deepEqual(await bare[other].closed, [1005, ""]);
      const broken = await carried(browser, place);
      broken[from].socket.terminate();
      assert.deepEqual(await broken[other].closed, [1011, ""]);
    }
    await browser.signOut({ atOp: false });
  });

  test(`a sign-out in another browser closes the WebSockets to ${place}, and nobody else's`, async () => {
    const [laptop, phone, other] = [await signedIn(), await signedIn(), await signedIn(bob)];
    const pairs = [await carried(laptop, place), await carried(laptop, place), await carried(phone, place)];
    const others = await carried(other, place);
    for (const pair of [...pairs, others]) await assertEchoes(pair);
    await phone.signOut({ atOp: false });
    await Promise.all(pairs.map(assertSignedOut));
    for (const { theirs } of pairs) assert.ok(!theirs.messages.some((message) => message.includes("signed_out")));
    await assertEchoes(others);
    await other.signOut({ atOp: false });
    await assertSignedOut(others);
  });

  test(`no other site opens a WebSocket to ${place}, and nobody without a session`, async () => {
    const browser = await signedIn();
    const foreign = [
      { "sec-fetch-site": "cross-site" },
      { "sec-fetch-site": "same-site" },
      { "sec-fetch-site": undefined, origin: "http://evil.example" },
      { "sec-fetch-site": undefined, origin: undefined },
    ];
    for (const headers of foreign) {
      const answer = await connect(browser, paths[place], { headers });
      assert.deepEqual([answer.status, answer.json().code], [403, "csrf_rejected"]);
    }
    const stranger = await connect(world.browser(), paths[place]);
    assert.deepEqual([stranger.status, stranger.json().code], [401, "login_required"]);
    assert.deepEqual(servers[place].connections, []);
    await browser.signOut({ atOp: false });
  });

  test(`what ${place} answers instead of a WebSocket passes`, async () => {
    const browser = await signedIn();
    servers[place].verdict = false;
    assert.equal((await connect(browser, paths[place])).status, 418);
    await browser.signOut({ atOp: false });
  });
}

test("the handshake passes both ways, without our cookie and without an API's", async () => {
  const browser = await signedIn();
  for (const perMessageDeflate of [false, true]) {
    const options = { protocols: ["chat.v1", "chat.v2"], perMessageDeflate };
    const origin = await carried(browser, "the origin", options);
    assert.equal(origin.theirs.socket.protocol, "chat.v2");
    assert.equal(origin.ours.request.headers.cookie, "theme=dark");
    assert.ok(origin.ours.request.headers["x-ms-client-principal"]);
    assert.deepEqual([origin.theirs.headers["x-own"], origin.theirs.headers["set-cookie"]], ["kept", ["room=1; Path=/"]]);
    const api = await carried(browser, "an API", options);
    assert.equal(api.theirs.socket.protocol, "chat.v2");
    assert.match(api.ours.request.headers.authorization, /^Bearer ey/);
    assert.deepEqual([api.ours.request.headers.cookie, api.ours.request.headers.origin], [undefined, undefined]);
    assert.deepEqual([api.theirs.headers["x-own"], api.theirs.headers["set-cookie"]], ["kept", undefined]);
    for (const pair of [origin, api]) await assertEchoes(pair);
  }
  await browser.signOut({ atOp: false });
});

test("a WebSocket outlives its object's life, and ends with the session afterwards", async () => {
  const browser = await signedIn();
  const pair = await carried(browser, "the origin");
  const id = await objectWith(1);
  await world.worker.accounts.evict(id);
  await assertEchoes(pair);
  await world.worker.accounts.crash(id);
  await assertEchoes(pair);
  assert.equal(await objectWith(1), id);
  await assertEchoes(pair);
  await browser.signOut({ atOp: false });
  await assertSignedOut(pair);
});

test("a session that ends while its object cannot be reached ends its WebSocket afterwards", async () => {
  const browser = await signedIn();
  const pair = await carried(browser, "the origin");
  const id = await objectWith(1);
  await world.worker.command({ account: "down" });
  await world.worker.accounts.crash(id);
  await assertEchoes(pair);
  await world.worker.accounts.rows(id, "DELETE FROM session");
  await world.worker.command({ account: "up" });
  await assertSignedOut(pair);
});

test("a WebSocket that is opened while its object cannot be reached is carried", async () => {
  const browser = await signedIn();
  await world.worker.command({ account: "down" });
  const pair = await carried(browser, "the origin");
  await assertEchoes(pair);
  await world.worker.command({ account: "up" });
  await objectWith(1);
  await browser.signOut({ atOp: false });
  await assertSignedOut(pair);
});

test("nothing that happens to a WebSocket is an error of the Worker", async () => {
  const lines = await world.worker.log();
  assert.deepEqual(lines.filter(({ event }) => event === "not.json" || event === "worker.trapped"), []);
});

test("an object is left alone once a WebSocket is closed", async () => {
  const browser = await signedIn();
  const pair = await carried(browser, "the origin");
  const id = await objectWith(1);
  pair.theirs.socket.close();
  await until(async () => (await world.worker.accounts.watchers(id)).count === 0);
  await browser.signOut({ atOp: false });
});

test("the absolute end of a session is the end of its WebSocket, whatever the object says", async () => {
  const place = await start({ vars: { Session: { AbsoluteSeconds: 300, IdleSeconds: 300 } } });
  try {
    const browser = await signedIn(alice, place);
    await place.advance(294);
    const pair = await carried(browser, "the origin");
    await assertEchoes(pair);
    await assertSignedOut(pair);
  } finally {
    await place.close();
  }
});

test("on Workers KV alone a WebSocket ends at the next look after the sign-out, and outlives an outage", async () => {
  const place = await start({ withAccounts: false });
  try {
    const [browser, other] = [await signedIn(alice, place), await signedIn(bob, place)];
    await place.worker.command({ intervals: 20 });
    const [pair, others] = [await carried(browser, "the origin"), await carried(other, "an API")];
    await place.worker.command({ store: "down" });
    await place.freshInstance();
    const looks = await looksOf(place);
    await until(async () => (await looksOf(place)) > looks + 4);
    for (const each of [pair, others]) await assertEchoes(each);
    await place.worker.command({ store: "up" });
    await browser.signOut({ atOp: false });
    await assertSignedOut(pair);
    await assertEchoes(others);
  } finally {
    await place.close();
  }
});
