// The results as tables in Markdown, whose columns line up in a terminal as well.

/** Header cells and rows of cells; all columns but the first are numbers. */
export function table(header, rows) {
  const widths = header.map((_, column) => Math.max(3, ...[header, ...rows].map((row) => width(row[column]))));
  const line = (cells) => `| ${cells.map((cell, column) => padded(cell, widths[column], column > 0)).join(" | ")} |`;
  const rule = `|${widths.map((size, column) => (column > 0 ? `${"-".repeat(size + 1)}:` : "-".repeat(size + 2))).join("|")}|`;
  return [line(header), rule, ...rows.map(line)].join("\n");
}

/** One scenario: who, CPU for each request, ratio to the floor, and Vestibule's goal. */
export function scenarioTable({ scenario, rows }) {
  const base = scenario.floorIs ? `× ${scenario.floorIs}` : "× floor";
  const cells = rows.map(({ contestant, cpu, ratio }) => [contestant.title, microseconds(cpu), ratioText(ratio)]);
  return table([scenario.title, "CPU for each, µs", base], cells);
}

/** All scenarios in one: a row for each contestant, the median of the ratios in each column. */
export function overview(results, contestants) {
  const shown = results.filter(({ rows }) => rows.some(({ ratio }) => ratio));
  const header = ["CPU as a ratio to the floor's", ...shown.map(({ scenario }) => scenario.name)];
  const cell = ({ rows }, contestant) => {
    const row = rows.find((one) => one.contestant === contestant);
    return row?.ratio ? row.ratio.median.toFixed(2) : "–";
  };
  const rows = contestants.map((contestant) => [contestant.title, ...shown.map((result) => cell(result, contestant))]);
  const goals = ["goal for Vestibule, at most", ...shown.map(({ scenario }) => scenario.goal?.toFixed(2) ?? "–")];
  return table(header, [...rows, goals]);
}

export function expiredTable(results, contestants) {
  const title = (name) => contestants.find((contestant) => contestant.name === name).title;
  const rows = results.map(({ name, crowd, answered, stale, grants, isAlive }) => [
    title(name),
    `${answered} of ${crowd}`,
    String(stale),
    String(grants),
    isAlive ? "alive" : "over",
  ]);
  return table(["access token expired", "answered 200", "with an expired token", "token requests", "one token life later"], rows);
}

/** A row for each crowd: when its answers came. */
export function crowdTable(results) {
  const rows = results.flatMap(({ contestant, fresh, expired, roundTrip, grants, stale }) => [
    crowdRow(`${contestant.title}${expired ? ", fresh token" : ""}`, fresh, ["–", "–", "–"]),
    ...(expired ? [crowdRow(`${contestant.title}, expired`, expired, [String(grants), String(stale), roundTrip.toFixed(0)])] : []),
  ]);
  const times = ["first, ms", "median", "p99", "p99 after the first", "CPU for each, µs"];
  return table(["1 000 requests at once", "answered 200", ...times, "token requests", "with an expired token", "OP's round trip, ms"], rows);
}

/** An isolate's memory after so many sessions. */
export function memoryTable(results) {
  const mebibytes = (bytes) => (bytes / 1024 / 1024).toFixed(1);
  const rows = results.map(({ sessions, ...sizes }) => [String(sessions), ...[sizes.wasm, sizes.heap, sizes.resident].map(mebibytes)]);
  return table(["sessions that came through the isolate", "wasm memory, MiB", "JavaScript heap, MiB", "whole process, MiB"], rows);
}

/** A row for each number of each kind. */
export function growthTable(results) {
  const rows = results.flatMap(({ title, rows: sizes }) => sizes.map(({ size, cpu, ratio }) => [`${size} ${title}`, microseconds(cpu), ratioText(ratio)]));
  return table(["there are", "CPU for each, µs", "× the fewest"], rows);
}

function crowdRow(title, { size, answered, first, middle, late, gap, cpu }, rest) {
  return [title, `${answered} of ${size}`, ...[first, middle, late, gap, cpu * 1000].map((time) => time?.toFixed(0) ?? "–"), ...rest];
}

/** Cold starts: until it listens, the first request, and both as the difference to an empty Worker. */
export function coldTable(results) {
  const cell = ({ median, low, high }) => `${median.toFixed(1)} (${low.toFixed(1)}–${high.toFixed(1)})`;
  const rows = results.map(({ contestant, request, start, first, over }) => [
    `${contestant.title}, ${request.title}`,
    ...[start, first, over].map(cell),
  ]);
  return table(["cold start, CPU in ms", "until it listens", "first request", "both, over an empty Worker"], rows);
}

function microseconds({ median, low, high }) {
  const digits = median < 1000 ? 0 : -1;
  const [middle, from, to] = [median, low, high].map((value) => (digits < 0 ? Math.round(value / 10) * 10 : Math.round(value)));
  return `${middle} (${from}–${to})`;
}

function ratioText(ratio) {
  return ratio ? `${ratio.median.toFixed(2)} (${ratio.low.toFixed(2)}–${ratio.high.toFixed(2)})` : "–";
}

function padded(cell, size, isNumber) {
  const space = " ".repeat(Math.max(0, size - width(cell)));
  return isNumber ? space + cell : cell + space;
}

function width(cell) {
  return [...cell].length;
}
