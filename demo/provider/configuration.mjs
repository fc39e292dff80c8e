// How oidc-provider is set up to behave like the OPs that Vestibule meets.

import { randomBytes } from "node:crypto";

import { errors } from "oidc-provider";

import { accountBySubject } from "../accounts.mjs";
import { memoryAdapterFactory } from "./memory-adapter.mjs";
import { errorPage, signedOutPage, signOutPage } from "./pages.mjs";

const day = 24 * 60 * 60;

export function providerConfiguration({ jwks, clients, resources, accessTokenSeconds, authMethods }) {
  return {
    adapter: memoryAdapterFactory(),
    jwks,
    clients,
    clientAuthMethods: authMethods,
    clientBasedCORS: () => false,
    cookies: { keys: [randomBytes(32).toString("base64url")] },
    scopes: ["openid", "offline_access"],
    claims: {
      profile: ["name", "preferred_username", "roles"],
      email: ["email", "email_verified"],
    },
    // Without this the claims of a code flow are found at the UserInfo endpoint only.
    conformIdTokenClaims: false,
    findAccount,
    extraTokenClaims: howTheUserSignedIn,
    loadExistingGrant: (ctx) => grantWithoutAWord(ctx, resources),
    extraParams: { offline_access: keepOfflineAccess },
    rotateRefreshToken: true,
    pkce: { required: () => true },
    interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
    features: features({ resources, accessTokenSeconds }),
    ttl: lifetimes(accessTokenSeconds),
    renderError: (ctx, out) => sendHtml(ctx, errorPage(out)),
    // oidc-provider's own dispatcher refuses loopback addresses, where every relying party of the demo and of the
    // tests lives; back-channel logout would fail without a word.
    fetch: (url, { dispatcher, ...options }) => fetch(url, options),
  };
}

function features({ resources, accessTokenSeconds }) {
  return {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    backchannelLogout: { enabled: true },
    introspection: { enabled: true, allowedPolicy: () => true },
    revocation: { enabled: true, allowedPolicy: () => true },
    claimsParameter: { enabled: true },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: (ctx, form) => sendHtml(ctx, signOutPage(form)),
      postLogoutSuccessSource: (ctx) => sendHtml(ctx, signedOutPage()),
    },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (_ctx, indicator) => resourceServer(resources, indicator, accessTokenSeconds),
    },
  };
}

export function resourceServer(resources, indicator, accessTokenSeconds) {
  const known = resources.find(({ resource }) => resource === indicator);
  if (!known) throw new errors.InvalidTarget();
  return {
    scope: known.scopes,
    audience: known.audience ?? known.resource,
    accessTokenTTL: known.accessTokenSeconds ?? accessTokenSeconds,
    accessTokenFormat: known.format ?? "jwt",
    jwt: { sign: { alg: known.alg ?? "RS256" } },
  };
}

// Functions on purpose: oidc-provider warns about its own defaults, and a number would be capped by none of them.
function lifetimes(accessTokenSeconds) {
  return {
    AccessToken: (_ctx, token) => token.resourceServer?.accessTokenTTL ?? accessTokenSeconds,
    AuthorizationCode: 60,
    ClientCredentials: (_ctx, token) => token.resourceServer?.accessTokenTTL ?? accessTokenSeconds,
    Grant: 14 * day,
    IdToken: 60 * 60,
    Interaction: 60 * 60,
    RefreshToken: 14 * day,
    Session: 14 * day,
  };
}

function findAccount(_ctx, sub) {
  const account = accountBySubject(sub);
  return account && { accountId: sub, claims: async () => account.claims };
}

// For APIs that want to know it: RFC 9068 §2.2.1, also of a token that came by a refresh.
function howTheUserSignedIn(ctx, token) {
  const { AuthorizationCode: code, RefreshToken: refreshToken } = ctx.oidc.entities;
  const acr = (refreshToken ?? code)?.acr ?? ctx.oidc.subjectAcr;
  return token.kind === "AccessToken" && acr ? { acr } : undefined;
}

async function grantWithoutAWord(ctx, resources) {
  const { client, session, provider } = ctx.oidc;
  const grantId = session.grantIdFor(client.clientId);
  const existing = grantId && (await provider.Grant.find(grantId));
  const grant = existing ?? new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
  const asked = [...ctx.oidc.requestParamOIDCScopes].join(" ");
  if (asked) grant.addOIDCScope(asked);
  for (const [indicator, server] of Object.entries(ctx.oidc.resourceServers)) {
    if (resources.find(({ resource }) => resource === indicator)?.asksConsent) continue;
    grant.addResourceScope(indicator, [...server.scopes].join(" "));
  }
  if (ctx.oidc.requestParamClaims.size) grant.addOIDCClaims([...ctx.oidc.requestParamClaims]);
  await grant.save();
  return grant;
}

// oidc-provider drops offline_access unless the request says prompt=consent (OIDC Core 11 allows other conditions).
// This validator runs after that rule and puts the scope back, so asking for it is enough, as at most OPs.
function keepOfflineAccess(ctx, _value, client) {
  const asked = String(ctx.query.scope ?? ctx.oidc.body?.scope ?? "").split(" ");
  if (!asked.includes("offline_access") || !client.grantTypeAllowed("refresh_token")) return;
  ctx.oidc.params.scope = [...ctx.oidc.requestParamScopes.add("offline_access")].join(" ");
}

function sendHtml(ctx, html) {
  ctx.type = "html";
  ctx.body = html;
}
