// The demo's downstream APIs: a list of orders or of invoices that trusts nobody and checks every access token itself
// (RFC 9068, RFC 6750).

import { createRemoteJWKSet, jwtVerify } from "jose";

import { listen, readBody, sendJson } from "./listen.mjs";
import { confirmed } from "./settings.mjs";

const lists = {
  orders: () => [
    { id: 1, item: "Tea", quantity: 2 },
    { id: 2, item: "Teacup", quantity: 6 },
  ],
  invoices: () => [
    { id: "2026-001", order: 1, total: "9.50" },
    { id: "2026-002", order: 2, total: "42.00" },
  ],
};

/**
 * `list` names what the API keeps, and with it its path and its scopes.
 * `requests` grows by one record per request, for tests: method, url, headers as they arrived, and the verified claims.
 * Set `intercept` to a function `(request, response) => boolean` to answer some requests otherwise.
 */
export async function startApi({ port = 0, issuer, audience, list = "orders" }) {
  const entries = lists[list]();
  const api = { requests: [], intercept: undefined };
  const keys = remoteKeys(issuer);
  const server = await listen(port, async (request, response) => {
    const record = { method: request.method, url: request.url, headers: request.headers };
    api.requests.push(record);
    if (api.intercept?.(request, response)) return;
    const token = await verifiedToken(request, { issuer, audience, keys });
    if (!token) return refuse(response, 401, "invalid_token");
    record.claims = token;
    const scope = `${list}.${request.method === "GET" || request.method === "HEAD" ? "read" : "write"}`;
    if (!(token.scope ?? "").split(" ").includes(scope)) return refuse(response, 403, "insufficient_scope", scope);
    await answer(request, response, { list, entries, token });
  });
  return Object.assign(api, { port: server.port, close: server.close });
}

// Discovery is left until the first token arrives, so that the parts may start in any order.
function remoteKeys(issuer) {
  let keys;
  return async (header, token) => {
    if (!keys) {
      const metadata = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json();
      keys = createRemoteJWKSet(new URL(metadata.jwks_uri));
    }
    return keys(header, token);
  };
}

async function verifiedToken(request, { issuer, audience, keys }) {
  const [scheme, credentials] = (request.headers.authorization ?? "").split(" ");
  if (scheme.toLowerCase() !== "bearer" || !credentials) return undefined;
  try {
    const options = { issuer, audience, typ: "at+jwt", requiredClaims: ["exp", "sub", "client_id"] };
    return (await jwtVerify(credentials, keys, options)).payload;
  } catch {
    return undefined;
  }
}

function refuse(response, status, error, scope) {
  const challenge = `Bearer error="${error}"${scope ? `, scope="${scope}"` : ""}`;
  sendJson(response, status, { error }, { "www-authenticate": challenge });
}

// OIDC Core 5.5.1.1, in the form that the Microsoft identity platform's APIs send it. A refreshed token keeps the `acr`
// of the sign-in that it came from, so this asks for another sign-in.
const claimsChallenge = JSON.stringify({ id_token: { acr: { essential: true, values: [confirmed] } } });

function demandConfirmation(response) {
  const claims = Buffer.from(claimsChallenge).toString("base64");
  const challenge = `Bearer error="insufficient_claims", claims="${claims}"`;
  sendJson(response, 401, { error: "insufficient_claims" }, { "www-authenticate": challenge });
}

async function answer(request, response, { list, entries, token }) {
  const url = new URL(request.url, "http://api.invalid");
  if (request.method === "GET" && url.pathname === `/${list}`) return sendJson(response, 200, { [list]: entries });
  switch (`${request.method} ${url.pathname}`) {
    case "POST /orders":
      return addOrder(request, response, { orders: entries, token });
    case "GET /payment":
      if (token.acr !== confirmed) return demandConfirmation(response);
      return sendJson(response, 200, { method: "card", number: "ends in 4242" });
    case "GET /whoami":
      return sendJson(response, 200, { sub: token.sub, scope: token.scope, aud: token.aud });
    case "POST /echo":
      response.writeHead(200, { "content-type": request.headers["content-type"] ?? "application/octet-stream" });
      return request.pipe(response);
    case "GET /stream":
      return streamLines(response, url.searchParams);
    default:
      return sendJson(response, 404, { error: "not_found" });
  }
}

async function addOrder(request, response, { orders, token }) {
  let wanted;
  try {
    wanted = JSON.parse(await readBody(request));
  } catch {
    return sendJson(response, 400, { error: "invalid_json" });
  }
  if (typeof wanted?.item !== "string" || !Number.isInteger(wanted.quantity)) {
    return sendJson(response, 422, { error: "item_and_quantity_needed" });
  }
  const order = { id: orders.length + 1, item: wanted.item, quantity: wanted.quantity, orderedBy: token.sub };
  orders.push(order);
  return sendJson(response, 201, order, { location: `/orders/${order.id}` });
}

async function streamLines(response, query) {
  const lines = Number(query.get("lines") ?? 5);
  const pause = Number(query.get("pause") ?? 200);
  response.writeHead(200, { "content-type": "application/x-ndjson", "cache-control": "no-store" });
  for (let line = 1; line <= lines && !response.destroyed; line += 1) {
    response.write(`${JSON.stringify({ line, at: new Date().toISOString() })}\n`);
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
  response.end();
}
