// The access tokens that the demo's APIs take, of either provider: how they are verified, and what an API demands of one
// before it shows how somebody pays.

import { createRemoteJWKSet, jwtVerify } from "jose";

import { confirmed } from "./settings.mjs";

/** The token of a request (RFC 6750 §2.1), if there is one. */
export function bearerToken(request) {
  const [scheme, credentials] = (request.headers.authorization ?? "").split(" ");
  return scheme.toLowerCase() === "bearer" && credentials ? credentials : undefined;
}

/** Those of RFC 9068. */
export function rfc9068({ issuer, audience }) {
  const keys = remoteKeys(`${issuer}/.well-known/openid-configuration`);
  const options = { issuer, audience, typ: "at+jwt", requiredClaims: ["exp", "sub", "client_id"] };
  return {
    verify: async (compact) => (await jwtVerify(compact, keys, options)).payload,
    // A refreshed token keeps the `acr` of the sign-in that it came from, so this asks for another sign-in.
    isConfirmed: (token) => token.acr === confirmed,
    // OIDC Core 5.5.1.1, in the form that the Microsoft identity platform's APIs send it.
    demand: { id_token: { acr: { essential: true, values: [confirmed] } } },
  };
}

/** Those of the stand-in for the Microsoft identity platform, version 2.0, of any tenant: see startEntra. */
export function entra({ instance, issuerOf, now, audience }) {
  const keys = remoteKeys(`${instance}common/v2.0/.well-known/openid-configuration`);
  const options = { audience, requiredClaims: ["exp", "sub", "tid", "azp", "oid"] };
  return {
    verify: async (compact) => {
      const { payload } = await jwtVerify(compact, keys, { ...options, currentDate: new Date(now() * 1000) });
      if (payload.iss !== issuerOf(payload.tid)) throw new Error("the issuer is not that of the tenant");
      // The application's own token has roles in the place of scopes.
      return { ...payload, scope: payload.scp ?? (payload.roles ?? []).join(" ") };
    },
    isConfirmed: (token) => (token.acrs ?? []).includes("c1"),
    demand: { access_token: { acrs: { essential: true, value: "c1" } } },
  };
}

// Discovery is left until the first token arrives, so that the parts may start in any order.
function remoteKeys(address) {
  let keys;
  return async (header, token) => {
    if (!keys) {
      const metadata = await (await fetch(address)).json();
      keys = createRemoteJWKSet(new URL(metadata.jwks_uri));
    }
    return keys(header, token);
  };
}
