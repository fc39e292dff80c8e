// How the demo's origin knows that a request came through the gateway: see docs/identity.md.

import { createHash } from "node:crypto";

import { createRemoteJWKSet, jwtVerify } from "jose";

export const assertionHeader = "x-vestibule-assertion";

/** Verifies assertions of the gateway at `publicOrigin` for `audience`; a verifier says in a few words what it found. */
export function assertionVerifier({ publicOrigin, audience }) {
  // The keys are fetched by this process, where localhost may be the other address family.
  const keys = createRemoteJWKSet(new URL("/.auth/jwks", publicOrigin.replace("//localhost", "//127.0.0.1")));
  const rules = { issuer: publicOrigin, audience, typ: "vestibule-assertion+jwt", algorithms: ["ES256"], clockTolerance: 5 };
  return async (request) => {
    const assertion = request.headers[assertionHeader];
    if (assertion === undefined) return "no: the request carries no assertion";
    try {
      const { payload } = await jwtVerify(assertion, keys, rules);
      if (!isAbout(payload, request)) return "no: the assertion is another request's";
      return payload.sub === undefined ? "yes, and nobody is signed in" : `yes, and ${payload.sub} is signed in`;
    } catch (error) {
      return `no: the assertion does not verify (${error.code ?? "unknown"})`;
    }
  };
}

function isAbout({ htm, path, query_sha256: querySha256 }, { method, url }) {
  const [ownPath, query = ""] = url.split(/\?(.*)/s);
  const digest = createHash("sha256").update(query).digest("base64url");
  return htm === method && path === ownPath && querySha256 === digest;
}
