// The stand-in's authorization endpoint: what it takes, what it asks, and what it refuses with which number.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from "jose";

import { contoso, fabrikam, personalAccounts } from "../../demo/entra.mjs";
import { loginHint } from "../../demo/entra/browser-sessions.mjs";
import { ada, callback, client, grace, gus, numberOf, Party, pat, startWith } from "./entra-party.mjs";

const ownOnly = { ...client, clientId: "33333333-aaaa-4bbb-8ccc-000000000003", audience: "AzureADMyOrg" };

let entra;
before(async () => {
  entra = await startWith({ app: { optionalClaims: ["sid", "login_hint"] }, otherApps: [ownOnly] });
});
after(() => entra.close());

const party = (options) => new Party(entra, options);
const metadata = async (path) => (await fetch(`${entra.instance}${path}/v2.0/.well-known/openid-configuration`)).json();

test("the metadata names one issuer for a tenant and a template for many", async () => {
  const template = `${entra.instance}{tenantid}/v2.0`;
  const issuers = {
    common: template,
    organizations: template,
    consumers: entra.issuerOf(personalAccounts),
    [contoso.id]: entra.issuerOf(contoso.id),
    [contoso.domain]: entra.issuerOf(contoso.id),
  };
  for (const [path, issuer] of Object.entries(issuers)) {
    const document = await metadata(path);
    assert.equal(document.issuer, issuer, path);
    assert.equal(document.token_endpoint, `${entra.instance}${path}/oauth2/v2.0/token`);
  }
  assert.equal((await metadata("nowhere.example")).error, "invalid_tenant");
});

test("each key says for which issuers it may sign", async () => {
  const keys = async (path) =>
    (await (await fetch((await metadata(path)).jwks_uri)).json()).keys.map(({ issuer }) => issuer);
  const template = `${entra.instance}{tenantid}/v2.0`;
  assert.deepEqual(await keys("common"), [template, template, entra.issuerOf(personalAccounts)]);
  assert.deepEqual(await keys(contoso.id), [template, template]);
  assert.deepEqual(await keys("consumers"), [entra.issuerOf(personalAccounts)]);
});

test("a sign-in ends at the callback with code, state and session_state, and client_info only when asked", async () => {
  const { left } = await party().signIn(ada);
  assert.equal(left.origin + left.pathname, callback);
  assert.deepEqual([...left.searchParams.keys()], ["code", "session_state", "state"]);
  assert.equal(left.searchParams.get("state"), "a state");
  const asked = await party().signIn(ada, { client_info: "1" });
  const info = JSON.parse(Buffer.from(asked.left.searchParams.get("client_info"), "base64url"));
  assert.deepEqual(info, { uid: ada.oid, utid: contoso.id });
});

test("an ID token is version 2, of the user's tenant, with the optional claims of the registration", async () => {
  const one = party();
  const { left } = await one.signIn(ada);
  const { body } = await one.redeem(left.searchParams.get("code"));
  const keys = createRemoteJWKSet(new URL(`${entra.instance}${contoso.id}/discovery/v2.0/keys`));
  const { payload } = await jwtVerify(body.id_token, keys, {
    issuer: entra.issuerOf(contoso.id),
    audience: client.clientId,
  });
  assert.deepEqual([payload.ver, payload.tid, payload.oid, payload.nonce], ["2.0", contoso.id, ada.oid, "a-nonce"]);
  assert.deepEqual([payload.name, payload.preferred_username, payload.email], [ada.name, ada.username, undefined]);
  assert.deepEqual([payload.sid, payload.login_hint], [left.searchParams.get("session_state"), loginHint(ada)]);
  assert.equal(decodeProtectedHeader(body.id_token).alg, "RS256");
});

test("a user is another subject in every app, and the same object in all", async () => {
  const [one, other] = await Promise.all([party().tokens(), party({ app: ownOnly }).tokens()]);
  const [first, second] = [decodeJwt(one.id_token), decodeJwt(other.id_token)];
  assert.notEqual(first.sub, second.sub);
  assert.equal(first.oid, second.oid);
  assert.equal(second.sid, undefined);
  assert.equal((await party().tokens(ada, { scope: "openid" })).id_token.split(".").length, 3);
});

