// What `npm run bench:micro` makes of what criterion leaves, without a measurement.

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { compiledAsDeployed } from "../../bench/micro/environment.mjs";
import { resultsIn } from "../../bench/micro/results.mjs";
import { tables } from "../../bench/micro/tables.mjs";

/** A benchmark as criterion keeps it: what it is called, and the samples of this run and of an earlier one. */
function measured(folder, about, sample) {
  for (const [run, scale] of [["new", 1], ["base", 1000]]) {
    const place = join(folder, about.group_id, about.function_id ?? about.value_str, run);
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, "benchmark.json"), JSON.stringify(about));
    writeFileSync(join(place, "sample.json"), JSON.stringify({ ...sample, times: sample.times.map((time) => time * scale) }));
  }
}

test("the samples of the last run become times for each iteration, the layers by name and the rest by how much there is", (context) => {
  const folder = mkdtempSync(join(tmpdir(), "vestibule-micro-test-"));
  context.after(() => rmSync(folder, { recursive: true }));
  measured(folder, { group_id: "layers", function_id: "parse, 10", value_str: null }, { iters: [1, 2, 4], times: [900, 800, 1200] });
  measured(folder, { group_id: "layers", function_id: "parse, 2", value_str: null }, { iters: [10], times: [25_678] });
  measured(folder, { group_id: "rules", function_id: null, value_str: "100" }, { iters: [1], times: [300] });
  measured(folder, { group_id: "rules", function_id: null, value_str: "10 (7 bytes)" }, { iters: [1], times: [200] });
  const results = resultsIn(folder);
  assert.deepEqual(results.find(({ name }) => name === "parse, 10"), { group: "layers", name: "parse, 10", best: 300, median: 400 });
  const cells = tables(results).split("\n").map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
  const rows = cells.filter(([first]) => /^(parse|10)/.test(first ?? ""));
  assert.deepEqual(rows, [
    ["parse, 2", "2.57 µs", "2.57 µs"],
    ["parse, 10", "300 ns", "400 ns"],
    ["10 (7 bytes)", "200 ns", "200 ns", "1.00"],
    ["100", "300 ns", "300 ns", "1.50"],
  ]);
  assert.doesNotMatch(tables(results.filter(({ group }) => group !== "layers")), /layer/);
});

test("what was asked of the compiler stays asked", (context) => {
  const before = process.env.RUSTFLAGS;
  context.after(() => (before === undefined ? delete process.env.RUSTFLAGS : (process.env.RUSTFLAGS = before)));
  process.env.RUSTFLAGS = "-C linker=mine";
  assert.match(compiledAsDeployed().RUSTFLAGS, /^-C linker=mine --cfg chacha20_force_soft/);
});
