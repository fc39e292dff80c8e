// The demo's downstream APIs: a list of orders or of invoices that trusts nobody and checks every access token itself
// (RFC 6750).

import { bearerToken, rfc9068 } from "./access-tokens.mjs";
import { listen, readBody, sendJson } from "./listen.mjs";

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
 * Set `intercept` to a function `(request, response) => boolean` to answer some requests otherwise. `accessTokens` are those
 * that it takes, by default those of `issuer` for `audience` as RFC 9068 has them.
 */
export async function startApi({ port = 0, issuer, audience, list = "orders", accessTokens = rfc9068({ issuer, audience }) }) {
  const entries = lists[list]();
  const api = { requests: [], intercept: undefined };
  const server = await listen(port, async (request, response) => {
    const record = { method: request.method, url: request.url, headers: request.headers };
    api.requests.push(record);
    if (api.intercept?.(request, response)) return;
    const token = await verified(request, accessTokens);
    if (!token) return refuse(response, 401, "invalid_token");
    record.claims = token;
    const scope = `${list}.${request.method === "GET" || request.method === "HEAD" ? "read" : "write"}`;
    if (!(token.scope ?? "").split(" ").includes(scope)) return refuse(response, 403, "insufficient_scope", scope);
    await answer(request, response, { list, entries, token, accessTokens });
  });
  return Object.assign(api, { port: server.port, close: server.close });
}

async function verified(request, accessTokens) {
  const compact = bearerToken(request);
  try {
    return compact && (await accessTokens.verify(compact));
  } catch {
    return undefined;
  }
}

function refuse(response, status, error, scope) {
  const challenge = `Bearer error="${error}"${scope ? `, scope="${scope}"` : ""}`;
  sendJson(response, status, { error }, { "www-authenticate": challenge });
}

function demandConfirmation(response, { demand }) {
  const claims = Buffer.from(JSON.stringify(demand)).toString("base64");
  const challenge = `Bearer error="insufficient_claims", claims="${claims}"`;
  sendJson(response, 401, { error: "insufficient_claims" }, { "www-authenticate": challenge });
}

async function answer(request, response, { list, entries, token, accessTokens }) {
  const url = new URL(request.url, "http://api.invalid");
  if (request.method === "GET" && url.pathname === `/${list}`) return sendJson(response, 200, { [list]: entries });
  switch (`${request.method} ${url.pathname}`) {
    case "POST /orders":
      return addOrder(request, response, { orders: entries, token });
    case "GET /payment":
      if (!accessTokens.isConfirmed(token)) return demandConfirmation(response, accessTokens);
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
