// A person who is signed in with several browsers sees all of them, and ends what is not wanted any more.

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";

import { launchBrowser } from "./browser.mjs";
import { alice, bob, seesHeading, seesSignedIn, seesSignedOut, seesSignInPage, signIn } from "./person.mjs";
import { startStack } from "./stack.mjs";

let stack;
let browser;
let home;
let here;
let there;
before(async () => {
  [stack, browser] = await Promise.all([startStack(), launchBrowser()]);
  home = `${stack.publicOrigin}/page/one`;
});
beforeEach(async () => {
  here = await person();
  await here.evaluate(endOthers);
  there = await person({ userAgent: "Mozilla/5.0 (iPhone) Safari/605.1" });
});
afterEach(async () => {
  for (const page of [here, there]) await page.context().close();
});
after(async () => {
  await browser?.close();
  await stack?.close();
});

async function person(options, account = alice) {
  const page = await (await browser.newContext(options)).newPage();
  await signIn(page, home, account);
  return page;
}

// What the test before left.
async function endOthers() {
  const { sessions } = await (await fetch("/.auth/sessions")).json();
  for (const { current, url } of sessions) if (!current) await fetch(url, { method: "DELETE" });
}

async function seesOwnSessions(page) {
  await page.goto(`${stack.publicOrigin}/.auth/sessions`);
  await seesHeading(page, "Your sessions");
  return page.getByRole("listitem").allInnerTexts();
}

test("the list has each browser with its time, this one first and marked, and nobody else's", async () => {
  const other = await person({}, bob);
  const rows = await seesOwnSessions(here);
  assert.equal(rows.length, 2, rows.join("\n"));
  assert.match(rows[0], /^Chrome on Linux \(this browser\)\s+since \d{4}-\d\d-\d\d \d\d:\d\d UTC\s+Sign out$/);
  assert.match(rows[1], /^Safari on iPhone\s+since \d{4}-\d\d-\d\d \d\d:\d\d UTC\s+Sign out$/);
  const nameOf = (button) => button.evaluate(({ ariaLabel, textContent }) => ariaLabel ?? textContent);
  const names = await Promise.all((await here.getByRole("button").all()).map(nameOf));
  assert.equal(new Set(names).size, 3, names.join("\n"));
  await other.context().close();
});

test("ending the other session signs that browser out, whose open page says so, and this one stays", async () => {
  await seesOwnSessions(here);
  await here.getByRole("button", { name: /^Sign out Safari on iPhone/ }).click();
  await here.waitForURL(`${stack.publicOrigin}/.auth/sessions`);
  await here.getByText("Safari on iPhone").waitFor({ state: "detached" });
  await seesSignedOut(there);
  assert.deepEqual((await seesOwnSessions(here)).map((row) => row.split(" (")[0]), ["Chrome on Linux"]);
  await here.goto(home);
  await seesSignedIn(here, home, alice);
});

test("ending one's own session leads through the OP's sign-out, and the other browser stays signed in", async () => {
  await seesOwnSessions(here);
  await here.getByRole("button", { name: /^Sign out Chrome on Linux/ }).click();
  await here.waitForURL(`${stack.op.issuer}/session/end?**`);
  await here.goto(`${stack.publicOrigin}/signout-callback-oidc?state=none`);
  await there.reload();
  await seesSignedIn(there, home, alice);
});

test("signing out everywhere signs out everywhere", async () => {
  await seesOwnSessions(here);
  await here.getByRole("button", { name: "Sign out everywhere" }).click();
  await here.waitForURL(`${stack.op.issuer}/session/end?**`);
  await seesSignedOut(there);
  await here.getByRole("button", { name: "Sign out", exact: true }).click();
  await seesHeading(here, "You are signed out");
  await here.goto(home);
  await seesSignInPage(here, stack);
});

test("the page of the application shows the same list, ends a session in place, and signs out everywhere", async () => {
  const list = here.getByRole("region", { name: "Where you are signed in" });
  await here.reload();
  await list.getByRole("listitem").nth(1).waitFor();
  const devices = (await list.getByRole("listitem").allInnerTexts()).map((row) => /^(.*), since /.exec(row)?.[1]);
  assert.deepEqual(devices, ["Chrome on Linux (this browser)", "Safari on iPhone"]);
  await list.getByRole("button", { name: /^End Safari on iPhone/ }).click();
  await list.getByText("Safari on iPhone").waitFor({ state: "detached" });
  await seesSignedOut(there);
  await seesSignedIn(here, home, alice);
  await list.getByRole("button", { name: "Sign out everywhere" }).click();
  await here.waitForURL(`${stack.op.issuer}/session/end?**`);
});

test("the page of the application ends its own session in place, too, and can sign in again", async () => {
  const list = here.getByRole("region", { name: "Where you are signed in" });
  await list.getByRole("button", { name: /^End Chrome on Linux/ }).click();
  await seesSignedOut(here);
  await here.getByRole("link", { name: "Sign in again" }).click();
  // The OP still knows the person.
  await seesSignedIn(here, home, alice);
  await there.reload();
  await seesSignedIn(there, home, alice);
});