test("a guest is known by the tenant's object and by the home account", async () => {
  const one = party();
  const tokens = await one.tokens(gus, {}, { client_info: "1" });
  const claims = decodeJwt(tokens.id_token);
  assert.deepEqual([claims.tid, claims.oid, claims.iss], [contoso.id, gus.guestIn[0].oid, entra.issuerOf(contoso.id)]);
  assert.deepEqual(JSON.parse(Buffer.from(tokens.client_info, "base64url")), { uid: gus.oid, utid: fabrikam.id });
  const atHome = decodeJwt((await party({ authority: "organizations" }).tokens(gus)).id_token);
  assert.deepEqual([atHome.tid, atHome.oid], [fabrikam.id, gus.oid]);
});

test("personal accounts sign in through common and consumers, and nowhere else", async () => {
  for (const authority of ["common", "consumers", personalAccounts]) {
    assert.equal(decodeJwt((await party({ authority }).tokens(pat)).id_token).tid, personalAccounts, authority);
  }
  for (const authority of ["organizations", contoso.id]) {
    const page = await party({ authority }).signIn(pat);
    assert.deepEqual([page.left, numberOf(page)], [undefined, 500202], authority);
  }
  assert.equal(numberOf(await party({ authority: "consumers" }).signIn(ada)), 50020);
  assert.equal(numberOf(await party({ authority: fabrikam.id }).signIn(ada)), 50020);
});

const onPage = {
  "an unknown client": [700016, { client_id: "nobody" }],
  "no client": [900144, { client_id: undefined }],
  "a redirect URI that is not registered": [50011, { redirect_uri: `${callback}/` }],
  "a redirect URI in other letter case": [50011, { redirect_uri: callback.toUpperCase() }],
  "no redirect URI": [900144, { redirect_uri: undefined }],
};
for (const [what, [number, parameters]] of Object.entries(onPage)) {
  test(`${what} stays on a page: nobody is sent to an address that could not be checked`, async () => {
    const page = await party().authorize(parameters);
    assert.deepEqual([page.left, page.status, numberOf(page)], [undefined, 400, number]);
  });
}

test("an app of one organization has no place at common, at consumers, or in another tenant", async () => {
  const numbers = { common: 50194, organizations: 50194, consumers: undefined, [fabrikam.id]: 700016 };
  for (const [authority, number] of Object.entries(numbers)) {
    const page = await party({ authority, app: ownOnly }).authorize();
    assert.deepEqual([page.left, numberOf(page)], [undefined, number], authority);
  }
  assert.equal(numberOf(await party({ authority: "nowhere.example" }).authorize()), 90002);
});

const sentBack = {
  "another response type": [700054, "unsupported_response_type", { response_type: "id_token" }],
  "no response type": [900144, "invalid_request", { response_type: undefined }],
  "an unknown response mode": [70007, "invalid_request", { response_mode: "pigeon" }],
  "an unknown prompt": [90023, "invalid_request", { prompt: "please" }],
  "no scope": [900144, "invalid_request", { scope: undefined }],
  "an unknown API": [500011, "invalid_resource", { scope: "openid api://nobody/Read" }],
  "an unknown scope of an API": [650053, "invalid_client", { scope: "openid api://orders/Burn" }],
  "an unknown scope of Graph": [650053, "invalid_client", { scope: "openid orders.read" }],
  ".default beside another scope": [70011, "invalid_scope", { scope: "api://orders/.default api://orders/Read" }],
  ".default beside another API": [70011, "invalid_scope", { scope: "api://orders/.default User.Read" }],
  "a challenge that is too short": [501491, "invalid_request", { code_challenge: "short" }],
  "claims that are no JSON": [9002313, "invalid_request", { claims: "{" }],
  "a parameter given twice": [9002313, "invalid_request", { nonce: ["one", "two"] }],
  "prompt=none without a session": [50058, "login_required", { prompt: "none" }],
};
for (const [what, [number, error, parameters]] of Object.entries(sentBack)) {
  test(`${what} is told to the app`, async () => {
    const { left } = await party().authorize(parameters);
    assert.deepEqual([left.searchParams.get("error"), numberOf({ left })], [error, number]);
    assert.equal(left.searchParams.get("state"), "a state");
    assert.equal(left.searchParams.get("error_uri"), `${entra.instance}error?code=${number}`);
  });
}

