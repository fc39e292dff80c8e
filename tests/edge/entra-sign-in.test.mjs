// The Worker at the stand-in for the Microsoft identity platform, with nothing but its AzureAd section.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { decodeJwt } from "jose";

import { contoso, fabrikam, personalAccounts } from "../../demo/entra.mjs";
import { ada, grace, gus, pat, startEntraWorld } from "./entra-world.mjs";
import { assertPage, assertProblem } from "./refusals.mjs";

let world;
let anyTenant;
before(async () => {
  [world, anyTenant] = await Promise.all([startEntraWorld(), startEntraWorld({ tenant: "common" })]);
});
after(() => Promise.all([world?.close(), anyTenant?.close()]));

async function signedIn(place, user, path = "/") {
  const browser = place.browser();
  const page = await browser.signIn(path, user);
  assert.equal(page.status, 200, page.text);
  return browser;
}

const claimsOf = async (browser) => (await browser.script("/.auth/me")).json().claims;

test("a user signs in, and calls Microsoft Graph and an API, each with a token of its own", async () => {
  const browser = await signedIn(world, ada, "/page/one?a=%2F");
  assert.equal(browser.seen.at(-1).url, `${world.publicOrigin}/page/one?a=%2F`);
  const claims = await claimsOf(browser);
  assert.deepEqual([claims.tid, claims.oid, claims.preferred_username], [contoso.id, ada.oid, ada.username]);
  assert.equal((await browser.script("/api/Graph/me")).json().displayName, ada.name);
  assert.equal((await browser.script("/api/Orders/orders")).json().orders.length, 2);
  const [code] = world.grants("authorization_code");
  assert.deepEqual([code.params.client_info, code.params.client_secret], ["1", world.secret]);
  assert.equal(world.orders.requests.at(-1).claims.aud, "7d1f0e52-9a44-4a3c-8f5e-0a11ce0de501");
  assert.equal(world.graph.requests.at(-1).claims.aud, "https://graph.microsoft.com");
});

test("the secret in a header is form-encoded as the platform decodes it", async () => {
  const basic = await startEntraWorld({ azureAd: { TokenEndpointAuthMethod: "client_secret_basic" } });
  try {
    assert.equal((await (await signedIn(basic, ada)).script("/api/Orders/orders")).status, 200);
    assert.deepEqual([...new Set(basic.entra.issued.map(({ params }) => params.client_secret))], [undefined]);
  } finally {
    await basic.close();
  }
});

test("a token that is over is renewed, and the refresh token that came last is the one that is used", async () => {
  const browser = await signedIn(world, grace);
  assert.equal((await browser.script("/api/Orders/orders")).status, 200);
  const spent = () => world.grants("refresh_token").map(({ params }) => params.refresh_token);
  const count = spent().length;
  try {
    await world.advance(3000);
    await browser.navigate("/page/keep");
    await world.advance(6000);
    assert.equal((await browser.script("/api/Orders/orders")).status, 200);
    assert.equal((await browser.script("/api/Graph/me")).status, 200);
    const [first, second, ...more] = spent().slice(count);
    assert.notEqual(first, second);
    assert.deepEqual(more, []);
  } finally {
    await world.advance(0);
  }
});

test("a guest has the tenant's object and keeps the account of its home", async () => {
  const browser = await signedIn(world, gus);
  const claims = await claimsOf(browser);
  assert.deepEqual([claims.tid, claims.oid], [contoso.id, gus.guestIn[0].oid]);
  const { body } = world.grants("authorization_code").at(-1);
  assert.deepEqual(JSON.parse(Buffer.from(body.client_info, "base64url")), { uid: gus.oid, utid: fabrikam.id });
  assert.equal((await browser.script("/api/Graph/me")).json().id, gus.guestIn[0].oid);
});

test("people of any organization and personal accounts sign in through common", async () => {
  for (const [user, tid] of [
    [ada, contoso.id],
    [gus, fabrikam.id],
    [pat, personalAccounts],
  ]) {
    const browser = await signedIn(anyTenant, user);
    const claims = await claimsOf(browser);
    assert.deepEqual([claims.tid, claims.oid], [tid, user.oid]);
    assert.equal((await browser.script("/api/Graph/me")).json().displayName, user.name);
    assert.equal((await browser.script("/api/Orders/whoami")).status, 200);
  }
});

test("a key of personal accounts signs for no organization", async () => {
  anyTenant.entra.signWith = "consumers";
  try {
    const page = await anyTenant.browser().signIn("/", ada);
    assertPage(page, 502);
    assert.equal((await signedIn(anyTenant, pat)).seen.at(-1).status, 200);
  } finally {
    anyTenant.entra.signWith = undefined;
  }
});

test("a user who is signed in at Entra is not asked again, and a user of another tenant stays on Entra's page", async () => {
  const browser = await signedIn(world, ada);
  browser.session = "";
  assert.equal((await browser.navigate("/page/again")).url, `${world.publicOrigin}/page/again`);
  const stranger = await world.browser().signIn("/", pat);
  assert.equal(new URL(stranger.url).origin, world.entra.issuer);
  assert.match(stranger.text, /AADSTS500202/);
});

test("cancelling is an error page of ours, without a word of what the platform said", async () => {
  const browser = world.browser();
  const page = await browser.press(await browser.navigate("/"), { cancel: "yes" });
  assertPage(page, 403);
  assert.equal(page.url.startsWith(`${world.publicOrigin}/signin-oidc?error=access_denied`), true);
  assert.doesNotMatch(page.text, /AADSTS|Trace ID|denied access to the scope/);
});

