// What criterion has left in its folder: a folder for each benchmark, the samples of the last run under `new`.

import { readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";

import { filesUnder } from "../../scripts/project.mjs";

/** `[{ group, name, best, median }]` in nanoseconds. */
export function resultsIn(folder) {
  const about = filesUnder(folder).filter((file) => basename(file) === "benchmark.json" && basename(dirname(file)) === "new");
  return about.map((file) => ({ ...named(read(file)), ...timed(read(join(dirname(file), "sample.json"))) }));
}

function read(file) {
  return JSON.parse(readFileSync(file, "utf8"));
}

function named({ group_id: group, function_id: id, value_str: value }) {
  return { group, name: id ?? value };
}

/**
 * Of one sample the time for each iteration. What else the machine does makes a sample longer and never shorter, so the best
 * one is what the code takes.
 */
function timed({ iters, times }) {
  const each = times.map((time, index) => time / iters[index]).sort((one, other) => one - other);
  return { best: each[0], median: each[Math.floor(each.length / 2)] };
}
