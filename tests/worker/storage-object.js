// A Worker around the built storage class alone: each request makes calls of it inside one object and gets what they
// gave, in JSON. It runs in workerd and is given to it as text.

import { DurableObject } from "cloudflare:workers";

import { AccountStorage } from "./account-storage.js";

export class StorageObject extends DurableObject {
  #ends = 0;
  #storage = new AccountStorage(this.ctx.storage, () => (this.#ends += 1));

  async calls(calls) {
    const results = [];
    for (const [method, ...args] of calls) results.push(await this.#call(method, args.map(bytesOf)));
    return results;
  }

  alarm() {}

  async #call(method, args) {
    const rest = {
      alarmAt: () => this.ctx.storage.getAlarm(),
      breakAlarms: () => this.#break(["getAlarm"]),
      ends: () => this.#ends,
      tables: () => this.#tables(),
      databaseSize: () => this.ctx.storage.sql.databaseSize,
      age: () => void this.ctx.storage.sql.exec("DROP TABLE watermark"),
      damage: () => void this.ctx.storage.sql.exec("DROP TABLE session"),
    };
    try {
      return printable(await (rest[method] ?? ((...values) => this.#storage[method](...values)))(...args));
    } catch (error) {
      return { threw: error.message };
    }
  }

  #tables() {
    return [...this.ctx.storage.sql.exec("SELECT name FROM sqlite_master WHERE type = 'table'").raw()].flat();
  }

  #break(methods) {
    const real = this.ctx.storage;
    const broken = Object.fromEntries(methods.map((method) => [method, () => Promise.reject(new Error("broken"))]));
    this.#storage = new AccountStorage(new Proxy(real, {
      get: (_, name) => broken[name] ?? (typeof real[name] === "function" ? real[name].bind(real) : real[name]),
    }));
  }
}

export default {
  async fetch(request, env) {
    const { name, calls } = await request.json();
    return Response.json(await env.OBJECTS.get(env.OBJECTS.idFromName(name)).calls(calls));
  },
};

function bytesOf(argument) {
  return argument?.bytes ? new Uint8Array(argument.bytes) : argument;
}

function printable(result) {
  if (result instanceof ArrayBuffer) return { bytes: [...new Uint8Array(result)] };
  return Array.isArray(result) ? result.map(printable) : (result ?? null);
}
