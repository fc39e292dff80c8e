// One signing key for each algorithm that Vestibule accepts, made anew at every start.

import { calculateJwkThumbprint, exportJWK, generateKeyPair } from "jose";

export const signingAlgs = ["RS256", "PS256", "ES256", "EdDSA"];

export async function generateSigningKeys() {
  const keys = await Promise.all(
    signingAlgs.map(async (alg) => {
      const { privateKey } = await generateKeyPair(alg, { extractable: true });
      const jwk = await exportJWK(privateKey);
      // Its own name for each key (RFC 7638): a relying party may remember the keys of an earlier start.
      return { ...jwk, alg, use: "sig", kid: await calculateJwkThumbprint(jwk) };
    }),
  );
  return { keys };
}
