// `npm run bench:micro`: how long the layers take that wait for nothing, by criterion. bench/README.md explains what they are.

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { inProject } from "../../scripts/project.mjs";
import { checkRust } from "../../scripts/rust.mjs";
import { main, run, say, Stop } from "../../scripts/step.mjs";
import { writePart } from "../report/page.mjs";
import { compiledAsDeployed } from "./environment.mjs";
import { resultsIn } from "./results.mjs";
import { tables } from "./tables.mjs";

const usage = `npm run bench:micro -- [--write] [<filter>]

  --write     puts the results into docs/performance.md
  <filter>    only what has this in its name`;

await main(async () => {
  const { isWritten, filter, isHelp } = optionsOf(process.argv.slice(2));
  if (isHelp) return say(usage);
  await checkRust();
  const folder = mkdtempSync(join(tmpdir(), "vestibule-micro-"));
  try {
    const load = loadavg()[0];
    await measure(folder, filter);
    const text = `${about(load)}\n\n${tables(resultsIn(folder))}`;
    say(`\n${text}\n`);
    if (isWritten) writePart("micro", text);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

function optionsOf(args) {
  try {
    const options = { write: { type: "boolean" }, help: { type: "boolean" } };
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
    const [isWritten, filter] = [values.write ?? false, positionals];
    if (isWritten && filter.length > 0) throw new Error("Only a full run is worth writing down: leave out the filter.");
    return { isWritten, filter, isHelp: values.help ?? false };
  } catch (error) {
    throw new Stop(`${error.message}\n\n${usage}`);
  }
}

async function measure(folder, filter) {
  const env = { ...compiledAsDeployed(), CRITERION_HOME: folder };
  const args = ["bench", "--package", "micro", "--bench", "micro", "--", ...filter];
  const code = await run("cargo", args, { cwd: inProject(), env });
  if (code !== 0) throw new Stop("The benchmark does not compile, or failed; it says why above.");
}

function about(load) {
  const version = execFileSync("rustc", ["--version"], { cwd: inProject(), encoding: "utf8" }).trim();
  const [{ model }, { length }] = [cpus()[0], cpus()];
  return `${new Date().toISOString().slice(0, 10)}, ${length} × ${model.trim()}, ${version}, load average ${load.toFixed(1)} before the run.`;
}
