// Authorization codes: each is good once, for ten minutes.

import { createHash } from "node:crypto";

import { malformed, Refusal } from "./errors.mjs";
import { opaque } from "./opaque.mjs";

const lifetime = 600;

export function codeStore(entra) {
  const codes = new Map();
  return {
    /** A code for what an attempt came to. */
    issue(attempt) {
      const code = opaque("1.AX");
      codes.set(code, { grant: grantOf(attempt), issuedAt: entra.now(), isUsed: false });
      return code;
    },
    /** The grant behind a code, which is used up. */
    redeem(app, form) {
      const known = codes.get(form.get("code"));
      if (!known || known.grant.app.clientId !== app.clientId) throw malformed("the code is not one of this client");
      if (known.isUsed) {
        const text =
          "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing " +
          "refresh token.";
        throw new Refusal(54005, "invalid_grant", text);
      }
      if (entra.now() > known.issuedAt + lifetime) throw expired();
      const { grant } = known;
      expectRedirectUri(grant, form.get("redirect_uri"));
      expectVerifier(grant, form.get("code_verifier"));
      known.isUsed = true;
      return grant;
    },
  };
}

/** What the user has agreed to, apart from the browser that it happened in. */
function grantOf({ app, authority, oidc, apis, claims, nonce, pkce, redirectUri, progress }) {
  const { account, membership } = progress;
  const { user, sid, amr, contexts, authTime, moment } = account;
  const common = { app, authority, oidc, apis, claims, nonce, user, membership, sid, authTime, moment };
  return { ...common, amr: new Set(amr), contexts: new Set(contexts), pkce, redirectUri };
}

function expectRedirectUri(grant, redirectUri) {
  if (redirectUri === grant.redirectUri) return;
  const text =
    `The reply address '${redirectUri}' does not match the reply address '${grant.redirectUri}' provided ` +
    "when requesting Authorization code.";
  throw new Refusal(500112, "invalid_client", text);
}

function expectVerifier({ pkce }, verifier) {
  const text = "The Code_Verifier does not match the code_challenge supplied in the authorization request.";
  if (!pkce) {
    if (verifier === null) return;
    throw new Refusal(501481, "invalid_grant", text);
  }
  if (verifier === null) throw new Refusal(50148, "invalid_grant", text);
  const made = pkce.method === "S256" ? createHash("sha256").update(verifier).digest("base64url") : verifier;
  if (made !== pkce.challenge) throw new Refusal(501481, "invalid_grant", text);
}

function expired() {
  const text =
    "The provided authorization code or refresh token has expired due to inactivity. Send a new interactive " +
    "authorization request for this user and resource.";
  return new Refusal(70008, "invalid_grant", text);
}
