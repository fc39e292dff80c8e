// On what it was measured: without that, no number of it means anything.

import { execFileSync } from "node:child_process";
import { cpus, release, type } from "node:os";

import { program } from "../parts/runtime.mjs";

/** One sentence; `loads` are the machine's load before and after the run. */
export function machine({ generator, nginx, rounds, loads }) {
  const [{ model }, { length }] = [cpus()[0], cpus()];
  const origin = nginx ? "nginx" : "Node.js";
  const version = execFileSync(program, ["--version"], { encoding: "utf8" }).trim();
  const busy = loads.map((load) => load.toFixed(1)).join(" before and ");
  return `${new Date().toISOString().slice(0, 10)}, ${length} × ${model.trim()}, ${type()} ${release()}, ${version}, origin ${origin}, load by ${generator.name}, ${rounds === 1 ? "one round" : `${rounds} rounds`}. Load average ${busy} after the run: above 1 before it, other work was done on the machine meanwhile.`;
}
