// A person chooses between two OpenID Providers, with a mouse or without, and comes back from either.

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { after, before, test } from "node:test";

import { inProject } from "../../scripts/project.mjs";
import { displayName, secondProvider } from "../worker/second-provider.mjs";
import { launchBrowser } from "./browser.mjs";
import { faultsOfContrast, faultsOfStructure } from "./look.mjs";
import { alice, bob, seesHeading, seesSignedIn, typePassword } from "./person.mjs";
import { startStack } from "./stack.mjs";

const pictures = inProject("test-results");
const staff = secondProvider({ backchannelHost: "127.0.0.1" });
let stack;
let browser;
let home;
before(async () => {
  mkdirSync(pictures, { recursive: true });
  [stack, browser] = await Promise.all([startStack({ beside: staff.beside }), launchBrowser()]);
  home = `${stack.publicOrigin}/page/two?tab=details`;
});
after(async () => {
  await browser?.close();
  await stack?.close();
});

async function choosing(options) {
  const page = await (await browser.newContext(options)).newPage();
  await page.goto(home);
  await seesHeading(page, "Sign in");
  return page;
}

const links = (page) => page.getByRole("main").getByRole("link");

for (const width of [1280, 360]) {
  for (const colorScheme of ["light", "dark"]) {
    test(`the choice is readable and operable at ${width} px in ${colorScheme} colours`, async () => {
      const page = await choosing({ colorScheme, viewport: { width, height: 720 } });
      await page.keyboard.press("Tab");
      await page.screenshot({ path: `${pictures}/19-choice-${width}-${colorScheme}.png`, fullPage: true });
      assert.deepEqual([...(await page.evaluate(faultsOfStructure)), ...(await page.evaluate(faultsOfContrast))], []);
      assert.deepEqual(await links(page).allInnerTexts(), ["OpenIdConnect", displayName]);
      const measured = [page.getByRole("list"), ...(await links(page).all())];
      const [list, ...boxes] = await Promise.all(measured.map((it) => it.boundingBox()));
      for (const box of boxes) {
        assert.ok(box.height >= 44, `${box.height} px high`);
        assert.equal(Math.round(box.width), Math.round(list.width));
      }
      const focus = await links(page).first().evaluate((link) => [link.matches(":focus"), getComputedStyle(link).outlineStyle]);
      assert.deepEqual(focus, [true, "solid"]);
      await page.context().close();
    });
  }
}

test("a person goes to either provider and comes back to the page that was asked for", async () => {
  for (const [name, op, account] of [["OpenIdConnect", stack.op, alice], [displayName, staff.op, bob]]) {
    const page = await choosing();
    await page.getByRole("link", { name, exact: true }).click();
    await page.waitForURL(`${op.issuer}/interaction/**`);
    await typePassword(page, account);
    await seesSignedIn(page, home, account);
    await page.context().close();
  }
});

test("without a mouse and without JavaScript it is the same", async () => {
  const page = await choosing({ javaScriptEnabled: false });
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.waitForURL(`${staff.op.issuer}/interaction/**`);
  await typePassword(page, bob);
  await page.waitForURL(home);
  await page.context().close();
});

test("with both sessions a person signs out once, and is asked to choose again", async () => {
  const page = await choosing();
  await page.getByRole("link", { name: "OpenIdConnect", exact: true }).click();
  await typePassword(page, alice);
  await seesSignedIn(page, home, alice);
  // The later session is to have begun in a later second.
  await page.waitForTimeout(1100);
  await page.goto(`${stack.publicOrigin}/.auth/login/Staff?return_to=${encodeURIComponent(new URL(home).pathname + new URL(home).search)}`);
  await typePassword(page, bob);
  await seesSignedIn(page, home, bob);
  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  await page.waitForURL(`${staff.op.issuer}/session/end?**`);
  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  await page.waitForURL(`${stack.publicOrigin}/signout-callback-oidc/Staff?**`);
  await seesHeading(page, "You are signed out");
  await page.goto(home);
  await seesHeading(page, "Sign in");
  assert.equal(await links(page).count(), 2);
  await page.context().close();
});
