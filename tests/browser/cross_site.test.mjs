// A page of another origin can make the user's browser send requests, and achieves nothing with them.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { listen } from "../../demo/listen.mjs";
import { launchBrowser } from "./browser.mjs";
import { alice, seesHeading, seesSignedIn, signIn } from "./person.mjs";
import { startStack } from "./stack.mjs";

let stack;
let browser;
let context;
let home;
let hostile;
before(async () => {
  [stack, browser] = await Promise.all([startStack(), launchBrowser()]);
  hostile = await listen(0, (_request, response) => {
    response.writeHead(200, { "content-type": "text/html" });
    response.end("<!doctype html><title>hostile</title>");
  });
  context = await browser.newContext();
  home = `${stack.publicOrigin}/page/one`;
  await signIn(await context.newPage(), home, alice);
});
after(async () => {
  await browser?.close();
  await Promise.all([stack?.close(), hostile?.close()]);
});

// To a browser 127.0.0.1 is another site than localhost; another port of localhost is the same site, and the session
// cookie travels.
for (const host of ["127.0.0.1", "localhost"]) {
  const kind = host === "localhost" ? "same-site" : "cross-site";

  test(`an image of a ${kind} page signs nobody out`, async () => {
    await attack(host, loadImage, "/.auth/logout");
    await seesStillSignedIn();
  });

  test(`a form of a ${kind} page signs nobody out`, async () => {
    const { page } = await attack(host, sendForm, "/.auth/logout");
    await seesHeading(page, "This request was blocked");
    await seesStillSignedIn();
  });

  test(`a link of a ${kind} page to the sign-out asks first`, async () => {
    const { page } = await attack(host, followLink, "/.auth/logout");
    await seesHeading(page, "Sign out?");
    await seesStillSignedIn();
  });

  for (const way of [sendForm, loadImage, followLink, readByScript, postByScript]) {
    test(`a ${kind} page calls no API (${way.name})`, async () => {
      const calls = stack.api.requests.length;
      await attack(host, way, "/api/Orders/orders");
      assert.equal(stack.api.requests.length, calls);
      await seesStillSignedIn();
    });
  }

  test(`a link of a ${kind} page to a login that returns to an API signs in, and calls no API`, async () => {
    const calls = stack.api.requests.length;
    const { page } = await attack(host, followLink, "/.auth/login?return_to=%2Fapi%2FOrders%2Forders");
    await seesSignedIn(page, `${stack.publicOrigin}/`, alice);
    assert.equal(stack.api.requests.length, calls);
  });

  test(`a script of a ${kind} page cannot read who is signed in`, async () => {
    const { outcome } = await attack(host, readByScript, "/.auth/me");
    assert.equal(outcome, "refused");
  });

  test(`a ${kind} page cannot frame our pages`, async () => {
    const { outcome, page } = await attack(host, showFrame, "/.auth/logout");
    assert.equal(outcome, "loaded");
    assert.doesNotMatch(await page.frames().at(-1).content(), /Sign out/);
  });
}

test("the same calls from our own page work, so they fail above for where they come from", async () => {
  const page = await context.newPage();
  await page.goto(home);
  assert.match(await page.evaluate(readByScript, "/api/Orders/orders"), /Teacup/);
  assert.match(await page.evaluate(readByScript, "/.auth/me"), /Liddell/);
  await page.close();
});

// A form and a link take the page elsewhere, everything else waits for its answer in the page.
async function attack(host, way, path) {
  const page = await context.newPage();
  await page.goto(`http://${host}:${hostile.port}/`);
  const target = stack.publicOrigin + path;
  const leaves = way === sendForm || way === followLink;
  const left = leaves ? page.waitForURL((url) => !url.href.startsWith(`http://${host}:${hostile.port}/`)) : undefined;
  const outcome = page.evaluate(way, target).catch((error) => error.message);
  return { page, outcome: leaves ? await left : await outcome };
}

async function seesStillSignedIn() {
  const page = await context.newPage();
  await page.goto(home);
  await seesSignedIn(page, home, alice);
  await page.close();
}

function loadImage(target) {
  const image = new Image();
  image.src = target;
  document.body.append(image);
  return new Promise((resolve) => {
    image.onload = () => resolve("loaded");
    image.onerror = () => resolve("refused");
  });
}

function sendForm(target) {
  const form = document.createElement("form");
  form.method = "post";
  form.action = target;
  document.body.append(form);
  form.submit();
}

function followLink(target) {
  setTimeout(() => location.assign(target));
}

function readByScript(target) {
  const request = fetch(target, { credentials: "include" });
  return request.then((response) => response.text()).catch(() => "refused");
}

function postByScript(target) {
  const request = fetch(target, { method: "POST", mode: "no-cors", credentials: "include", body: "{}" });
  return request.then(() => "sent").catch(() => "refused");
}

function showFrame(target) {
  const frame = document.createElement("iframe");
  frame.src = target;
  document.body.append(frame);
  return new Promise((resolve) => {
    frame.onload = () => resolve("loaded");
  });
}
