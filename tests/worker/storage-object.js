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
      tables: () => this.#named("table"),
      indices: () => this.#named("index"),
      // What the platform does as it wakes the object.
      wake: () => this.ctx.storage.deleteAlarm(),
      asBefore: () => void this.ctx.storage.sql.exec(TABLES_BEFORE),
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

  #named(type) {
    return [...this.ctx.storage.sql.exec("SELECT name FROM sqlite_master WHERE type = ?", type).raw()].flat();
  }

  #break(methods) {
    const real = this.ctx.storage;
    const broken = Object.fromEntries(methods.map((method) => [method, () => Promise.reject(new Error("broken"))]));
    this.#storage = new AccountStorage(new Proxy(real, {
      get: (_, name) => broken[name] ?? (typeof real[name] === "function" ? real[name].bind(real) : real[name]),
    }));
  }
}

// As the first versions made them.
const TABLES_BEFORE = `
  CREATE TABLE session (
    id TEXT PRIMARY KEY, issued_at INTEGER, expires_at INTEGER, revision INTEGER, entry BLOB NULL, metadata TEXT
  );
  CREATE TABLE watermark (only_row INTEGER PRIMARY KEY CHECK (only_row = 1), valid_after INTEGER NOT NULL);
  CREATE TABLE logout_token (token TEXT PRIMARY KEY, expires_at INTEGER);
  CREATE TABLE deletion (key TEXT PRIMARY KEY);
`;

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
  if (result instanceof ArrayBuffer || result instanceof Uint8Array) return { bytes: [...new Uint8Array(result)] };
  return Array.isArray(result) ? result.map(printable) : (result ?? null);
}
