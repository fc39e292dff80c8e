// docs/performance.md: prose by hand, and between two marks what a run has measured.

import { readFileSync, writeFileSync } from "node:fs";

import { inProject } from "../../scripts/project.mjs";
import { Stop } from "../../scripts/step.mjs";

/** The page with `measured` between the marks of that name; exported for tests. */
export function filled(page, measured, name = "bench") {
  const marks = [`<!-- ${name}: begin -->`, `<!-- ${name}: end -->`];
  const [begin, end] = marks.map((mark) => page.indexOf(mark));
  if (begin < 0 || end < begin) throw new Stop(`docs/performance.md lacks its marks, ${marks.join(" and ")}.`);
  return `${page.slice(0, begin + marks[0].length)}\n\n${measured}\n\n${page.slice(end)}`;
}

/** Writes it down, between the marks of that name. */
export function writeMeasured(measured, name) {
  const page = inProject("docs", "performance.md");
  writeFileSync(page, filled(readFileSync(page, "utf8"), measured, name));
}

export function writeResults(measured, svg) {
  writeMeasured(measured, "bench");
  writeFileSync(inProject("docs", "performance.svg"), svg);
}
