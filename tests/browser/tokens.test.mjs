// The browser gets a session cookie and nothing else: no token reaches it in any way.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { launchBrowser } from "./browser.mjs";
import { alice, seesHeading, seesText, signIn, signOut } from "./person.mjs";
import { placesOf, placesOfJwt, record } from "./recording.mjs";
import { startStack } from "./stack.mjs";

let stack;
let browser;
let context;
let page;
let storage;
let texts;

// One whole visit, recorded: sign-in, two calls of the API, an error, sign-out.
before(async () => {
  [stack, browser] = await Promise.all([startStack(), launchBrowser()]);
  context = await browser.newContext();
  const recording = record(context);
  page = await context.newPage();
  await signIn(page, `${stack.publicOrigin}/page/one`, alice);
  await page.getByRole("button", { name: "Call the Orders API" }).click();
  await seesText(page.getByRole("status"), "200 OK");
  await page.getByRole("button", { name: "Order a teapot" }).click();
  await seesText(page.getByRole("status"), "201 Created");
  storage = { cookies: await context.cookies(), script: await page.evaluate(visibleToScripts) };
  await page.goto(`${stack.publicOrigin}/signin-oidc?code=x&state=y`);
  await seesHeading(page, "Sign-in could not be completed");
  await page.goto(`${stack.publicOrigin}/page/one`);
  await signOut(page, stack);
  texts = await recording.texts();
});
after(async () => {
  await browser?.close();
  await stack?.close();
});

function visibleToScripts() {
  return JSON.stringify([document.cookie, { ...localStorage }, { ...sessionStorage }, document.documentElement.outerHTML]);
}

test("the session cookie is __Host-session, HttpOnly, Secure, SameSite=Lax, for this host and all paths", () => {
  const cookies = storage.cookies.filter(({ domain }) => domain === "localhost");
  assert.deepEqual(cookies.map(({ name }) => name), ["__Host-session"]);
  const [{ httpOnly, secure, sameSite, path, value }] = cookies;
  assert.deepEqual({ httpOnly, secure, sameSite, path }, { httpOnly: true, secure: true, sameSite: "Lax", path: "/" });
  assert.ok(value.length <= 400, `${value.length} bytes`);
});

test("scripts see no cookie of the gateway, and nothing in any storage", () => {
  const [cookie, local, session] = JSON.parse(storage.script);
  assert.deepEqual([cookie, local, session], ["", {}, {}]);
});

test("no token that the OP issued is in anything that the browser sent, received or kept", () => {
  const kinds = new Set(stack.issued.map(({ kind }) => kind));
  assert.deepEqual([...kinds].sort(), ["access_token", "id_token", "refresh_token"]);
  for (const { kind, token } of stack.issued) assert.deepEqual(placesOf(token, everything()).map(place), [], kind);
});

test("nothing that the browser sent, received or kept looks like a JWT", () => {
  assert.deepEqual(placesOfJwt(everything()).map(place), []);
});

test("the recording would have seen a token: it holds the code, the page and the API's answer", () => {
  const holds = (text) => texts.some((entry) => entry.text.includes(text));
  for (const text of ["/signin-oidc?code=", "Alice Liddell", '"Teapot"', "__Host-session="]) assert.ok(holds(text), text);
});

function everything() {
  const cookies = storage.cookies.map(({ name, value }) => ({ where: `cookie ${name}`, text: value }));
  return [...texts, ...cookies, { where: "what scripts see", text: storage.script }];
}

function place({ where, text }) {
  return `${where}: ${text.slice(0, 80)}`;
}
