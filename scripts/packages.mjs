// The npm packages, and the Node that comes with them. Runs on the system's Node, with nothing installed yet.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter } from "node:path";

import { hashOf, inProject, stampHolds, writeStamp } from "./project.mjs";
import { quietly, say, step, Stop } from "./step.mjs";

export const projectNode = inProject("node_modules", ".bin", "node");
const stamp = inProject("node_modules", ".vestibule-packages");

export async function installPackages() {
  if (Number(process.versions.node.split(".")[0]) < 20) {
    throw new Stop(`Node ${process.versions.node} is too old: install Node 20 or newer (https://nodejs.org).`);
  }
  const hash = hashOf(inProject("package-lock.json"), inProject("package.json"), inProject(".npmrc"));
  if (stampHolds(stamp, hash) && existsSync(projectNode)) return say("✓ npm packages: nothing changed");
  await step("npm packages: npm ci", async () => {
    await quietly("npm", ["ci", "--prefer-offline"], { cwd: inProject(), env: systemEnvironment() });
    if (!existsSync(projectNode)) {
      throw new Stop("npm ci left no node_modules/.bin/node. Are install scripts switched off (npm config ignore-scripts)?");
    }
    writeStamp(stamp, hash);
  });
}

// `npm run` puts node_modules/.bin first on the path, and `npm ci` removes what is there while it runs.
function systemEnvironment() {
  const path = process.env.PATH.split(delimiter).filter((folder) => !folder.includes("node_modules"));
  return { ...process.env, PATH: path.join(delimiter) };
}

/**
 * Installs the packages, runs the script again on the project's own Node, which Wrangler and Miniflare need, and gives
 * its exit code; gives undefined when this process is that run already.
 */
export async function continueOnProjectNode() {
  const inside = "VESTIBULE_ON_PROJECT_NODE";
  if (process.env[inside]) return undefined;
  await installPackages();
  const child = spawn(projectNode, process.argv.slice(1), {
    stdio: "inherit",
    env: { ...process.env, [inside]: process.version },
  });
  // Ctrl-C reaches the child by itself; a signal sent to this process alone would not.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  if (process.env.npm_lifecycle_event) onOrphaned(() => child.kill("SIGTERM"));
  return new Promise((resolve) => {
    child.once("close", (code) => resolve(code ?? 1));
  });
}

/** A SIGTERM sent to npm ends npm and its shell, but never reaches the script: only its parent changes. */
export function onOrphaned(end) {
  const parent = process.ppid;
  const watch = () => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    end();
  };
  const timer = setInterval(watch, 500).unref();
}
