// What the benchmark makes of its samples, without a measurement.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { resultOf } from "../../bench/measure/cold.mjs";
import { nanosecondsIn } from "../../bench/measure/cpu.mjs";
import { answered, summed } from "../../bench/measure/crowd.mjs";
import { rowsOf } from "../../bench/measure/growth.mjs";
import { load, readWrk } from "../../bench/measure/load.mjs";
import { Samples } from "../../bench/measure/samples.mjs";
import { median, middleHalf, quantile, ratios, summary } from "../../bench/measure/statistics.mjs";
import { optionsOf } from "../../bench/options.mjs";
import { filled } from "../../bench/report/page.mjs";
import { plot } from "../../bench/report/plot.mjs";
import { resultsOf } from "../../bench/report/results.mjs";
import { coldTable, crowdTable, expiredTable, growthTable, memoryTable, overview, scenarioTable, table } from "../../bench/report/table.mjs";
import { loads, names, usual } from "../../bench/scenarios.mjs";

const contestants = [
  { name: "floor", title: "the floor: `fetch(<origin>)`" },
  { name: "vestibule", title: "**Vestibule**" },
  { name: "tuned", title: "by hand" },
];
const json = { name: "json", title: "small & JSON", goal: 1.15 };
const refused = { name: "refused", title: "refused", floor: "json" };
const signIn = { name: "sign-in", title: "sign-in", floorIs: "tuned" };

function results() {
  const samples = new Samples();
  [100, 200, 300].forEach((cpu, round) => samples.add("json", "floor", round, cpu));
  [120, 220, 390].forEach((cpu, round) => samples.add("json", "vestibule", round, cpu));
  [50, 90].forEach((cpu, round) => samples.add("refused", "vestibule", round, cpu));
  samples.add("sign-in", "vestibule", 0, 4212);
  samples.add("sign-in", "tuned", 0, 2106);
  return resultsOf({ samples, scenarios: [json, refused, signIn], contestants });
}

test("the median and the quantiles of few samples", () => {
  assert.equal(median([]), undefined);
  assert.equal(median([7]), 7);
  assert.equal(median([9, 1, 5]), 5);
  assert.equal(median([10, 1, 4, 2]), 3);
  assert.equal(quantile([0, 10, 20], 0.25), 5);
  assert.equal(quantile([20, 0, 10], 1), 20);
  assert.deepEqual(summary([3, 1, 2]), { median: 2, low: 1, high: 3, count: 3 });
  assert.equal(summary([]), undefined);
  assert.deepEqual(middleHalf([5, 1, 100, 2, 3]), { median: 3, low: 2, high: 5, count: 5 });
  assert.equal(middleHalf([]), undefined);
});

test("of a thread's count by the scheduler, the first number is its time", () => {
  assert.equal(nanosecondsIn("54418172 1220 41\n"), 54418172);
});

test("a cold start is compared with the empty Worker's of its own turn", () => {
  const ofEmpty = [30, 40, 50].map((start) => ({ start, first: 2 }));
  const samples = [36, 47, 58].map((start) => ({ start, first: 5 }));
  const result = resultOf({ contestant: contestants[1], request: { title: "anonymous" }, samples }, ofEmpty);
  assert.equal(result.over.median, 10);
  assert.deepEqual([result.start.median, result.first.median], [47, 5]);
  assert.match(coldTable([result]), /\| \*\*Vestibule\*\*, anonymous \| +47\.0 \(41\.5–52\.5\) \| +5\.0 \(5\.0–5\.0\) \| +10\.0 \(9\.5–10\.5\) \|/);
});

