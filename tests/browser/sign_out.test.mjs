// A person signs out, and stays signed out.

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";

import { launchBrowser } from "./browser.mjs";
import { alice, seesHeading, seesSignedIn, seesSignedOut, seesSignInPage, seesText } from "./person.mjs";
import { signIn, signOut, statusOf, typePassword } from "./person.mjs";
import { startStack } from "./stack.mjs";

let stack;
let browser;
let context;
let page;
let home;
before(async () => {
  [stack, browser] = await Promise.all([startStack(), launchBrowser()]);
});
beforeEach(async () => {
  context = await browser.newContext();
  page = await context.newPage();
  home = `${stack.publicOrigin}/page/one`;
  await signIn(page, home, alice);
});
after(async () => {
  await browser?.close();
  await stack?.close();
});

test("after a sign-out the page asks for the password again", async () => {
  await signOut(page, stack);
  assert.deepEqual(await gatewayCookies(), []);
  await page.getByRole("link", { name: "Sign in again" }).click();
  await seesSignInPage(page, stack);
  await page.goto(home);
  await seesSignInPage(page, stack);
  await typePassword(page, alice);
  await seesSignedIn(page, home, alice);
});

test("the back button after a sign-out shows nothing of the user", async () => {
  await page.getByRole("button", { name: "Call the Orders API" }).click();
  await seesText(statusOf(page), "200 OK");
  await signOut(page, stack);
  for (let step = 0; step < 3; step += 1) {
    await page.goBack().catch(() => undefined);
    await page.waitForLoadState();
    assert.doesNotMatch(await page.content(), /Liddell|alice-5d0f|Teacup/);
  }
  await page.goto(home);
  await seesSignInPage(page, stack);
});

test("a tab that was left open finds that its user is signed out", async () => {
  const other = await context.newPage();
  await other.goto(home);
  await seesSignedIn(other, home, alice);
  await signOut(page, stack);
  await seesSignedOut(other);
  await other.getByRole("button", { name: "Call the Orders API" }).click();
  await seesText(statusOf(other), "401 Unauthorized");
  await other.getByRole("link", { name: "Sign in again" }).click();
  await seesSignInPage(other, stack);
});

test("a tab that was left open in another browser says so by itself", async () => {
  const other = await (await browser.newContext()).newPage();
  await signIn(other, home, alice);
  await other.getByRole("button", { name: "Call the Orders API" }).click();
  await seesText(statusOf(other), "200 OK");
  let loads = 0;
  other.on("load", () => (loads += 1));
  await signOut(page, stack);
  await seesSignedOut(other);
  assert.equal(loads, 0);
  assert.doesNotMatch(await other.content(), /Teacup/);
  await other.getByRole("link", { name: "Sign in again" }).click();
  await seesSignedIn(other, home, alice);
  await other.context().close();
});

test("who stays signed in at the OP is signed out of the application all the same", async () => {
  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  await page.getByRole("button", { name: "Stay signed in" }).click();
  await seesHeading(page, "You are signed out");
  assert.deepEqual(await gatewayCookies(), []);
  const signIns = stack.op.events.filter(({ event }) => event === "grant.success").length;
  await page.goto(home);
  await seesSignedIn(page, home, alice);
  assert.equal(stack.op.events.filter(({ event }) => event === "grant.success").length, signIns + 1);
});

test("the sign-out address, typed, asks first", async () => {
  await page.goto(`${stack.publicOrigin}/.auth/logout`);
  await seesHeading(page, "Sign out?");
  await page.goto(home);
  await seesSignedIn(page, home, alice);
  await page.goto(`${stack.publicOrigin}/.auth/logout`);
  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  await page.waitForURL(`${stack.op.issuer}/session/end?**`);
  assert.deepEqual((await gatewayCookies()).map(({ name }) => name), ["__Host-logout"]);
});

test("an answer to a sign-out that this browser did not start is an error page", async () => {
  await page.goto(`${stack.publicOrigin}/signout-callback-oidc?state=foreign`);
  await seesHeading(page, "Sign-out could not be confirmed");
  await page.getByRole("link", { name: "Start again" }).click();
  await seesSignedIn(page, `${stack.publicOrigin}/`, alice);
});

async function gatewayCookies() {
  return (await context.cookies()).filter(({ name }) => name.startsWith("__Host-"));
}
