// The smallest relying party that proves the demo's OP: authorization code flow with PKCE, refresh, sign-out.

import { createHash, randomBytes } from "node:crypto";

/** Follows redirects by hand, because the one that leaves the OP is the result. */
export class Browser {
  #cookies = new Map();

  async fetch(url, options = {}) {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const headers = { accept: "text/html", ...options.headers, ...(cookie && { cookie }) };
    const response = await fetch(url, { ...options, headers, redirect: "manual" });
    for (const line of response.headers.getSetCookie()) {
      const [pair] = line.split(";");
      const [name, value] = [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)];
      if (value === "" || /expires=Thu, 01 Jan 1970/i.test(line)) this.#cookies.delete(name);
      else this.#cookies.set(name, value);
    }
    return response;
  }

  /** Goes on until a page is shown or a redirect leaves `origin`. */
  async follow(url, origin, options) {
    let response = await this.fetch(url, options);
    let at = new URL(url);
    while (response.status >= 300 && response.status < 400) {
      at = new URL(response.headers.get("location"), at);
      if (at.origin !== origin) return { left: at };
      response = await this.fetch(at);
    }
    return { response, at };
  }
}

export function authorizationRequest(op, settings, parameters = {}) {
  const verifier = randomBytes(32).toString("base64url");
  const url = new URL(`${op.issuer}/auth`);
  const all = {
    client_id: settings.clientId,
    redirect_uri: settings.redirectUris[0],
    response_type: "code",
    scope: `openid profile email offline_access ${settings.scopes ?? ""}`.trim(),
    state: "a-state",
    nonce: "a-nonce",
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
    ...parameters,
  };
  for (const [name, value] of Object.entries(all)) {
    for (const one of [value].flat()) if (one !== undefined) url.searchParams.append(name, one);
  }
  return { url: url.href, verifier };
}

export async function signIn(browser, op, url, { username, password }) {
  const shown = await browser.follow(url, op.issuer);
  if (shown.left) return shown.left;
  const body = new URLSearchParams({ username, password });
  const { left, response } = await browser.follow(shown.at, op.issuer, { method: "POST", body });
  return left ?? response;
}

export async function tokenRequest(op, settings, form) {
  const credentials = `${encodeURIComponent(settings.clientId)}:${encodeURIComponent(settings.clientSecret)}`;
  const response = await fetch(`${op.issuer}/token`, {
    method: "POST",
    headers: { authorization: `Basic ${Buffer.from(credentials).toString("base64")}` },
    body: new URLSearchParams(form),
  });
  return { status: response.status, body: await response.json() };
}

export async function redeem(op, settings, callback, verifier, extra = {}) {
  return tokenRequest(op, settings, {
    grant_type: "authorization_code",
    code: callback.searchParams.get("code"),
    redirect_uri: settings.redirectUris[0],
    code_verifier: verifier,
    ...extra,
  });
}
