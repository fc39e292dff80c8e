// Two real OpenID Providers and one Worker: people choose, and nothing of one counts at the other.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { secondProvider, shifts } from "../worker/second-provider.mjs";
import { alice, bob } from "./people.mjs";
import { assertProblem } from "./refusals.mjs";
import { resources, startWorld } from "./world.mjs";

const ofStaff = "__Host-session.Staff";
const staff = secondProvider();
let world;
before(async () => {
  world = await startWorld({ beside: staff.beside, backchannel: true });
});
after(() => world.close());

/** Chooses a provider on our page and signs in there. */
async function signIn(browser, provider, account, path = "/page/one?x=%26") {
  const choice = await browser.navigate(`/.auth/login?${new URLSearchParams({ return_to: path })}`);
  const link = choice.text.match(new RegExp(`href="([^"]+/login/${provider}[^"]*)"`))[1].replaceAll("&amp;", "&");
  const page = await browser.navigate(link, { from: choice.url });
  const issuer = provider === "Staff" ? staff.op.issuer : world.op.issuer;
  assert.ok(page.url.startsWith(`${issuer}/interaction/`), page.url);
  const { username, password } = account;
  return browser.navigate(page.url, { method: "POST", form: { username, password }, from: page.url });
}

/** Both OPs are at one host, whose cookies they share: at the OP the last one counts, too. */
async function both() {
  const browser = world.browser();
  await signIn(browser, "OpenIdConnect", alice);
  // Sessions are told apart by whole seconds.
  await new Promise((resolve) => setTimeout(resolve, 1100));
  await signIn(browser, "Staff", bob);
  return browser;
}

const ofSecond = (browser) => browser.jar.get("localhost", ofStaff);
const who = async (browser) => (await browser.script("/.auth/me")).json().sub;

test("whoever asks for a page chooses, and comes back to it from either provider", async () => {
  for (const [provider, account] of [["OpenIdConnect", alice], ["Staff", bob]]) {
    const browser = world.browser();
    const choice = await browser.navigate("/page/one?x=%26");
    assert.equal(new URL(choice.url).pathname, "/.auth/login");
    assert.match(choice.text, /Staff &amp; &lt;friends&gt;/);
    const landed = await signIn(browser, provider, account);
    assert.equal(landed.url, `${world.publicOrigin}/page/one?x=%26`);
    assert.equal(await who(browser), account.claims.sub);
    assert.equal(world.origin.requests.at(-1).headers.cookie, undefined);
  }
});

test("each API gets the token of its own provider, for its own audience", async () => {
  const browser = await both();
  const calls = [
    ["Shifts", staff.api, staff.op, shifts, bob],
    ["Orders", world.orders, world.op, resources.Orders, alice],
  ];
  for (const [name, api, op, aud, account] of calls) {
    assert.equal((await browser.script(`/api/${name}/whoami`)).status, 200);
    const { claims } = api.requests.at(-1);
    assert.deepEqual([claims.iss, claims.aud, claims.sub], [op.issuer, aud, account.claims.sub]);
  }
  const alone = world.browser();
  await signIn(alone, "OpenIdConnect", alice);
  assertProblem(await alone.script("/api/Shifts/whoami"), 401, "login_required");
});

test("a sign-out at the second provider ends its session here, and no other", async () => {
  const browser = await both();
  const heard = () => staff.op.events.filter(({ event }) => event === "backchannel.success").length;
  const before = heard();
  browser.world = { ...world, op: staff.op };
  await browser.signOutAtOp();
  assert.equal(heard(), before + 1, JSON.stringify(staff.op.events.at(-1)));
  await world.freshInstance();
  assertProblem(await browser.script("/api/Shifts/whoami"), 401, "session_expired");
  assert.deepEqual([ofSecond(browser), await who(browser)], [undefined, alice.claims.sub]);
  assert.equal((await browser.script("/api/Orders/whoami")).status, 200);
});

test("whoever signs out is signed in nowhere, and goes on to the provider of the last session", async () => {
  const browser = await both();
  const copies = [browser.session, ofSecond(browser)];
  browser.world = { ...world, op: staff.op };
  const gone = await browser.signOut();
  assert.ok(gone.url.startsWith(`${world.publicOrigin}/signout-callback-oidc/Staff?`), gone.url);
  assert.equal(gone.status, 200, gone.text);
  assert.deepEqual([browser.session, ofSecond(browser)], [undefined, undefined]);
  const replay = world.browser();
  for (const [name, value] of [["__Host-session", copies[0]], [ofStaff, copies[1]]]) {
    replay.jar.set("localhost", name, value);
    assertProblem(await replay.script("/.auth/me"), 401, "session_expired");
  }
});

test("no origin deletes or replaces the cookies of a provider that has a name", async () => {
  const browser = await both();
  const kept = ofSecond(browser);
  world.origin.intercept = (_request, response) => {
    const evil = [`${ofStaff}=evil; Path=/; Secure`, `${ofStaff}=; Path=/; Secure; Max-Age=0`, "own=1"];
    response.writeHead(200, { "set-cookie": evil }).end();
    return true;
  };
  const answer = await browser.script("/page/one");
  world.origin.intercept = undefined;
  assert.deepEqual([answer.setCookies, ofSecond(browser)], [["own=1"], kept]);
});

test("an answer of one provider is none at the path of the other", async () => {
  const browser = world.browser();
  world.holdCallbacks = true;
  const held = await signIn(browser, "OpenIdConnect", alice).finally(() => (world.holdCallbacks = false));
  const moved = held.url.replace("/signin-oidc?", "/signin-oidc/Staff?");
  assert.notEqual(moved, held.url);
  assertProblem(await browser.script(moved), 400, "login_attempt_invalid");
  assert.equal(browser.session, undefined);
});
