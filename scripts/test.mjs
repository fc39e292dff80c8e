// `npm test`: every layer of tests, or those named as arguments (host, instructions, demo, edge, browser).

import { relative } from "node:path";

import { buildProgram, findValgrind } from "../bench/instructions/count.mjs";
import { buildWorker } from "./build.mjs";
import { findChromium } from "./chromium.mjs";
import { continueOnProjectNode } from "./packages.mjs";
import { filesUnder, inProject } from "./project.mjs";
import { checkRust } from "./rust.mjs";
import { main, run, say, step, Stop } from "./step.mjs";

const layers = {
  host: async () => {
    await checkRust();
    return run("cargo", ["test"], { cwd: inProject() });
  },
  instructions: instructionTests,
  demo: () => nodeTests("demo"),
  edge: async () => {
    await buildWorker();
    return nodeTests("edge");
  },
  browser: browserTests,
};

await main(async () => {
  const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(layers);
  const unknown = wanted.find((name) => !Object.hasOwn(layers, name));
  if (unknown) throw new Stop(`There are no tests named "${unknown}". There are: ${Object.keys(layers).join(", ")}.`);
  return (await continueOnProjectNode()) ?? runLayers(wanted);
});

async function runLayers(names) {
  const results = [];
  for (const name of names) {
    say(`\n── ${name} tests ──`);
    const started = performance.now();
    const result = await layers[name]().catch(reportStop);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    results.push({ name, result, seconds });
  }
  say("\n── summary ──");
  for (const { name, result, seconds } of results) say(`${outcome(result, name.padEnd(12))} (${seconds} s)`);
  return results.some(({ result }) => typeof result === "number" && result !== 0) ? 1 : 0;
}

function reportStop(error) {
  if (!(error instanceof Stop)) throw error;
  say(`✗ ${error.message}`);
  return 1;
}

function outcome(result, name) {
  if (typeof result === "string") return `! ${name} ${result}`;
  return result === 0 ? `✓ ${name} passed` : `✗ ${name} FAILED`;
}

async function nodeTests(layer, environment = {}) {
  const files = filesUnder(inProject("tests", layer)).filter((file) => /\.test\.m?js$/.test(file));
  if (files.length === 0) return "NOT RUN: there are no test files yet";
  // A file whose `before` fails half-way has nobody to close what it started, and would wait for ever.
  const args = ["--test", "--test-timeout=300000", "--test-force-exit", ...files.map((file) => relative(inProject(), file))];
  // A test process that inherits this would report to a parent that is not listening.
  const { NODE_TEST_CONTEXT: _, ...inherited } = process.env;
  return run(process.execPath, args, { cwd: inProject(), env: { ...inherited, ...environment } });
}

async function instructionTests() {
  if (findValgrind()) {
    await checkRust();
    await step("what is measured: cargo build", async () => void (await buildProgram()));
    return nodeTests("instructions");
  }
  return withoutProgram("The instructions were NOT counted", "valgrind was not found. Install it (Debian: apt-get install valgrind).", "no valgrind");
}

async function browserTests() {
  await buildWorker();
  const chromium = findChromium();
  if (chromium) return nodeTests("browser", { CHROMIUM: chromium });
  const remedy = process.env.CHROMIUM
    ? `CHROMIUM names ${process.env.CHROMIUM}, which cannot be run.`
    : "Chromium was not found. Install it (Debian: apt-get install chromium) or set CHROMIUM to its path.";
  return withoutProgram("The browser tests did NOT run", remedy, "no Chromium");
}

/** Where a program is missing that not everybody has; where every test is mandatory, that is a failure. */
function withoutProgram(what, remedy, reason) {
  say(`! ${what}. ${remedy}`);
  return process.env.CI === "true" ? 1 : `NOT RUN: ${reason}`;
}
