// Promise 1: no endpoint ever returns a token: not in a body, a cookie, a URL, a header, an error or a log line.

import assert from "node:assert/strict";
import { test } from "node:test";

import { leaks } from "./issued.mjs";
import { alice, bob } from "./people.mjs";
import { startWorld } from "./world.mjs";

test("nothing that the OP issued and no secret is in any answer of the Worker or in its log", async () => {
  const world = await startWorld({
    provider: { accessTokenSeconds: 600, backchannelLogoutUri: "http://127.0.0.1:1/" },
    vars: { OpenIdConnect: { OmitIdTokenHint: true } },
  });
  try {
    const browser = world.browser();
    await useEverything(world, browser);
    await failEverything(world, browser);
    assertCovers(world, browser);
    await browser.signOut();
    await browser.script("/.auth/me");
    const kinds = [...world.issued.secrets].map((secret) => secret.split(" ")[0]);
    for (const kind of ["access_token", "client_secret", "code", "code_verifier", "id_token", "refresh_token"]) {
      assert.ok(kinds.includes(kind), `no ${kind} was seen to search for`);
    }
    for (const answer of browser.seenOfWorker) {
      assert.deepEqual(leaks(world.issued.secrets, textOf(answer)), [], answer.url);
    }
    await world.worker.log();
    assert.deepEqual(leaks(world.issued.secrets, world.worker.output.join("\n")), []);
    assertLogIsDiscreet(world, browser);
  } finally {
    await world.close();
  }
});

async function useEverything(world, browser) {
  await browser.signIn("/page/one?x=1", alice);
  for (const path of ["/.auth/me", "/.auth/health", "/.auth/login", "/.auth/sessions", "/echo", "/page/one"]) {
    await browser.script(path);
    await browser.step(path);
  }
  for (const name of ["Orders", "Invoices"]) {
    for (const path of ["orders", "whoami", "missing"]) await browser.script(`/api/${name}/${path}`);
  }
  await world.advance(400);
  await browser.script("/api/Orders/whoami");
  await world.advance(0);
  await browser.navigate("/.auth/login?prompt=login").then((form) => browser.answerSignIn(form, bob));
}

async function failEverything(world, browser) {
  const second = await browser.signInUpToCallback("/.auth/login?prompt=login");
  for (const query of ["", "?code=x", "?error=access_denied&state=x", new URL(second).search]) {
    await browser.script(`/signin-oidc${query}`);
    await browser.step(`/signin-oidc${query}`);
    await browser.step(`/signin-oidc${query}`);
  }
  await browser.signIn("/", bob);
  // Bodies as an OP in trouble sends them: with the token in the error.
  for (const status of [200, 302, 400, 401, 500]) {
    world.op.intercept = echoingTokenEndpoint(status);
    await world.advance(700 + status);
    await browser.script("/api/Orders/whoami");
    await browser.step("/api/Orders/whoami");
  }
  world.op.intercept = undefined;
  await world.advance(0);
  for (const path of ["/%2e%2e%2f", "/api/Nobody/", "/signout-callback-oidc?state=1", "/.auth/nothing"]) await browser.script(path);
}

/** A flow that failed at its first step would show nothing either. */
function assertCovers(world, browser) {
  const answered = (path, status) => {
    const found = browser.seenOfWorker.some((answer) => new URL(answer.url).pathname === path && answer.status === status);
    assert.ok(found, `${path} was never answered with ${status}`);
  };
  for (const path of ["/.auth/me", "/echo", "/page/one", "/api/Orders/whoami", "/api/Invoices/whoami"]) answered(path, 200);
  for (const [path, status] of Object.entries({ "/api/Orders/whoami": 503, "/signin-oidc": 400, "/.auth/login": 302 })) answered(path, status);
  answered("/signin-oidc", 303);
  assert.ok(world.issued.refreshed.length > 0, "no token was refreshed");
}

function echoingTokenEndpoint(status) {
  return (request, response) => {
    if (!request.url.startsWith("/token")) return false;
    request.toArray().then((chunks) => {
      const body = Buffer.concat(chunks).toString();
      response.writeHead(status, { "content-type": "application/json", location: `https://evil.example/?${body}` });
      response.end(JSON.stringify({ error: body, error_description: body, access_token: 1 }));
    });
    return true;
  };
}

function textOf({ rawHeaders, text }) {
  return `${rawHeaders.join("\n")}\n\n${text}`;
}

function assertLogIsDiscreet(world, browser) {
  const output = world.worker.lines.filter((line) => line.event).map((line) => JSON.stringify(line)).join("\n");
  const cookies = browser.seenOfWorker.flatMap(({ setCookies }) => setCookies.map((line) => line.split(/[=;]/)[1]));
  for (const cookie of cookies.filter(Boolean)) assert.ok(!output.includes(cookie), "a cookie's value is in the log");
  for (const { claims } of [alice, bob]) {
    for (const text of [claims.sub, claims.email, claims.name]) assert.ok(!output.includes(text), `${text} is in the log`);
  }
}

test("what the origin answers is not searched for tokens, but no request to it carries one", async () => {
  const world = await startWorld();
  try {
    const browser = world.browser();
    await browser.signIn();
    await browser.script("/api/Orders/whoami");
    await browser.script("/echo", { method: "POST", body: "x", headers: { authorization: "Bearer mine" } });
    const sent = JSON.stringify(world.origin.requests);
    assert.deepEqual(leaks(world.issued.secrets, sent), []);
    assert.doesNotMatch(sent, /__Host-|Bearer/);
    for (const server of [world.orders, world.invoices]) {
      const kinds = leaks(world.issued.secrets, JSON.stringify(server.requests)).filter((kind) => kind !== "access_token");
      assert.deepEqual(kinds, []);
    }
  } finally {
    await world.close();
  }
});

test("the ID token as a hint at sign-out is the one exception: it goes to the OP, and the setting turns it off", async () => {
  const hints = {};
  for (const OmitIdTokenHint of [false, true]) {
    const world = await startWorld({ vars: { OpenIdConnect: { OmitIdTokenHint } } });
    try {
      const browser = world.browser();
      await browser.signIn();
      const answer = await browser.step("/.auth/logout", { method: "POST", site: "same-origin" });
      const location = new URL(answer.headers.location);
      assert.equal(location.origin, world.op.issuer);
      hints[OmitIdTokenHint] = location.searchParams.has("id_token_hint");
    } finally {
      await world.close();
    }
  }
  assert.deepEqual(hints, { false: true, true: false });
});
