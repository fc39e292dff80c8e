// The parts of `npm start`: npm `oidc-provider`, an origin and two APIs.

import { accounts } from "../demo/accounts.mjs";
import { startApi } from "../demo/api.mjs";
import { startOrigin } from "../demo/origin.mjs";
import { startProvider } from "../demo/provider.mjs";
import { client, invoices, orders, ports, publicOrigin } from "../demo/settings.mjs";
import { inProject } from "./project.mjs";

export { ports };

export const names = {
  worker: "the Worker",
  provider: "the OpenID Provider",
  origin: "the origin",
  orders: "the Orders API",
  invoices: "the Invoices API",
};

export const worker = {
  config: inProject("wrangler.toml"),
  devVars: inProject(".dev.vars"),
  state: inProject(".wrangler", "demo"),
  secrets: { OpenIdConnect__ClientSecret: client.clientSecret },
};

export async function startParts(parts, secrets) {
  const clientSecret = secrets.OpenIdConnect__ClientSecret;
  const provider = { ...client, clientSecret, port: ports.provider, resources: [orders, invoices] };
  const op = await startProvider(provider);
  parts.push(op);
  parts.push(await startOrigin({ port: ports.origin, publicOrigin }));
  for (const [list, { resource }] of Object.entries({ orders, invoices })) {
    parts.push(await startApi({ port: ports[list], issuer: op.issuer, audience: resource, list }));
  }
}

export function guide() {
  return `
  OpenID Provider  http://127.0.0.1:${ports.provider}
  Origin           http://127.0.0.1:${ports.origin}
  Orders API       http://127.0.0.1:${ports.orders}
  Invoices API     http://127.0.0.1:${ports.invoices}
  Vestibule        ${publicOrigin}

  Open ${publicOrigin} and sign in as
${accounts.map(({ username, password }) => `    ${username.padEnd(6)} password ${password}`).join("\n")}

  ${publicOrigin}/public/about   for everybody
  ${publicOrigin}/welcome        for everybody, and greets whoever is signed in
  ${publicOrigin}/admin/reports  for administrators: alice, but not bob

  Ctrl-C ends everything.
`;
}
