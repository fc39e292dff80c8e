// An API that wants more than a token: the end-user confirms who they are, once, and not for ever in vain.

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";

import { confirmed } from "../../demo/settings.mjs";
import { launchBrowser } from "./browser.mjs";
import { neverContent } from "./permission.mjs";
import { alice, answerOf, seesHeading, seesSignedIn, seesText, signIn, statusOf, typePassword } from "./person.mjs";
import { startStack } from "./stack.mjs";

let stack;
let browser;
let page;
let home;
before(async () => {
  [stack, browser] = await Promise.all([startStack(), launchBrowser()]);
});
beforeEach(async () => {
  page = await (await browser.newContext()).newPage();
  home = `${stack.publicOrigin}/page/two?tab=details`;
  await signIn(page, home, alice);
});
after(async () => {
  await browser?.close();
  await stack?.close();
});

test("payment details are shown after the password was typed again, which no refresh can stand for", async () => {
  const before = stack.op.events.length;
  const calls = stack.api.requests.length;
  await needsConfirmation();
  const grants = stack.op.events.slice(before).filter(({ event }) => event === "grant.success");
  assert.deepEqual(grants.map(({ grantType }) => grantType), ["refresh_token"]);
  assert.deepEqual(stack.api.requests.slice(calls).map(({ claims }) => claims.acr), [undefined, undefined]);
  await confirms();
  await seesSignedIn(page, home, alice);
  await page.getByRole("button", { name: "Show payment details" }).click();
  await seesText(statusOf(page), "200 OK");
  assert.deepEqual(await answerOf(page), { method: "card", number: "ends in 4242" });
  assert.equal(stack.api.requests.at(-1).claims.acr, confirmed);
});

test("who does not confirm gets a page, and everything else goes on working", async () => {
  await needsConfirmation();
  await page.getByRole("link", { name: "Confirm that it is you" }).click();
  await page.getByRole("button", { name: "Cancel" }).click();
  await seesHeading(page, "Sign-in was declined");
  await page.goto(home);
  await page.getByRole("button", { name: "Call the Orders API" }).click();
  await seesText(statusOf(page), "200 OK");
});

test("an API that is never content does not send people round and round", async () => {
  stack.api.intercept = neverContent;
  try {
    await needsConfirmation();
    await confirms();
    await seesSignedIn(page, home, alice);
    await needsConfirmation();
    // The OP knows already: it sends the browser back without a word.
    const back = page.waitForResponse((response) => response.url().includes("/signin-oidc?"));
    await page.getByRole("link", { name: "Confirm that it is you" }).click();
    await back;
    await seesSignedIn(page, home, alice);
    await page.getByRole("button", { name: "Show payment details" }).click();
    await seesText(statusOf(page), "403 Forbidden: This still does not work");
    await page.goto(`${stack.publicOrigin}/api/Orders/payment`);
    await seesHeading(page, "This still does not work");
  } finally {
    stack.api.intercept = undefined;
  }
  await page.goto(home);
  await page.getByRole("button", { name: "Call the Orders API" }).click();
  await seesText(statusOf(page), "200 OK");
});

async function needsConfirmation() {
  await page.getByRole("button", { name: "Show payment details" }).click();
  await statusOf(page).getByText("please confirm that it is you").waitFor();
}

async function confirms() {
  await page.getByRole("link", { name: "Confirm that it is you" }).click();
  await seesHeading(page, "Confirm that it is you");
  assert.equal(await page.getByLabel("Name").inputValue(), "alice");
  await typePassword(page, alice);
}
