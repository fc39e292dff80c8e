// The stand-in's Microsoft Graph, and its sign-out.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { contoso, fabrikam } from "../../demo/entra.mjs";
import { loginHint } from "../../demo/entra/browser-sessions.mjs";
import { ada, client, grace, gus, numberOf, Party, pat, signedOut, startWith } from "./entra-party.mjs";

const second = {
  ...client,
  clientId: "88888888-aaaa-4bbb-8ccc-000000000008",
  logoutUrl: "http://localhost:2/out?x=1",
  sendsIssuer: true,
};
const cp1 = JSON.stringify({ access_token: { xms_cc: { values: ["cp1"] } } });

let entra;
before(async () => {
  entra = await startWith({ app: { logoutUrl: "http://localhost:1/signout-oidc" }, otherApps: [second] });
});
after(() => entra.close());

const party = (options) => new Party(entra, options);

async function call(token, path, options = {}) {
  const url = new URL(path, entra.graph.address);
  const response = await fetch(url, { ...options, headers: { authorization: `Bearer ${token}`, ...options.headers } });
  return { status: response.status, challenge: response.headers.get("www-authenticate"), body: await response.json() };
}

test("Graph says who the user is, in whichever tenant, and asks for the scope", async () => {
  for (const [user, authority, id] of [
    [ada, contoso.id, ada.oid],
    [gus, contoso.id, gus.guestIn[0].oid],
    [gus, fabrikam.id, gus.oid],
    [pat, "common", pat.oid],
  ]) {
    const { access_token: token } = await party({ authority }).tokens(user);
    assert.deepEqual((await call(token, "/v1.0/me")).body.id, id);
  }
  const { access_token: token } = await party().tokens(ada);
  assert.equal((await call(token, "/v1.0/users")).status, 403);
  assert.equal((await call(token, "/v1.0/planets")).status, 404);
  assert.equal((await call(token, "/oidc/userinfo")).body.name, ada.name);
});

test("Graph takes no other token, none that was changed, and none that is over", async () => {
  const one = party();
  const { access_token: token, refresh_token: refresh } = await one.tokens();
  const orders = (await one.refresh(refresh, "api://orders/Read")).body.access_token;
  for (const wrong of [orders, `${token.slice(0, -8)}AAAAAAAA`, "x", ""]) {
    const { status, challenge } = await call(wrong, "/v1.0/me");
    assert.deepEqual([status, challenge.includes('error="invalid_token"')], [401, true]);
  }
  entra.ahead = 5500;
  assert.equal((await call(token, "/v1.0/me")).status, 401);
  entra.ahead = 0;
});

test("users come in pages, whose links are Graph's own addresses", async () => {
  const { access_token: token } = await party().tokens(ada, { scope: "openid User.ReadBasic.All" });
  const names = [];
  let next = "/v1.0/users?$select=displayName";
  while (next) {
    const { body } = await call(token, next);
    names.push(...body.value.map(({ displayName }) => displayName));
    next = body["@odata.nextLink"];
    if (next) assert.ok(next.startsWith(`${entra.graph.address}/v1.0/users?`) && next.includes("skiptoken"));
  }
  assert.deepEqual(names, [ada.name, grace.name, gus.name]);
});

test("a delta ends with a link that brings what has changed since", async () => {
  const { access_token: token } = await party().tokens(ada, { scope: "openid User.Read.All" });
  const first = (await call(token, "/v1.0/users/delta")).body;
  const last = (await call(token, first["@odata.nextLink"])).body;
  assert.deepEqual((await call(token, last["@odata.deltaLink"])).body.value, []);
  entra.graph.changes.push({ id: ada.oid, displayName: "Countess" });
  assert.deepEqual((await call(token, last["@odata.deltaLink"])).body.value, [
    { id: ada.oid, displayName: "Countess" },
  ]);
});

test("a batch answers each request, and refuses what is none", async () => {
  const { access_token: token } = await party().tokens(ada);
  const batch = (body) => call(token, "/v1.0/$batch", { method: "POST", body: JSON.stringify(body) });
  const requests = [
    { id: "1", method: "GET", url: "/me" },
    { id: "2", method: "GET", url: "users" },
  ];
  const { body } = await batch({ requests });
  assert.deepEqual(body.responses.map(({ id, status }) => [id, status]).sort(), [
    ["1", 200],
    ["2", 403],
  ]);
  assert.equal(
    (await batch({ requests: Array.from({ length: 21 }, (_, id) => ({ id: `${id}`, url: "/me" })) })).status,
    400,
  );
  assert.equal((await call(token, "/v1.0/$batch", { method: "POST", body: "{" })).status, 400);
});

test("an app's own token reads users and is nobody itself", async () => {
  const daemon = await startWith({ app: { appRoles: { "https://graph.microsoft.com": ["User.Read.All"] } } });
  try {
    const { body } = await new Party(daemon).token({
      grant_type: "client_credentials",
      scope: "https://graph.microsoft.com/.default",
    });
    const get = (path) =>
      fetch(`${daemon.graph.address}${path}`, { headers: { authorization: `Bearer ${body.access_token}` } });
    assert.deepEqual([(await get("/v1.0/users")).status, (await get("/v1.0/me")).status], [200, 400]);
  } finally {
    await daemon.close();
  }
});

