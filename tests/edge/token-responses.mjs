// Rewrites what the OP's token endpoint answers: the hostile provider of the tests.

import { decodeJwt, generateKeyPair, importJWK, SignJWT } from "jose";

/** `rewrite` gets the token response, may change it in place or return another, and is called once per response. */
export function rewriteTokenResponses(op, rewrite) {
  op.intercept = (request, response) => {
    if (!request.url.startsWith("/token")) return false;
    const end = response.end.bind(response);
    response.end = (chunk) => {
      const body = JSON.parse(chunk);
      Promise.resolve(rewrite(body)).then((other) => {
        const text = Buffer.from(JSON.stringify(other ?? body));
        response.setHeader("content-length", text.length);
        end(text);
      });
    };
    return false;
  };
}

/** Answers token requests without the OP. */
export function answerTokenRequests(op, status, headers, body) {
  op.intercept = (request, response) => {
    if (!request.url.startsWith("/token")) return false;
    response.writeHead(status, { "content-type": "application/json", ...headers }).end(body);
    return true;
  };
}

/** Keeps the OP's own signing keys, for tokens that only their claims betray. */
export function keepKeys() {
  const kept = { keys: [] };
  const adjust = (configuration) => {
    kept.keys = configuration.jwks.keys;
    return configuration;
  };
  return { kept, adjust };
}

/** ID tokens that are still good however far the Worker's clock is ahead of the OP's. */
export function lasting(configuration) {
  configuration.ttl.IdToken = 366 * 24 * 3600;
  return configuration;
}

/** An ID token like `idToken` with other claims or another header; `undefined` removes a claim. */
export async function resigned(idToken, jwk, { claims = {}, header = {} } = {}) {
  const all = Object.entries({ ...decodeJwt(idToken), ...claims }).filter(([, value]) => value !== undefined);
  const protectedHeader = { alg: jwk.alg, kid: jwk.kid, ...header };
  return new SignJWT(Object.fromEntries(all)).setProtectedHeader(protectedHeader).sign(await importJWK(jwk, jwk.alg));
}

export async function foreignlySigned(idToken, kid) {
  const { privateKey } = await generateKeyPair("RS256");
  return new SignJWT(decodeJwt(idToken)).setProtectedHeader({ alg: "RS256", kid }).sign(privateKey);
}

/** A token with a MAC: what a relying party accepts that takes the algorithm from the token. */
export async function macSigned(idToken, secret, kid) {
  const key = new TextEncoder().encode(secret.padEnd(32, "0"));
  return new SignJWT(decodeJwt(idToken)).setProtectedHeader({ alg: "HS256", kid }).sign(key);
}

export function unsigned(idToken) {
  const header = Buffer.from('{"alg":"none"}').toString("base64url");
  return `${header}.${idToken.split(".")[1]}.`;
}

/** A token with other claims under the old signature. */
export function changed(idToken, claims) {
  const [header, , signature] = idToken.split(".");
  const payload = Buffer.from(JSON.stringify({ ...decodeJwt(idToken), ...claims })).toString("base64url");
  return [header, payload, signature].join(".");
}
