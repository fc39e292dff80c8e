// Refresh tokens: bound to a client and a user, not to an API and not to a tenant. Using one brings another and leaves the old
// one as it was.

import { noSuchApp, notInTenant, Refusal, sessionRevoked } from "./errors.mjs";
import { opaque } from "./opaque.mjs";
import { membershipAt } from "./tenants.mjs";

const lifetime = 90 * 24 * 3600;

export function refreshTokenStore(entra) {
  const tokens = new Map();
  return {
    issue(grant) {
      const token = opaque("1.AXrt");
      tokens.set(token, { grant, issuedAt: entra.now() });
      return token;
    },
    /** The grant behind a token, at the authority of the request. */
    use(app, authority, token) {
      const known = tokens.get(token);
      if (!known)
        throw new Refusal(9002313, "invalid_grant", "Invalid request. Request is malformed or invalid.", {
          suberror: "bad_token",
        });
      const { grant, issuedAt } = known;
      if (grant.app.clientId !== app.clientId) {
        const text = "Provided grant is invalid or malformed: it was issued to another client.";
        throw new Refusal(70000, "invalid_grant", text, { suberror: "client_mismatch" });
      }
      if (entra.now() > issuedAt + lifetime) {
        const text = "The refresh token has expired due to inactivity.";
        throw new Refusal(700082, "invalid_grant", text, { suberror: "token_expired" });
      }
      if (grant.moment <= (entra.validFrom.get(grant.user.username) ?? 0)) throw sessionRevoked();
      return { ...grant, ...placeOf(entra, grant, authority) };
    },
  };
}

/** The same user in whichever tenant is asked; a B2C token stays with its user flow. */
function placeOf(entra, grant, authority) {
  if (grant.authority.policy !== authority.policy) throw noSuchApp(grant.app.clientId, authority.segment);
  const membership = membershipAt(entra, authority, grant.user);
  if (!membership) throw Object.assign(notInTenant(grant.user, authority), { error: "invalid_grant" });
  return { authority, membership };
}
