// What somebody who knows the platform would write by hand in JavaScript: sign-in with the authorization code flow and PKCE,
// tokens in Workers KV and in the isolate's memory, and a warm request that waits for nothing. It does much less than
// Vestibule (no sign-out, no bound on its memory, no rules, no other APIs), so it is a hard one to beat.

const SESSION = "__Host-session";
const ATTEMPT = "__Host-attempt";
const DAY = 86_400;

/** Entries by the value of the cookie. */
const memory = new Map();
let documents;
let sealingKey;

export default {
  fetch(request, env, context) {
    const path = request.url.slice(request.url.indexOf("/", 8));
    if (path.startsWith("/public/")) return forward(request, env, path);
    const id = cookieOf(request, SESSION);
    const entry = id && memory.get(id);
    if (entry && entry.expires > Date.now()) return forward(request, env, path, entry.authorization);
    return slowly(request, env, context, { path, id, entry });
  },
};

function forward(request, env, path, authorization) {
  const headers = new Headers(request.headers);
  headers.delete("cookie");
  if (authorization) headers.set("authorization", authorization);
  else headers.delete("authorization");
  return fetch(env.ORIGIN + path, { method: request.method, headers, body: request.body, redirect: "manual" });
}

async function slowly(request, env, context, { path, id, entry }) {
  if (path.startsWith("/signin-oidc?")) return callback(request, env);
  const known = entry ?? (id && (await remember(env, id)));
  if (known && known.expires <= Date.now()) {
    // One refresh for everybody who waits in this isolate.
    known.refreshing ??= refresh(env, id, known).finally(() => (known.refreshing = undefined));
    context.waitUntil(known.refreshing.catch(() => {}));
    await known.refreshing;
  }
  if (known) return forward(request, env, path, known.authorization);
  if (request.headers.get("sec-fetch-mode") !== "navigate") return Response.json({ error: "signed_out" }, { status: 401 });
  return challenge(env, path);
}

async function challenge(env, path) {
  const { metadata } = await provider(env);
  const [state, nonce, verifier] = [random(), random(), random()];
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  const url = new URL(metadata.authorization_endpoint);
  url.search = new URLSearchParams({
    client_id: env.CLIENT_ID,
    redirect_uri: env.REDIRECT_URI,
    response_type: "code",
    scope: env.SCOPE,
    resource: env.RESOURCE,
    state,
    nonce,
    code_challenge: base64url(digest),
    code_challenge_method: "S256",
  });
  const attempt = await seal(env, { state, nonce, verifier, path });
  return redirect(302, url.href, cookie(ATTEMPT, attempt, 900));
}

async function callback(request, env) {
  const parameters = new URL(request.url).searchParams;
  const attempt = await open(env, cookieOf(request, ATTEMPT));
  if (attempt?.state !== parameters.get("state")) return Response.json({ error: "state" }, { status: 400 });
  const form = { grant_type: "authorization_code", code: parameters.get("code"), redirect_uri: env.REDIRECT_URI };
  const tokens = await tokenRequest(env, { ...form, code_verifier: attempt.verifier });
  const { sub } = await verify(env, tokens.id_token, attempt.nonce);
  const id = random();
  const entry = entryOf(tokens);
  memory.set(id, entry);
  await store(env, id, entry);
  // Where it has objects: tuned-object.mjs.
  await env.ACCOUNTS?.getByName(sub).register(id);
  const answer = redirect(303, attempt.path, cookie(SESSION, id, DAY));
  answer.headers.append("set-cookie", cookie(ATTEMPT, "", 0));
  return answer;
}

async function refresh(env, id, entry) {
  const tokens = await tokenRequest(env, { grant_type: "refresh_token", refresh_token: entry.refreshToken });
  Object.assign(entry, entryOf(tokens, entry));
  await store(env, id, entry);
}

function entryOf(tokens, before) {
  return {
    authorization: `Bearer ${tokens.access_token}`,
    expires: Date.now() + tokens.expires_in * 500,
    refreshToken: tokens.refresh_token ?? before?.refreshToken,
  };
}

