// The Worker's main module in the tests: the built one, with the calls of the store and of the accounts' objects in the
// log and a few switches that a test throws by header. It runs in workerd and is given to it as text.

import worker, { AccountObject as BuiltAccountObject } from "./entry.js";

const realNow = Date.now.bind(Date);
const realSetInterval = setInterval;
const realRandom = crypto.getRandomValues.bind(crypto);
let secondsAhead = 0;
let storeSwitches = {};
let accountSwitch;
let intervals;
let tellsFetches = false;
const realFetch = fetch;
globalThis.fetch = (url, init) => {
  if (tellsFetches) console.log(JSON.stringify({ test: "fetch", url, cf: init.cf }));
  return realFetch(url, init);
};
Date.now = () => realNow() + secondsAhead * 1000;
globalThis.setInterval = (act, wait) => realSetInterval(act, intervals ?? wait);

const operations = ["get", "put", "list", "delete"];
const down = Object.fromEntries(operations.map((operation) => [operation, "fail"]));

/** What a switch makes of an operation: `act` would do it, `key` is what it is about. */
const misbehaviours = {
  fail: () => Promise.reject(new Error("the store is down")),
  hang: () => new Promise(() => {}),
  lost: (act) => act().then(() => Promise.reject(new Error("the answer got lost"))),
  stale: (act, key) => (firstReads.has(key) ? Promise.resolve(firstReads.get(key)) : act()),
  throttle: () => Promise.reject(new Error("KV PUT failed: 429 Too Many Requests")),
};
const firstReads = new Map();

async function watching(operation, key, act) {
  console.log(JSON.stringify({ test: "store", operation, key }));
  const result = await (misbehaviours[storeSwitches[operation]]?.(act, key) ?? act());
  if (operation === "get" && !firstReads.has(key)) firstReads.set(key, result);
  return result;
}

class WatchedStore {
  constructor(store) {
    for (const operation of operations) {
      this[operation] = (...args) => watching(operation, args[0]?.prefix ?? args[0], () => store[operation](...args));
    }
  }
}

/** A D1 database: its statements as the operations of Workers KV that they stand for. */
class WatchedDatabase {
  constructor(database) {
    this.prepare = () => {
      throw new Error("not in a session");
    };
    this.withSession = (constraint) => {
      if (constraint !== "first-primary") throw new Error("a replica may answer");
      const session = database.withSession(constraint);
      return {
        prepare: (sql) => new WatchedStatement(session.prepare(sql), sql),
        batch: (statements) => statements[0].watched(() => session.batch(statements.map(({ statement }) => statement))),
      };
    };
  }
}

const verbs = { "SELECT value": "get", INSERT: "put", UPDATE: "put", "DELETE FROM token_cache WHERE key IN (SELECT value": "delete", "SELECT key": "list" };

class WatchedStatement {
  constructor(statement, sql, key) {
    Object.assign(this, { statement, sql, key });
    for (const end of ["first", "raw", "run"]) this[end] = (...args) => this.watched(() => statement[end](...args));
  }

  bind(...values) {
    const key = String(values[0]).replaceAll(/[^\w/-]+/g, " ").trim();
    return new WatchedStatement(this.statement.bind(...values), this.sql, key);
  }

  watched(act) {
    const [, operation] = Object.entries(verbs).find(([verb]) => this.sql.startsWith(verb)) ?? [];
    return operation ? watching(operation, this.key, act) : act();
  }
}

let metricsFail = false;

class WatchedMetrics {
  constructor(metrics) {
    this.writeDataPoint = (point) => {
      if (metricsFail) throw new Error("no point is taken");
      console.log(JSON.stringify({ test: "point", point }));
      metrics.writeDataPoint(point);
    };
  }
}

let watched;
function watch(env) {
  if (watched) return watched;
  watched = { ...env };
  if (env.TOKEN_CACHE) watched.TOKEN_CACHE = new WatchedStore(env.TOKEN_CACHE);
  if (env.TOKEN_CACHE_DB) watched.TOKEN_CACHE_DB = new WatchedDatabase(env.TOKEN_CACHE_DB);
  if (env.METRICS) watched.METRICS = new WatchedMetrics(env.METRICS);
  return watched;
}

export class AccountObject extends BuiltAccountObject {
  constructor(state, env) {
    super(state, watch(env));
  }

  call(request) {
    console.log(JSON.stringify({ test: "account" }));
    if (accountSwitch === "down") return Promise.reject(new Error("the object is down"));
    if (accountSwitch === "crash") return super.call(request).then(() => this.crash());
    if (accountSwitch === "panic") return withoutRandomness(() => super.call(request));
    return super.call(request);
  }

  fetch(request) {
    if (accountSwitch === "down") return Promise.reject(new Error("the object is down"));
    return super.fetch(request);
  }

  /** How many WebSockets are connected, and whether a message woke the object since it was asked last. */
  watchers() {
    const wokenBy = this.wokenBy;
    this.wokenBy = undefined;
    return { count: this.ctx.getWebSockets().length, wokenBy };
  }

  webSocketMessage(socket, message) {
    this.wokenBy = message;
    return super.webSocketMessage(socket, message);
  }

  ring() {
    return this.alarm();
  }

  crash() {
    this.ctx.abort("crashed");
  }
}

export default {
  fetch(request, env, context) {
    const command = request.headers.get("x-test");
    if (command?.startsWith("{")) return obey(JSON.parse(command), env.ACCOUNTS, env.APART);
    if (command === "apart") return env.APART.fetch(withoutCommand(request));
    if (command === "panic") return withoutRandomness(() => worker.fetch(request, watch(env), context));
    if (command === "throw") return worker.fetch(throwing(), watch(env), context);
    return worker.fetch(request, watch(env), context);
  },
};

/** An order for the store replaces the one before: `{ store: { get: "hang" } }` mends all other operations. */
async function obey({ mark, clock, store, account, call, ring, crash, watchers, ...more }, objects, apart) {
  const orders = JSON.stringify({ clock, store, account });
  await apart?.fetch("http://localhost/", { headers: { "x-test": orders } });
  if (mark) console.log(JSON.stringify({ test: "mark", mark }));
  if (clock !== undefined) secondsAhead = clock;
  if (store) storeSwitches = { up: {}, down }[store] ?? store;
  if (account) accountSwitch = account;
  if (more.fetches) tellsFetches = true;
  if (more.metricsFail !== undefined) metricsFail = more.metricsFail;
  if (more.intervals) intervals = more.intervals;
  if (call) return outcome(objects.get(objects.idFromName(call.name)).call(call.request));
  if (ring) return outcome(objects.get(objects.idFromString(ring)).ring());
  if (crash) return outcome(objects.get(objects.idFromString(crash)).crash());
  if (watchers) return outcome(objects.get(objects.idFromString(watchers)).watchers());
  return new Response("done");
}

async function outcome(promise) {
  return Response.json(await promise.then((answer) => ({ answer }), (error) => ({ rejected: error.message })));
}

function withoutCommand(request) {
  const own = new Request(request);
  own.headers.delete("x-test");
  return own;
}

// A platform without randomness is the one fault that the Worker answers with a panic.
function withoutRandomness(call) {
  crypto.getRandomValues = () => {
    throw new Error("no randomness");
  };
  const mend = () => {
    crypto.getRandomValues = realRandom;
  };
  try {
    return Promise.resolve(call()).finally(mend);
  } catch (error) {
    mend();
    throw error;
  }
}

function throwing() {
  return {
    get method() {
      throw new Error("thrown through wasm");
    },
  };
}
