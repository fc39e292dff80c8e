// The fixed addresses and registrations of `npm start -- --entra`. wrangler.toml, beside this file, says the same to the Worker.

import { publicOrigin, ports as usual } from "../settings.mjs";
import { contoso } from "./directory.mjs";

export { publicOrigin };

export const ports = { ...usual, graph: 9084 };

const multitenant = { tenant: contoso.id, audience: "AzureADandPersonalMicrosoftAccount" };

export const client = {
  ...multitenant,
  clientId: "5e1f0ad0-de30-4c11-9e57-0000000c11e5",
  name: "Vestibule demo",
  // Only this machine's stand-in accepts it.
  secrets: ["only-for-the-demo~5b21c9"],
  redirectUris: [`${publicOrigin}/signin-oidc`, `${publicOrigin}/signout-callback-oidc`],
  logoutUrl: `${publicOrigin}/signout-oidc`,
  optionalClaims: ["sid", "login_hint", "email"],
  // Users are asked for what else the app wants: the invoices.
  adminConsent: ["User.Read", "User.ReadBasic.All", "api://orders/orders.read", "api://orders/orders.write"],
};

export const orders = {
  ...multitenant,
  clientId: "5e1f0ad0-de30-4c11-9e57-000000000de5",
  name: "Orders API",
  appIdUri: "api://orders",
  scopes: { "orders.read": { meaning: "Read your orders" }, "orders.write": { meaning: "Order for you" } },
};

export const invoices = {
  ...multitenant,
  clientId: "5e1f0ad0-de30-4c11-9e57-000000001417",
  name: "Invoices API",
  appIdUri: "api://invoices",
  scopes: { "invoices.read": { meaning: "Read your invoices" } },
};
