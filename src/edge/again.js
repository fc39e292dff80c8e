// The fast path begins here: most requests have been here before in every letter that decides anything. How each was
// answered last is kept by those letters, and may answer the next one as well.

const known = new Map();
const MOST = 1024;
// In characters. With as many plans, some 20 MB if somebody does nothing but fill it.
const LONGEST = 8 * 1024;

/** Keeps `answer`, which is given a request and gives nothing where it would not answer so any more. */
export function remember(text, answer) {
  if (text.length > LONGEST) return;
  if (known.size >= MOST) known.clear();
  known.set(text, answer);
}

/** The answer to a request that is told so, by what is kept; nothing if nothing is. */
export function answeredAgain(text, request, env, context) {
  return known.get(text)?.(request, env, context);
}
