// Entra's errors: an OAuth code for programs, an AADSTS number for people, and what to quote to support.
// The numbers are those of Microsoft's reference of error codes.

import { randomUUID } from "node:crypto";

/**
 * Something that Entra would not do. `number` is the AADSTS number. With `isOnPage` the browser stays on a page of Entra's:
 * nobody may be sent to an address that could not be checked.
 */
export class Refusal extends Error {
  constructor(number, error, text, { status, suberror, claims, isOnPage = false, subcode } = {}) {
    super(text);
    this.status = status ?? (error === "invalid_client" ? 401 : 400);
    Object.assign(this, { number, error, suberror, claims, isOnPage, subcode });
  }
}

/** A refusal of an Azure AD B2C user flow, whose numbers are of another family. */
export class FlowRefusal extends Refusal {
  get prefix() {
    return "AADB2C";
  }
}

/** The JSON body of a refusal at the token endpoint and at the documents. */
export function errorBody(entra, refusal) {
  const description = describe(entra, refusal);
  return defined({
    error: refusal.error,
    error_description: description.text,
    error_codes: refusal.number ? [refusal.number] : undefined,
    timestamp: description.timestamp,
    trace_id: description.traceId,
    correlation_id: description.correlationId,
    error_uri: refusal.number && `${entra.instance}error?code=${refusal.number}`,
    suberror: refusal.suberror,
    claims: refusal.claims && JSON.stringify(refusal.claims),
  });
}

/** The parameters of a refusal in an authorization response. */
export function errorParameters(entra, refusal) {
  const isOurs = refusal.number && !(refusal instanceof FlowRefusal);
  return defined({
    error: refusal.error,
    error_subcode: refusal.subcode,
    error_description: describe(entra, refusal).text,
    error_uri: isOurs ? `${entra.instance}error?code=${refusal.number}` : undefined,
    suberror: refusal.suberror,
    claims: refusal.claims && JSON.stringify(refusal.claims),
  });
}

/** What a person is shown. */
export function describeRefusal(entra, refusal) {
  return describe(entra, refusal).text;
}

function describe(entra, refusal) {
  const [traceId, correlationId] = [randomUUID(), randomUUID()];
  const timestamp = new Date(entra.now() * 1000)
    .toISOString()
    .replace("T", " ")
    .replace(/\.\d+Z$/, "Z");
  const code = refusal.number ? `${refusal.prefix ?? "AADSTS"}${refusal.number}: ` : "";
  const ids = refusal instanceof FlowRefusal ? "" : ` Trace ID: ${traceId}`;
  const text = `${code}${refusal.message}${ids} Correlation ID: ${correlationId} Timestamp: ${timestamp}`;
  return { text, timestamp, traceId, correlationId };
}

function defined(object) {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}

export function missing(name) {
  return new Refusal(900144, "invalid_request", `The request body must contain the following parameter: '${name}'.`);
}

export function malformed(what) {
  return new Refusal(9002313, "invalid_request", `Invalid request. Request is malformed or invalid: ${what}.`);
}

export function noSuchTenant(segment) {
  const text =
    `Tenant '${segment}' not found. Check to make sure you have the correct tenant ID and are signing ` +
    "into the correct cloud.";
  return new Refusal(90002, "invalid_request", text, { isOnPage: true });
}

export function noSuchApp(clientId, tenant) {
  const text =
    `Application with identifier '${clientId}' was not found in the directory '${tenant}'. This can ` +
    "happen if the application has not been installed by the administrator of the tenant or consented " +
    "to by any user in the tenant.";
  return new Refusal(700016, "unauthorized_client", text, { isOnPage: true });
}

export function notMultiTenant(app, segment) {
  const text =
    `Application '${app.clientId}'(${app.name}) is not configured as a multi-tenant application. Usage ` +
    `of the /${segment} endpoint is not supported for such apps.`;
  return new Refusal(50194, "invalid_request", text, { isOnPage: true });
}

export function notForConsumers() {
  const text = "The client does not exist or is not enabled for consumers.";
  return new Refusal(undefined, "unauthorized_client", text, { isOnPage: true });
}

export function notInTenant(user, authority) {
  const [number, provider] =
    user.home === "9188040d-6c67-4c5b-b112-36a304b66dad" ? [500202, "live.com"] : [50020, user.home];
  const text =
    `User account '${user.username}' from identity provider '${provider}' does not exist in tenant '${authority.segment}' ` +
    "and cannot access the application in that tenant.";
  return new Refusal(number, "interaction_required", text, { isOnPage: true });
}

export function consentMissing(app, error, suberror) {
  const text =
    `The user or administrator has not consented to use the application with ID '${app.clientId}' named ` +
    `'${app.name}'. Send an interactive authorization request for this user and resource.`;
  return new Refusal(65001, error, text, { suberror });
}

export function mfaMissing(resource, claims, { atTokenEndpoint }) {
  const text =
    "Due to a configuration change made by your administrator, or because you moved to a new location, " +
    `you must use multi-factor authentication to access '${resource}'.`;
  const more = atTokenEndpoint ? { suberror: "basic_action", claims } : {};
  return new Refusal(50076, "interaction_required", text, more);
}

export function sessionRevoked() {
  const text =
    "The provided grant has expired due to it being revoked, a fresh auth token is needed. The user " +
    "might have changed or reset their password.";
  return new Refusal(50173, "invalid_grant", text);
}
