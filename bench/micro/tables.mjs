// The results as tables: one of the layers, and one for each thing of which there can be more.

import { table } from "../report/table.mjs";

/** Of what `resultsIn` gives. */
export function tables(results) {
  const groups = [...new Set(results.map(({ group }) => group))];
  const of = (group) => results.filter((result) => result.group === group);
  const [layers, grown] = [of("layers"), groups.filter((group) => group !== "layers")];
  return [...(layers.length > 0 ? [layerTable(layers)] : []), ...grown.map((group) => growthTable(group, of(group)))].join("\n\n");
}

function layerTable(results) {
  const rows = [...results].sort(byName).map(({ name, best, median }) => [name, time(best), time(median)]);
  return table(["layer, on the host", "best", "median"], rows);
}

/** The least of it first: the ratio is to that. */
function growthTable(group, results) {
  const rows = [...results].sort((one, other) => Number.parseInt(one.name) - Number.parseInt(other.name));
  const cells = rows.map(({ name, best, median }) => [name, time(best), time(median), (best / rows[0].best).toFixed(2)]);
  return table([`a decision by ${group}`, "best", "median", "× the first"], cells);
}

const order = new Intl.Collator("en", { numeric: true });
const byName = (one, other) => order.compare(one.name, other.name);

/** Three digits of it. */
function time(nanoseconds) {
  if (nanoseconds < 1000) return `${Number(nanoseconds.toPrecision(3))} ns`;
  return `${Number((nanoseconds / 1000).toPrecision(3))} µs`;
}