test("scopes of several APIs may be asked for at once", async () => {
  const { left } = await party().signIn(ada, { scope: "openid offline_access User.Read api://orders/Read" });
  assert.ok(left.searchParams.get("code"));
});

test("a wrong password shows the form again, and cancelling is access_denied", async () => {
  const one = party();
  const wrong = await one.signIn({ username: '"><b>x', password: "wrong" });
  assert.equal(wrong.status, 401);
  assert.match(wrong.html, /role="alert"/);
  assert.doesNotMatch(wrong.html, /<b>x/);
  const { left } = await one.press(wrong, { cancel: "yes" });
  assert.deepEqual(
    [left.searchParams.get("error"), left.searchParams.get("error_subcode")],
    ["access_denied", "cancel"],
  );
});

test("whoever is signed in is not asked again, unless the app wishes it", async () => {
  const one = party();
  await one.signIn(ada);
  for (const prompt of [undefined, "none"])
    assert.ok((await one.authorize({ prompt })).left.searchParams.get("code"), prompt);
  assert.match((await one.authorize({ prompt: "login" })).html, /name="password"/);
  assert.match((await one.authorize({ prompt: "select_account" })).html, /Pick an account/);
  assert.match((await one.authorize({ prompt: "consent" })).html, /Permissions requested/);
  assert.match((await one.authorize({ login_hint: grace.username })).html, new RegExp(`value="${grace.username}"`));
});

test("with several accounts the user picks one, unless a hint or a sid does", async () => {
  const one = party();
  const { left: first } = await one.signIn(ada);
  await one.press(await one.authorize({ prompt: "login" }), { username: grace.username, password: grace.password });
  const picker = await one.authorize();
  assert.match(picker.html, /Pick an account/);
  const { left } = await one.authorize({ prompt: "none" });
  assert.deepEqual([left.searchParams.get("error"), numberOf({ left })], ["interaction_required", 16000]);
  const sids = { ada: first.searchParams.get("session_state") };
  const picked = await one.press(picker, { account: grace.username });
  assert.notEqual(picked.left.searchParams.get("session_state"), sids.ada);
  await one.press(await one.authorize({ prompt: "login", scope: "openid" }), {
    username: gus.username,
    password: gus.password,
  });
  assert.match((await one.authorize({ domain_hint: "organizations" })).html, /Pick an account/);
  const guest = await one.authorize({ domain_hint: fabrikam.domain });
  assert.notEqual(guest.left.searchParams.get("session_state"), sids.ada);
  for (const hint of [{ login_hint: ada.username }, { login_hint: loginHint(ada) }, { sid: sids.ada }]) {
    assert.equal((await one.authorize(hint)).left.searchParams.get("session_state"), sids.ada);
  }
});

test("the answer comes by query, by fragment, or by a form that sends itself", async () => {
  const one = party();
  await one.signIn(ada);
  const { left } = await one.authorize({ response_mode: "fragment" });
  assert.ok(new URLSearchParams(left.hash.slice(1)).get("code"));
  const { html } = await one.authorize({ response_mode: "form_post", state: '"><i>' });
  assert.match(html, new RegExp(`action="${callback}"`));
  assert.match(html, /name="code" value="[^"]+"/);
  assert.doesNotMatch(html, /<i>/);
});

test("a session that an administrator has revoked is none", async () => {
  const one = party();
  await one.signIn(grace);
  entra.revokeSessions(grace.username);
  assert.match((await one.authorize()).html, /name="password"/);
  assert.equal((await one.authorize({ prompt: "none" })).left.searchParams.get("error"), "login_required");
});
