// Scopes of the v2.0 endpoints: an API's identifier and a name, of one API for each token; a name alone is Microsoft Graph's.

import { graph, resourceNamed } from "./apps.mjs";
import { FlowRefusal, Refusal } from "./errors.mjs";

const openIdConnect = ["openid", "profile", "email", "offline_access"];

/**
 * Takes a scope parameter apart: `{ oidc, apis: [{ resource, prefix, names, isDefault }] }`. `prefix` is how the client named
 * the API, and how it gets its scopes back. A scope that its API does not have is refused with `unknown`.
 */
export function parseScopes(entra, text, unknown) {
  const wanted = text.split(" ").filter(Boolean);
  const oidc = openIdConnect.filter((scope) => wanted.some((one) => one.toLowerCase() === scope));
  const apis = [];
  for (const scope of wanted.filter((one) => !openIdConnect.includes(one.toLowerCase()))) {
    const { resource, prefix, name } = named(entra, scope);
    const isDefault = name.toLowerCase() === ".default";
    const known = Object.keys(resource.scopes).find((one) => one.toLowerCase() === name.toLowerCase());
    if (!known && !isDefault) throw unknown({ resource, name, scope, text });
    let api = apis.find((earlier) => earlier.resource === resource);
    if (!api) apis.push((api = { resource, prefix, names: [], isDefault: false }));
    if (isDefault) api.isDefault = true;
    else if (!api.names.includes(known)) api.names.push(known);
  }
  if (apis.some(({ isDefault, names }) => isDefault && (names.length > 0 || apis.length > 1))) throw mixedDefault(text);
  return { oidc, apis };
}

function named(entra, scope) {
  const slash = scope.lastIndexOf("/");
  // A B2C application names itself, for a token of its own.
  const self = slash === -1 && entra.apps.find(({ clientId }) => clientId.toLowerCase() === scope.toLowerCase());
  if (self) return { resource: { ...self, scopes: self.scopes }, prefix: scope, name: ".default" };
  if (slash === -1) return { resource: graph, prefix: "", name: scope };
  const prefix = scope.slice(0, slash);
  const resource = resourceNamed(entra, prefix);
  if (!resource) throw noSuchResource(prefix);
  return { resource, prefix: `${prefix}/`, name: scope.slice(slash + 1) };
}

/** The one API of a token request. */
export function onlyApi({ apis }, text) {
  if (apis.length > 1) {
    const reason =
      "Provided value for the input parameter scope is not valid because it contains more than one resource. " +
      `Scope ${text} is not valid.`;
    throw new Refusal(28000, "invalid_request", reason);
  }
  return apis[0];
}

/** A user flow of B2C takes the scopes of one API already when it is asked to sign somebody in. */
export function expectOneApiOfFlow(authority, { apis }, text) {
  if (!authority.policy || apis.length <= 1) return;
  const reason =
    `The scope '${text}' provided in request specifies more than one resource for an access token, which ` +
    "is not supported.";
  throw new FlowRefusal(90146, "invalid_request", reason);
}

function noSuchResource(name) {
  const text =
    `The resource principal named ${name} was not found in the tenant. This can happen if the application ` +
    "has not been installed by the administrator of the tenant or consented to by any user in the tenant.";
  return new Refusal(500011, "invalid_resource", text);
}

function mixedDefault(text) {
  const reason =
    `The provided value for the input parameter 'scope' is not valid. The scope '${text}' is not valid: ` +
    ".default scope can't be combined with resource-specific scopes.";
  return new Refusal(70011, "invalid_scope", reason);
}

/** Authorization requests blame the client for a scope that does not exist. */
export function unknownAtAuthorization(app) {
  return ({ resource, name }) => {
    const text =
      `The application '${app.name}' asked for scope '${name}' that doesn't exist on the resource '${resource.clientId}'. ` +
      "Contact the app vendor.";
    return new Refusal(650053, "invalid_client", text, { status: 400 });
  };
}

export function unknownAtTokenEndpoint({ text }) {
  const reason =
    "The provided request must include a 'scope' input parameter. The provided value for the input parameter " +
    `'scope' is not valid. The scope ${text} is not valid.`;
  return new Refusal(70011, "invalid_scope", reason);
}
