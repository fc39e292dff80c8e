// Answers to an authorization request that must not sign anybody in.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { assertNotSignedIn, assertRefused } from "./refusals.mjs";
import { startWorld } from "./world.mjs";

const attemptInvalid = { status: 400, code: "login_attempt_invalid" };
const hostile = `"><script>alert(1)</script>`;

let world;
before(async () => {
  world = await startWorld();
});
after(() => world.close());

/** The address that the OP sends a browser to, changed by `edit`. */
function edited(edit) {
  return async (browser) => {
    const url = new URL(await browser.signInUpToCallback("/page/one"));
    return (await edit(url.searchParams, browser, url)) ?? url.href;
  };
}

const faults = {
  "no state": [edited((query) => query.delete("state")), /StateMissing|Missing/],
  "an empty state": [edited((query) => query.set("state", "")), /Missing|Malformed/],
  "two states": [edited((query) => query.append("state", query.get("state"))), /Duplicate/],
  "two codes": [edited((query) => query.append("code", "other")), /Duplicate/],
  "a state of nobody": [edited((query) => query.set("state", "A".repeat(43))), /Missing|DoesNotOpen/],
  "a state of hostile text": [edited((query) => query.set("state", hostile)), /./],
  "a state changed at its end": [edited((query) => query.set("state", flipped(query.get("state")))), /StateMismatch|DoesNotOpen/],
  "no code": [edited((query) => query.delete("code")), /CodeMissing/],
  "a wrong code": [edited((query) => query.set("code", "wrong")), /invalid_grant/, true],
  "another issuer": [edited((query) => query.set("iss", "https://evil.example")), /IssuerMismatch/],
  "no issuer though it was announced": [edited((query) => query.delete("iss")), /IssuerMissing/],
  "nothing at all": [edited((_query, _browser, url) => url.origin + url.pathname), /./],
};
for (const [name, [callback, reason, isLate]] of Object.entries(faults)) {
  test(`a callback with ${name} signs nobody in`, () => assertRefused(world, callback, { ...attemptInvalid, reason, isLate }));
}

function flipped(state) {
  return state.slice(0, -2) + (state.at(-2) === "A" ? "B" : "A") + state.at(-1);
}

test("the answer to one browser's attempt signs no other browser in", async () => {
  const foreign = async (browser) => {
    await browser.step("/page/one");
    return world.browser().signInUpToCallback("/page/one");
  };
  await assertRefused(world, foreign, { ...attemptInvalid, reason: /Missing/, isLate: true });
});

test("an answer that comes after the attempt's end signs nobody in", async () => {
  const late = edited(async (_query, _browser, url) => {
    await world.advance(901);
    return url.href;
  });
  const early = async (browser) => {
    await world.advance(0);
    return late(browser);
  };
  await assertRefused(world, early, { ...attemptInvalid, reason: /Expired/, isLate: true });
  await world.advance(0);
});

test("an answer works once: the attempt is gone with any outcome", async () => {
  for (const failure of [false, true]) {
    const browser = world.browser();
    const good = await browser.signInUpToCallback("/page/one");
    const first = failure ? good.replace(/code=[^&]+/, "code=wrong") : good;
    const attempts = () => browser.jar.names("localhost").filter((name) => name.startsWith("__Host-login"));
    const [attempt] = attempts();
    assert.equal((await browser.step(first)).status, failure ? 302 : 303);
    assert.ok(!attempts().includes(attempt));
    assert.equal(attempts().length, failure ? 1 : 0, "only that of the second try is left");
    const second = await browser.script(good);
    assert.deepEqual([second.status, second.json().code], [400, "login_attempt_invalid"]);
    if (!failure) await browser.signOut();
  }
});

test("a callback that is opened again goes on, and one without cookies is sent to the OP once and not again", async () => {
  const browser = world.browser();
  const callback = await browser.signInUpToCallback("/page/one");
  assert.equal((await browser.step(callback)).headers.location, `${world.publicOrigin}/page/one`);
  const again = await browser.step(callback);
  assert.deepEqual([again.status, again.headers.location], [303, `${world.publicOrigin}/`]);
  await browser.signOut();
  const lost = world.browser();
  const first = await lost.step(await world.browser().signInUpToCallback("/page/one"));
  assert.equal(first.status, 302);
  const { searchParams } = new URL(first.headers.location);
  const query = new URLSearchParams({ code: "x", state: searchParams.get("state"), iss: world.op.issuer });
  const second = await world.browser().step(`/signin-oidc?${query}`);
  assert.deepEqual([second.status, second.headers.location], [400, undefined]);
});

test("an attempt whose cookie has a bit flipped signs nobody in", async () => {
  const tampered = edited((_query, browser) => {
    const name = browser.jar.names("localhost").find((cookie) => cookie.startsWith("__Host-login-"));
    const bytes = Buffer.from(browser.jar.get("localhost", name), "base64url");
    bytes[bytes.length >> 1] ^= 1;
    browser.jar.set("localhost", name, bytes.toString("base64url"));
  });
  await assertRefused(world, tampered, { ...attemptInvalid, reason: /DoesNotOpen/, isLate: true });
});

const answers = {
  access_denied: { status: 403, code: "access_denied", reason: /Declined/ },
  consent_required: { status: 403, code: "admin_consent_required", reason: /AdminConsent/ },
  invalid_scope: { status: 500, code: "misconfigured", reason: /invalid_scope/ },
  unauthorized_client: { status: 500, code: "misconfigured", reason: /unauthorized_client/ },
  server_error: { status: 503, code: "op_unreachable", reason: /Busy/ },
  temporarily_unavailable: { status: 503, code: "op_unreachable", reason: /Busy/ },
  login_required: { status: 403, code: "sign_in_incomplete", reason: /Incomplete/ },
  made_up: { ...attemptInvalid, reason: /./ },
};
for (const [error, expected] of Object.entries(answers)) {
  test(`the OP's answer ${error} is ${expected.code}, and none of its text is shown`, async () => {
    const refused = edited((query) => {
      query.delete("code");
      query.set("error", error);
      query.set("error_description", "Ask the administrator");
      query.set("error_uri", "https://evil.example/help");
    });
    await assertRefused(world, refused, expected);
    const shown = world.worker.output.join("\n");
    assert.doesNotMatch(shown, /Ask the administrator|evil\.example/);
  });
}

test("markup in an answer of the OP is refused and never shown", async () => {
  const markup = edited((query) => {
    query.delete("code");
    for (const name of ["error", "error_description", "error_uri"]) query.set(name, hostile);
  });
  await assertRefused(world, markup, { ...attemptInvalid, reason: /./ });
});

test("an end-user who cancels at the OP is told so and is not signed in", async () => {
  const browser = world.browser();
  const form = await browser.navigate("/page/one");
  const page = await browser.navigate(form.url, { method: "POST", form: { cancel: "yes" }, from: form.url });
  assert.equal(page.status, 403);
  assert.match(page.text, /Sign-in was declined/);
  await assertNotSignedIn(world, browser);
});

test("an answer of the OP by any method but GET signs nobody in", async () => {
  for (const method of ["POST", "PUT", "HEAD", "OPTIONS"]) {
    const browser = world.browser();
    const callback = await browser.signInUpToCallback("/page/one");
    const answer = await browser.script(callback, { method, headers: { "content-length": "0" } });
    assert.deepEqual([answer.status, answer.headers.allow], [405, "GET"], method);
    await assertNotSignedIn(world, browser);
  }
});
