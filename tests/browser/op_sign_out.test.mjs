// The person signs out at the OP, or by way of another application: the OP tells the gateway in a hidden frame of the
// browser (front channel) or itself (back channel), and the pages of this application hear of it.

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";

import { listen } from "../../demo/listen.mjs";
import { escapeHtml } from "../../demo/provider/pages.mjs";
import { launchBrowser } from "./browser.mjs";
import { alice, seesHeading, seesSignedIn, seesSignedOut, seesSignInPage, signIn, typePassword } from "./person.mjs";
import { startStack } from "./stack.mjs";

const framing = "/somebody-signs-out";
let stack;
let stranger;
let browser;
let context;
let page;
let home;
before(async () => {
  [stack, browser] = await Promise.all([startStack({ session: { RevocationDelay: 0 } }), launchBrowser()]);
  home = `${stack.publicOrigin}/page/one`;
  const { intercept } = stack.op;
  stack.op.intercept = (...exchange) => showFrame(...exchange) || intercept(...exchange);
  stranger = await listen(0, (...exchange) => showFrame(...exchange) || exchange[1].writeHead(404).end());
});
beforeEach(async () => {
  context = await browser.newContext();
  page = await context.newPage();
  await signIn(page, home, alice);
});
afterEach(() => context.close());
after(async () => {
  await browser?.close();
  await Promise.all([stack?.close(), stranger?.close()]);
});

/** The page on which an OP signs out of its applications (Front-Channel Logout 1.0 §3). */
function showFrame({ url }, response) {
  const { pathname, searchParams } = new URL(url, "http://op.invalid");
  if (pathname !== framing) return false;
  const target = new URL("/signout-oidc", stack.publicOrigin);
  for (const [name, value] of searchParams) target.searchParams.append(name, value);
  response.writeHead(200, { "content-type": "text/html" });
  response.end(`<!doctype html><title>Signing out</title><iframe hidden src="${escapeHtml(target.href)}">`);
  return true;
}

/** The OP's session of the last sign-in, as the ID token names it. */
function lastSid() {
  const { token } = stack.issued.findLast(({ kind }) => kind === "id_token");
  return JSON.parse(Buffer.from(token.split(".")[1], "base64url")).sid;
}

/** Opens that page in another tab of the person's browser; gives the frame's request and what became of it. */
async function framedAt(origin, parameters) {
  const tab = await context.newPage();
  const requested = tab.waitForRequest(`${stack.publicOrigin}/signout-oidc?**`);
  await tab.goto(`${origin}${framing}?${new URLSearchParams(parameters)}`);
  const request = await requested;
  const answer = await request.response();
  const shown = await shownIn(tab.frames().at(-1));
  return { request, answer, shown, close: () => tab.close() };
}

/** What a frame ends up with. It is empty until the browser has looked at the answer's head. */
async function shownIn(frame) {
  for (let look = 0; look < 200 && frame.url() === ""; look += 1) await frame.page().waitForTimeout(50);
  return frame.url();
}

test("a hidden frame of the OP's page ends the session without any cookie, and an open tab says so", async () => {
  const { request, answer, shown } = await framedAt(stack.op.issuer, { sid: lastSid() });
  const { cookie, "sec-fetch-site": site, "sec-fetch-dest": destination } = await request.allHeaders();
  assert.deepEqual({ cookie, site, destination }, { cookie: undefined, site: "cross-site", destination: "iframe" });
  assert.deepEqual([answer.status(), await answer.headerValue("cache-control")], [200, "no-store"]);
  assert.equal(shown, request.url(), "the browser did not show the frame");
  await seesSignedOut(page);
  // An OP that really signs out forgets its own session, too.
  await context.clearCookies({ domain: "127.0.0.1" });
  await page.getByRole("link", { name: "Sign in again" }).click();
  await seesSignInPage(page, stack);
  await typePassword(page, alice);
  await seesSignedIn(page, home, alice);
});

test("the same with `iss`, which some OPs send along", async () => {
  const { answer } = await framedAt(stack.op.issuer, { iss: stack.op.issuer, sid: lastSid() });
  assert.equal(answer.status(), 200);
  await seesSignedOut(page);
});

test("a frame with a session that nobody knows, or with another OP's name, signs nobody out", async () => {
  const unknown = await framedAt(stack.op.issuer, { sid: `${lastSid()}x` });
  assert.equal(unknown.answer.status(), 200);
  const foreign = await framedAt(stack.op.issuer, { iss: "https://other.example", sid: lastSid() });
  assert.equal(foreign.answer.status(), 400);
  await page.reload();
  await seesSignedIn(page, home, alice);
});

test("a page of any other origin cannot show the frame", async () => {
  for (const host of ["127.0.0.1", "localhost"]) {
    const { shown } = await framedAt(`http://${host}:${stranger.port}`, { sid: "guessed" });
    assert.match(shown, /^chrome-error:/);
  }
});

test("who signs out at the OP itself is signed out here by the back channel, in every tab", async () => {
  const other = await context.newPage();
  await other.goto(home);
  await seesSignedIn(other, home, alice);
  const atOp = await context.newPage();
  await atOp.goto(`${stack.op.issuer}/session/end`);
  await seesHeading(atOp, "Sign out");
  await atOp.getByRole("button", { name: "Sign out", exact: true }).click();
  await seesHeading(atOp, "Signed out");
  for (const tab of [page, other]) await seesSignedOut(tab);
  assert.deepEqual(stack.op.events.filter(({ event }) => event === "backchannel.error"), []);
  await page.goto(home);
  await seesSignInPage(page, stack);
});

test("the back channel of one browser's sign-out leaves the person's other browsers alone", async () => {
  const elsewhere = await (await browser.newContext()).newPage();
  await signIn(elsewhere, home, alice);
  const atOp = await context.newPage();
  await atOp.goto(`${stack.op.issuer}/session/end`);
  await atOp.getByRole("button", { name: "Sign out", exact: true }).click();
  await seesSignedOut(page);
  await elsewhere.reload();
  await seesSignedIn(elsewhere, home, alice);
  await elsewhere.context().close();
});
