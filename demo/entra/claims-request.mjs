// The `claims` parameter: what a client can do, and what an API or a policy has demanded.

import { malformed } from "./errors.mjs";

/**
 * `{ isChallengeable, notBefore, contexts, policies }`: whether the client answers claims challenges (`cp1`), from when on the
 * token must be (Unix seconds), which authentication contexts (`acrs`) it must have, and which policies it must meet.
 */
export function parseClaims(text) {
  if (text === undefined || text === "") return { isChallengeable: false, contexts: [], policies: [] };
  let claims;
  try {
    claims = JSON.parse(text);
  } catch {
    throw malformed("claims is no JSON");
  }
  if (claims === null || typeof claims !== "object" || Array.isArray(claims))
    throw malformed("claims is no JSON object");
  const [ofAccess, ofId] = [claims.access_token ?? {}, claims.id_token ?? {}];
  const notBefore = ofAccess.nbf?.value === undefined ? undefined : Number(ofAccess.nbf.value);
  if (Number.isNaN(notBefore)) throw malformed("the nbf in claims is no number");
  return {
    isChallengeable: (ofAccess.xms_cc?.values ?? []).some((value) => String(value).toLowerCase() === "cp1"),
    notBefore,
    contexts: [...values(ofAccess.acrs), ...values(ofId.acrs)],
    policies: values(ofAccess.capolids),
  };
}

function values(claim) {
  return claim ? [claim.value, ...(claim.values ?? [])].filter((value) => value !== undefined) : [];
}
