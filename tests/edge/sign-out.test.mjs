import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { isSignInForm } from "./browser.mjs";
import { assertEnded } from "./endings.mjs";
import { alice, bob } from "./people.mjs";
import { startWorld } from "./world.mjs";

let world;
before(async () => {
  world = await startWorld();
});
after(() => world.close());

test("a sign-out removes every entry of the account, ends the OP's session and returns to a page that says so", async () => {
  const [here, there, stranger] = [world.browser(), world.browser(), world.browser()];
  await here.signIn("/", alice);
  await there.signIn("/", alice);
  await stranger.signIn("/", bob);
  const cookies = [here.session, there.session];
  assert.equal((await world.accountEntries()).length, 3);
  const page = await here.signOut();
  assert.ok(page.url.startsWith(`${world.publicOrigin}/signout-callback-oidc?`), page.url);
  assert.match(page.text, /You are signed out/);
  assert.deepEqual(here.jar.names("localhost"), []);
  assert.equal((await world.accountEntries()).length, 1);
  for (const cookie of cookies) await assertEnded(world, cookie);
  assert.equal((await stranger.script("/.auth/me")).status, 200);
  assert.ok(isSignInForm(await here.navigate("/"), world), "the OP asked for no password");
});

test("an old cookie is refused after a new sign-in of the same account too", async () => {
  const browser = world.browser();
  await browser.signIn("/", alice);
  const old = browser.session;
  await browser.signOut();
  await browser.signIn("/", alice);
  await assertEnded(world, old);
  assert.equal((await browser.script("/.auth/me")).status, 200);
});

test("an old cookie is refused by an instance that knows nothing of the sign-out", async () => {
  const browser = world.browser();
  await browser.signIn("/", alice);
  const old = browser.session;
  await browser.signOut();
  await world.freshInstance();
  await assertEnded(world, old);
});

test("a link on another site signs nobody out; it asks, and the answer must come from our page", async () => {
  const browser = world.browser();
  await browser.signIn("/", bob);
  const evil = "https://evil.example/";
  const asked = await browser.navigate("/.auth/logout", { from: evil });
  assert.equal(asked.status, 200);
  assert.match(asked.text, /<form method="post" action="[^"]+\/\.auth\/logout">/);
  const typed = await browser.navigate("/.auth/logout");
  assert.match(typed.text, /<form method="post"/);
  const session = browser.session;
  for (const site of ["cross-site", "same-site", "none"]) {
    const headers = { cookie: `__Host-session=${session}` };
    const posted = await world.browser().step("/.auth/logout", { method: "POST", headers, site });
    assert.equal(posted.status, 403, site);
    assert.match(posted.text, /This request was blocked/);
  }
  assert.equal((await browser.script("/.auth/me")).status, 200);
});

test("a return from the OP without the state of this browser's sign-out is refused", async () => {
  const browser = world.browser();
  await browser.signIn("/", bob);
  await browser.signOut({ atOp: false });
  for (const query of ["", "?state=", "?state=wrong", "?state=%3Cscript%3E"]) {
    const answer = await browser.script(`/signout-callback-oidc${query}`);
    assert.deepEqual([answer.status, answer.json().code], [400, "logout_response_invalid"], query);
    const page = await browser.navigate(`/signout-callback-oidc${query}`);
    assert.deepEqual([page.status, page.text.includes("<script")], [400, false]);
  }
  const stranger = await world.browser().script("/signout-callback-oidc?state=x");
  assert.equal(stranger.json().code, "logout_response_invalid");
});

test("a sign-out works while the OP is down: nothing of the account is left here", async () => {
  const browser = world.browser();
  await browser.signIn("/", alice);
  const old = browser.session;
  world.op.intercept = (_request, response) => Boolean(response.writeHead(503).end());
  try {
    await browser.signOut({ atOp: false });
    assert.equal(browser.session, undefined);
  } finally {
    world.op.intercept = undefined;
  }
  await assertEnded(world, old);
});

test("a sign-out that the store cannot carry out is not called one, and the next attempt carries it out", async () => {
  await world.advance(10);
  const held = (await world.accountEntries()).length;
  const browser = world.browser();
  await browser.signIn("/", alice);
  const { session } = browser;
  await world.worker.command({ store: "down" });
  const failed = await browser.signOut({ atOp: false });
  await world.worker.command({ store: "up" });
  assert.equal(failed.status, 503);
  assert.doesNotMatch(failed.text, /signed out/);
  assert.equal(browser.session, session, "the browser could not try again");
  await browser.signOut({ atOp: false });
  assert.equal((await world.accountEntries()).length, held, "an entry outlived its sign-out");
  await world.freshInstance();
  await assertEnded(world, session);
});

test("signing in and out over and over within a second leaves no session behind", async () => {
  const browser = world.browser();
  for (let round = 0; round < 4; round += 1) {
    await browser.signIn("/", alice);
    const { session } = browser;
    await browser.script("/page/one");
    // The entry comes back as a write that is late would bring it; the isolate must not believe it.
    const saved = await Promise.all(
      (await world.accountEntries()).map(async ({ name }) => [name, await world.store.get(name, "arrayBuffer")]),
    );
    await browser.signOut({ atOp: false });
    for (const [name, value] of saved) await world.store.put(name, value);
    const replay = world.browser();
    replay.session = session;
    assert.equal((await replay.script("/.auth/me")).status, 401, `round ${round}`);
  }
});
