// docs/performance.md: prose by hand, and between marks what a run has measured.

import { readFileSync, writeFileSync } from "node:fs";

import { inProject } from "../../scripts/project.mjs";
import { Stop } from "../../scripts/step.mjs";

/** The page with `measured` between the marks of `part`; exported for tests. */
export function filled(page, part, measured) {
  const marks = [`<!-- ${part}: begin -->`, `<!-- ${part}: end -->`];
  const [begin, end] = marks.map((mark) => page.indexOf(mark));
  if (begin < 0 || end < begin) throw new Stop(`docs/performance.md lacks its marks, ${marks.join(" and ")}.`);
  return `${page.slice(0, begin + marks[0].length)}\n\n${measured}\n\n${page.slice(end)}`;
}

export function writePart(part, measured) {
  const page = inProject("docs", "performance.md");
  writeFileSync(page, filled(readFileSync(page, "utf8"), part, measured));
}

export function writePlot(svg) {
  writeFileSync(inProject("docs", "performance.svg"), svg);
}
