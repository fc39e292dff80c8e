// Waits for what happens after an answer, such as the copies in Workers KV.

/** The first value of `look` that is true; a failure says that there was none. */
export async function until(look) {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > deadline) throw new Error(`never true: ${look}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
