// The fast path on this side: the plans that stand, each in the place that wasm knows it by. What is in here is asked for
// only after wasm has said that it still stands (src/flow/standing.rs).

const kept = [];
// Most requests have been here before in every letter. To find those in here spares wasm their text.
const before = new Map();
const MOST_TEXTS = 1024;
// Together with what wasm keeps, some 20 MB if somebody does nothing but fill it.
const LONGEST_TEXT = 8 * 1024;
// Which headers decide is another question for each name, but there are few names.
const answers = new Map();
const MOST_NAMES = 512;

/** Keeps a plan. A request is passed on to `base` and what its own URL has from `cut` on. */
export function keep(place, base, cut, plan) {
  kept[place] = { place, base, cut, plan };
}

/** `url` and `plan` by which a request that is told so is passed on; nothing if no plan stands for it. */
export function standingPlan(text, request, standing, stands) {
  const now = Date.now();
  const known = before.get(text);
  if (known !== undefined && kept[known.is.place] === known.is && stands(known.is.place, now)) return known;
  const place = standing(text, now);
  if (place === undefined) return undefined;
  const is = kept[place];
  const found = { is, url: is.base + request.url.slice(is.cut), plan: is.plan };
  if (text.length <= LONGEST_TEXT) {
    if (before.size >= MOST_TEXTS) before.clear();
    before.set(text, found);
  }
  return found;
}

/** A request as wasm wants it to find what stands: of its headers only those that `decides` names. */
export function told(request, decides) {
  let text = `${request.method}\n${request.url}\n`;
  request.headers.forEach((value, name) => {
    if (isDecisive(name, decides)) text += `${name}\n${value}\n`;
  });
  return text;
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
