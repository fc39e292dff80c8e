// What outlives an isolate: Workers KV and the objects of accounts. Every function is called from Rust (store.rs), and
// every call of the platform has a limit of its own: a store that hangs must not hang a sign-in.

import { within } from "./deadline.js";

const STORE_LIMIT = 5000;
// An object may have to ask the OpenID Provider for a token before it can answer.
const ACCOUNT_LIMIT = 20_000;

/** A value as ArrayBuffer, or null. */
export function get(env, key) {
  return within(STORE_LIMIT, () => env.TOKEN_CACHE.get(key, "arrayBuffer"));
}

/** Writes a value that ends by itself after so many seconds. */
export function put(env, key, value, metadata, expirationTtl) {
  // The value is a view of wasm memory: other requests may move that before the platform has read it.
  const options = { expirationTtl, metadata: JSON.parse(metadata) };
  return within(STORE_LIMIT, () => env.TOKEN_CACHE.put(key, value.slice(), options));
}

export function remove(env, key) {
  return within(STORE_LIMIT, () => env.TOKEN_CACHE.delete(key));
}

/** A page of the keys that start with `prefix`: where the next one begins, then each key and its metadata as JSON or undefined. */
export async function list(env, prefix, cursor, limit) {
  const page = await within(STORE_LIMIT, () => env.TOKEN_CACHE.list({ prefix, cursor, limit }));
  const listed = [page.list_complete ? undefined : page.cursor];
  for (const { name, metadata } of page.keys) listed.push(name, metadata ? JSON.stringify(metadata) : undefined);
  return listed;
}

/** The header that names the session to the object. */
export const SESSION_HEADER = "x-session";

/** Calls the account object of that name: text in, text out. */
export function callAccount(env, name, request) {
  return within(ACCOUNT_LIMIT, () => object(env, name).call(request));
}

/** Opens a WebSocket to the account object of that name, which tells on it when the session ends: the handshake's answer. */
export async function watchSession(env, name, session) {
  const headers = { upgrade: "websocket", [SESSION_HEADER]: session };
  const answer = await within(ACCOUNT_LIMIT, () => object(env, name).fetch("https://account/", { headers }));
  // An object of another version of this software may answer anything.
  if (!answer.webSocket) throw new Error("no WebSocket");
  return answer;
}

function object(env, name) {
  return env.ACCOUNTS.get(env.ACCOUNTS.idFromName(name));
}