async function store(env, id, { authorization, expires, refreshToken }) {
  await env.KV.put(await keyOf(id), await seal(env, { authorization, expires, refreshToken }), { expirationTtl: DAY });
}

async function remember(env, id) {
  const entry = await open(env, await env.KV.get(await keyOf(id)));
  if (entry) memory.set(id, entry);
  return entry;
}

async function keyOf(id) {
  return base64url(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(id)));
}

async function tokenRequest(env, form) {
  const { metadata } = await provider(env);
  const answer = await fetch(metadata.token_endpoint, {
    method: "POST",
    headers: { authorization: `Basic ${btoa(`${encodeURIComponent(env.CLIENT_ID)}:${encodeURIComponent(env.CLIENT_SECRET)}`)}` },
    body: new URLSearchParams({ ...form, resource: env.RESOURCE }),
    redirect: "manual",
  });
  if (!answer.ok) throw new Error(`the token endpoint answers ${answer.status}`);
  return answer.json();
}

/** OIDC Core 3.1.3.7, of which RS256 alone is accepted. */
async function verify(env, idToken, nonce) {
  const [head, body, signature] = idToken.split(".");
  const [header, claims] = [head, body].map((part) => JSON.parse(new TextDecoder().decode(fromBase64url(part))));
  const { metadata, keys } = await provider(env);
  const key = header.alg === "RS256" && keys.get(header.kid);
  const signed = new TextEncoder().encode(`${head}.${body}`);
  const holds = key && (await crypto.subtle.verify("RSASSA-PKCS1-v1_5", key, fromBase64url(signature), signed));
  const isForUs = claims.iss === metadata.issuer && claims.aud === env.CLIENT_ID && claims.nonce === nonce;
  if (!holds || !isForUs || claims.exp * 1000 < Date.now()) throw new Error("the ID token does not hold");
  return claims;
}

/** The metadata and the keys, once in each isolate. */
function provider(env) {
  return (documents ??= discover(env));
}

async function discover(env) {
  const metadata = await (await fetch(`${env.ISSUER}/.well-known/openid-configuration`)).json();
  const { keys } = await (await fetch(metadata.jwks_uri)).json();
  const usable = keys.filter(({ kty }) => kty === "RSA");
  const algorithm = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
  const imported = usable.map(async ({ kid, kty, n, e }) => [kid, await crypto.subtle.importKey("jwk", { kty, n, e }, algorithm, false, ["verify"])]);
  return { metadata, keys: new Map(await Promise.all(imported)) };
}

function key(env) {
  return (sealingKey ??= crypto.subtle.importKey("raw", fromBase64url(env.KEY), "AES-GCM", false, ["encrypt", "decrypt"]));
}

async function seal(env, value) {
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, await key(env), new TextEncoder().encode(JSON.stringify(value)));
  return `${base64url(iv)}.${base64url(sealed)}`;
}

async function open(env, text) {
  if (!text) return undefined;
  const [iv, sealed] = text.split(".").map(fromBase64url);
  return JSON.parse(new TextDecoder().decode(await crypto.subtle.decrypt({ name: "AES-GCM", iv }, await key(env), sealed)));
}

function cookieOf(request, name) {
  const header = request.headers.get("cookie");
  const start = header === null ? -1 : header.indexOf(`${name}=`);
  if (start < 0) return undefined;
  const end = header.indexOf(";", start);
  return header.slice(start + name.length + 1, end < 0 ? undefined : end);
}

function cookie(name, value, seconds) {
  return `${name}=${value}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=${seconds}`;
}

function redirect(status, location, setCookie) {
  return new Response(null, { status, headers: { location, "set-cookie": setCookie, "cache-control": "no-store" } });
}

function random() {
  return base64url(crypto.getRandomValues(new Uint8Array(32)));
}

function base64url(bytes) {
  return btoa(String.fromCharCode(...new Uint8Array(bytes))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");
}

function fromBase64url(text) {
  return Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (character) => character.charCodeAt(0));
}
