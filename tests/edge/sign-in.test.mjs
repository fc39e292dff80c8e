import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { alice, bob } from "./people.mjs";
import { startWorld } from "./world.mjs";

let world;
before(async () => {
  world = await startWorld();
});
after(() => world.close());

test("a sign-in ends on the page that was asked for, path and query kept", async () => {
  const browser = world.browser();
  const page = await browser.signIn("/page/caf%C3%A9?a=1&b=%2Fx%26y&a=2");
  assert.equal(page.url, `${world.publicOrigin}/page/caf%C3%A9?a=1&b=%2Fx%26y&a=2`);
  assert.equal(page.status, 200);
  assert.equal(world.origin.requests.at(-1).url, "/page/caf%C3%A9?a=1&b=%2Fx%26y&a=2");
  assert.deepEqual(browser.jar.names("localhost"), ["__Host-session"]);
  assert.ok(browser.session.length <= 400);
});

test("several tabs may be signing in at once, and each ends on its own page", async () => {
  const browser = world.browser();
  const forms = [];
  for (const path of ["/page/one", "/page/two?x=2", "/page/three"]) forms.push(await browser.navigate(path));
  assert.equal(browser.jar.names("localhost").length, 3);
  const ends = [];
  for (const form of forms.toReversed()) ends.push((await browser.answerSignIn(form, alice)).url);
  const wanted = ["/page/three", "/page/two?x=2", "/page/one"].map((path) => world.publicOrigin + path);
  assert.deepEqual(ends, wanted);
  assert.deepEqual(browser.jar.names("localhost"), ["__Host-session"]);
});

test("a browser that opens many tabs keeps at most eight login attempts", async () => {
  const browser = world.browser();
  for (let tab = 0; tab < 12; tab += 1) await browser.step(`/page/${tab}`);
  assert.ok(browser.jar.names("localhost").length <= 8);
  const last = await browser.signIn("/page/last");
  assert.equal(last.url, `${world.publicOrigin}/page/last`);
});

test("the session cookie of a sign-in is never one that was there before", async () => {
  const browser = world.browser();
  await browser.signIn();
  const planted = browser.session;
  const victim = world.browser();
  victim.session = planted;
  await victim.navigate("/.auth/login?prompt=login").then((form) => victim.answerSignIn(form, bob));
  assert.notEqual(victim.session, planted);
  assert.equal((await victim.script("/.auth/me")).json().sub, bob.claims.sub);
  browser.session = planted;
  await world.advance(60);
  assert.equal((await browser.script("/.auth/me")).status, 401);
  await world.advance(0);
});

test("a script learns who is signed in and no token", async () => {
  const browser = world.browser();
  assert.equal((await browser.script("/.auth/me")).status, 401);
  await browser.signIn("/", bob);
  const answer = await browser.script("/.auth/me");
  const me = answer.json();
  assert.equal(answer.headers["cache-control"], "no-store");
  assert.deepEqual([me.name, me.sub], [bob.claims.name, bob.claims.sub]);
  assert.deepEqual(Object.keys(me).sort(), ["claims", "expires_in", "logout_url", "name", "provider", "sub"]);
  assert.equal(me.logout_url, `${world.publicOrigin}/.auth/logout`);
  assert.ok(me.expires_in > 3500 && me.expires_in <= 3600);
});

test("the origin learns who is signed in, in ASCII, and sees none of our cookies", async () => {
  const browser = world.browser();
  await browser.signIn("/", bob);
  browser.jar.set("localhost", "theme", "dark");
  await browser.navigate("/page/headers", { headers: { "x-ms-client-principal-name": "mallory" } });
  const { headers } = world.origin.requests.at(-1);
  assert.equal(headers.cookie, "theme=dark");
  assert.equal(headers["x-ms-client-principal-name"], "bob");
  assert.equal(headers["x-forwarded-host"], `localhost:${world.port}`);
  const principal = JSON.parse(Buffer.from(headers["x-ms-client-principal"], "base64"));
  assert.ok(principal.claims.some(({ typ, val }) => typ === "name" && val === bob.claims.name));
});

test("a sign-in that a page asks for carries its hints to the OP, and nothing that is not on the list", async () => {
  const query = "return_to=%2Fpage%2Fx%3Fa%3D1%26scope%3Dadmin%26redirect_uri%3Dhttps%3A%2F%2Fevil.example&prompt=login";
  const answer = await world.browser().step(`/.auth/login?${query}&login_hint=bob&scope=admin&client_id=x&prompt=none`);
  assert.equal(answer.status, 302);
  const request = new URL(answer.headers.location);
  assert.equal(request.origin, world.op.issuer);
  assert.deepEqual(request.searchParams.getAll("client_id"), [world.client.clientId]);
  assert.deepEqual(request.searchParams.getAll("redirect_uri"), [`${world.publicOrigin}/signin-oidc`]);
  assert.deepEqual(request.searchParams.getAll("prompt"), ["login"]);
  assert.equal(request.searchParams.get("login_hint"), "bob");
  assert.equal(request.searchParams.get("code_challenge_method"), "S256");
  assert.doesNotMatch(answer.headers.location, /admin|evil/);
});

test("no page of another host can be the end of a sign-in", async () => {
  const targets = ["https://evil.example/", "//evil.example", "/\\evil.example", "/%09/evil.example", "\\\\evil.example"];
  for (const target of [...targets, "/\t/evil.example", "javascript:alert(1)", "/.auth/logout", "/signin-oidc?code=1"]) {
    const browser = world.browser();
    const form = await browser.navigate(`/.auth/login?return_to=${encodeURIComponent(target)}`);
    const page = await browser.answerSignIn(form, alice);
    assert.equal(new URL(page.url).origin, world.publicOrigin, target);
    assert.doesNotMatch(page.url, /\/\.auth|signin-oidc/, target);
  }
});

test("an idle session ends, a used one is rolled, and none outlives its absolute end", async () => {
  const browser = world.browser();
  await browser.signIn();
  const first = browser.session;
  await world.advance(2000);
  await browser.script("/page/quiet");
  assert.equal(browser.session, first);
  await browser.navigate("/page/used");
  assert.notEqual(browser.session, first);
  const rolled = browser.session;
  await world.advance(4000);
  assert.equal((await browser.script("/.auth/me")).status, 200);
  browser.session = first;
  assert.equal((await browser.script("/.auth/me")).json().code, "session_expired");
  assert.equal(browser.session, undefined);
  browser.session = rolled;
  await world.advance(28_801);
  assert.equal((await browser.script("/.auth/me")).json().code, "session_expired");
  await world.advance(0);
});

test("with UserInfo, the sign-in calls it with a token of its own, and every API still gets its own token", async () => {
  const asking = await startWorld({ vars: { OpenIdConnect: { UserInfo: true } } });
  try {
    const browser = asking.browser();
    assert.equal((await browser.signIn("/page/one")).status, 200);
    assert.equal(asking.op.requests.filter(({ url }) => url.startsWith("/me")).length, 1);
    for (const path of ["/api/Orders/orders", "/api/Invoices/orders"]) {
      assert.equal((await browser.script(path)).status, 200, path);
    }
  } finally {
    await asking.close();
  }
});
