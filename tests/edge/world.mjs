// One deployment and everything around it: the built Worker, a real OpenID Provider, an origin and two downstream APIs.

import { randomBytes } from "node:crypto";

import { startApi } from "../../demo/api.mjs";
import { startOrigin } from "../../demo/origin.mjs";
import { startProvider } from "../../demo/provider.mjs";
import { startBuiltWorker } from "../worker/built-worker.mjs";
import { exchange } from "../worker/exchange.mjs";
import { freePort } from "../worker/free-port.mjs";
import { Browser } from "./browser.mjs";
import { recordIssued } from "./issued.mjs";

export const resources = { Invoices: "https://invoices.example/", Orders: "https://orders.example/" };
const scopes = "orders.read orders.write";

/**
 * The ways to keep tokens in which a sign-out holds at once for whoever asks; `withStore` tells whether there is a store
 * beside the objects. Workers KV alone promises less.
 */
export const tokenCaches = [
  { name: "Workers KV and the objects", places: {}, withStore: true },
  { name: "D1 and the objects", places: { tokenCache: "D1" }, withStore: true },
  { name: "the objects alone", places: { tokenCache: "DurableObject" }, withStore: false },
  { name: "D1 alone", places: { tokenCache: "D1", withAccounts: false }, withStore: true },
];

/**
 * `provider` goes to the OP, `vars` are merged into the Worker's variables section by section; a section or a secret that
 * is `undefined` is left out. `apiVars` are merged into the variables of the APIs, by name. With `backchannel` the OP
 * tells the Worker what ends there. `beside` gives more parts and their variables for a public origin. The rest says which stores there are: see startBuiltWorker.
 */
export async function startWorld({ provider = {}, vars = {}, apiVars = {}, secrets = {}, backchannel, beside, ...places } = {}) {
  const { tokenCache } = places;
  const port = await freePort();
  const publicOrigin = `http://localhost:${port}`;
  const client = { clientId: "edge-tests", clientSecret: randomBytes(18).toString("base64url") };
  const backchannelLogoutUri = backchannel && `${publicOrigin}/.auth/backchannel-logout`;
  const op = await startProviderFor(publicOrigin, client, { backchannelLogoutUri, ...provider });
  const origin = await startOrigin({ publicOrigin });
  const apis = await startApis(op.issuer);
  const more = (await beside?.(publicOrigin)) ?? { parts: [] };
  const parts = [op, origin, ...Object.values(apis), ...more.parts];
  const sessionKey = randomBytes(32).toString("base64");
  const base = variables({ publicOrigin, op, origin, apis, client });
  base.DownstreamApis = merged(base.DownstreamApis, { ...more.apiVars, ...apiVars });
  if (tokenCache) base.Session = { TokenCache: tokenCache };
  const allVars = merged(base, { ...more.vars, ...vars });
  const allSecrets = { Session__Key: sessionKey, OpenIdConnect__ClientSecret: client.clientSecret, ...more.secrets, ...secrets };
  const settings = { port, vars: defined(allVars), secrets: defined(allSecrets), ...places };
  // A server left open would keep the test process waiting for ever.
  const worker = await startBuiltWorker(settings).catch((error) => closeAll(parts).then(() => Promise.reject(error)));
  const issued = recordIssued(op);
  issued.secrets.add(`client_secret ${client.clientSecret}`).add(`session_key ${sessionKey}`);
  const world = { port, publicOrigin, client, sessionKey, op, origin, ...apis, worker, store: worker.store, issued };
  return Object.assign(world, {
    browser: (more) => new Browser(world, more),
    storeCalls: async () => (await worker.log()).filter((line) => line.test === "store"),
    events: async () => (await worker.log()).filter((line) => line.event),
    accountEntries: () => keys(worker.store, "account/"),
    allKeys: () => keys(worker.store, ""),
    /** The names of an object's tables, without those of the platform. */
    tables: (id) => tables(worker.accounts, id),
    /** Every row of a table, in every object that has it. */
    rows: (table) => rows(worker.accounts, table),
    /** Replaces the wasm instance, and with it everything that the isolate remembers. */
    freshInstance: () => exchange(publicOrigin, { target: "/%2e%2e%2fx", headers: { "x-test": "panic" } }),
    /** How far the Worker's clock is ahead of everybody else's, in seconds. */
    ahead: 0,
    advance: (seconds) => worker.command({ clock: (world.ahead = seconds) }),
    close: () => closeAll([worker, ...parts]),
  });
}

function startProviderFor(publicOrigin, client, more) {
  return startProvider({
    ...client,
    redirectUris: [`${publicOrigin}/signin-oidc`],
    postLogoutRedirectUris: [`${publicOrigin}/signout-callback-oidc`],
    resources: Object.values(resources).map((resource) => ({ resource, scopes })),
    ...more,
  });
}

async function startApis(issuer) {
  const start = (audience) => startApi({ issuer, audience });
  return { invoices: await start(resources.Invoices), orders: await start(resources.Orders) };
}

function variables({ publicOrigin, op, origin, apis, client }) {
  const api = (server, resource) => ({ BaseUrl: `http://127.0.0.1:${server.port}`, Scopes: scopes, Resource: resource });
  return {
    OpenIdConnect: { Authority: op.issuer, ClientId: client.clientId },
    DownstreamApis: {
      Invoices: api(apis.invoices, resources.Invoices),
      Orders: api(apis.orders, resources.Orders),
    },
    Gateway: { PublicOrigin: publicOrigin, Origin: `http://127.0.0.1:${origin.port}` },
  };
}

function merged(base, more) {
  const sections = Object.entries(more).map(([name, section]) => [name, section && { ...base[name], ...section }]);
  return { ...base, ...Object.fromEntries(sections) };
}

/** Without what is `undefined`, at any depth. */
function defined(object) {
  return JSON.parse(JSON.stringify(object));
}

function closeAll(parts) {
  return Promise.all(parts.map((part) => part.close()));
}

async function rows(accounts, table) {
  const all = [];
  for (const id of await accounts.ids()) {
    if ((await tables(accounts, id)).includes(table)) all.push(...(await accounts.rows(id, `SELECT * FROM ${table}`)));
  }
  return all;
}

async function tables(accounts, id) {
  const all = await accounts.rows(id, "SELECT name FROM sqlite_master WHERE type = 'table'");
  return all.map(({ name }) => name).filter((name) => !name.startsWith("_"));
}

async function keys(store, prefix) {
  return (await store.list({ prefix })).keys;
}
