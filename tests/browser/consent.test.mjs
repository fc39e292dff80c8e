// An API that sign-in did not ask for: the end-user is asked when it is first called, and comes back.

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";

import { launchBrowser } from "./browser.mjs";
import { alice, answerOf, seesHeading, seesSignedIn, seesSignInPage, seesText } from "./person.mjs";
import { signIn, statusOf, typePassword } from "./person.mjs";
import { startStack } from "./stack.mjs";

const invoices = "Invoices API";
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

test("permission is asked for when an API is first called, and given once", async () => {
  await callInvoices(page);
  await followsNeed(page);
  assert.match(await page.locator("main").innerText(), /Invoices API\s+Read your invoices invoices\.read/);
  await page.getByRole("button", { name: "Allow" }).click();
  await seesSignedIn(page, home, alice);
  await seesInvoices(page);
  await page.getByRole("button", { name: "Call the Orders API" }).click();
  await seesText(statusOf(page), "200 OK");
});

test("incremental consent by navigation comes back to where it was", async () => {
  const address = `${stack.publicOrigin}/api/Invoices/invoices?year=2026`;
  await page.goto(address);
  await seesHeading(page, "Allow access?");
  await page.getByRole("button", { name: "Allow" }).click();
  await page.waitForURL(address);
  assert.match(await page.content(), /2026-001/);
});

async function callInvoices(at) {
  await at.getByRole("button", { name: "Call the Invoices API" }).click();
  await statusOf(at, invoices).getByText("no permission to see your invoices").waitFor();
}

async function followsNeed(at) {
  await at.getByRole("link", { name: "Give permission" }).click();
  await at.waitForURL(`${stack.op.issuer}/interaction/**`);
  await seesHeading(at, "Allow access?");
}

async function seesInvoices(at) {
  await at.getByRole("button", { name: "Call the Invoices API" }).click();
  await seesText(statusOf(at, invoices), "200 OK");
  assert.equal((await answerOf(at, invoices)).invoices[0].id, "2026-001");
}

test("step-up", async () => {
  await page.getByRole("button", { name: "Show payment details" }).click();
  await page.getByRole("link", { name: "Confirm that it is you" }).click();
  await seesHeading(page, "Confirm that it is you");
  await typePassword(page, alice);
  await seesSignedIn(page, home, alice);
  await page.getByRole("button", { name: "Show payment details" }).click();
  await seesText(statusOf(page), "200 OK");
});
