// The parts of `npm start -- --entra`: the stand-in for the Microsoft identity platform with its Graph, an origin and two APIs.

import { entra as entraTokens } from "../demo/access-tokens.mjs";
import { startApi } from "../demo/api.mjs";
import { startEntra } from "../demo/entra.mjs";
import { users } from "../demo/entra/directory.mjs";
import { client, invoices, orders, ports, publicOrigin } from "../demo/entra/settings.mjs";
import { startOrigin } from "../demo/origin.mjs";
import { inProject } from "./project.mjs";

export { ports };

export const names = {
  worker: "the Worker",
  provider: "the stand-in for the Microsoft identity platform",
  origin: "the origin",
  orders: "the Orders API",
  invoices: "the Invoices API",
  graph: "Microsoft Graph's stand-in",
};

export const worker = {
  config: inProject("demo", "entra", "wrangler.toml"),
  // Wrangler looks for it beside its configuration.
  devVars: inProject("demo", "entra", ".dev.vars"),
  state: inProject(".wrangler", "entra"),
  secrets: { AzureAd__ClientSecret: client.secrets[0] },
};

export async function startParts(parts, secrets) {
  const registered = { ...client, secrets: [secrets.AzureAd__ClientSecret] };
  const entra = await startEntra({
    port: ports.provider,
    graphPort: ports.graph,
    apps: [registered, orders, invoices],
  });
  parts.push(entra);
  parts.push(await startOrigin({ port: ports.origin, publicOrigin, callsGraph: true }));
  for (const [list, { clientId }] of Object.entries({ orders, invoices })) {
    const accessTokens = entraTokens({ ...entra, audience: clientId });
    parts.push(await startApi({ port: ports[list], list, accessTokens }));
  }
}

export function guide() {
  const longest = Math.max(...users.map(({ username }) => username.length));
  return `
  Microsoft identity platform (stand-in)  http://127.0.0.1:${ports.provider}
  Microsoft Graph (stand-in)              http://127.0.0.1:${ports.graph}
  Origin                                  http://127.0.0.1:${ports.origin}
  Orders API                              http://127.0.0.1:${ports.orders}
  Invoices API                            http://127.0.0.1:${ports.invoices}
  Vestibule                               ${publicOrigin}

  Open ${publicOrigin} and sign in as
${users.map(({ username, password }) => `    ${username.padEnd(longest)}  password ${password}`).join("\n")}

  The first two are of one organization, the third is of another, the last is a personal account.
  http://127.0.0.1:${ports.provider} revokes a user's sessions, and demands newer tokens: then call Microsoft Graph.

  Ctrl-C ends everything.
`;
}
