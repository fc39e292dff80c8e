// What is said of the samples of a few rounds.

/** The middle one, or between the middle two; undefined of none. */
export function median(samples) {
  return quantile(samples, 0.5);
}

/** By linear interpolation between neighbours. */
export function quantile(samples, share) {
  if (samples.length === 0) return undefined;
  const sorted = [...samples].sort((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const [below, above] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
  return below + (above - below) * (at - Math.floor(at));
}

/** `{ median, low, high, count }`: the range is that of all samples, as there are too few for more. */
export function summary(samples) {
  if (samples.length === 0) return undefined;
  return { median: median(samples), low: Math.min(...samples), high: Math.max(...samples), count: samples.length };
}

/** The same with the middle half of the samples in place of all, where there are enough for that. */
export function middleHalf(samples) {
  if (samples.length === 0) return undefined;
  return { median: median(samples), low: quantile(samples, 0.25), high: quantile(samples, 0.75), count: samples.length };
}

/** Each sample over the floor's of the same turn; a turn that lacks either has none. */
export function ratios(samples, floor) {
  return [...samples].filter(([turn]) => floor.has(turn)).map(([turn, sample]) => sample / floor.get(turn));
}
