// Workers KV, in the namespace TOKEN_CACHE: eventually consistent, so nothing here knows what the key holds by now.

export function get(env, key) {
  return env.TOKEN_CACHE.get(key, "arrayBuffer");
}

export function put(env, key, value, metadata, expirationTtl) {
  return env.TOKEN_CACHE.put(key, value, { expirationTtl, metadata: JSON.parse(metadata) });
}

export async function replace(...args) {
  await put(...args);
  return true;
}

export async function remove(env, keys) {
  await Promise.all(keys.map((key) => env.TOKEN_CACHE.delete(key)));
}

export async function list(env, prefix, cursor, limit) {
  const page = await env.TOKEN_CACHE.list({ prefix, cursor, limit });
  const keys = page.keys.map(({ name, metadata }) => [name, metadata ? JSON.stringify(metadata) : undefined]);
  return { cursor: page.list_complete ? undefined : page.cursor, keys };
}
