// The first segment of every path: a tenant by its GUID or domain, or one of the words that stand for many.

import { personalAccounts } from "./directory.mjs";

const words = ["common", "organizations", "consumers"];

/**
 * What a path names: `{ segment, kind, tenant, policy }`, where `kind` is one of the words or "tenant"; `undefined` if there
 * is no such tenant. `policy` is the user flow of a B2C tenant.
 */
export function authorityOf(entra, segment, policy) {
  const name = segment.toLowerCase();
  if (name === "common" || name === "organizations") return policy ? undefined : { segment: name, kind: name };
  const tenant = entra.tenants.find(({ id, domain }) =>
    [id, domain].includes(name === "consumers" ? personalAccounts : name),
  );
  if (!tenant) return undefined;
  if (tenant.kind === "b2c") return flowAuthority(tenant, name, policy);
  const kind = tenant.id === personalAccounts ? "consumers" : "tenant";
  return policy ? undefined : { segment: name, kind, tenant };
}

function flowAuthority(tenant, segment, policy) {
  const flow = Object.entries(tenant.policies ?? {}).find(([name]) => name.toLowerCase() === policy?.toLowerCase());
  return flow && { segment, kind: "tenant", tenant, policy: flow[0].toLowerCase(), flow: flow[1] };
}

export function isWord(segment) {
  return words.includes(segment.toLowerCase());
}

/** The prefix of an authority's own endpoints, without a slash at the end. */
export function addressOf(entra, authority) {
  const policy = authority.policy ? `/${authority.policy}` : "";
  return `${entra.instance}${authority.segment}${policy}`;
}

/** The `iss` of tokens about somebody in `tenant`. */
export function issuerOf(entra, tenant) {
  if (tenant.kind === "b2c") return `${entra.instance}${tenant.id}/v2.0/`;
  // As behind a custom domain: the endpoints are here, the issuer stays that of the external tenant.
  if (tenant.kind === "ciam") return `https://${tenant.id}.ciamlogin.com/${tenant.id}/v2.0`;
  return `${entra.instance}${tenant.id}/v2.0`;
}

/** The `issuer` of an authority's metadata: a template where it stands for many tenants. */
export function issuerInMetadata(entra, authority) {
  return authority.tenant ? issuerOf(entra, authority.tenant) : `${entra.instance}{tenantid}/v2.0`;
}

/**
 * As whom a user signs in at an authority: the tenant, and the object that stands for the user there. A guest's object is
 * not that of its home. `undefined` if the user does not exist there.
 */
export function membershipAt(entra, authority, user) {
  const home = entra.tenants.find(({ id }) => id === user.home);
  const member = { tenant: home, oid: user.oid, roles: user.roles, groups: user.groups, isGuest: false };
  if (authority.kind === "common") return member;
  if (authority.kind === "organizations") return user.home === personalAccounts ? undefined : member;
  if (authority.tenant.id === user.home) return member;
  const guest = user.guestIn?.find(({ tenant }) => tenant === authority.tenant.id);
  return guest && { tenant: authority.tenant, oid: guest.oid, roles: guest.roles, groups: guest.groups, isGuest: true };
}
