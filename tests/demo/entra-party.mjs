// The smallest relying party that proves the stand-in for the Microsoft identity platform.

import assert from "node:assert/strict";
import { createHash, randomBytes, randomUUID } from "node:crypto";

import { SignJWT } from "jose";

import { contoso, startEntra } from "../../demo/entra.mjs";
import { users } from "../../demo/entra/directory.mjs";
import { Browser } from "./relying-party.mjs";

export const [ada, grace, gus, pat] = users;
export const callback = "http://localhost:1/signin-oidc";
export const signedOut = "http://localhost:1/signout-callback-oidc";
export const secret = "SECRET?%Gclient~with+all";

export const client = {
  clientId: "11111111-aaaa-4bbb-8ccc-000000000001",
  name: "Web app",
  tenant: contoso.id,
  audience: "AzureADandPersonalMicrosoftAccount",
  secrets: [secret],
  redirectUris: [callback, signedOut],
  adminConsent: true,
};

export const ordersApi = {
  clientId: "22222222-aaaa-4bbb-8ccc-000000000002",
  name: "Orders API",
  tenant: contoso.id,
  audience: "AzureADMultipleOrgs",
  secrets: ["orders-secret"],
  appIdUri: "api://orders",
  scopes: {
    Read: { meaning: "Read orders" },
    Write: { meaning: "Write orders" },
    Everything: { meaning: "All", isForAdmins: true },
  },
};

/** Starts the stand-in with `app` merged into the registration of the client. */
export function startWith({ app = {}, otherApps = [], ...more } = {}) {
  return startEntra({ apps: [{ ...client, ...app }, ordersApi, ...otherApps], ...more });
}

/** One user's browser at one authority of the stand-in. */
export class Party {
  browser = new Browser();

  constructor(entra, { authority = contoso.id, app = client } = {}) {
    Object.assign(this, { entra, authority, app });
  }

  get address() {
    return `${this.entra.instance}${this.authority}/oauth2/v2.0`;
  }

  /** The address of an authorization request; `undefined` leaves a parameter out. */
  request(parameters = {}) {
    this.verifier = randomBytes(32).toString("base64url");
    const all = {
      client_id: this.app.clientId,
      redirect_uri: callback,
      response_type: "code",
      scope: "openid profile offline_access User.Read",
      state: "a state",
      nonce: "a-nonce",
      code_challenge: createHash("sha256").update(this.verifier).digest("base64url"),
      code_challenge_method: "S256",
      ...parameters,
    };
    const pairs = Object.entries(all).flatMap(([name, value]) => [value].flat().map((one) => [name, one]));
    return `${this.address}/authorize?${new URLSearchParams(pairs.filter(([, value]) => value !== undefined))}`;
  }

  /** Sends an authorization request: `{ left }`, where the browser went, or the page that it is shown. */
  async authorize(parameters) {
    return this.#end(await this.browser.follow(this.request(parameters), this.entra.issuer));
  }

  /** Presses a button of a page. */
  async press(page, form) {
    return this.#end(
      await this.browser.follow(page.at, this.entra.issuer, { method: "POST", body: new URLSearchParams(form) }),
    );
  }

  async signIn(user, parameters) {
    const page = await this.authorize(parameters);
    return page.left ? page : this.press(page, { username: user.username, password: user.password });
  }

  /** Signs in and redeems the code: the token response. */
  async tokens(user = ada, parameters = {}, form = {}) {
    const { left, html } = await this.signIn(user, parameters);
    assert.ok(left?.searchParams.get("code"), left?.href ?? html);
    const answer = await this.redeem(left.searchParams.get("code"), form);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    return answer.body;
  }

  redeem(code, form = {}) {
    const usual = { grant_type: "authorization_code", code, redirect_uri: callback, code_verifier: this.verifier };
    return this.token({ ...usual, ...form });
  }

  refresh(token, scope, form = {}) {
    return this.token({ grant_type: "refresh_token", refresh_token: token, scope, ...form });
  }

  /** A token request with the client's id and secret, unless the form or the headers say otherwise. */
  async token(form, headers = {}) {
    const all = { client_id: this.app.clientId, client_secret: this.app.secrets?.[0], ...form };
    const body = new URLSearchParams(Object.entries(all).filter(([, value]) => value !== undefined));
    const response = await fetch(`${this.address}/token`, { method: "POST", body, headers });
    return { status: response.status, body: await response.json() };
  }

  async #end({ left, response, at }) {
    return left ? { left } : { at, status: response.status, html: await response.text() };
  }
}

/** The AADSTS number with which a browser or a token request was refused. */
export function numberOf({ left, html, body }) {
  const text = left?.searchParams.get("error_description") ?? html ?? body.error_description ?? "";
  return Number(text.match(/AADSTS(\d+)/)?.[1]) || undefined;
}

/** Holds a token error against its number, OAuth code and status. */
export function assertRefused(answer, number, error, status = 400) {
  assert.deepEqual(
    [answer.body.error_codes?.[0], answer.body.error, answer.status],
    [number, error, status],
    JSON.stringify(answer.body),
  );
  const text = new RegExp(`^AADSTS${number}: .+ Trace ID: \\S+ Correlation ID: \\S+ Timestamp: \\S+ \\S+Z$`);
  assert.match(answer.body.error_description, text);
}

/** A client assertion with a certificate; `undefined` leaves out a claim or a member of the header. */
export function assertion(entra, { certificate, clientId = client.clientId, alg = "PS256", header = {}, claims = {} }) {
  const now = Math.floor(Date.now() / 1000);
  const aud = `${entra.instance}${contoso.id}/oauth2/v2.0/token`;
  const all = { aud, iss: clientId, sub: clientId, jti: randomUUID(), iat: now, nbf: now, exp: now + 600, ...claims };
  const [name, hash] = alg === "RS256" ? ["x5t", "sha1"] : ["x5t#S256", "sha256"];
  const print = createHash(hash).update(certificate.der).digest("base64url");
  const kept = (object) => Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
  return new SignJWT(kept(all))
    .setProtectedHeader(kept({ alg, typ: "JWT", [name]: print, ...header }))
    .sign(certificate.privateKey);
}

export const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
