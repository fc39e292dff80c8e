// Who is measured: for each the modules and the bindings of its Worker.

import { randomBytes } from "node:crypto";
import { join, relative } from "node:path";

import { filesUnder, inProject } from "../../scripts/project.mjs";
import { client, resource } from "./provider.mjs";
import { json, text } from "./workerd.mjs";

export const key = randomBytes(32);
const scope = "openid profile email offline_access";
const worker = (file) => inProject("bench", "workers", file);

/**
 * `world` says where the parts are, `place` where this Worker is: `publicOrigin` and the redirect URI's path. A contestant
 * that `signsIn` asks for a session; `callback` is the path of its redirect URI.
 */
export const contestants = [
  { name: "floor", title: "the floor: `return fetch(origin, request)`", worker: floor },
  { name: "control", title: "the floor again (A/A control)", worker: floor },
  { name: "vestibule", title: "**Vestibule**", callback: "/signin-oidc", signsIn: true, worker: vestibule },
  { name: "tuned", title: "JavaScript written and tuned by hand", callback: "/signin-oidc", signsIn: true, worker: tuned },
  { name: "hono", title: "@hono/oidc-auth", callback: "/callback", signsIn: true, worker: hono },
  { name: "workers-rs", title: "`worker` crate, no check at all", worker: workersRs },
];

/** What a Worker costs that does nothing at all. */
export const empty = { name: "empty", title: "an empty Worker", worker: () => ({ modules: { "empty.mjs": worker("empty.mjs") } }) };

/** Vestibule without the accounts' objects, which on Cloudflare run elsewhere, and here in the same process. */
export const vestibuleOnKv = {
  ...{ name: "vestibule-kv", title: "**Vestibule**, KV alone", callback: "/signin-oidc", signsIn: true },
  worker: (parts, place) => vestibule(parts, place, { hasObjects: false }),
};

/** The Worker by hand with an object for each account, which writes a row: as little as registering a session can be. */
export const tunedWithObjects = {
  ...{ name: "tuned-object", title: "JavaScript by hand, a row in an object", callback: "/signin-oidc", signsIn: true },
  worker(parts, place) {
    const { modules, bindings, ...rest } = tuned(parts, place);
    return { modules: { "object.mjs": worker("tuned-object.mjs"), ...modules }, bindings: [...bindings, accounts], ...rest, ...objects };
  },
};

function floor({ origin }) {
  return { modules: { "floor.mjs": worker("floor.mjs") }, bindings: [text("ORIGIN", origin)] };
}

function workersRs({ origin, builds }) {
  return { modules: builds["workers-rs"], bindings: [text("ORIGIN", origin)] };
}

function tuned({ origin, issuer, kvPort }, { redirectUri }) {
  const texts = {
    ORIGIN: origin,
    ISSUER: issuer,
    CLIENT_ID: client.clientId,
    CLIENT_SECRET: client.clientSecret,
    REDIRECT_URI: redirectUri,
    SCOPE: `${scope} ${resource.scopes}`,
    RESOURCE: resource.resource,
    KEY: key.toString("base64url"),
  };
  return { modules: { "tuned.mjs": worker("tuned.mjs") }, bindings: [...listed(texts), '(name = "KV", kvNamespace = "kv")'], kvPort };
}

function hono({ origin, issuer, builds, accessTokenSeconds }, { redirectUri }) {
  const texts = {
    ORIGIN: origin,
    OIDC_ISSUER: issuer,
    OIDC_CLIENT_ID: client.clientId,
    OIDC_CLIENT_SECRET: client.clientSecret,
    OIDC_REDIRECT_URI: redirectUri,
    OIDC_SCOPES: scope,
    OIDC_AUTH_SECRET: key.toString("base64url"),
    // It knows no expiry of access tokens, only this.
    OIDC_AUTH_REFRESH_INTERVAL: String(accessTokenSeconds),
  };
  return { modules: builds.hono, bindings: listed(texts) };
}

/**
 * As in docs/configuration.md, with both of the bindings unless it has no objects. `entry` is another main module, which
 * imports those that the bundle is made of; `apis` are further DownstreamApis by their names, `routes` further rules, which
 * stand before the one that all have.
 */
export function vestibule({ origin, issuer, kvPort, builds }, { publicOrigin }, { hasObjects = true, entry, apis, routes = [] } = {}) {
  const vars = {
    OpenIdConnect: { Authority: issuer, ClientId: client.clientId },
    DownstreamApis: { ...apis, Bench: { BaseUrl: origin, Scopes: resource.scopes, Resource: resource.resource } },
    Gateway: { PublicOrigin: publicOrigin, Origin: origin, Routes: [...routes, { Path: "/public/**", Access: "Anonymous" }] },
  };
  const secrets = { Session__Key: key.toString("base64"), OpenIdConnect__ClientSecret: client.clientSecret };
  return {
    modules: entry ? { ...entry, ...unbundled() } : builds.vestibule,
    bindings: [
      ...Object.entries(vars).map(([name, value]) => json(name, value)),
      ...listed(secrets),
      '(name = "TOKEN_CACHE", kvNamespace = "kv")',
      ...(hasObjects ? [accounts] : []),
    ],
    kvPort,
    ...(hasObjects && objects),
  };
}

function unbundled() {
  const built = inProject("build", "worker");
  return Object.fromEntries(filesUnder(built).map((file) => [relative(built, file), file]));
}

const accounts = '(name = "ACCOUNTS", durableObjectNamespace = "AccountObject")';
const objects = {
  more: [
    'durableObjectNamespaces = [(className = "AccountObject", uniqueKey = "accounts", enableSql = true)]',
    'durableObjectStorage = (localDisk = "objects")',
  ],
  disk: "objects",
};

function listed(texts) {
  return Object.entries(texts).map(([name, value]) => text(name, value));
}
