// The demo's origin: a small web page that relies on the gateway in front of it and never sees a token.

import { readFile } from "node:fs/promises";

import { assertionHeader, assertionVerifier } from "./assertion.mjs";
import { listen, sendJson } from "./listen.mjs";
import { escapeHtml } from "./provider/pages.mjs";

const script = "text/javascript; charset=utf-8";
const assets = {
  "/assets/account.js": script,
  "/assets/calls.js": script,
  "/assets/element.js": script,
  "/assets/events.js": script,
  "/assets/page.css": "text/css; charset=utf-8",
  "/assets/page.js": script,
  "/assets/sessions.js": script,
};

// The gateway's rules for these are in wrangler.toml.
const pages = ["/page/", "/public/", "/welcome", "/admin/"];

// No form-action: browsers apply it to redirects after a form too, and signing out redirects to the OP.
function contentSecurityPolicy(publicOrigin) {
  // Not every browser counts a WebSocket of the same host as 'self'.
  const webSockets = publicOrigin.replace(/^http/, "ws");
  return [
    "default-src 'none'",
    "style-src 'self'",
    "script-src 'self'",
    `connect-src 'self' ${webSockets}`,
    "img-src 'self' data:",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}

/**
 * `requests` grows by one record per request, for tests: method, url and headers exactly as they arrived. With `callsGraph` the
 * page has a part that calls Microsoft Graph.
 */
export async function startOrigin({ port = 0, publicOrigin = "http://localhost:8787", callsGraph = false } = {}) {
  const origin = { requests: [], intercept: undefined };
  const server = await listen(port, (request, response) => {
    origin.requests.push({
      method: request.method,
      url: request.url,
      headers: request.headers,
      rawHeaders: request.rawHeaders,
    });
    if (origin.intercept?.(request, response)) return;
    return answer(request, response, { publicOrigin, verify, callsGraph });
  });
  const verify = assertionVerifier({ publicOrigin, audience: `http://127.0.0.1:${server.port}` });
  return Object.assign(origin, { port: server.port, close: server.close });
}

async function answer(request, response, gateway) {
  const path = request.url.split("?")[0];
  if (path === "/echo") return echo(request, response);
  if (request.method !== "GET" && request.method !== "HEAD") return sendJson(response, 405, { error: "method" });
  if (path === "/favicon.ico") return response.writeHead(204).end();
  if (Object.hasOwn(assets, path)) return sendAsset(response, path);
  if (path === "/" || pages.some((prefix) => path.startsWith(prefix))) return sendPage(request, response, gateway);
  return sendJson(response, 404, { error: "not_found", path });
}

function echo(request, response) {
  if (request.method === "POST" || request.method === "PUT") {
    response.writeHead(200, { "content-type": request.headers["content-type"] ?? "application/octet-stream" });
    return request.pipe(response);
  }
  return sendJson(response, 200, { method: request.method, url: request.url, headers: request.headers });
}

async function sendAsset(response, path) {
  const body = await readFile(new URL(`./origin/${path.slice("/assets/".length)}`, import.meta.url));
  response.writeHead(200, { "content-type": assets[path], "cache-control": "max-age=60" });
  response.end(body);
}

async function sendPage(request, response, { publicOrigin, verify, callsGraph }) {
  const [template, graph] = await Promise.all(["page.html", "graph.html"].map(fragment));
  const user = request.headers["x-ms-client-principal-name"] ?? "nobody";
  const texts = { path: request.url, publicOrigin, user, gateway: await verify(request) };
  const parts = { headers: headerRows(request.headers), graph: callsGraph ? graph : "" };
  const html = template.replace(/\{\{(\w+)\}\}/g, (_, name) => parts[name] ?? escapeHtml(texts[name]));
  response.writeHead(200, {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    "content-security-policy": contentSecurityPolicy(publicOrigin),
    "x-content-type-options": "nosniff",
  });
  response.end(html);
}

function fragment(name) {
  return readFile(new URL(`./origin/${name}`, import.meta.url), "utf8");
}

// The gateway passes neither of the first two on; should one ever arrive, the page must not be what shows it. The
// assertion proves something to whoever holds it, so it is this origin's alone.
const withheld = new Set(["authorization", "cookie", assertionHeader]);

function headerRows(headers) {
  return Object.entries(headers)
    .map(([name, value]) => {
      const shown = withheld.has(name) ? "(present; not shown)" : value;
      return `<tr><th scope="row">${escapeHtml(name)}</th><td>${escapeHtml(shown)}</td></tr>`;
    })
    .join("\n");
}
