import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";

import { bob } from "./people.mjs";
import { startWorld } from "./world.mjs";

// Half of the life of a token of 600 s is its expiry window, so the clock goes on by 310 s.
const intoTheWindow = 310;
const pastTheEnd = 610;

let world;
before(async () => {
  world = await startWorld({ provider: { accessTokenSeconds: 600 } });
});
after(() => world.close());
afterEach(() => {
  world.op.intercept = undefined;
  return world.advance(0);
});

async function signedIn() {
  const browser = world.browser();
  await browser.signIn("/", bob);
  world.issued.refreshed.length = 0;
  return browser;
}

function tokenOf(server) {
  return server.requests.at(-1).headers.authorization;
}

function tokenEndpoint(answer) {
  world.op.intercept = (request, response) => {
    if (!request.url.startsWith("/token")) return false;
    answer(request, response);
    return true;
  };
}

test("a token in its expiry window is renewed before the API is called, with a rotated refresh token", async () => {
  const browser = await signedIn();
  await browser.script("/api/Invoices/whoami");
  const first = tokenOf(world.invoices);
  for (let time = 1; time <= 3; time += 1) {
    await world.advance(time * intoTheWindow);
    const before = tokenOf(world.invoices);
    assert.equal((await browser.script("/api/Invoices/whoami")).status, 200);
    assert.notEqual(tokenOf(world.invoices), before);
    await browser.script("/api/Invoices/whoami");
  }
  assert.notEqual(tokenOf(world.invoices), first);
  assert.equal(world.issued.refreshed.length, 3);
  assert.equal(new Set(world.issued.refreshed).size, 3, "a refresh token was sent twice");
  assert.deepEqual(world.op.events.filter(({ event }) => event === "grant.revoked" || event === "grant.error"), []);
});

test("what comes again and again is sent with the token of the moment", async () => {
  const browser = await signedIn();
  // The first gets the token, the second makes the plan, the third is passed on by it, and the fourth is known.
  const again = async () => {
    const tokens = [];
    for (let time = 1; time <= 4; time += 1) {
      assert.equal((await browser.script("/api/Invoices/whoami")).status, 200);
      tokens.push(tokenOf(world.invoices));
    }
    const [token, ...others] = new Set(tokens);
    assert.deepEqual(others, []);
    return token;
  };
  const before = await again();
  await world.advance(intoTheWindow);
  assert.notEqual(await again(), before);
});

test("a refresh for one API leaves the token of the other in use", async () => {
  const browser = await signedIn();
  await browser.script("/api/Orders/whoami");
  const orders = tokenOf(world.orders);
  await browser.script("/api/Invoices/whoami");
  await browser.script("/api/Orders/whoami");
  assert.equal(tokenOf(world.orders), orders);
  assert.equal(world.issued.refreshed.length, 1);
});

test("an outage of the OP signs nobody out: a token that is still good is used, without one the answer is op_unreachable", async () => {
  const browser = await signedIn();
  await browser.script("/api/Invoices/whoami");
  tokenEndpoint((_request, response) => response.writeHead(503, { "retry-after": "9" }).end());
  await world.advance(intoTheWindow);
  assert.equal((await browser.script("/api/Invoices/whoami")).status, 200);
  assert.ok((await world.events()).some(({ event }) => event === "token.refresh_failed"));
  await world.advance(pastTheEnd);
  const answer = await browser.script("/api/Invoices/whoami");
  assert.deepEqual([answer.status, answer.json().code, answer.headers["retry-after"]], [503, "op_unreachable", "9"]);
  world.op.intercept = undefined;
  assert.equal((await browser.script("/api/Invoices/whoami")).status, 503, "the OP was asked before its time");
  await world.advance(pastTheEnd + 9);
  assert.equal((await browser.script("/api/Invoices/whoami")).status, 200);
  assert.equal((await browser.script("/.auth/me")).status, 200);
});

test("a grant that the OP has ended asks for a sign-in and keeps the page's session readable", async () => {
  const browser = await signedIn();
  tokenEndpoint((_request, response) => {
    response.writeHead(400, { "content-type": "application/json" }).end('{"error":"invalid_grant"}');
  });
  await world.advance(pastTheEnd);
  const answer = await browser.script("/api/Invoices/whoami");
  const { code, api, scopes, login_url: loginUrl } = answer.json();
  assert.deepEqual([answer.status, code, api, scopes], [401, "interaction_required", "Invoices", ["orders.read", "orders.write"]]);
  assert.match(loginUrl, new RegExp(`^${world.publicOrigin}/\\.auth/login\\?return_to=%2Fpage%2Fone&request=[\\w-]+$`));
  const page = await browser.step("/api/Invoices/whoami");
  assert.ok(page.headers.location.startsWith(`${world.op.issuer}/auth?`));
  assert.equal((await browser.script("/.auth/me")).status, 200);
});

test("no refresh happens for a request that is refused", async () => {
  const browser = await signedIn();
  await world.advance(intoTheWindow);
  const answer = await browser.script("/api/Invoices/whoami", { headers: { "sec-fetch-site": "cross-site" } });
  assert.equal(answer.status, 403);
  assert.deepEqual(world.issued.refreshed, []);
});

test("a refresh that a sign-out overtakes brings nothing back", async () => {
  const browser = await signedIn();
  await world.advance(intoTheWindow);
  let isAsked;
  const asked = new Promise((resolve) => (isAsked = resolve));
  let release;
  const released = new Promise((resolve) => (release = resolve));
  world.op.intercept = (request, response) => {
    if (!request.url.startsWith("/token")) return false;
    isAsked();
    released.then(() => world.op.callback(request, response));
    return true;
  };
  const call = browser.script("/api/Invoices/whoami");
  await asked;
  const session = browser.session;
  await browser.signOut({ atOp: false });
  release();
  await call;
  assert.deepEqual(await world.accountEntries(), []);
  browser.session = session;
  assert.equal((await browser.script("/.auth/me")).status, 401);
});

test("a fresh instance reads sessions and the OP's documents from the store while the OP is down", async () => {
  const browser = await signedIn();
  await world.freshInstance();
  world.op.intercept = (_request, response) => Boolean(response.writeHead(503).end());
  assert.equal((await browser.script("/.auth/me")).status, 200);
  assert.equal((await browser.script("/api/Invoices/whoami")).status, 200);
  const anonymous = await world.browser().step("/page/one");
  assert.ok(anonymous.headers.location.startsWith(`${world.op.issuer}/auth?`));
});

test("documents of the OP that are past their time serve while it is down, and are fetched anew when it is back", async () => {
  await signedIn();
  const fetched = () => world.op.requests.filter(({ url }) => url.startsWith("/.well-known/")).length;
  const before = fetched();
  await world.advance(13 * 3600);
  world.op.intercept = (_request, response) => Boolean(response.writeHead(503).end());
  assert.ok((await world.browser().step("/page/one")).headers.location.startsWith(`${world.op.issuer}/auth?`));
  await world.browser().step("/page/one");
  world.op.intercept = undefined;
  await world.advance(13 * 3600 + 5);
  assert.equal((await world.browser().step("/page/one")).status, 302);
  await world.browser().step("/page/one");
  assert.equal(fetched(), before + 2, "one request in the outage, one after it");
});
