// Client assertions (RFC 7523 §3): signed with a certificate that the app has registered, or with one whose name and issuer
// it has, or by an outside issuer that it trusts.

import { createHash, X509Certificate } from "node:crypto";

import { createLocalJWKSet, createRemoteJWKSet, decodeJwt, decodeProtectedHeader, errors, jwtVerify } from "jose";

import { malformed, missing, Refusal } from "./errors.mjs";
import { addressOf } from "./tenants.mjs";

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const exchange = "api://AzureADTokenExchange";
const longest = 600;
const skew = 300;

export async function verifyClientAssertion(entra, authority, app, form) {
  const type = form.get("client_assertion_type");
  if (!type) throw missing("client_assertion_type");
  if (type !== assertionType) throw malformed("client_assertion_type is not that of a JWT");
  const assertion = form.get("client_assertion");
  let header, claims;
  try {
    [header, claims] = [decodeProtectedHeader(assertion), decodeJwt(assertion)];
  } catch {
    throw new Refusal(50027, "invalid_client", "JWT token is invalid or malformed.");
  }
  if (claims.iss !== app.clientId) return verifyFederated(entra, app, assertion, claims);
  const certificate = certificateOf(app, header, entra);
  const { payload } = await verified(assertion, certificate.publicKey, { algorithms: [header.alg] }, entra);
  expectOwn(entra, authority, app, payload);
}

/** The registered certificate that the header names, by the thumbprint that belongs to its algorithm. */
function certificateOf(app, header, entra) {
  const [hash, name] = { PS256: ["sha256", "x5t#S256"], RS256: ["sha1", "x5t"] }[header.alg] ?? [];
  const thumbprint = name && header[name];
  if (!thumbprint) throw notOurs(header, `'${header.alg}' without a certificate's thumbprint is not accepted`);
  const print = (certificate) => createHash(hash).update(certificate.raw).digest("base64url");
  const registered = (app.certificates ?? []).map((pem) => new X509Certificate(pem));
  const found = registered.find((certificate) => print(certificate) === thumbprint) ?? trustedByName(app, header);
  if (!found) throw notOurs(header, "the key was not found");
  if (print(found) !== thumbprint) throw notOurs(header, "x5c and the thumbprint are of two certificates");
  if (Date.parse(found.validTo) / 1000 <= entra.now()) throw notOurs(header, "the certificate is not valid any more");
  return found;
}

/** A certificate in the header itself, of a subject and by an issuer that the app has registered (`SendX5C`). */
function trustedByName(app, { x5c }) {
  if (!app.trustedNames || !x5c) return undefined;
  try {
    const certificate = new X509Certificate(Buffer.from([x5c].flat()[0], "base64"));
    const trusted = app.trustedNames.find(({ subject, authority }) => {
      const issuer = new X509Certificate(authority);
      return certificate.subject === subject && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
    });
    return trusted && certificate;
  } catch {
    return undefined;
  }
}

async function verified(assertion, key, options, entra) {
  try {
    return await jwtVerify(assertion, key, {
      ...options,
      clockTolerance: skew,
      currentDate: new Date(entra.now() * 1000),
    });
  } catch (error) {
    if (error instanceof errors.JWTExpired || error?.claim === "nbf") throw outOfTime();
    throw notOurs(decodeProtectedHeader(assertion), "the signature does not verify");
  }
}

function expectOwn(entra, authority, app, claims) {
  const audiences = [`${addressOf(entra, authority)}/oauth2/v2.0/token`];
  if (authority.tenant) audiences.push(`${entra.instance}${authority.tenant.id}/oauth2/v2.0/token`);
  if (claims.sub !== app.clientId) {
    throw new Refusal(
      700021,
      "invalid_client",
      `Client assertion application identifier doesn't match 'client_id' parameter.`,
    );
  }
  if (![claims.aud].flat().some((audience) => audiences.includes(audience))) {
    const text = `Client assertion audience claim does not match Realm issuer. Expected: ${audiences[0]}.`;
    throw new Refusal(700023, "invalid_client", text);
  }
  for (const name of ["exp", "nbf"]) if (typeof claims[name] !== "number") throw outOfTime();
  if (claims.exp - claims.nbf > longest + skew || claims.exp > entra.now() + longest + skew) throw outOfTime();
  if (typeof claims.jti !== "string" || claims.jti === "") throw malformed("the client assertion has no jti");
  if (entra.assertionIds.has(`${app.clientId} ${claims.jti}`)) throw malformed("the client assertion was used before");
  entra.assertionIds.add(`${app.clientId} ${claims.jti}`);
}

/** A federated credential: an issuer, one of its subjects, and the audience of the exchange; letter case counts. */
async function verifyFederated(entra, app, assertion, claims) {
  const credentials = app.federated ?? [];
  const sameIssuer = credentials.filter(({ issuer }) => issuer === claims.iss);
  if (credentials.length === 0 || sameIssuer.length === 0) throw noRecord(700211, "issuer", claims.iss);
  if (![claims.aud].flat().includes(exchange)) throw noRecord(700212, "audience", claims.aud);
  const credential = sameIssuer.find(({ subject }) => subject === claims.sub);
  if (!credential) throw noRecord(700213, "subject", claims.sub);
  const keys =
    typeof credential.jwks === "string"
      ? createRemoteJWKSet(new URL(credential.jwks))
      : createLocalJWKSet(credential.jwks);
  await verified(assertion, keys, { algorithms: ["RS256", "ES256"], requiredClaims: ["exp"] }, entra);
}

function noRecord(number, part, value) {
  const text =
    `No matching federated identity record found for presented assertion ${part} '${value}'. Check your ` +
    "federated identity credential Subject, Audience and Issuer against the presented assertion.";
  return new Refusal(number, "invalid_client", text);
}

function notOurs(header, reason) {
  const thumbprint = header["x5t#S256"] ?? header.x5t ?? "";
  const text =
    "The certificate with identifier used to sign the client assertion is not registered on application. " +
    `[Reason - ${reason}., Thumbprint of key used by client: '${thumbprint}']`;
  return new Refusal(700027, "invalid_client", text);
}

function outOfTime() {
  const text = "Client assertion is not within its valid time range.";
  return new Refusal(700024, "invalid_client", text);
}
