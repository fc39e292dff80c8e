// The demo's OP behaves as Vestibule's tests take for granted.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { get } from "node:https";
import { after, before, test } from "node:test";

import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from "jose";

import { accounts } from "../../demo/accounts.mjs";
import { startProvider } from "../../demo/provider.mjs";
import { certificate } from "./certificate.mjs";
import { authorizationRequest, Browser, redeem, signIn, tokenRequest } from "./relying-party.mjs";

const resource = "https://orders.example/";
const [alice, bob] = accounts;
const settings = {
  clientId: "client!+ID",
  clientSecret: "SECRET?%Gclient with spaces",
  redirectUris: ["http://localhost:1/signin-oidc"],
  postLogoutRedirectUris: ["http://localhost:1/signout-callback-oidc"],
  scopes: "orders.read orders.write",
  resources: [
    { resource, scopes: "orders.read orders.write" },
    { resource: "https://other.example/", scopes: "things.read" },
  ],
};

let op;
before(async () => {
  op = await startProvider(settings);
});
after(() => op.close());

async function signedIn(browser = new Browser(), account = alice, parameters = { resource }) {
  const { url, verifier } = authorizationRequest(op, settings, parameters);
  const callback = await signIn(browser, op, url, account);
  return { browser, callback, tokens: (await redeem(op, settings, callback, verifier, { resource })).body };
}

test("a sign-in ends at the callback with code, state and iss", async () => {
  const { callback, tokens } = await signedIn();
  assert.equal(callback.origin + callback.pathname, settings.redirectUris[0]);
  assert.equal(callback.searchParams.get("state"), "a-state");
  assert.equal(callback.searchParams.get("iss"), op.issuer);
  const keys = createRemoteJWKSet(new URL(`${op.issuer}/jwks`));
  const { payload } = await jwtVerify(tokens.id_token, keys, { issuer: op.issuer, audience: settings.clientId });
  assert.equal(payload.nonce, "a-nonce");
  assert.equal(payload.name, alice.claims.name);
  assert.equal(payload.preferred_username, "alice");
  assert.equal(payload.email, alice.claims.email);
});

test("an access token is an at+jwt for the resource that was asked for", async () => {
  const { tokens } = await signedIn(new Browser(), bob);
  assert.equal(decodeProtectedHeader(tokens.access_token).typ, "at+jwt");
  const claims = decodeJwt(tokens.access_token);
  assert.equal(claims.aud, resource);
  assert.equal(claims.scope, "orders.read orders.write");
  assert.equal(claims.sub, bob.claims.sub);
  assert.equal(tokens.expires_in, 120);
});

test("one refresh token serves several resources, one per request", async () => {
  const parameters = {
    resource: [resource, "https://other.example/"],
    scope: "openid offline_access orders.read things.read",
  };
  const { tokens } = await signedIn(new Browser(), alice, parameters);
  const form = { grant_type: "refresh_token", refresh_token: tokens.refresh_token };
  const { body } = await tokenRequest(op, settings, { ...form, resource: "https://other.example/" });
  assert.equal(decodeJwt(body.access_token).aud, "https://other.example/");
  assert.equal(body.scope, "things.read");
});

test("an unknown resource is refused as invalid_target", async () => {
  const { url } = authorizationRequest(op, settings, { resource: "https://unknown.example/" });
  const callback = await signIn(new Browser(), op, url, alice);
  assert.equal(callback.searchParams.get("error"), "invalid_target");
});

test("a refresh token is used up by its use, and using it again ends the whole grant", async () => {
  const { tokens } = await signedIn();
  const refresh = (refreshToken) =>
    tokenRequest(op, settings, { grant_type: "refresh_token", refresh_token: refreshToken, resource });
  const second = await refresh(tokens.refresh_token);
  assert.equal(second.status, 200);
  assert.notEqual(second.body.refresh_token, tokens.refresh_token);
  const reused = await refresh(tokens.refresh_token);
  assert.deepEqual([reused.status, reused.body.error], [400, "invalid_grant"]);
  const afterwards = await refresh(second.body.refresh_token);
  assert.deepEqual([afterwards.status, afterwards.body.error], [400, "invalid_grant"]);
});

test("without offline_access there is no refresh token", async () => {
  const { tokens } = await signedIn(new Browser(), alice, { resource, scope: "openid orders.read" });
  assert.equal(tokens.refresh_token, undefined);
});

test("a request without PKCE is refused", async () => {
  const { url } = authorizationRequest(op, settings, { code_challenge: undefined, code_challenge_method: undefined });
  const callback = await signIn(new Browser(), op, url, alice);
  assert.equal(callback.searchParams.get("error"), "invalid_request");
});

test("a wrong password shows the form again, and cancelling is access_denied", async () => {
  const browser = new Browser();
  const { url } = authorizationRequest(op, settings);
  const page = await signIn(browser, op, url, { username: '"><b>alice', password: "wrong" });
  assert.equal(page.status, 401);
  const html = await page.text();
  assert.match(html, /role="alert"/);
  assert.doesNotMatch(html, /<b>alice/);
  const shown = await browser.follow(url, op.issuer);
  const cancelled = { method: "POST", body: new URLSearchParams({ cancel: "yes" }) };
  const { left } = await browser.follow(shown.at, op.issuer, cancelled);
  assert.equal(left.searchParams.get("error"), "access_denied");
});

