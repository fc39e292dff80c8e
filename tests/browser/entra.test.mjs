// The demo at the stand-in for the Microsoft identity platform, in a real Chromium: its pages, and its sign-out by hidden frames.

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";

import { ada, grace, startEntraWorld } from "../edge/entra-world.mjs";
import { launchBrowser } from "./browser.mjs";
import { seesHeading, seesSignedOut } from "./person.mjs";

let world;
let browser;
let context;
let page;
let home;
before(async () => {
  [world, browser] = await Promise.all([
    startEntraWorld({ isInstrumented: false, vars: { Session: { RevocationDelay: 0 } } }),
    launchBrowser(),
  ]);
  home = `${world.publicOrigin}/page/one`;
});
beforeEach(async () => {
  context = await browser.newContext();
  page = await context.newPage();
});
afterEach(() => context.close());
after(async () => {
  await browser?.close();
  await world?.close();
});

async function typesPassword(tab, { username, password }) {
  await seesHeading(tab, "Sign in");
  await tab.getByLabel("Email or user name").fill(username);
  await tab.getByLabel("Password").fill(password);
  await tab.getByRole("button", { name: "Sign in", exact: true }).click();
}

async function signsIn(tab, user) {
  await tab.goto(home);
  await typesPassword(tab, user);
  await seesSignedIn(tab, user);
}

async function seesSignedIn(tab, user) {
  await tab.waitForURL(home);
  await tab.locator("#account", { hasText: user.name }).waitFor();
}

test("the page calls Microsoft Graph, and shows payment details after a second factor", async () => {
  await signsIn(page, ada);
  await page.getByRole("button", { name: "Who am I?" }).click();
  await page.getByLabel("Answer of Microsoft Graph").filter({ hasText: ada.oid }).waitFor();
  await page.getByRole("button", { name: "Show payment details" }).click();
  await page.getByRole("link", { name: "Confirm that it is you" }).click();
  await seesHeading(page, "Approve the sign-in request");
  await page.getByRole("button", { name: "Approve" }).click();
  await seesSignedIn(page, ada);
  await page.getByRole("button", { name: "Show payment details" }).click();
  await page.getByLabel("Answer of the Orders API").filter({ hasText: "ends in 4242" }).waitFor();
});

test("signing out goes by the platform, which shows our frame, and comes back", async () => {
  await signsIn(page, grace);
  const framed = page.waitForResponse(`${world.publicOrigin}/signout-oidc?**`);
  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  assert.equal((await framed).status(), 200);
  await page.waitForURL(`${world.publicOrigin}/signout-callback-oidc?**`);
  await page.goto(home);
  await seesHeading(page, "Sign in");
});

test("signing out at the platform is heard of in every tab of the browser", async () => {
  await signsIn(page, ada);
  const atEntra = await context.newPage();
  await atEntra.goto(`${world.entra.instance}common/oauth2/v2.0/logout`);
  await seesHeading(atEntra, "You signed out");
  assert.equal(atEntra.frames().at(-1).url().startsWith(`${world.publicOrigin}/signout-oidc?sid=`), true);
  await seesSignedOut(page);
});
