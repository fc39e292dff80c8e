// A Worker around the built store.js alone: each request makes calls of it, one after the other, and gets what they gave, in
// JSON. It runs in workerd and is given to it as text.

import * as store from "./store.js";

const realNow = Date.now.bind(Date);
let secondsAhead = 0;
Date.now = () => realNow() + secondsAhead * 1000;

export default {
  async fetch(request, env) {
    const results = [];
    for (const [method, ...args] of await request.json()) results.push(await outcome(env, method, args));
    return Response.json(results);
  },
};

async function outcome(env, method, args) {
  if (method === "choose") return void store.choose(...args) ?? null;
  if (method === "clock") return void ([secondsAhead] = args) ?? null;
  try {
    return printable(await store[method](env, ...args.map(bytesOf)));
  } catch (error) {
    return { rejected: error.message ?? String(error) };
  }
}

function bytesOf(argument) {
  return argument?.bytes ? new Uint8Array(argument.bytes) : (argument ?? undefined);
}

function printable(result) {
  if (result instanceof ArrayBuffer || ArrayBuffer.isView(result)) return { bytes: [...new Uint8Array(result)] };
  return result ?? null;
}
