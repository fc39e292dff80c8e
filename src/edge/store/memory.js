// The isolate's own memory, for tests: it ends with the isolate, and no other one has it. It outlives the wasm instance.

const MOST = 5000;
const values = new Map();

export async function get(_env, key) {
  return current(key)?.value.slice() ?? null;
}

export async function put(_env, key, value, metadata, lifetime) {
  // At the end of the order, in which the oldest goes first.
  values.delete(key);
  values.set(key, { value, metadata, endsAt: Date.now() + lifetime * 1000 });
  if (values.size > MOST) values.delete(values.keys().next().value);
}

export async function replace(env, key, ...rest) {
  if (!current(key)) return false;
  await put(env, key, ...rest);
  return true;
}

export async function remove(_env, keys) {
  for (const key of keys) values.delete(key);
}

export async function list(_env, prefix, cursor = "", limit) {
  const found = [...values.keys()].filter((key) => key.startsWith(prefix) && key > cursor && current(key)).sort();
  const keys = found.slice(0, limit).map((key) => [key, values.get(key).metadata]);
  return { cursor: found.length > limit ? keys.at(-1)[0] : undefined, keys };
}

/** What is kept under a key, unless that has ended. */
function current(key) {
  const kept = values.get(key);
  if (kept && kept.endsAt <= Date.now()) values.delete(key);
  return values.get(key);
}
