// What outlives an isolate: the store that Session.TokenCache names, and the objects of accounts. Every function is called
// from Rust (store.rs), and every call of the platform has a limit of its own: a store that hangs must not hang a sign-in.

import { within } from "./deadline.js";
import * as d1 from "./store/d1.js";
import * as kv from "./store/kv.js";
import * as memory from "./store/memory.js";
import * as none from "./store/none.js";

const STORE_LIMIT = 5000;
// An object may have to ask the OpenID Provider for a token before it can answer.
const ACCOUNT_LIMIT = 20_000;

const stores = { KV: kv, D1: d1, DurableObject: none, Memory: memory };
let store = kv;

/** Says which store it is, once in each life of the wasm instance. */
export function choose(name) {
  store = stores[name];
}

/** A value as bytes, or null. */
export function get(env, key) {
  return within(STORE_LIMIT, () => store.get(env, key));
}

/** Writes a value that ends by itself after so many seconds; `metadata` is JSON. */
export function put(env, key, value, metadata, lifetime) {
  // The value is a view of wasm memory: other requests may move that before the platform has read it.
  return within(STORE_LIMIT, () => store.put(env, key, value.slice(), metadata, lifetime));
}

/** The same in place of an earlier value, if that is still there: whether it was. Workers KV writes and says yes. */
export function replace(env, key, value, metadata, lifetime) {
  return within(STORE_LIMIT, () => store.replace(env, key, value.slice(), metadata, lifetime));
}

/** Deletes values, whose keys stand in lines: with one transaction, where the store has any. */
export function remove(env, keys) {
  return within(STORE_LIMIT, () => store.remove(env, keys.split("\n")));
}

/** A page of the keys that start with `prefix`: where the next one begins, then each key and its metadata as JSON or undefined. */
export async function list(env, prefix, cursor, limit) {
  const page = await within(STORE_LIMIT, () => store.list(env, prefix, cursor, limit));
  return [page.cursor, ...page.keys.flat()];
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
