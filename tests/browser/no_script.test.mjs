// Signing in and out needs no JavaScript.

import { after, before, test } from "node:test";

import { launchBrowser } from "./browser.mjs";
import { alice, seesHeading, seesSignInPage, signOut, typePassword } from "./person.mjs";
import { startStack } from "./stack.mjs";

let stack;
let browser;
before(async () => {
  [stack, browser] = await Promise.all([startStack(), launchBrowser()]);
});
after(async () => {
  await browser?.close();
  await stack?.close();
});

test("without JavaScript a person signs in, lands on the page asked for, and signs out", async () => {
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  const wanted = `${stack.publicOrigin}/page/two?tab=details`;
  await page.goto(wanted);
  await seesSignInPage(page, stack);
  await typePassword(page, alice);
  await page.waitForURL(wanted);
  await seesHeading(page, "Vestibule demo");
  await signOut(page, stack);
  await page.goto(wanted);
  await seesSignInPage(page, stack);
});
