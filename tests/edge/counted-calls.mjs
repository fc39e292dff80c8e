// What the Worker asks of others: each call by its kind, from the log of the instrumented one.

import assert from "node:assert/strict";

import { until } from "./until.mjs";

/**
 * Each call so far: `object`, the operation of the store and the kind of key, or, where the world's Worker tells its fetches,
 * `fetch` and of whom.
 */
export async function callsOf(place) {
  return (await place.worker.log()).map((line) => kinds[line.test]?.(line, place)).filter(Boolean);
}

const kinds = {
  account: () => "object",
  fetch: ({ url }, place) => `fetch ${whose(new URL(url), place)}`,
  store: ({ operation, key }) => `${operation} ${kindOf(key)}`,
};

function whose({ port }, { op, origin, orders, invoices }) {
  const parts = { OP: new URL(op.issuer).port, origin: origin.port, API: [orders.port, invoices.port] };
  return Object.keys(parts).find((name) => [parts[name]].flat().map(String).includes(port)) ?? "others";
}

function kindOf(key) {
  const [kind, , document] = key.split("/");
  return kind === "op" ? document : kind;
}

/** The order is not stated: copies in Workers KV are written after the answer. */
export async function assertCosts(place, expected, action) {
  const before = (await callsOf(place)).length;
  await action();
  const made = async () => (await callsOf(place)).slice(before);
  await until(async () => (await made()).length >= expected.length);
  assert.deepEqual((await made()).sort(), [...expected].sort());
}