test("a second request in the same browser needs no password, even with prompt=none", async () => {
  const { browser } = await signedIn();
  for (const prompt of [undefined, "none", "consent"]) {
    const { url } = authorizationRequest(op, settings, { prompt, resource });
    const { left } = await browser.follow(url, op.issuer);
    assert.ok(left.searchParams.get("code"), `prompt=${prompt}`);
  }
});

test("sign-out ends the OP's session and returns with state", async () => {
  const { browser, tokens } = await signedIn();
  const url = new URL(`${op.issuer}/session/end`);
  url.searchParams.set("id_token_hint", tokens.id_token);
  url.searchParams.set("post_logout_redirect_uri", settings.postLogoutRedirectUris[0]);
  url.searchParams.set("state", "out");
  const left = await signOut(browser, url.href);
  assert.equal(left.href, `${settings.postLogoutRedirectUris[0]}?state=out`);
  const silent = authorizationRequest(op, settings, { prompt: "none" });
  const again = await browser.follow(silent.url, op.issuer);
  assert.equal(again.left.searchParams.get("error"), "login_required");
});

async function signOut(browser, url) {
  const html = await (await browser.fetch(url)).text();
  assert.match(html, />Sign out</);
  const action = html.match(/action="([^"]+)"/)[1];
  const xsrf = html.match(/name="xsrf" value="([^"]+)"/)[1];
  const body = new URLSearchParams({ xsrf, logout: "yes" });
  return (await browser.follow(action, op.issuer, { method: "POST", body })).left;
}

for (const alg of ["PS256", "ES256", "EdDSA"]) {
  test(`an ID token is signed with ${alg} for a client registered so, which may use client_secret_post`, async () => {
    const other = await startProvider({ ...settings, idTokenAlg: alg, authMethod: "client_secret_post" });
    try {
      const { url, verifier } = authorizationRequest(other, settings);
      const callback = await signIn(new Browser(), other, url, alice);
      const form = {
        grant_type: "authorization_code",
        code: callback.searchParams.get("code"),
        redirect_uri: settings.redirectUris[0],
        code_verifier: verifier,
        client_id: settings.clientId,
        client_secret: settings.clientSecret,
      };
      const response = await fetch(`${other.issuer}/token`, { method: "POST", body: new URLSearchParams(form) });
      const { id_token: idToken } = await response.json();
      assert.equal(decodeProtectedHeader(idToken).alg, alg);
      await jwtVerify(idToken, createRemoteJWKSet(new URL(`${other.issuer}/jwks`)), { issuer: other.issuer });
    } finally {
      await other.close();
    }
  });
}

test("a sign-out reaches the relying party on loopback by back-channel", async () => {
  const received = [];
  const receiver = createServer(async (request, response) => {
    const chunks = await request.toArray();
    received.push(new URLSearchParams(Buffer.concat(chunks).toString()));
    response.end();
  });
  await new Promise((resolve) => receiver.listen(0, "127.0.0.1", resolve));
  const backchannelLogoutUri = `http://127.0.0.1:${receiver.address().port}/logout`;
  const other = await startProvider({ ...settings, backchannelLogoutUri });
  try {
    const browser = new Browser();
    await signIn(browser, other, authorizationRequest(other, settings).url, alice);
    const html = await (await browser.fetch(`${other.issuer}/session/end`)).text();
    const body = new URLSearchParams({ xsrf: html.match(/name="xsrf" value="([^"]+)"/)[1], logout: "yes" });
    await browser.follow(`${other.issuer}/session/end/confirm`, other.issuer, { method: "POST", body });
    assert.equal(received.length, 1);
    const token = received[0].get("logout_token");
    assert.equal(decodeProtectedHeader(token).typ, "logout+jwt");
    assert.ok(decodeJwt(token).sid);
    assert.ok(other.events.some(({ event }) => event === "backchannel.success"));
  } finally {
    await other.close();
    receiver.close();
  }
});

test("with a certificate it speaks https, and says so in its metadata", async () => {
  const { pem, privateKey } = certificate("127.0.0.1");
  const tls = { key: privateKey.export({ type: "pkcs8", format: "pem" }), cert: pem };
  const secure = await startProvider({ ...settings, tls });
  try {
    assert.match(secure.issuer, /^https:/);
    const metadata = JSON.parse(await body(`${secure.issuer}/.well-known/openid-configuration`));
    assert.equal(metadata.issuer, secure.issuer);
    assert.ok(metadata.token_endpoint.startsWith(`${secure.issuer}/`));
  } finally {
    await secure.close();
  }
});

function body(url) {
  return new Promise((resolve, reject) => {
    // The certificate names nobody but itself.
    const sent = get(url, { rejectUnauthorized: false }, async (answer) => resolve((await answer.toArray()).join("")));
    sent.once("error", reject);
  });
}
