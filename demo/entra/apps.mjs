// App registrations: clients, and the APIs that they may ask for.

import { notForConsumers, noSuchApp, notMultiTenant } from "./errors.mjs";

/** Microsoft Graph, which every tenant has. `isForAdmins` scopes need the consent of an administrator. */
export const graph = {
  clientId: "00000003-0000-0000-c000-000000000000",
  name: "Microsoft Graph",
  appIdUri: "https://graph.microsoft.com",
  accessTokenVersion: 1,
  scopes: {
    "User.Read": { meaning: "Sign you in and read your profile" },
    "User.ReadBasic.All": { meaning: "Read all users' basic profiles" },
    "User.Read.All": { meaning: "Read all users' full profiles", isForAdmins: true },
    "Mail.Read": { meaning: "Read your mail" },
  },
};

const forOrganizations = ["AzureADMultipleOrgs", "AzureADandPersonalMicrosoftAccount"];
const forPeople = ["AzureADandPersonalMicrosoftAccount", "PersonalMicrosoftAccount"];

export function registrationOf(app) {
  const usual = { name: app.clientId, audience: "AzureADMyOrg", redirectUris: [], optionalClaims: [], scopes: {} };
  const scopes = Array.isArray(app.scopes)
    ? Object.fromEntries(app.scopes.map((name) => [name, { meaning: name }]))
    : app.scopes;
  return { ...usual, ...app, scopes: scopes ?? {} };
}

/** The app that a request names, if the authority is one of its own. */
export function appAt(entra, authority, clientId) {
  const app = entra.apps.find((known) => known.clientId === clientId);
  if (!app) throw noSuchApp(clientId, authority.segment);
  const { kind, tenant, segment } = authority;
  const isHome = tenant?.id === app.tenant;
  if (kind === "consumers" && !forPeople.includes(app.audience)) throw notForConsumers();
  if (["common", "organizations"].includes(kind) && !forOrganizations.includes(app.audience))
    throw notMultiTenant(app, segment);
  if (kind === "tenant" && !isHome && !forOrganizations.includes(app.audience)) throw noSuchApp(clientId, segment);
  return app;
}

/** Whether the app takes accounts of that tenant. */
export function takesAccountsOf(app, membership, isPersonal) {
  if (membership.tenant.id === app.tenant) return true;
  return isPersonal ? forPeople.includes(app.audience) : forOrganizations.includes(app.audience);
}

/** The API with that identifier: its App ID URI, with or without a slash at its end, or its client id. */
export function resourceNamed(entra, name) {
  const wanted = name.replace(/\/$/, "").toLowerCase();
  return [graph, ...entra.apps].find(({ appIdUri, clientId, scopes }) => {
    const uri = appIdUri?.replace(/\/$/, "").toLowerCase();
    return uri === wanted || (clientId.toLowerCase() === wanted && (appIdUri || Object.keys(scopes).length > 0));
  });
}
