// The browser gets a session cookie and nothing else: no token reaches it in any way. The one exception is a setting.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { launchBrowser } from "./browser.mjs";
import { allow, followsNeed, needsPermission, seesInvoices } from "./permission.mjs";
import { alice, seesHeading, seesSignedIn, seesText, signIn, signOut, statusOf, typePassword } from "./person.mjs";
import { placesOf, placesOfJwt, record } from "./recording.mjs";
import { startStack } from "./stack.mjs";

let browser;
let closed;
let withHint;
before(async () => {
  browser = await launchBrowser();
  closed = await visit({ OmitIdTokenHint: true });
  withHint = await visit({});
});
after(() => browser?.close());

/** One whole visit, recorded: sign-in, calls of the APIs, a permission, a confirmation, an error, sign-out. */
async function visit(provider) {
  const stack = await startStack({ provider });
  const context = await browser.newContext();
  try {
    const recording = record(context);
    const page = await context.newPage();
    const kept = await click(stack, context, page);
    const cookies = kept.cookies.map(({ name, value }) => ({ where: `cookie ${name}`, text: value }));
    const seen = [...(await recording.texts()), ...cookies, { where: "what scripts see", text: kept.scripts }];
    return { ...kept, seen, issued: stack.issued, issuer: stack.op.issuer };
  } finally {
    await context.close();
    await stack.close();
  }
}

async function click(stack, context, page) {
  await signIn(page, `${stack.publicOrigin}/page/one`, alice);
  await page.getByRole("button", { name: "Call the Orders API" }).click();
  await seesText(statusOf(page), "200 OK");
  await page.getByRole("button", { name: "Order a teapot" }).click();
  await seesText(statusOf(page), "201 Created");
  await needsPermission(page);
  await followsNeed(page, stack);
  await allow(page);
  await seesInvoices(page);
  await page.getByRole("button", { name: "Show payment details" }).click();
  await page.getByRole("link", { name: "Confirm that it is you" }).click();
  await typePassword(page, alice);
  await seesSignedIn(page, `${stack.publicOrigin}/page/one`, alice);
  await page.getByRole("button", { name: "Show payment details" }).click();
  await seesText(statusOf(page), "200 OK");
  const kept = { cookies: await context.cookies(), scripts: await page.evaluate(visibleToScripts) };
  await page.goto(`${stack.publicOrigin}/signin-oidc?code=x&state=y`);
  await seesHeading(page, "Sign-in could not be completed");
  await page.goto(`${stack.publicOrigin}/page/one`);
  await signOut(page, stack);
  return kept;
}

function visibleToScripts() {
  const stores = [document.cookie, { ...localStorage }, { ...sessionStorage }];
  return JSON.stringify([...stores, document.documentElement.outerHTML]);
}

test("the session cookie is __Host-session, HttpOnly, Secure, SameSite=Lax, for this host and all paths", () => {
  const cookies = closed.cookies.filter(({ domain }) => domain === "localhost");
  assert.deepEqual(cookies.map(({ name }) => name), ["__Host-session"]);
  const [{ httpOnly, secure, sameSite, path, value }] = cookies;
  assert.deepEqual({ httpOnly, secure, sameSite, path }, { httpOnly: true, secure: true, sameSite: "Lax", path: "/" });
  assert.ok(value.length <= 400, `${value.length} bytes`);
});

test("scripts see no cookie of the gateway, and nothing in any storage", () => {
  assert.deepEqual(JSON.parse(closed.scripts).slice(0, 3), ["", {}, {}]);
});

test("no token that the OP issued is in anything that the browser sent, received or kept", () => {
  const kinds = new Set(closed.issued.map(({ kind }) => kind));
  assert.deepEqual([...kinds].sort(), ["access_token", "id_token", "refresh_token"]);
  for (const { kind, token } of closed.issued) assert.deepEqual(placesOf(token, closed.seen).map(place), [], kind);
});

test("nothing that the browser sent, received or kept looks like a JWT", () => {
  assert.deepEqual(placesOfJwt(closed.seen).map(place), []);
});

// RP-Initiated Logout 1.0 §2 recommends the hint, and has only the browser to carry it.
test("without OmitIdTokenHint the ID token is in the OP's sign-out address, and no token is anywhere else", () => {
  const seen = withHint.issued.filter(({ token }) => placesOf(token, withHint.seen).length > 0);
  assert.deepEqual(seen.map(({ kind }) => kind), ["id_token"]);
  const start = `${withHint.issuer}/session/end?`;
  assert.deepEqual(placesOfJwt(withHint.seen).filter(({ text }) => !text.startsWith(start)).map(place), []);
});

test("the recording would have seen a token: it holds the code, the page and the API's answer", () => {
  const holds = (text) => closed.seen.some((entry) => entry.text.includes(text));
  const expected = ["/signin-oidc?code=", "Alice Liddell", '"Teapot"', "ends in 4242", "__Host-session="];
  assert.deepEqual(expected.filter((text) => !holds(text)), []);
});

function place({ where, text }) {
  return `${where}: ${text.slice(0, 80)}`;
}
