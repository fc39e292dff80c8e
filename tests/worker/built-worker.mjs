// The built Worker in workerd, by way of Miniflare 5: its log as objects, its store at hand.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

import { Miniflare } from "miniflare";

import { exchange } from "./exchange.mjs";
import { storeOf } from "./stores.mjs";

const project = fileURLToPath(new URL("../..", import.meta.url));
const built = join(project, "build", "worker");
const types = { ".js": "esm", ".wasm": "wasm" };
const ofTests = ["instrumented.js", "counting.js", "crossings.js"];

/**
 * `vars` are what [vars] of wrangler.toml holds, `secrets` what `wrangler secret put` stores. Instrumented, the Worker
 * obeys the tests' switches; otherwise it is the one that is deployed. `accountsApart` adds a second isolate, which has
 * the accounts' objects, as the platform may do or not, and serves requests, too. `tokenCache` says which store is bound:
 * the one that `Session.TokenCache` names. `services` are other Workers by the name
 * of their binding, each as the text of its module; `assets` is a directory of static assets, which ASSETS is bound to;
 * `cf` is what the platform tells of each request. `withMetrics` binds a dataset, which on this machine keeps nothing: instrumented, its points are in the
 * log. `countsCrossings` has the calls between JavaScript and wasm counted.
 */
export async function startBuiltWorker({ port, ...settings }) {
  const usual = { isInstrumented: true, withStore: true, withAccounts: true, accountsApart: false, tokenCache: "KV" };
  const all = { ...usual, ...settings };
  const { isInstrumented, withStore, withAccounts, accountsApart, tokenCache } = all;
  const worker = { lines: [], output: [] };
  const options = {
    host: "127.0.0.1",
    port,
    cf: all.cf ?? false,
    logRequests: false,
    telemetry: { enabled: false },
    unsafeInspectDurableObjects: isInstrumented,
    handleStructuredLogs: ({ level, message }) => take(worker, level, message),
    workers: [...workers(all), ...servicesOf(all)],
  };
  const runtime = new Miniflare(options);
  await runtime.ready;
  const base = `http://localhost:${port}`;
  const command = (orders) => exchange(base, { headers: { "x-test": JSON.stringify(orders) } });
  return Object.assign(worker, {
    command,
    accounts: withAccounts && accountsOf(runtime, command, accountsApart ? "apart" : "vestibule"),
    store: withStore && (await storeOf(runtime, tokenCache)),
    /** Ends the process with every isolate, and begins another one with what was stored. */
    restart: () => runtime.setOptions(options),
    log: () => settledLog(worker, command),
    /** The calls between JavaScript and wasm since the last time, where they are counted. */
    crossings: async () => (await exchange(base, { headers: { "x-test": "crossings" } })).json(),
    close: () => runtime.dispose(),
  });
}

/** The accounts' objects: those that exist have an id, any has a name. */
function accountsOf(runtime, command, worker) {
  const klass = [worker, "AccountObject"];
  const result = async (order) => (await command(order)).json();
  return {
    ids: () => runtime.listDurableObjectIds("ACCOUNTS"),
    rows: async (id, ...query) => (await runtime.unsafeGetDurableObjectStorage(...klass, { id })).exec(...query),
    /** `{ answer }` or `{ rejected }`, as the Worker itself would see it. */
    call: (name, request) => result({ call: { name, request } }),
    /**
     * Ends what an object keeps in memory, not its storage, once its calls are answered. Its WebSockets outlive that,
     * unless `webSockets` is "close".
     */
    evict: (id, options) => runtime.unsafeEvictDurableObject(...klass, { id, ...options }),
    /** The same at once: its calls are never answered. */
    crash: (id) => result({ crash: id }),
    /** `{ count, wokenBy }` of the WebSockets that an object holds. */
    watchers: async (id) => (await result({ watchers: id })).answer,
    /** A clock that a test puts forward sets off no alarm of the platform's. */
    ring: (id) => result({ ring: id }),
  };
}

