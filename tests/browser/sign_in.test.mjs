// A person opens a page, signs in at the OP and uses the application.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { launchBrowser } from "./browser.mjs";
import { alice, answerOf, bob, seesHeading, seesSignedIn, seesSignInPage, seesText } from "./person.mjs";
import { signIn, statusOf, typePassword } from "./person.mjs";
import { startStack } from "./stack.mjs";

let stack;
let browser;
let context;
before(async () => {
  [stack, browser] = await Promise.all([startStack(), launchBrowser()]);
});
after(async () => {
  await browser?.close();
  await stack?.close();
});

async function freshPage() {
  context = await browser.newContext();
  return context.newPage();
}

test("a wrong password is refused, the right one leads to the page that was asked for", async () => {
  const page = await freshPage();
  const wanted = `${stack.publicOrigin}/page/two?tab=details&q=%22%3Cb%3E`;
  await page.goto(wanted);
  await seesSignInPage(page, stack);
  await typePassword(page, { ...alice, password: "wrong" });
  await page.getByRole("alert").waitFor();
  assert.equal(await page.getByLabel("Name").inputValue(), "alice");
  await typePassword(page, alice);
  await seesSignedIn(page, wanted, alice);
  assert.equal(await page.locator("#path").textContent(), "/page/two?tab=details&q=%22%3Cb%3E");
  await page.locator("#claims").getByText("alice", { exact: true }).waitFor();
});

test("the page reads and posts orders without ever asking for a token", async () => {
  const page = await freshPage();
  await signIn(page, `${stack.publicOrigin}/`, alice);
  await page.getByRole("button", { name: "Call the Orders API" }).click();
  await seesText(statusOf(page), "200 OK");
  assert.equal((await answerOf(page)).orders[0].item, "Tea");
  await page.getByRole("button", { name: "Order a teapot" }).click();
  await seesText(statusOf(page), "201 Created");
  const order = await answerOf(page);
  assert.deepEqual([order.item, order.orderedBy], ["Teapot", alice.claims.sub]);
});

test("two tabs that sign in at once both land where they wanted", async () => {
  const one = await freshPage();
  const two = await context.newPage();
  const wanted = ["/page/one", "/page/two?tab=details"].map((path) => stack.publicOrigin + path);
  await Promise.all([one.goto(wanted[0]), two.goto(wanted[1])]);
  await Promise.all([seesSignInPage(one, stack), seesSignInPage(two, stack)]);
  await typePassword(one, alice);
  await seesSignedIn(one, wanted[0], alice);
  await typePassword(two, alice);
  await seesSignedIn(two, wanted[1], alice);
  await one.reload();
  await seesSignedIn(one, wanted[0], alice);
});

test("two accounts in two browsers do not mix", async () => {
  const url = `${stack.publicOrigin}/page/one`;
  const people = [alice, bob].map(async (account) => {
    const page = await (await browser.newContext()).newPage();
    await signIn(page, url, account);
    return { page, account };
  });
  for (const { page, account } of await Promise.all(people)) {
    await page.reload();
    await seesSignedIn(page, url, account);
    await page.getByRole("button", { name: "Order a teapot" }).click();
    await seesText(statusOf(page), "201 Created");
    assert.equal((await answerOf(page)).orderedBy, account.claims.sub);
  }
});

test("who cancels at the OP gets a page that explains it and can start again", async () => {
  const page = await freshPage();
  await page.goto(`${stack.publicOrigin}/page/one`);
  await page.getByRole("button", { name: "Cancel" }).click();
  await seesHeading(page, "Sign-in was declined");
  assert.doesNotMatch(await page.locator("body").innerText(), /the end-user cancelled/);
  await page.getByRole("link", { name: "Start again" }).click();
  await seesSignInPage(page, stack);
  await typePassword(page, alice);
  await seesSignedIn(page, `${stack.publicOrigin}/page/one`, alice);
});

test("a callback that is opened a second time leads into the application and leaves the session alone", async () => {
  const page = await freshPage();
  const callback = page.waitForRequest((request) => request.url().includes("/signin-oidc?"));
  await signIn(page, `${stack.publicOrigin}/`, alice);
  await page.goto((await callback).url());
  await seesSignedIn(page, `${stack.publicOrigin}/`, alice);
});

test("a script without a session gets 401 with a sign-in address that leads back to its page", async () => {
  const page = await freshPage();
  const url = `${stack.publicOrigin}/page/two?tab=details`;
  await signIn(page, url, alice);
  await context.clearCookies();
  const refused = page.waitForResponse(`${stack.publicOrigin}/api/Orders/orders`);
  await page.getByRole("button", { name: "Call the Orders API" }).click();
  const response = await refused;
  assert.equal(response.status(), 401);
  assert.match(await response.headerValue("content-type"), /^application\/problem\+json/);
  const problem = await response.json();
  assert.equal(problem.code, "login_required");
  assert.equal(new URL(problem.login_url).searchParams.get("return_to"), "/page/two?tab=details");
  await page.getByRole("link", { name: "Sign in again" }).click();
  await typePassword(page, bob);
  await seesSignedIn(page, url, bob);
});
