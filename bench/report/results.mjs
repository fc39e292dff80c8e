// From samples to what is told: per scenario a row for each contestant, with medians, ranges and ratios.

import { ratios, summary } from "../measure/statistics.mjs";

/** `[{ scenario, rows: [{ contestant, cpu, ratio }] }]`; `cpu` in µs, `ratio` to the floor, both as `summary` gives them. */
export function resultsOf({ samples, scenarios, contestants }) {
  return scenarios.map((scenario) => {
    const floor = samples.of(scenario.floor ?? scenario.name, scenario.floorIs ?? "floor");
    const rows = contestants
      .map((contestant) => ({ contestant, of: samples.of(scenario.name, contestant.name) }))
      .filter(({ of }) => of.size > 0)
      .map(({ contestant, of }) => ({ contestant, cpu: summary([...of.values()]), ratio: summary(ratios(of, floor)) }));
    return { scenario, rows };
  });
}
