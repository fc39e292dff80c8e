// `npm start` as a newcomer runs it: one command, one page to click on, Ctrl-C.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { after, before, test } from "node:test";

import { ports, publicOrigin } from "../../demo/settings.mjs";
import { inProject } from "../../scripts/project.mjs";
import { launchBrowser } from "./browser.mjs";
import { alice, seesHeading, seesText, signIn, signOut } from "./person.mjs";

let browser;
let demo;
before(async () => {
  browser = await launchBrowser();
});
after(async () => {
  await browser?.close();
  if (demo && demo.exitCode === null && demo.signalCode === null) process.kill(-demo.pid, "SIGKILL");
});

test("npm start brings up a demo to click through, and Ctrl-C leaves no process behind", async (context) => {
  const taken = await takenPorts();
  if (taken.length) return context.skip(`ports in use: ${taken.join(", ")}`);
  demo = startDemo();
  await printed(demo, "Ctrl-C ends everything.");
  await clickThrough();
  const family = descendants(demo.pid);
  assert.ok(family.length >= 3, `npm, its script and Wrangler at least: ${family}`);
  const ended = once(demo, "close");
  process.kill(-demo.pid, "SIGINT");
  await ended;
  assert.deepEqual(descendants(demo.pid).concat(stillThere(family)), []);
  assert.deepEqual(await takenPorts(), []);
});

async function clickThrough() {
  const page = await (await browser.newContext()).newPage();
  const op = { issuer: `http://127.0.0.1:${ports.provider}` };
  await signIn(page, `${publicOrigin}/page/two?tab=details`, alice);
  await page.getByRole("button", { name: "Call the Orders API" }).click();
  await seesText(page.getByRole("status"), "200 OK");
  await signOut(page, { publicOrigin, op });
  await page.getByRole("link", { name: "Sign in again" }).click();
  await seesHeading(page, "Sign in");
}

// Its own process group, as a terminal gives every command: Ctrl-C then reaches the whole group.
function startDemo() {
  const { NODE_TEST_CONTEXT: _, VESTIBULE_ON_PROJECT_NODE: __, ...env } = process.env;
  return spawn("npm", ["start"], { cwd: inProject(), env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
}

function printed(child, text) {
  let output = "";
  return new Promise((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (chunk) => {
        output += chunk;
        if (output.includes(text)) resolve();
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
