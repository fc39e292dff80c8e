// One deployment at the stand-in for the Microsoft identity platform: the built Worker, an origin, an API and Microsoft Graph.

import { randomBytes, randomUUID } from "node:crypto";

import { entra as entraTokens } from "../../demo/access-tokens.mjs";
import { startApi } from "../../demo/api.mjs";
import { contoso, startEntra } from "../../demo/entra.mjs";
import { users } from "../../demo/entra/directory.mjs";
import { startOrigin } from "../../demo/origin.mjs";
import { startBuiltWorker } from "../worker/built-worker.mjs";
import { exchange } from "../worker/exchange.mjs";
import { freePort } from "../worker/free-port.mjs";
import { Browser } from "./browser.mjs";

export const [ada, grace, gus, pat] = users;

/** The API behind /api/Orders. */
export const ordersApi = {
  clientId: "7d1f0e52-9a44-4a3c-8f5e-0a11ce0de501",
  name: "Orders API",
  tenant: contoso.id,
  audience: "AzureADandPersonalMicrosoftAccount",
  appIdUri: "api://orders",
  scopes: { "orders.read": { meaning: "Read your orders" }, "orders.write": { meaning: "Order for you" } },
};

/**
 * `app` is merged into the registration of the Worker's app, `entra` goes to startEntra, `otherApps` are more registrations.
 * `tenant` is `AzureAd.TenantId`; `azureAd`, `gateway`, `vars` and `apiVars` are merged into the Worker's variables, where
 * `undefined` removes one; they may be functions of `(entra, publicOrigin, orders)`. The rest goes to startBuiltWorker.
 */
export async function startEntraWorld(options = {}) {
  const { app = {}, entra: more = {}, otherApps = [], tenant = contoso.id, azureAd, gateway, vars, apiVars, secrets = {}, ...places } = options;
  const port = await freePort();
  const publicOrigin = `http://localhost:${port}`;
  const secret = `${randomBytes(12).toString("base64url")}~+%&=!:`;
  const client = { ...registration(publicOrigin, secret), ...app };
  const entra = await startEntra({ apps: [client, ordersApi, ...otherApps], ...more });
  const origin = await startOrigin({ publicOrigin, callsGraph: true });
  const accessTokens = entraTokens({ ...entra, audience: ordersApi.clientId });
  const orders = await startApi({ accessTokens });
  const parts = [entra, origin, orders];
  const given = (what) => (typeof what === "function" ? what(entra, publicOrigin, orders) : what) ?? {};
  const allVars = {
    AzureAd: { Instance: entra.instance, TenantId: tenant, ClientId: client.clientId, ...given(azureAd) },
    DownstreamApis: {
      Graph: { BaseUrl: `${entra.graph.address}/v1.0`, Scopes: "User.Read" },
      Orders: { BaseUrl: `http://127.0.0.1:${orders.port}`, Scopes: "api://orders/orders.read api://orders/orders.write" },
      ...given(apiVars),
    },
    Gateway: { PublicOrigin: publicOrigin, Origin: `http://127.0.0.1:${origin.port}`, ...given(gateway) },
    ...given(vars),
  };
  const sessionKey = randomBytes(32).toString("base64");
  const allSecrets = { Session__Key: sessionKey, AzureAd__ClientSecret: secret, ...given(secrets) };
  const settings = { port, vars: defined(allVars), secrets: defined(allSecrets), ...places };
  const worker = await startBuiltWorker(settings).catch((error) => closeAll(parts).then(() => Promise.reject(error)));
  const world = { port, publicOrigin, client, secret, sessionKey, entra, op: entra, graph: entra.graph, origin, orders, worker };
  return Object.assign(world, {
    store: worker.store,
    browser: (more) => new EntraBrowser(world, more),
    events: async () => (await worker.log()).filter((line) => line.event),
    accountEntries: async () => (await worker.store.list({ prefix: "account/" })).keys,
    freshInstance: () => exchange(publicOrigin, { target: "/%2e%2e%2fx", headers: { "x-test": "panic" } }),
    /** Puts the clocks of the Worker and of Entra that many seconds ahead. */
    advance: (seconds) => worker.command({ clock: (entra.ahead = seconds) }),
    /** The token endpoint's answers to requests of that grant type. */
    grants: (grantType) => entra.issued.filter(({ params }) => params.grant_type === grantType),
    close: () => closeAll([worker, ...parts]),
  });
}

/** A browser that knows the pages of the stand-in. */
export class EntraBrowser extends Browser {
  /** Presses a button of the page that is shown, as `{ name: value }`. */
  press(page, form) {
    return this.navigate(page.url, { method: "POST", form, from: page.url });
  }

  /** Loads what a sign-out page shows in hidden frames, as a browser that sends no cookie along, and goes on. */
  async leave(page) {
    const frames = framesOf(page);
    const metadata = { "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe", "sec-fetch-site": "cross-site" };
    const answers = await Promise.all(frames.map((url) => exchange(url, { headers: { accept: "text/html", ...metadata } })));
    const onward = page.text.match(/id="onward" href="([^"]+)"/)?.[1].replaceAll("&amp;", "&");
    return { frames, answers, page: onward ? await this.navigate(onward, { from: page.url }) : page };
  }
}

/** The addresses in hidden frames of a page. */
export function framesOf(page) {
  return [...page.text.matchAll(/<iframe hidden src="([^"]+)"/g)].map(([, url]) => url.replaceAll("&amp;", "&"));
}

function registration(publicOrigin, secret) {
  return {
    clientId: randomUUID(),
    name: "Vestibule",
    tenant: contoso.id,
    audience: "AzureADandPersonalMicrosoftAccount",
    secrets: [secret],
    redirectUris: [`${publicOrigin}/signin-oidc`, `${publicOrigin}/signout-callback-oidc`],
    logoutUrl: `${publicOrigin}/signout-oidc`,
    optionalClaims: ["sid", "login_hint", "email"],
    adminConsent: true,
  };
}

/** Without what is `undefined`, at any depth. */
function defined(object) {
  return JSON.parse(JSON.stringify(object));
}

function closeAll(parts) {
  return Promise.all(parts.map((part) => part.close()));
}
