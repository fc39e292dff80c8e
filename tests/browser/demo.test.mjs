// `npm start` as a newcomer runs it: one command, one page to click on, Ctrl-C.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { after, before, test } from "node:test";

import { ports, publicOrigin } from "../../demo/settings.mjs";
import { inProject } from "../../scripts/project.mjs";
import { launchBrowser } from "./browser.mjs";
import { allow, followsNeed, needsPermission, seesInvoices } from "./permission.mjs";
import { alice, bob, seesHeading, seesSignedIn, seesSignedOut, seesText, signIn, signOut, statusOf, typePassword } from "./person.mjs";

// What the rules of wrangler.toml are for, and the links to it.
const rules = {
  "/public/about": "For everybody",
  "/welcome": "With or without a name",
  "/admin/reports": "For administrators",
};
const op = { issuer: `http://127.0.0.1:${ports.provider}` };
let browser;
let demo;
before(async () => {
  browser = await launchBrowser();
});
after(async () => {
  await browser?.close();
  if (demo && demo.exitCode === null && demo.signalCode === null) await pressCtrlC();
});

test("npm start brings up a demo to click through, also a second time, and Ctrl-C ends all of it", async (context) => {
  const taken = await takenPorts();
  if (taken.length) return context.skip(`ports in use: ${taken.join(", ")}`);
  const page = await (await browser.newContext()).newPage();
  // The second OP knows nothing of the first one's keys and sessions, but the browser still has its cookies.
  for (const path of ["/page/one", "/page/two?tab=details"]) {
    demo = startDemo();
    const output = await printed(demo, "Ctrl-C ends everything.");
    for (const shown of Object.keys(rules)) assert.ok(output.includes(`${publicOrigin}${shown} `), shown);
    if (path === "/page/one") await showsRules();
    await signIn(page, publicOrigin + path, alice);
    await page.getByRole("button", { name: "Call the Orders API" }).click();
    await seesText(statusOf(page), "200 OK");
    if (path === "/page/one") {
      await givesPermission(page);
      await signsOutAtOp(page);
    } else await signOutAndIn(page);
    await endsCompletely();
  }
});

// Each page by the links of the page before, as nobody, as alice and as bob.
async function showsRules() {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`${publicOrigin}/public/about`);
  await seesOrigin(page, "yes, and nobody is signed in", "nobody");
  await seesText(page.locator("#account"), "Nobody is signed in. Sign in again");
  await page.getByRole("link", { name: rules["/welcome"] }).click();
  await seesOrigin(page, "yes, and nobody is signed in", "nobody");
  await page.getByRole("link", { name: rules["/admin/reports"] }).click();
  await typePassword(page, alice);
  await seesSignedIn(page, `${publicOrigin}/admin/reports`, alice);
  await seesOrigin(page, `yes, and ${alice.claims.sub} is signed in`, alice.username);
  await page.getByRole("link", { name: rules["/welcome"] }).click();
  await seesOrigin(page, `yes, and ${alice.claims.sub} is signed in`, alice.username);
  await page.getByRole("link", { name: rules["/public/about"] }).click();
  await seesOrigin(page, "yes, and nobody is signed in", "nobody");
  await page.locator("summary").click();
  await page.getByRole("row", { name: "x-vestibule-assertion (present; not shown)" }).waitFor();
  await context.close();
  await refusesBob();
}

async function refusesBob() {
  const context = await browser.newContext();
  const page = await context.newPage();
  await signIn(page, `${publicOrigin}/page/one`, bob);
  await page.getByRole("link", { name: rules["/admin/reports"] }).click();
  await seesHeading(page, "You have no access to this");
  await context.close();
}

async function seesOrigin(page, gateway, user) {
  await seesText(page.locator("#gateway"), gateway);
  await seesText(page.locator("#user"), user);
}

async function givesPermission(page) {
  await needsPermission(page);
  await followsNeed(page, { op });
  await allow(page);
  await seesSignedIn(page, `${publicOrigin}/page/one`, alice);
  await seesInvoices(page);
}

async function signsOutAtOp(page) {
  const atOp = await page.context().newPage();
  await atOp.goto(`${op.issuer}/session/end`);
  await atOp.getByRole("button", { name: "Sign out", exact: true }).click();
  await seesSignedOut(page);
  await atOp.close();
}

async function signOutAndIn(page) {
  await signOut(page, { publicOrigin, op });
  await page.getByRole("link", { name: "Sign in again" }).click();
  await seesHeading(page, "Sign in");
}

async function endsCompletely() {
  const family = descendants(demo.pid);
  assert.ok(family.length >= 3, `npm, its script and Wrangler at least: ${family}`);
  await pressCtrlC();
  assert.deepEqual(descendants(demo.pid).concat(stillThere(family)), []);
  assert.deepEqual(await takenPorts(), []);
}

// Its own process group, as a terminal gives every command: Ctrl-C then reaches the whole group.
function startDemo() {
  const { NODE_TEST_CONTEXT: _, VESTIBULE_ON_PROJECT_NODE: __, ...env } = process.env;
  return spawn("npm", ["start"], { cwd: inProject(), env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
}

async function pressCtrlC() {
  const ended = once(demo, "close");
  process.kill(-demo.pid, "SIGINT");
  await ended;
}

function printed(child, text) {
  let output = "";
  return new Promise((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (chunk) => {
        output += chunk;
        if (output.includes(text)) resolve(output);
      });
    }
    child.once("close", () => reject(new Error(`npm start ended:\n${output}`)));
  });
}

function processes() {
  const lines = execFileSync("ps", ["-A", "-o", "pid=,ppid=,stat="], { encoding: "utf8" }).trim().split("\n");
  const rows = lines.map((line) => line.trim().split(/\s+/));
  return rows.filter(([, , state]) => !state.startsWith("Z")).map(([pid, parent]) => [Number(pid), Number(parent)]);
}

function descendants(ancestor) {
  const all = processes();
  const below = (pid) => all.filter(([, parent]) => parent === pid).flatMap(([child]) => [child, ...below(child)]);
  return below(ancestor);
}

function stillThere(pids) {
  return processes().filter(([pid]) => pids.includes(pid));
}

async function takenPorts() {
  const free = await Promise.all(Object.values(ports).map(async (port) => [port, await isFree(port)]));
  return free.filter(([, isOpen]) => !isOpen).map(([port]) => port);
}

function isFree(port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