test("a client that answers challenges gets one after its user's access was evaluated anew; another keeps its token", async () => {
  const one = party();
  const { access_token: long, refresh_token: refresh } = await one.tokens(grace, { claims: cp1 });
  const { access_token: short } = await party().tokens(grace);
  entra.evaluateAnew(grace.username);
  assert.equal((await call(short, "/v1.0/me")).status, 200);
  const { status, challenge } = await call(long, "/v1.0/me");
  assert.equal(status, 401);
  assert.match(
    challenge,
    /^Bearer realm="", authorization_uri="[^"]+", client_id="[^"]+", error="insufficient_claims", claims="[^"]+"$/,
  );
  const demanded = JSON.parse(Buffer.from(challenge.match(/claims="([^"]+)"/)[1], "base64"));
  assert.equal(typeof demanded.access_token.nbf.value, "string");
  const claims = JSON.stringify({ access_token: { ...demanded.access_token, ...JSON.parse(cp1).access_token } });
  const { body } = await one.refresh(refresh, "User.Read", { claims });
  assert.equal((await call(body.access_token, "/v1.0/me")).status, 200);
});

test("after a revocation only a new sign-in helps", async () => {
  const one = party();
  const { access_token: token, refresh_token: refresh } = await one.tokens(grace, { claims: cp1 });
  entra.revokeSessions(grace.username);
  assert.match((await call(token, "/v1.0/me")).challenge, /insufficient_claims/);
  assert.equal((await one.refresh(refresh, "User.Read", { claims: cp1 })).body.error_codes[0], 50173);
  const { access_token: fresh } = await one.tokens(grace, { claims: cp1 });
  assert.equal((await call(fresh, "/v1.0/me")).status, 200);
});

const frames = ({ html }) =>
  [...html.matchAll(/<iframe hidden src="([^"]+)"/g)].map(([, url]) => new URL(url.replaceAll("&amp;", "&")));
const onward = ({ html }) => html.match(/id="onward" href="([^"]+)"/)?.[1].replaceAll("&amp;", "&");

async function logout(one, parameters = {}) {
  const { response, at } = await one.browser.follow(
    `${one.address}/logout?${new URLSearchParams(parameters)}`,
    entra.issuer,
  );
  return { at, status: response.status, html: await response.text() };
}

test("a sign-out ends the session, tells every app of the browser its sid alone, and goes on where an app has registered", async () => {
  const one = party();
  const { left } = await one.signIn(ada);
  const sid = left.searchParams.get("session_state");
  await new Party(entra, { app: second }).tokens(ada);
  const page = await logout(one, { post_logout_redirect_uri: signedOut, state: "a&b" });
  assert.deepEqual(
    frames(page).map(({ href }) => href),
    [`http://localhost:1/signout-oidc?sid=${sid}`],
  );
  assert.equal(onward(page), `${signedOut}?state=a%26b`);
  assert.match((await one.authorize()).html, /name="password"/);
});

test("each app that was signed in to is told, one that is registered for it with iss", async () => {
  const one = party();
  await one.signIn(ada);
  one.app = second;
  await one.authorize();
  const [, told] = frames(await logout(one));
  assert.deepEqual([...told.searchParams.keys()], ["x", "sid", "iss"]);
  assert.equal(told.searchParams.get("iss"), entra.issuerOf(contoso.id));
});

test("an address after sign-out that nobody has registered is not gone to", async () => {
  const one = party();
  await one.signIn(ada);
  assert.equal(onward(await logout(one, { post_logout_redirect_uri: `${signedOut}/x` })), undefined);
  assert.match((await one.authorize()).html, /name="password"/);
});

test("of several accounts the one of logout_hint is signed out; a user name is no hint", async () => {
  const one = party();
  await one.signIn(ada);
  await one.press(await one.authorize({ prompt: "login" }), { username: grace.username, password: grace.password });
  const picker = await logout(one, { logout_hint: grace.username });
  assert.match(picker.html, /Which account/);
  assert.match(picker.html, new RegExp(grace.username));
  await logout(one, { logout_hint: loginHint(grace) });
  assert.ok((await one.authorize()).left.searchParams.get("code"), "the other account goes on");
  await one.press(await one.authorize({ prompt: "login" }), { username: grace.username, password: grace.password });
  const link = (await logout(one)).html.match(/href="([^"]+account=[^"]+)"/)[1].replaceAll("&amp;", "&");
  await one.browser.follow(new URL(link, entra.instance), entra.issuer);
  assert.equal((await one.authorize({ prompt: "none" })).left.searchParams.get("error"), null);
});

test("a tenant that does not exist signs nobody out", async () => {
  assert.equal(numberOf(await logout(party({ authority: "nowhere.example" }))), 90002);
});
