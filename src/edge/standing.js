// The plans that stand, each in the place that wasm knows it by. What is in here is asked for only after wasm has said that
// it still stands (src/flow/standing.rs).

import { head } from "./glue.js";

const kept = [];
// Which headers decide is another question for each name, but there are few names.
const answers = new Map();
const MOST_NAMES = 512;

/** Keeps a plan. A request is passed on to `base` and what its own URL has from `cut` on. */
export function keep(place, base, cut, plan) {
  kept[place] = { base, cut, plan };
}

/** The plan in a place, the URL to which it passes the request on, and how to ask whether the place still has this one. */
export function standingPlan(place, request) {
  const found = kept[place];
  const { base, cut, plan } = found;
  return { url: base + request.url.slice(cut), plan, isKept: () => kept[place] === found };
}

/** A request as wasm wants it to find what stands: of its headers only those that `decides` names. */
export function told(request, headers, decides) {
  return head(request, headers.filter(([name]) => isDecisive(name, decides)));
}

function isDecisive(name, decides) {
  const isKnown = answers.get(name);
  if (isKnown !== undefined) return isKnown;
  // Nothing, as long as there is no configuration.
  const answer = decides(name);
  if (answer === undefined) return true;
  if (answers.size >= MOST_NAMES) answers.clear();
  answers.set(name, answer);
  return answer;
}
