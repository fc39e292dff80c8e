// What a person sees: a picture of every page in test-results/, and the rules that a program can check.

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { after, before, test } from "node:test";

import { inProject } from "../../scripts/project.mjs";
import { launchBrowser } from "./browser.mjs";
import { faultsOfContrast, faultsOfStructure } from "./look.mjs";
import { allow, followsNeed, needsPermission, neverContent, seesInvoices } from "./permission.mjs";
import { alice, bob, seesHeading, seesSignedIn, seesSignedOut, seesSignInPage } from "./person.mjs";
import { seesText, statusOf, typePassword } from "./person.mjs";
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
  await visitNeeds(page, see);
  await visitErrors(page, see);
  await visitSessions(page, see);
  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  await seesHeading(page, "Sign out");
  await see("17-sign-out-at-the-provider");
  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  await seesHeading(page, "You are signed out");
  await see("18-signed-out");
}

async function visitSignedOut(page, see) {
  await page.goto(home());
  await seesSignInPage(page, stack);
  await see("1-sign-in");
  await typePassword(page, { ...alice, password: "wrong" });
  await page.getByRole("alert").waitFor();
  await see("2-wrong-password");
  await page.getByRole("button", { name: "Cancel" }).click();
  await seesHeading(page, "Sign-in was declined");
  await see("3-error");
  await visitRefused(page, see);
}

// As the Microsoft identity platform sends them back.
async function visitRefused(page, see) {
  const refusals = { AADSTS50105: "You are not assigned", AADSTS90094: "An administrator has to allow", AADSTS50020: "This account cannot be used" };
  for (const [number, heading] of Object.entries(refusals)) {
    const sent = page.waitForRequest((request) => request.url().startsWith(`${stack.op.issuer}/auth?`));
    await page.goto(home());
    const state = new URL((await sent).url()).searchParams.get("state");
    const answer = { error: "access_denied", error_description: `${number}: x`, state, iss: stack.op.issuer };
    await page.goto(`${stack.publicOrigin}/signin-oidc?${new URLSearchParams(answer)}`);
    await page.getByRole("heading", { name: heading }).waitFor();
    await see(`3-${number}`);
  }
}

async function visitSignedIn(page, see) {
  await page.goto(home());
  await typePassword(page, alice);
  await seesSignedIn(page, home(), alice);
  await page.getByRole("listitem").first().waitFor();
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

async function visitNeeds(page, see) {
  await page.getByRole("button", { name: "Show payment details" }).click();
  await page.getByRole("link", { name: "Confirm that it is you" }).waitFor();
  await needsPermission(page);
  await page.getByRole("link", { name: "Give permission" }).focus();
  await see("7-needs");
  await followsNeed(page, stack);
  await see("8-consent");
  await allow(page);
  await seesSignedIn(page, home(), alice);
  await seesInvoices(page);
  await see("9-invoices");
  await page.getByRole("button", { name: "Show payment details" }).click();
  await page.getByRole("link", { name: "Confirm that it is you" }).click();
  await seesHeading(page, "Confirm that it is you");
  await see("10-confirmation");
  await typePassword(page, alice);
  await seesSignedIn(page, home(), alice);
}

async function visitErrors(page, see) {
  await page.goto(`${stack.publicOrigin}/.auth/login?request=changed`);
  await seesHeading(page, "This sign-in link is no longer valid");
  await see("11-changed-link");
  stack.api.intercept = neverContent;
  // The OP sends the browser back without a word, again and again but for the gateway.
  await page.goto(`${stack.publicOrigin}/api/Orders/payment`);
  await seesHeading(page, "This still does not work");
  await see("12-loop");
  stack.api.intercept = undefined;
  await visitMismatch(page, see);
}

async function visitMismatch(page, see) {
  await page.context().clearCookies();
  await visitOnTheWay(page, see);
  await page.goto(home());
  await seesSignedIn(page, home(), alice);
  await needsPermission(page);
  await page.context().clearCookies({ domain: "127.0.0.1" });
  await page.getByRole("link", { name: "Give permission" }).click();
  await typePassword(page, bob);
  await allow(page);
  await seesHeading(page, "This is another account");
  await see("14-another-account");
  await page.goto(home());
  await seesSignedIn(page, home(), alice);
}

// Cookies that were deleted on the way have left sessions behind: there are several in the list.
async function visitSessions(page, see) {
  await page.goto(`${stack.publicOrigin}/.auth/sessions`);
  await seesHeading(page, "Your sessions");
  await page.keyboard.press("Tab");
  await see("15-sessions");
  await page.goto(home());
  await page.getByRole("listitem").filter({ hasText: "this browser" }).getByRole("button").click();
  await seesSignedOut(page);
  await see("16-ended-elsewhere");
  await page.getByRole("link", { name: "Sign in again" }).click();
  // Whose password was typed last at the OP.
  await seesSignedIn(page, home(), bob);
}

// The page that goes on to an API by itself, in a browser that lets no page do that.
async function visitOnTheWay(page, see) {
  const network = await page.context().newCDPSession(page);
  network.on("Fetch.requestPaused", ({ requestId, responseStatusCode: responseCode, responseHeaders: all }) => {
    const responseHeaders = all.filter(({ name }) => name.toLowerCase() !== "refresh");
    return network.send("Fetch.continueResponse", { requestId, responseCode, responseHeaders });
  });
  await network.send("Fetch.enable", { patterns: [{ urlPattern: "*/signin-oidc?*", requestStage: "Response" }] });
  await page.goto(`${stack.publicOrigin}/api/Orders/orders`);
  await typePassword(page, alice);
  await seesHeading(page, "You are signed in");
  await see("13-on-the-way");
  await network.detach();
  await page.getByRole("link", { name: "Go on" }).click();
  await page.getByText("Teacup").waitFor();
}

function home() {
  return `${stack.publicOrigin}/page/two?tab=details`;
}