test("when a crowd was answered, and what was answered otherwise", () => {
  const fine = Array.from({ length: 101 }, (_, index) => ({ status: 200, milliseconds: 200 + index }));
  const crowd = answered([...fine, { status: 503, milliseconds: 1 }]);
  assert.deepEqual(crowd, { size: 102, answered: 101, first: 200, middle: 250, late: 299, gap: 99 });
  const round = (grants, more) => ({ fresh: { ...crowd, cpu: 0.2 }, expired: { ...crowd, ...more, cpu: 0.4 }, roundTrip: 200, grants, stale: 0 });
  const result = summed([round(1, {}), round(2, { answered: 90, gap: 199 }), round(1, {})]);
  assert.deepEqual([result.grants, result.expired.answered, result.expired.gap, result.fresh.answered], [2, 90, 99, 101]);
  const rows = crowdTable([{ contestant: contestants[2], ...result }, { contestant: contestants[0], ...summed([{ fresh: { ...crowd, cpu: 0.1 } }]) }]);
  assert.match(rows, /\| by hand, expired +\| +90 of 102 \| +200 \| +250 \| 299 \| +99 \| +400 \| +2 \| +0 \| +200 \|/);
  assert.match(rows, /fetch\(<origin>\)` +\| +101 of 102 .*\| +100 \| +– \|/);
});

test("growth is a ratio to the least of its kind in the same round", () => {
  const of = (size, samples) => ({ size, samples: new Map(Object.entries(samples)) });
  const rows = rowsOf([of(1, { 0: 100, 1: 200 }), of(10, { 0: 110, 1: 240 })]);
  assert.deepEqual([rows[0].ratio.median, rows[1].ratio.low, rows[1].ratio.high], [1, 1.1, 1.2]);
  assert.match(growthTable([{ title: "route rules", rows }]), /\| 10 route rules +\| +175 \(110–240\) \| 1\.15 \(1\.10–1\.20\) \|/);
});

test("memory is told in MiB", () => {
  const mebibyte = 1024 * 1024;
  const text = memoryTable([{ sessions: 1000, wasm: 4 * mebibyte, heap: 1.5 * mebibyte, resident: 100 * mebibyte }]);
  assert.match(text, /\| 1000 +\| +4\.0 \| +1\.5 \| +100\.0 \|/);
});

test("a ratio is that of one turn, and a turn without the floor has none", () => {
  const floor = new Map(Object.entries({ 0: 100, 2: 200 }));
  const samples = new Map(Object.entries({ 0: 150, 1: 900, 2: 220 }));
  assert.deepEqual(ratios(samples, floor), [1.5, 1.1]);
});

test("results compare each turn with its own floor, or with the one that the scenario names", () => {
  const [first, second, third] = results();
  assert.deepEqual(
    first.rows.map(({ contestant }) => contestant.name),
    ["floor", "vestibule"],
  );
  assert.deepEqual(first.rows[1].ratio, { median: 1.2, low: 1.15, high: 1.25, count: 3 });
  assert.deepEqual(first.rows[1].cpu, { median: 220, low: 170, high: 305, count: 3 });
  assert.deepEqual(second.rows[0].ratio, { median: 0.475, low: 0.4625, high: 0.4875, count: 2 });
  assert.equal(third.rows[0].ratio.median, 2);
});

test("tables line up", () => {
  assert.equal(
    table(
      ["who", "µs"],
      [
        ["one", "1"],
        ["another", "12345"],
      ],
    ),
    "| who     |    µs |\n|---------|------:|\n| one     |     1 |\n| another | 12345 |",
  );
});

test("a scenario's table has medians, middle halves and ratios, and says what they are ratios to", () => {
  const [first, , third] = results().map((result) => scenarioTable(result));
  assert.match(first, /CPU for each, µs \| +× floor \|/);
  assert.match(first, /\| \*\*Vestibule\*\* +\| +220 \(170–305\) \| 1\.20 \(1\.15–1\.25\) \|/);
  assert.match(third, /× tuned/);
  assert.match(third, /4210 \(4210–4210\) \| 2\.00/);
});

test("the overview has a column for each scenario, and Vestibule's goals", () => {
  const lines = overview(results(), contestants).split("\n");
  const cells = lines.map((line) => line.split("|").map((cell) => cell.trim()));
  assert.deepEqual(cells[0].slice(2, 5), ["json", "refused", "sign-in"]);
  assert.deepEqual(cells[2].slice(2, 5), ["1.00", "–", "–"]);
  assert.deepEqual(cells[3].slice(2, 5), ["1.20", "0.47", "2.00"]);
  assert.deepEqual(cells.at(-1).slice(2, 5), ["1.15", "–", "–"]);
});

test("what became of a crowd with an expired token", () => {
  const crowd = { name: "tuned", crowd: 32, answered: 1, stale: 31, grants: 2, isAlive: false };
  assert.match(expiredTable([crowd], contestants), /\| by hand +\| +1 of 32 \| +31 \| +2 \| +over \|/);
});

test("the plot has a bar for each ratio, no longer than the page, and its titles are text", () => {
  const svg = plot(results());
  assert.match(svg, /^<svg [^>]*viewBox="0 0 900 \d+"/);
  assert.match(svg, /small &amp; JSON/);
  assert.match(svg, /the floor: fetch\(&lt;origin&gt;\)/);
  assert.match(svg, />1\.20<\/text>/);
  const bars = [...svg.matchAll(/<rect x="300" y="\d+" width="([\d.]+)"/g)].map(([, length]) => Number(length));
  assert.equal(bars.length, 5);
  assert.ok(bars.every((length) => length > 0 && length <= 540));
  // A bar of 2.00 is the longest, and one of 1.00 half as long.
  assert.equal(Math.max(...bars), 540);
  assert.equal(bars[0], 270);
  assert.doesNotMatch(svg, /NaN|undefined/);
});

test("what is measured replaces what stood between the marks, and nothing else", () => {
  const page = "before\n<!-- bench: begin -->\nold\n<!-- bench: end -->\nafter\n";
  const expected = "before\n<!-- bench: begin -->\n\nnew $& table\n\n<!-- bench: end -->\nafter\n";
  assert.equal(filled(page, "bench", "new $& table"), expected);
  assert.equal(filled(expected, "bench", "new $& table"), expected);
  assert.throws(() => filled("no marks", "bench", "x"), /lacks its marks/);
  assert.throws(() => filled(expected, "growth", "x"), /lacks its marks/);
  const both = `${page}<!-- micro: begin -->\n<!-- micro: end -->\n`;
  assert.equal(filled(both, "micro", "x"), `${page}<!-- micro: begin -->\n\nx\n\n<!-- micro: end -->\n`);
});

test("what wrk says is read, its errors as well", () => {
  const fine = "  2 threads\n  12345 requests in 1.10s, 3.5MB read\nRequests/sec: 11222.10\n";
  assert.deepEqual(readWrk(fine), { requests: 12345, refused: 0, failed: 0 });
  const bad = `${fine}  Socket errors: connect 1, read 2, write 0, timeout 4\n  Non-2xx or 3xx responses: 345\n`;
  assert.deepEqual(readWrk(bad), { requests: 12345, refused: 345, failed: 7 });
  assert.equal(readWrk("unable to connect to 127.0.0.1:1 Connection refused"), undefined);
});

test("a load ends in time; what had not begun by then has no requests, and what says nothing is a fault", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "vestibule-load-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const wrk = (script) => {
    const program = join(folder, "wrk");
    writeFileSync(program, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    return load({ name: "wrk", program }, { url: "http://127.0.0.1:1/", headers: {}, connections: 1, milliseconds: 200 });
  };
  const told = "echo '7 requests in 0.20s'; exit";
  assert.deepEqual(await wrk(`trap "${told}" INT; while true; do sleep 0.05; done`), { requests: 7, refused: 0, failed: 0 });
  assert.deepEqual(await wrk("exec sleep 20"), { requests: 0, refused: 0, failed: 0 });
  await assert.rejects(wrk("echo nothing"), /wrk measured nothing at http:\/\/127\.0\.0\.1:1\/: nothing/);
});

test("options: what is wrong with them is said", () => {
  assert.deepEqual(optionsOf([]).wanted, usual);
  assert.deepEqual(optionsOf(["--only", "json", "--only", "expired", "--rounds", "3"]).wanted, ["json", "expired"]);
  assert.equal(optionsOf(["--quick", "--rounds", "3"]).rounds, 3);
  assert.ok(optionsOf(["--quick"]).rounds < optionsOf([]).rounds);
  assert.equal(optionsOf(["--write"]).isWritten, true);
  assert.throws(() => optionsOf(["--only", "nothing"]), /no scenario "nothing"/);
  assert.throws(() => optionsOf(["--rounds", "many"]), /takes a number/);
  assert.throws(() => optionsOf(["--write", "--quick"]), /full run/);
  assert.throws(() => optionsOf(["--write", "--only", "json"]), /full run/);
  assert.equal(optionsOf(["--write", "--only", "memory", "--only", "growth"]).isWritten, true);
  assert.deepEqual(optionsOf(["--only", "memory"]).sessions.at(-1), 100_000);
  assert.throws(() => optionsOf(["--faster"]), /--faster/);
});

test("what is not usual is asked for by its name", () => {
  assert.deepEqual(names.filter((name) => !usual.includes(name)), ["growth", "memory"]);
});

test("every scenario has a floor to compare it with", () => {
  for (const { name, floor = name } of loads) {
    assert.ok(loads.find((load) => load.name === floor)?.who.includes("floor"), name);
  }
});
