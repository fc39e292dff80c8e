// From samples to what is told: per scenario a row for each contestant, with medians, middle halves and ratios.

import { middleHalf, ratios } from "../measure/statistics.mjs";

/** `[{ scenario, rows: [{ contestant, cpu, ratio }] }]`; `cpu` in µs, `ratio` to the floor, both as `middleHalf` gives them. */
export function resultsOf({ samples, scenarios, contestants }) {
  return scenarios.map((scenario) => {
    const floor = samples.of(scenario.floor ?? scenario.name, scenario.floorIs ?? "floor");
    const rows = contestants
      .map((contestant) => ({ contestant, of: samples.of(scenario.name, contestant.name) }))
      .filter(({ of }) => of.size > 0)
      .map(({ contestant, of }) => ({ contestant, cpu: middleHalf([...of.values()]), ratio: middleHalf(ratios(of, floor)) }));
    return { scenario, rows };
  });
}