function servicesOf({ services = {} }) {
  return Object.entries(services).map(([name, contents]) => {
    const manifest = { mainModule: "main.js", modulesRoot: project, modules: { "main.js": { type: "esm", contents } } };
    const config = { name: `service-${name}`, compatibilityDate: compatibilityDate(), manifest, env: {}, exports: {} };
    return { config, dev: { rootPath: project } };
  });
}

function workers({ accountsApart, ...settings }) {
  const worker = (name, more) => ({ config: { ...configuration(settings), name, ...more }, dev: { rootPath: project } });
  if (!accountsApart) return [worker("vestibule")];
  const { env } = configuration(settings);
  if (env.ACCOUNTS) env.ACCOUNTS.worker = "apart";
  // The switches are thrown in both.
  const ours = { ...env, APART: { type: "worker", worker: "apart" } };
  return [worker("vestibule", { env: ours, exports: {} }), worker("apart", { env })];
}

function configuration({ vars, secrets, withStore, withAccounts, withMetrics, tokenCache, isInstrumented, countsCrossings, services = {}, assets }) {
  const env = {};
  for (const [name, value] of Object.entries(vars)) env[name] = { type: "json", value };
  for (const [name, value] of Object.entries(secrets)) env[name] = { type: "text", value };
  if (withStore && tokenCache === "KV") env.TOKEN_CACHE = { type: "kv", id: "token-cache" };
  if (withStore && tokenCache === "D1") env.TOKEN_CACHE_DB = { type: "d1", id: "token-cache" };
  if (withAccounts) env.ACCOUNTS = { type: "durable-object", worker: "vestibule", exportName: "AccountObject" };
  for (const name of Object.keys(services)) env[name] = { type: "worker", worker: `service-${name}` };
  if (withMetrics) env.METRICS = { type: "analytics-engine-dataset", name: "vestibule" };
  if (assets) env.ASSETS = { type: "assets" };
  const exports = withAccounts ? { AccountObject: { type: "durable-object", storage: "sqlite" } } : {};
  const mainModule = countsCrossings ? "counting.js" : isInstrumented ? "instrumented.js" : "entry.js";
  const manifest = { mainModule, modulesRoot: built, modules: modules() };
  const base = { name: "vestibule", compatibilityDate: compatibilityDate(), manifest, env, exports };
  return assets ? { ...base, assets: { directory: assets, hasUserWorker: true, runWorkerFirst: true } } : base;
}

function modules() {
  if (!existsSync(built)) throw new Error("There is no build/worker: run `npm run build`.");
  const files = readdirSync(built, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const entries = files.map((file) => {
    const path = join(file.parentPath, file.name);
    const contents = readFileSync(path);
    const type = types[path.slice(path.lastIndexOf("."))];
    return [relative(built, path), { type, contents: type === "esm" ? contents.toString("utf8") : contents }];
  });
  const own = ofTests.map((name) => [name, { type: "esm", contents: readFileSync(new URL(name, import.meta.url), "utf8") }]);
  return Object.fromEntries([...entries, ...own]);
}

// The date that is deployed, so that the tests run on the same platform.
function compatibilityDate() {
  return /^compatibility_date = "(.+)"$/m.exec(readFileSync(join(project, "wrangler.toml"), "utf8"))[1];
}

function take(worker, level, message) {
  worker.output.push(message);
  try {
    worker.lines.push(JSON.parse(message));
  } catch {
    worker.lines.push({ event: "not.json", level, message });
  }
}

/** All lines so far: the log arrives late, so a mark is written to it and waited for. */
async function settledLog(worker, command) {
  const mark = crypto.randomUUID();
  await command({ mark });
  const deadline = Date.now() + 10_000;
  while (!worker.lines.some((line) => line.mark === mark)) {
    if (Date.now() > deadline) throw new Error("the log does not arrive");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return worker.lines.filter((line) => line.test !== "mark");
}
