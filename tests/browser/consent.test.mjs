// An API that sign-in did not ask for: the end-user is asked when it is first called, and comes back.

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";

import { launchBrowser } from "./browser.mjs";
import { allow, followsNeed, needsPermission, seesInvoices } from "./permission.mjs";
import { alice, bob, seesHeading, seesSignedIn, seesSignInPage, seesText } from "./person.mjs";
import { signIn, statusOf, typePassword } from "./person.mjs";
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
  home = `${stack.publicOrigin}/page/two?tab=details`;
  await signIn(page, home, alice);
});
after(async () => {
  await browser?.close();
  await stack?.close();
});

test("permission is asked for when an API is first called, for that API only, and once", async () => {
  await needsPermission(page);
  await followsNeed(page, stack);
  const asked = await page.locator("dl").innerText();
  assert.match(asked, /^Invoices API\s+Read your invoices \(invoices\.read\)$/);
  await allow(page);
  await seesSignedIn(page, home, alice);
  await seesInvoices(page);
  await page.getByRole("button", { name: "Call the Orders API" }).click();
  await seesText(statusOf(page), "200 OK");
  await page.reload();
  await seesInvoices(page);
});

test("nothing but the API's name, its scopes and an address goes to the page that has no permission", async () => {
  const refused = page.waitForResponse(`${stack.publicOrigin}/api/Invoices/invoices`);
  await needsPermission(page);
  const response = await refused;
  assert.equal(response.status(), 401);
  const { trace: _, login_url: loginUrl, ...problem } = await response.json();
  assert.deepEqual(problem, {
    type: "urn:vestibule:problem:interaction_required",
    title: "Another sign-in is needed",
    status: 401,
    code: "interaction_required",
    api: "Invoices",
    scopes: ["invoices.read"],
  });
  const address = new URL(loginUrl);
  assert.equal(address.origin + address.pathname, `${stack.publicOrigin}/.auth/login`);
  assert.deepEqual([...address.searchParams.keys()], ["return_to", "request"]);
  assert.equal(address.searchParams.get("return_to"), "/page/two?tab=details");
});

test("who denies gets a page that explains it, stays signed in, and can think again", async () => {
  await needsPermission(page);
  await followsNeed(page, stack);
  await page.getByRole("button", { name: "Deny" }).click();
  await seesHeading(page, "Sign-in was declined");
  await page.getByRole("link", { name: "Start again" }).click();
  await seesSignedIn(page, home, alice);
  await page.getByRole("button", { name: "Call the Orders API" }).click();
  await seesText(statusOf(page), "200 OK");
  await needsPermission(page);
  await followsNeed(page, stack);
  await allow(page);
  await seesSignedIn(page, home, alice);
  await seesInvoices(page);
});

test("what one tab was allowed another tab may do", async () => {
  const other = await context.newPage();
  await other.goto(home);
  for (const tab of [page, other]) await needsPermission(tab);
  await followsNeed(page, stack);
  await allow(page);
  await seesSignedIn(page, home, alice);
  await seesInvoices(other);
});

test("two tabs that ask at once both come back, and both work", async () => {
  const other = await context.newPage();
  await other.goto(`${stack.publicOrigin}/page/one`);
  for (const tab of [page, other]) await needsPermission(tab);
  for (const tab of [page, other]) await followsNeed(tab, stack);
  await allow(other);
  await seesSignedIn(other, `${stack.publicOrigin}/page/one`, alice);
  await allow(page);
  await seesSignedIn(page, home, alice);
  for (const tab of [page, other]) await seesInvoices(tab);
});

test("an API's address, opened in a tab of its own, comes back to what was asked for", async () => {
  const address = `${stack.publicOrigin}/api/Invoices/invoices?year=2026`;
  await page.goto(address);
  await seesHeading(page, "Allow access?");
  await allow(page);
  await page.waitForURL(address);
  await page.getByText("2026-001").waitFor();
  assert.equal(stack.invoicesApi.requests.at(-1).url, "/invoices?year=2026");
  await page.goBack();
  assert.doesNotMatch(page.url(), /signin-oidc/);
});

test("an API's address that somebody opens who is not signed in leads there through both questions", async () => {
  const stranger = await (await browser.newContext()).newPage();
  const address = `${stack.publicOrigin}/api/Invoices/invoices`;
  await stranger.goto(address);
  await seesSignInPage(stranger, stack);
  await typePassword(stranger, alice);
  await seesHeading(stranger, "Allow access?");
  await allow(stranger);
  await stranger.waitForURL(address);
  await stranger.getByText("2026-001").waitFor();
});

test("another account that comes back changes nothing, and may be chosen then", async () => {
  await needsPermission(page);
  await context.clearCookies({ domain: "127.0.0.1" });
  await page.getByRole("link", { name: "Give permission" }).click();
  await seesSignInPage(page, stack);
  await typePassword(page, bob);
  await allow(page);
  await seesHeading(page, "This is another account");
  const other = await context.newPage();
  await other.goto(home);
  await seesSignedIn(other, home, alice);
  await page.getByRole("link", { name: "Try again with another account" }).click();
  await seesSignInPage(page, stack);
  await typePassword(page, bob);
  await seesSignedIn(page, `${stack.publicOrigin}/`, bob);
  // Bob has given permission at the OP, which does not ask twice.
  await needsPermission(page);
  const back = page.waitForResponse((response) => response.url().includes("/signin-oidc?"));
  await page.getByRole("link", { name: "Give permission" }).click();
  await back;
  await seesSignedIn(page, `${stack.publicOrigin}/`, bob);
  await seesInvoices(page);
});

test("a sign-in address that was changed is a page that explains it", async () => {
  await needsPermission(page);
  const address = new URL(await page.getByRole("link", { name: "Give permission" }).getAttribute("href"));
  const request = address.searchParams.get("request");
  for (const changed of [`A${request}`, request.slice(1), request.toUpperCase(), ""]) {
    address.searchParams.set("request", changed);
    await page.goto(address.href);
    await seesHeading(page, "This sign-in link is no longer valid");
  }
  await page.getByRole("link", { name: "Start again" }).click();
  await seesSignedIn(page, `${stack.publicOrigin}/`, alice);
});

test("a sign-in address is for nobody else: whoever follows it comes back as another account", async () => {
  await needsPermission(page);
  const address = await page.getByRole("link", { name: "Give permission" }).getAttribute("href");
  const others = await (await browser.newContext()).newPage();
  await signIn(others, home, bob);
  await others.goto(address);
  await allow(others);
  await seesHeading(others, "This is another account");
});
