// A tab that is left open hears of the end of its session, also where that is not easy to hear.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { launchBrowser } from "./browser.mjs";
import { alice, seesSignedIn, seesSignedOut, signIn, signOut } from "./person.mjs";
import { startStack } from "./stack.mjs";

const events = /\/\.auth\/events$/;
let stack;
let alone;
let browser;
before(async () => {
  [stack, alone, browser] = await Promise.all([startStack(), startStack({ withAccounts: false }), launchBrowser()]);
});
after(async () => {
  await browser?.close();
  await Promise.all([stack?.close(), alone?.close()]);
});

async function openTab({ publicOrigin }, prepare = async () => {}) {
  const page = await (await browser.newContext()).newPage();
  await prepare(page);
  await signIn(page, `${publicOrigin}/page/one`, alice);
  return page;
}

test("a connection that ends for another reason signs nobody out, and is opened again", async () => {
  let connections = 0;
  const interrupt = (socket) => {
    connections += 1;
    if (connections > 2) return socket.connectToServer();
    return socket.close({ code: 1011, reason: "signed out" });
  };
  const tab = await openTab(stack, (page) => page.routeWebSocket(events, interrupt));
  while (connections < 3) await tab.waitForTimeout(100);
  await seesSignedIn(tab, `${stack.publicOrigin}/page/one`, alice);
  await signOut(await openTab(stack), stack);
  await seesSignedOut(tab);
  assert.equal(connections, 3);
});

test("a connection that breaks while the session ends hides nothing: the page asks", async () => {
  let breakOff;
  const tab = await openTab(stack, (page) =>
    page.routeWebSocket(events, (socket) => {
      breakOff = () => socket.close({ code: 1011 });
    }),
  );
  await signOut(await openTab(stack), stack);
  await seesSignedIn(tab, `${stack.publicOrigin}/page/one`, alice);
  breakOff();
  await seesSignedOut(tab);
});

test("where there is nobody to tell, on Workers KV alone, the page asks from time to time", async () => {
  const tab = await openTab(alone);
  const refused = await fetch(`${alone.publicOrigin}/.auth/events`);
  assert.equal(refused.status, 404);
  await signOut(await openTab(alone), alone);
  await seesSignedOut(tab);
});
