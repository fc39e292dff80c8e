// Promise 7: no path leads to the origin or to an API unauthenticated.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { startWorld } from "./world.mjs";

const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"];
const paths = ["/", "/page/one", "/echo", "/favicon.ico", "/assets/page.js", "/api/Orders/orders", "/api/Invoices/whoami"];

let world;
before(async () => {
  world = await startWorld({ vars: { Session: { RevocationDelay: 0 } } });
});
after(() => world.close());

/** Sends a request in both ways that a browser can and asserts that nobody but the Worker saw it. */
async function assertNothingPasses(path, { method, headers, cookie } = {}) {
  const servers = [world.origin, world.orders, world.invoices];
  const counts = servers.map(({ requests }) => requests.length);
  const all = { ...headers, ...(cookie !== undefined && { cookie }) };
  const script = await world.browser().script(path, { method, headers: all });
  assert.equal(script.status, 401, `${method} ${path} ${cookie}`);
  const page = await world.browser().step(path, { method, headers: all });
  assert.ok([302, 401].includes(page.status), `${method} ${path} ${page.status}`);
  assert.deepEqual(servers.map(({ requests }) => requests.length), counts, `${method} ${path} ${JSON.stringify(all)}`);
}

async function sessionOf(other = world) {
  const browser = other.browser();
  await browser.signIn();
  return { browser, session: browser.session };
}

test("no method and no path passes without a session", async () => {
  for (const method of methods) for (const path of paths) await assertNothingPasses(path, { method });
});

test("no header stands in for a session", async () => {
  const claims = { "x-ms-client-principal": "e30=", "x-ms-client-principal-name": "alice", "remote-user": "alice" };
  const more = { authorization: "Bearer x", "proxy-authorization": "Basic YTph", "x-forwarded-user": "alice", "x-real-ip": "127.0.0.1" };
  const agents = { "user-agent": "GoogleHC/1.0", "x-forwarded-uri": "/.auth/health", "x-middleware-subrequest": "src/middleware" };
  for (const [name, value] of Object.entries({ ...claims, ...more, ...agents, purpose: "prefetch", upgrade: "websocket" })) {
    const headers = { [name]: value, ...(name === "upgrade" && { connection: "upgrade" }) };
    for (const path of ["/page/one", "/api/Orders/orders"]) await assertNothingPasses(path, { method: "GET", headers });
  }
});

test("a cookie with any bit flipped is no session", async () => {
  const { session } = await sessionOf();
  const bytes = Buffer.from(session, "base64url");
  for (let position = 0; position < bytes.length; position += 1) {
    const flipped = Buffer.from(bytes);
    flipped[position] ^= 1 << position % 8;
    const cookie = `__Host-session=${flipped.toString("base64url")}`;
    await assertNothingPasses(position % 2 ? "/page/one" : "/api/Orders/orders", { method: "GET", cookie });
  }
});

test("what only looks like the session's cookie is no session", async () => {
  const { session } = await sessionOf();
  const names = ["__host-session", "session", "__Host-sessio", "__Host-session2", "__Host-login-x", "__Host-logout"];
  const values = ["", "=", session.slice(1), `${session}A`, session.slice(0, -4), session.toUpperCase(), session.repeat(2), `"${session}"`];
  const headers = [...names.map((name) => `${name}=${session}`), ...values.map((value) => `__Host-session=${value}`)];
  const odd = ["__Host-session", ";;;", "=", "__Host-session=\u00e9", `a=${"x".repeat(6000)}`, `__Host-session=bad; __Host-session=${session}`];
  for (const cookie of [...headers, ...odd]) await assertNothingPasses("/page/one", { method: "GET", cookie });
});

test("the cookies of a login attempt and of a sign-out are no session", async () => {
  const { browser } = await sessionOf();
  const attempt = await browser.step("/.auth/login");
  const logout = await browser.step("/.auth/logout", { method: "POST", site: "same-origin" });
  for (const line of [...attempt.setCookies, ...logout.setCookies]) {
    const value = line.split(";")[0].split("=")[1];
    if (value) await assertNothingPasses("/page/one", { method: "GET", cookie: `__Host-session=${value}` });
  }
});

test("a cookie of another deployment, with another key, is no session", async () => {
  const other = await startWorld();
  try {
    const { session } = await sessionOf(other);
    for (const path of paths) await assertNothingPasses(path, { method: "GET", cookie: `__Host-session=${session}` });
  } finally {
    await other.close();
  }
});

test("a cookie is no session after a sign-out, after its end, or without its entry", async () => {
  const gone = await sessionOf();
  await gone.browser.signOut();
  await assertNothingPasses("/page/one", { method: "GET", cookie: `__Host-session=${gone.session}` });
  const { session } = await sessionOf();
  // A session that follows a sign-out within a second counts as begun a little later.
  await world.advance(3700);
  await assertNothingPasses("/page/one", { method: "GET", cookie: `__Host-session=${session}` });
  await world.advance(0);
  const { accounts } = world.worker;
  for (const id of await accounts.ids()) await accounts.rows(id, "DELETE FROM session");
  for (const { name } of await world.accountEntries()) await world.store.delete(name);
  await world.freshInstance();
  // For two minutes after a sign-in a miss would prove nothing, and this one counts from a little later.
  await world.advance(130);
  for (const path of paths) await assertNothingPasses(path, { method: "GET", cookie: `__Host-session=${session}` });
  await world.advance(0);
});

test("a rotated key signs nobody out while it is listed, and opens nothing when it is not", async () => {
  const { session } = await sessionOf();
  const cookie = `__Host-session=${session}`;
  const served = {};
  for (const key of [world.sessionKey, undefined]) {
    const rotated = await startWorld({ secrets: { Session__PreviousKeys: key } });
    try {
      for (const { name, metadata } of await world.accountEntries()) {
        await rotated.store.put(name, await world.store.get(name, "arrayBuffer"), { metadata });
      }
      const answer = await rotated.browser().script("/page/one", { headers: { cookie } });
      served[Boolean(key)] = [answer.status, rotated.origin.requests.length];
      const out = { method: "POST", headers: { cookie }, site: "same-origin" };
      await rotated.browser().step("/.auth/logout", out);
      if (key) assert.deepEqual(await rotated.accountEntries(), [], "an entry outlived its sign-out");
    } finally {
      await rotated.close();
    }
  }
  assert.deepEqual(served, { true: [200, 1], false: [401, 0] });
});
