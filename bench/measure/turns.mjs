// Whose turn it is.

/** The same list, beginning elsewhere. */
export function turned(list, by) {
  const start = by % list.length;
  return [...list.slice(start), ...list.slice(0, start)];
}
