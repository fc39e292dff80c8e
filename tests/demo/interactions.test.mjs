// The demo's OP asks before it grants what asksConsent, and says in the access token whether the password was typed for
// it.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { decodeJwt } from "jose";

import { accounts } from "../../demo/accounts.mjs";
import { startProvider } from "../../demo/provider.mjs";
import { confirmed } from "../../demo/settings.mjs";
import { authorizationRequest, Browser, redeem, signIn, tokenRequest } from "./relying-party.mjs";

const orders = "https://orders.example/";
const invoices = "https://invoices.example/";
const [alice] = accounts;
const settings = {
  clientId: "<i>client</i>",
  clientSecret: "secret",
  redirectUris: ["http://localhost:1/signin-oidc"],
  resources: [
    { name: "Orders API", resource: orders, scopes: "orders.read orders.write" },
    {
      name: "Invoices <API>",
      resource: invoices,
      scopes: "invoices.read invoices.pay",
      asksConsent: true,
      meanings: { "invoices.read": "Read & see" },
    },
  ],
};
const forBoth = { resource: [orders, invoices], scope: "openid offline_access orders.read invoices.read" };
const stepUp = JSON.stringify({ id_token: { acr: { essential: true, values: [confirmed] } } });

let op;
before(async () => {
  op = await startProvider(settings);
});
after(() => op.close());

async function signedIn() {
  const browser = new Browser();
  const { url, verifier } = authorizationRequest(op, settings, { resource: orders, scope: "openid orders.read" });
  const callback = await signIn(browser, op, url, alice);
  const { body } = await redeem(op, settings, callback, verifier, { resource: orders });
  return { browser, tokens: body };
}

const answer = (browser, shown, form) =>
  browser.follow(shown.at, op.issuer, { method: "POST", body: new URLSearchParams(form) });

test("consent is asked for on a page that names client, API and the scopes that are missing, all escaped", async () => {
  const { browser } = await signedIn();
  const shown = await browser.follow(authorizationRequest(op, settings, forBoth).url, op.issuer);
  const html = await shown.response.text();
  assert.match(html, /<strong>&lt;i&gt;client&lt;\/i&gt;<\/strong>/);
  const rows = [...html.matchAll(/<dt>(.*)<\/dt><dd>(.*)<\/dd>/g)].map(([, api, scope]) => [api, scope]);
  assert.deepEqual(rows, [["Invoices &lt;API&gt;", "Read &amp; see (<code>invoices.read</code>)"]]);
});

test("what was allowed is granted, once for all and no more than that", async () => {
  const { browser } = await signedIn();
  const { url, verifier } = authorizationRequest(op, settings, forBoth);
  const { left } = await answer(browser, await browser.follow(url, op.issuer), {});
  const { body } = await redeem(op, settings, left, verifier, { resource: invoices });
  assert.equal(body.scope, "invoices.read");
  const again = authorizationRequest(op, settings, { ...forBoth, prompt: "none" });
  assert.ok((await browser.follow(again.url, op.issuer)).left.searchParams.get("code"));
  const more = authorizationRequest(op, settings, { ...forBoth, scope: `${forBoth.scope} invoices.pay` });
  const shown = await browser.follow(more.url, op.issuer);
  assert.match(await shown.response.text(), /<dd>Use it for you \(<code>invoices\.pay<\/code>\)<\/dd>\s*<\/dl>/);
});

test("what was denied is access_denied, and is asked for again", async () => {
  const { browser } = await signedIn();
  for (let time = 0; time < 2; time += 1) {
    const { url } = authorizationRequest(op, settings, forBoth);
    const { left } = await answer(browser, await browser.follow(url, op.issuer), { cancel: "yes" });
    assert.equal(left.searchParams.get("error"), "access_denied");
  }
});

test("a first sign-in that asks for it shows both pages, and prompt=none is consent_required without", async () => {
  const browser = new Browser();
  const { url } = authorizationRequest(op, settings, forBoth);
  const consent = await answer(browser, await browser.follow(url, op.issuer), alice);
  assert.match(await consent.response.text(), /Allow access\?/);
  const silent = authorizationRequest(op, settings, { ...forBoth, prompt: "none" });
  const { left } = await browser.follow(silent.url, op.issuer);
  assert.equal(left.searchParams.get("error"), "consent_required");
  assert.ok((await answer(browser, consent, {})).left.searchParams.get("code"));
});

test("an essential acr asks for the password again; the access token says so then, a refreshed one too", async () => {
  const { browser, tokens } = await signedIn();
  assert.equal(decodeJwt(tokens.access_token).acr, undefined);
  const parameters = { resource: orders, scope: "openid offline_access orders.read", claims: stepUp };
  const { url, verifier } = authorizationRequest(op, settings, parameters);
  const shown = await browser.follow(url, op.issuer);
  assert.match(await shown.response.text(), /<h1>Confirm that it is you<\/h1>/);
  const { left } = await answer(browser, shown, alice);
  const { body } = await redeem(op, settings, left, verifier, { resource: orders });
  assert.equal(decodeJwt(body.access_token).acr, confirmed);
  const form = { grant_type: "refresh_token", refresh_token: body.refresh_token, resource: orders };
  const refreshed = await tokenRequest(op, settings, form);
  assert.equal(decodeJwt(refreshed.body.access_token).acr, confirmed);
});

test("a refresh that carries the claims brings no acr", async () => {
  const browser = new Browser();
  const { url, verifier } = authorizationRequest(op, settings, { resource: orders });
  const { body } = await redeem(op, settings, await signIn(browser, op, url, alice), verifier, { resource: orders });
  const form = { grant_type: "refresh_token", refresh_token: body.refresh_token, resource: orders, claims: stepUp };
  const refreshed = await tokenRequest(op, settings, form);
  assert.equal(refreshed.status, 200);
  assert.equal(decodeJwt(refreshed.body.access_token).acr, undefined);
});

test("a first sign-in that asks for the acr gets it with the one password", async () => {
  const { url, verifier } = authorizationRequest(op, settings, { resource: orders, claims: stepUp });
  const callback = await signIn(new Browser(), op, url, alice);
  const { body } = await redeem(op, settings, callback, verifier, { resource: orders });
  assert.equal(decodeJwt(body.access_token).acr, confirmed);
});
