// The signing keys. Each says for whom it may sign: those of organizations by a template, that of personal accounts by name.

import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from "jose";

import { personalAccounts } from "./directory.mjs";

/** `next` is published and signs nothing, as Entra's next key is. */
export async function generateKeys(instance) {
  const template = `${instance}{tenantid}/v2.0`;
  const [organizations, next, consumers] = await Promise.all([
    key(template),
    key(template),
    key(`${instance}${personalAccounts}/v2.0`),
  ]);
  return { organizations, next, consumers };
}

async function key(issuer) {
  const { privateKey, publicKey } = await generateKeyPair("RS256");
  const jwk = await exportJWK(publicKey);
  const kid = await calculateJwkThumbprint(jwk);
  return {
    privateKey,
    publicKey,
    jwk: { ...jwk, use: "sig", kid, x5t: kid, issuer, cloud_instance_name: "localhost" },
  };
}

/** The JWKS of an authority. `issuer` is a member that only Entra's keys have; B2C's have none. */
export function jwksOf(entra, authority) {
  const { organizations, next, consumers } = entra.keys;
  const keys = {
    common: [organizations, next, consumers],
    organizations: [organizations, next],
    consumers: [consumers],
  };
  const published = (keys[authority.kind] ?? [organizations, next]).map(({ jwk }) => jwk);
  if (!authority.tenant?.kind) return { keys: published };
  return { keys: published.map(({ issuer, ...jwk }) => jwk) };
}

/** Signs as the tenant's tokens are signed. Set `entra.signWith` to a key's name to have it sign for everybody. */
export function sign(entra, tenant, claims, header = {}) {
  const usual = tenant.id === personalAccounts ? "consumers" : "organizations";
  const { privateKey, jwk } = entra.keys[entra.signWith ?? usual];
  return new SignJWT(claims).setProtectedHeader({ typ: "JWT", alg: "RS256", kid: jwk.kid, ...header }).sign(privateKey);
}
