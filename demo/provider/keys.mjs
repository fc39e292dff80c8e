// One signing key for each algorithm that Vestibule accepts, made anew at every start.

import { exportJWK, generateKeyPair } from "jose";

export const signingAlgs = ["RS256", "PS256", "ES256", "EdDSA"];

export async function generateSigningKeys() {
  const keys = await Promise.all(
    signingAlgs.map(async (alg) => {
      const { privateKey } = await generateKeyPair(alg, { extractable: true });
      return { ...(await exportJWK(privateKey)), alg, use: "sig", kid: `demo-${alg.toLowerCase()}` };
    }),
  );
  return { keys };
}
