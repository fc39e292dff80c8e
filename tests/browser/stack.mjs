// Everything that a browser test needs, on free ports: the demo's OP, origin and APIs, and the built Worker in workerd.

import { randomBytes } from "node:crypto";

import { startApi } from "../../demo/api.mjs";
import { startOrigin } from "../../demo/origin.mjs";
import { startProvider } from "../../demo/provider.mjs";
import * as settings from "../../demo/settings.mjs";
import { startBuiltWorker } from "../worker/built-worker.mjs";
import { freePort } from "../worker/free-port.mjs";
import { watchTokenEndpoint } from "./issued_tokens.mjs";

const orders = { ...settings.orders, resource: "https://orders.example/" };
const invoices = { ...settings.invoices, resource: "https://invoices.example/" };

/**
 * `provider` holds more settings of the section OpenIdConnect, `session` those of Session. `beside` gives more parts and
 * their variables for a public origin.
 */
export async function startStack({ provider = {}, session = {}, withAccounts = true, beside } = {}) {
  const port = await freePort();
  const publicOrigin = `http://localhost:${port}`;
  const client = {
    clientId: "the browser tests' client",
    clientSecret: "SECRET?%Gclient with spaces",
    redirectUris: [`${publicOrigin}/signin-oidc`],
    postLogoutRedirectUris: [`${publicOrigin}/signout-callback-oidc`],
    backchannelLogoutUri: `http://127.0.0.1:${port}/.auth/backchannel-logout`,
  };
  const op = await startProvider({ ...client, resources: [orders, invoices] });
  const issued = watchTokenEndpoint(op);
  const origin = await startOrigin({ publicOrigin });
  const api = await startApi({ issuer: op.issuer, audience: orders.resource });
  const invoicesApi = await startApi({ issuer: op.issuer, audience: invoices.resource, list: "invoices" });
  const more = (await beside?.(publicOrigin)) ?? { parts: [] };
  const vars = variables({ client, provider, session, publicOrigin, op, origin, api, invoicesApi, more });
  const secrets = {
    OpenIdConnect__ClientSecret: client.clientSecret,
    Session__Key: randomBytes(32).toString("base64"),
    ...more.secrets,
  };
  const worker = await startBuiltWorker({ port, vars, secrets, withAccounts, isInstrumented: false });
  const close = async () => {
    await worker.close();
    await Promise.all([op, origin, api, invoicesApi, ...more.parts].map((part) => part.close()));
  };
  return { publicOrigin, op, origin, api, invoicesApi, issued, close };
}

function variables({ client, provider, session, publicOrigin, op, origin, api, invoicesApi, more }) {
  const section = (server, { scopes, resource }) => ({
    BaseUrl: `http://127.0.0.1:${server.port}`,
    Scopes: scopes,
    Resource: resource,
  });
  return {
    OpenIdConnect: { Authority: op.issuer, ClientId: client.clientId, ...provider },
    DownstreamApis: {
      Orders: section(api, orders),
      Invoices: { ...section(invoicesApi, invoices), IncrementalConsent: true },
      ...more.apiVars,
    },
    Gateway: { PublicOrigin: publicOrigin, Origin: `http://127.0.0.1:${origin.port}` },
    Session: session,
    ...more.vars,
  };
}
