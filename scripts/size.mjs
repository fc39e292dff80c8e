// The upload budget: everything that `wrangler deploy` would send, compressed as it counts.

import { readFileSync, rmSync } from "node:fs";
import { relative } from "node:path";
import { gzipSync } from "node:zlib";

import { continueOnProjectNode } from "./packages.mjs";
import { filesUnder, inProject } from "./project.mjs";
import { main, quietly, say, Stop } from "./step.mjs";

// docs/decisions.md says what weighs how much, and what is still to be had.
const budget = 355 * 1024;
const folder = inProject("build", "upload");

await main(async () => (await continueOnProjectNode()) ?? measure());

async function measure() {
  rmSync(folder, { recursive: true, force: true });
  const wrangler = inProject("node_modules", "wrangler", "bin", "wrangler.js");
  const env = { ...process.env, WRANGLER_SEND_METRICS: "false", CI: "true" };
  await quietly(process.execPath, [wrangler, "deploy", "--dry-run", "--outdir", folder], { cwd: inProject(), env });
  const files = filesUnder(folder).filter((file) => !file.endsWith(".map") && !file.endsWith("README.md"));
  const sizes = files.map((file) => {
    const bytes = readFileSync(file);
    return { name: relative(folder, file), raw: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length };
  });
  const sum = (key) => sizes.reduce((total, size) => total + size[key], 0);
  const total = { name: "uploaded in all", raw: sum("raw"), gzip: sum("gzip") };
  for (const { name, raw, gzip } of [...sizes, total]) say(`${name.padEnd(64)} ${kib(raw)} ${kib(gzip)} gzip`);
  if (total.gzip > budget) throw new Stop(`The upload is over its budget of ${kib(budget).trim()} (gzip).`);
  say(`✓ within the budget of ${kib(budget).trim()} (gzip)`);
}

function kib(bytes) {
  return `${(bytes / 1024).toFixed(1)} KiB`.padStart(11);
}
