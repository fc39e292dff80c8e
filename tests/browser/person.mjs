// What a person does, in the words on the screen.

import assert from "node:assert/strict";

import { accounts } from "../../demo/accounts.mjs";

export const [alice, bob] = accounts;

export async function typePassword(page, { username, password }) {
  await page.getByLabel("Name").fill(username);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
}

/** Opens a page behind the gateway and signs in on the way; ends where the page has asked who is signed in. */
export async function signIn(page, url, account) {
  await page.goto(url);
  await typePassword(page, account);
  await seesSignedIn(page, url, account);
}

export async function seesSignedIn(page, url, account) {
  await page.waitForURL(url);
  await seesText(page.locator("#account"), account.claims.name);
}

export async function signOut(page, { publicOrigin, op }) {
  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  await page.waitForURL(`${op.issuer}/session/end?**`);
  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  await page.waitForURL(`${publicOrigin}/signout-callback-oidc?**`);
  await seesHeading(page, "You are signed out");
}

/** The page says by itself that its session has ended, and shows nothing of its user any more. */
export async function seesSignedOut(page) {
  await seesText(page.locator("#account"), "You were signed out. Sign in again");
  assert.deepEqual(await page.getByRole("button", { name: /sign out/i }).all(), []);
  assert.doesNotMatch(await page.content(), /Liddell|Østergård|alice-5d0f|bob-91ce/);
}

export async function seesSignInPage(page, { op }) {
  await page.waitForURL(`${op.issuer}/interaction/**`);
  await seesHeading(page, "Sign in");
}

/** What a section of the demo's page says about the last call, and what the API answered. */
export function statusOf(page, api = "Orders API") {
  return page.getByRole("region", { name: api }).getByRole("status");
}

export async function answerOf(page, api = "Orders API") {
  return JSON.parse(await page.getByLabel(`Answer of the ${api}`).textContent());
}

export function seesHeading(page, text) {
  return page.getByRole("heading", { level: 1, name: text, exact: true }).waitFor();
}

/** Waits until an element says exactly this. */
export async function seesText(locator, text) {
  await locator.filter({ hasText: new RegExp(`^${RegExp.escape(text)}$`) }).waitFor();
  assert.equal((await locator.textContent()).trim(), text);
}
