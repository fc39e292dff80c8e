// A panic in wasm stops the code that would have answered. Whoever waits for it is answered here instead, and the next
// call gets a fresh instance (instance.js).

const waiting = new Set();
let hasTrapped = false;

/** The promise of an answer, which a panic makes one of 500. */
export function guarded(promise) {
  return unlessTrapped(promise, internalError);
}

/** The promise of something else, which a panic rejects. */
export function guardedCall(promise) {
  return unlessTrapped(promise, rejection);
}

function unlessTrapped(promise, instead) {
  const { promise: trap, resolve } = Promise.withResolvers();
  waiting.add(resolve);
  // Each waiting request makes its own answer: the platform lets none use an object of the one that panicked.
  return Promise.race([promise, trap.then(instead)]).finally(() => waiting.delete(resolve));
}

export function trapped() {
  hasTrapped = true;
  for (const resolve of waiting) resolve();
  waiting.clear();
}

/** Whether the instance is broken; asking makes it the caller's to mend. */
export function takeTrap() {
  const result = hasTrapped;
  hasTrapped = false;
  return result;
}

/** The answer of a call into wasm that nobody guards. */
export function answeredBy(call) {
  return unlessBroken(call, internalError);
}

/** What a call into wasm that nobody guards gives. A broken instance is not called at all. */
export function unlessBroken(call, instead) {
  if (hasTrapped) return instead();
  try {
    return call();
  } catch (trap) {
    report(trap);
    trapped();
    return instead();
  }
}

export function report(trap) {
  console.error(JSON.stringify({ event: "worker.trapped", reason: String(trap) }));
}

export function rejection() {
  return Promise.reject(new Error("trapped"));
}

export function internalError() {
  const body = {
    type: "urn:vestibule:problem:internal",
    title: "Something went wrong",
    status: 500,
    code: "internal",
  };
  const headers = { "content-type": "application/problem+json", "cache-control": "no-store" };
  return new Response(JSON.stringify(body), { status: 500, headers });
}
