// What a person sees: a picture of every page in test-results/, and the rules that a program can check.

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { after, before, test } from "node:test";

import { inProject } from "../../scripts/project.mjs";
import { launchBrowser } from "./browser.mjs";
import { faultsOfContrast, faultsOfStructure } from "./look.mjs";
import { alice, seesHeading, seesSignedIn, seesSignInPage, seesText, statusOf, typePassword } from "./person.mjs";
import { startStack } from "./stack.mjs";

const pictures = inProject("test-results");
let stack;
let browser;
before(async () => {
  mkdirSync(pictures, { recursive: true });
  [stack, browser] = await Promise.all([startStack(), launchBrowser()]);
});
after(async () => {
  await browser?.close();
  await stack?.close();
});

for (const width of [1280, 360]) {
  for (const colorScheme of ["light", "dark"]) {
    test(`every page is readable and operable at ${width} px in ${colorScheme} colours`, async () => {
      const context = await browser.newContext({ colorScheme, viewport: { width, height: 720 } });
      const page = await context.newPage();
      await visit(page, (name) => look(page, `${name}-${width}-${colorScheme}`));
      await context.close();
    });
  }
}

test("a page that breaks the rules would be found out", async () => {
  const page = await browser.newPage();
  await page.setContent(`<h1>One</h1><h3 style="color: #888">Three</h3><input><pre style="width: 3000px">wide</pre>`);
  const found = (await faults(page)).join("\n");
  for (const fault of ["no language", "no title", "main landmark", "levels 1,3", "px wide", "no label", "small"]) {
    assert.ok(found.includes(fault), fault);
  }
  assert.match(found, /h3 "Three": contrast 3\.5/);
});

async function look(page, name) {
  await page.screenshot({ path: `${pictures}/${name}.png`, fullPage: true });
  assert.deepEqual(await faults(page), [], name);
}

async function faults(page) {
  return [...(await page.evaluate(faultsOfStructure)), ...(await page.evaluate(faultsOfContrast))];
}

async function visit(page, see) {
  await visitSignedOut(page, see);
  await visitSignedIn(page, see);
  await page.getByRole("button", { name: "Sign out" }).click();
  await seesHeading(page, "Sign out");
  await see("7-sign-out-at-the-provider");
  await page.getByRole("button", { name: "Sign out" }).click();
  await seesHeading(page, "You are signed out");
  await see("8-signed-out");
}

async function visitSignedOut(page, see) {
  await page.goto(`${stack.publicOrigin}/page/two?tab=details`);
  await seesSignInPage(page, stack);
  await see("1-sign-in");
  await typePassword(page, { ...alice, password: "wrong" });
  await page.getByRole("alert").waitFor();
  await see("2-wrong-password");
  await page.getByRole("button", { name: "Cancel" }).click();
  await seesHeading(page, "Sign-in was declined");
  await see("3-error");
}

async function visitSignedIn(page, see) {
  await page.goto(`${stack.publicOrigin}/page/two?tab=details`);
  await typePassword(page, alice);
  await seesSignedIn(page, `${stack.publicOrigin}/page/two?tab=details`, alice);
  await see("4-signed-in");
  await page.getByRole("button", { name: "Call the Orders API" }).click();
  await seesText(statusOf(page), "200 OK");
  await page.locator("summary").click();
  await page.locator("summary").focus();
  await see("5-api-answer");
  await page.goto(`${stack.publicOrigin}/.auth/logout`);
  await seesHeading(page, "Sign out?");
  await page.keyboard.press("Tab");
  await see("6-sign-out-question");
  await page.goBack();
  await seesText(page.locator("#account"), alice.claims.name);
}