test("a wrong secret is the operator's to mend", async () => {
  const wrong = await startEntraWorld({ secrets: { AzureAd__ClientSecret: "something else" } });
  try {
    assertPage(await wrong.browser().signIn("/", ada), 500);
    assert.equal(wrong.entra.issued.at(-1).body.error_codes[0], 7000215);
    const refused = (await wrong.events()).find(
      ({ event, code }) => event === "request.refused" && code === "misconfigured",
    );
    assert.match(refused.reason, /invalid_client/);
  } finally {
    await wrong.close();
  }
});

test("a user who is not assigned to the application gets an error page", async () => {
  const strict = await startEntraWorld({ app: { assignmentRequired: true, assigned: [ada.username] } });
  try {
    await signedIn(strict, ada);
    assertPage(await strict.browser().signIn("/", grace), 403);
    assert.equal(strict.entra.events.at(-1).number, 50105);
  } finally {
    await strict.close();
  }
});

test("signing out names the account by its login_hint and ends the session at Entra, which tells us in a frame", async () => {
  const browser = await signedIn(world, ada);
  await browser.navigate("/.auth/login?prompt=select_account").then((page) => browser.press(page, { account: "" }));
  const out = await browser.signOut({ atOp: false });
  assert.equal(new URL(out.url).pathname, `/${contoso.id}/oauth2/v2.0/logout`);
  const { answers, page } = await browser.leave(out);
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200],
  );
  assertSignedOutPage(page);
  const form = await browser.navigate("/");
  assert.match(form.text, /name="password"/);
});

function assertSignedOutPage(page) {
  assert.equal(page.status, 200);
  assert.equal(new URL(page.url).pathname, "/signout-callback-oidc");
}

test("with two accounts in the browser only the one that signs out is signed out", async () => {
  const browser = await signedIn(world, ada);
  const picker = await browser.navigate("/.auth/login?prompt=select_account");
  const form = await browser.press(picker, { account: "" });
  await browser.answerSignIn(form, grace);
  assert.equal((await claimsOf(browser)).preferred_username, grace.username);
  const out = await browser.signOut({ atOp: false });
  assert.doesNotMatch(out.text, /Which account/);
  await browser.leave(out);
  assert.equal((await browser.navigate("/")).status, 200);
  assert.equal((await claimsOf(browser)).preferred_username, ada.username);
});

test("a sign-out elsewhere in the browser reaches the session by its sid alone", async () => {
  const browser = await signedIn(world, grace);
  const other = await signedIn(world, grace);
  const page = await browser.navigate(`${world.entra.instance}common/oauth2/v2.0/logout`);
  const { frames, answers } = await browser.leave(page);
  assert.deepEqual([...new URL(frames[0]).searchParams.keys()], ["sid"]);
  assert.equal(answers[0].status, 200);
  assert.equal((await browser.script("/.auth/me")).status, 401);
  assert.equal((await other.script("/.auth/me")).status, 200);
});

test("session_state stands in for a sid that the registration does not ask for", async () => {
  const plain = await startEntraWorld({ app: { optionalClaims: [] } });
  try {
    const browser = await signedIn(plain, ada);
    assert.equal(decodeJwt(plain.entra.issued.at(-1).body.id_token).sid, undefined);
    await browser.leave(await browser.navigate(`${plain.entra.instance}common/oauth2/v2.0/logout`));
    assert.equal((await browser.script("/.auth/me")).status, 401);
  } finally {
    await plain.close();
  }
});

test("Graph asks for a newer token, and gets one without the user", async () => {
  const challenged = await startEntraWorld({ azureAd: { ClientCapabilities: "cp1" } });
  try {
    const browser = await signedIn(challenged, ada);
    assert.equal((await browser.script("/api/Graph/me")).status, 200);
    const long = challenged.entra.issued.at(-1).body;
    assert.deepEqual([long.expires_in, long.refresh_in], [86_400, 43_200]);
    challenged.entra.evaluateAnew(ada.username);
    assert.equal((await browser.script("/api/Graph/me")).json().displayName, ada.name);
    const { params } = challenged.grants("refresh_token").at(-1);
    const { nbf, xms_cc: capabilities } = JSON.parse(params.claims).access_token;
    assert.deepEqual([nbf.essential, capabilities.values], [true, ["cp1"]]);
  } finally {
    await challenged.close();
  }
});

test("sessions that an administrator revokes end in a sign-in for the API", async () => {
  const challenged = await startEntraWorld({ azureAd: { ClientCapabilities: "cp1" } });
  try {
    const browser = await signedIn(challenged, ada);
    assert.equal((await browser.script("/api/Graph/me")).status, 200);
    challenged.entra.revokeSessions(ada.username);
    const refused = await browser.script("/api/Graph/me");
    assertProblem(refused, 401, "interaction_required");
    assert.equal(challenged.entra.issued.at(-1).body.error_codes[0], 50173);
    const form = await browser.navigate(refused.json().login_url);
    assert.match(form.text, new RegExp(`value="${ada.username}"`));
    await browser.answerSignIn(form, ada);
    assert.equal((await browser.script("/api/Graph/me")).status, 200);
  } finally {
    await challenged.close();
  }
});
