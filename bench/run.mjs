// `npm run bench`: what Vestibule costs beside a bare forward and beside others, measured on this machine. bench/README.md
// explains how.

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { continueOnProjectNode } from "../scripts/packages.mjs";
import { hashOf, inProject, stampHolds, writeStamp } from "../scripts/project.mjs";
import { main, quietly, say, step, Stop } from "../scripts/step.mjs";
import { optionsOf, usage } from "./options.mjs";

await main(async () => {
  const args = process.argv.slice(2);
  if (args.includes("--help")) return say(usage);
  const options = optionsOf(args);
  if (process.platform !== "linux") throw new Stop("The benchmark reads the CPU time of processes from /proc: it runs on Linux.");
  const code = await continueOnProjectNode();
  if (code !== undefined) return code;
  await installContestants();
  const { bench } = await import("./bench.mjs");
  const folder = mkdtempSync(join(tmpdir(), "vestibule-bench-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  // What was begun ends with this process: see parts/process.mjs. Ctrl-C comes twice, from the terminal and from the parent.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => process.exit(130));
  await bench({ folder, options });
});

/** Packages that nothing but the benchmark needs. */
async function installContestants() {
  const [folder, stamp] = [inProject("bench"), inProject("bench", "node_modules", ".vestibule-packages")];
  const hash = hashOf(join(folder, "package.json"), join(folder, "package-lock.json"));
  if (stampHolds(stamp, hash) && existsSync(join(folder, "node_modules", "hono"))) return;
  await step("bench's npm packages: npm ci", async () => {
    await quietly("npm", ["ci", "--prefer-offline"], { cwd: folder });
    writeStamp(stamp, hash);
  });
}
