// A small Microsoft Graph: who I am, who else there is, pages, changes, batches; and challenges once access has been
// evaluated anew (continuous access evaluation).

import { createLocalJWKSet, errors, jwtVerify } from "jose";

import { graph as registration } from "./apps.mjs";
import { jwksOf } from "./keys.mjs";
import { asSigned } from "./tokens.mjs";
import { listen, readBody, sendJson } from "../listen.mjs";

const pageSize = 2;
const longestBatch = 20;

/**
 * `requests` grows by one record per request: method, url, headers, and the token's claims. Set `intercept` to a function
 * `(request, response) => boolean` to answer some requests otherwise. `changes` are what a delta link brings.
 */
export async function startGraph(entra, port) {
  const graph = { requests: [], intercept: undefined, changes: [] };
  const server = await listen(port, async (request, response) => {
    const record = { method: request.method, url: request.url, headers: request.headers };
    graph.requests.push(record);
    if (graph.intercept?.(request, response)) return;
    const answer = await respond(entra, graph, request, record);
    if (answer.body === undefined) return response.writeHead(answer.status, answer.headers).end();
    return sendJson(response, answer.status, answer.body, answer.headers);
  });
  return Object.assign(graph, { address: `http://127.0.0.1:${server.port}`, port: server.port, close: server.close });
}

async function respond(entra, graph, request, record) {
  const token = await verified(entra, request);
  if (!token) return unauthenticated(entra, 'error="invalid_token"');
  record.claims = token;
  const demand = challenge(entra, token);
  if (demand) return unauthenticated(entra, `error="insufficient_claims", claims="${demand}"`);
  const body = request.method === "GET" ? undefined : await readBody(request);
  if (new URL(request.url, graph.address).pathname === "/v1.0/$batch")
    return batch(entra, graph, token, request.method, body);
  return resource(entra, graph, token, request.method, request.url);
}

async function verified(entra, request) {
  const [scheme, token] = (request.headers.authorization ?? "").split(" ");
  if (scheme.toLowerCase() !== "bearer" || !token) return undefined;
  const opaque = entra.opaqueTokens.get(token);
  if (opaque) return opaque.exp > entra.now() ? opaque : undefined;
  try {
    const keys = createLocalJWKSet(jwksOf(entra, { kind: "common" }));
    const options = { audience: registration.appIdUri, currentDate: new Date(entra.now() * 1000) };
    return (await jwtVerify(asSigned(token), keys, options)).payload;
  } catch (error) {
    if (error instanceof errors.JOSEError || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** The claims that a token lacks since it was issued, in base64; only clients that answer challenges get one. */
function challenge(entra, { uti }) {
  const { moment, username, isChallengeable } = entra.accessTokens.get(uti);
  const since = Math.max(entra.validFrom.get(username) ?? 0, entra.evaluatedAnew.get(username)?.moment ?? 0);
  if (!isChallengeable || moment > since) return undefined;
  const value = String(entra.evaluatedAnew.get(username)?.at ?? entra.now());
  return Buffer.from(JSON.stringify({ access_token: { nbf: { essential: true, value } } })).toString("base64");
}

function unauthenticated(entra, more) {
  const realm = `Bearer realm="", authorization_uri="${entra.instance}common/oauth2/authorize", client_id="${registration.clientId}"`;
  const text = more.includes("insufficient_claims")
    ? "Continuous access evaluation resulted in challenge with result: InteractionRequired and code: TokenIssuedBeforeRevocationTimestamp"
    : "Access token validation failure.";
  const answer = refused(401, "InvalidAuthenticationToken", text);
  return { ...answer, headers: { "www-authenticate": `${realm}, ${more}` } };
}

function refused(status, code, message) {
  return { status, body: { error: { code, message } } };
}

function resource(entra, graph, token, method, target) {
  if (method !== "GET")
    return refused(405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.");
  const url = new URL(target, graph.address);
  const resources = { "/v1.0/me": me, "/v1.0/users": users, "/v1.0/users/delta": delta, "/oidc/userinfo": userInfo };
  if (!Object.hasOwn(resources, url.pathname)) {
    return refused(
      404,
      "Request_ResourceNotFound",
      `Resource not found for the segment '${url.pathname.split("/").at(-1)}'.`,
    );
  }
  return resources[url.pathname](entra, graph, token, url);
}

function permitted({ scp = "", roles = [] }, ...names) {
  return names.some((name) => scp.split(" ").includes(name) || roles.includes(name));
}

const forbidden = () =>
  refused(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.");

function me(entra, graph, token) {
  if (token.idtyp === "app")
    return refused(400, "BadRequest", "/me request is only valid with delegated authentication flow.");
  if (!permitted(token, "User.Read", "User.ReadBasic.All", "User.Read.All")) return forbidden();
  const user = person(peopleOf(entra, token).find(({ id }) => id === token.oid));
  return { status: 200, body: { "@odata.context": `${graph.address}/v1.0/$metadata#users/$entity`, ...user } };
}

/** Two at a time, unless `$top` says otherwise; each page but the last says where the next one is. */
function users(entra, graph, token, url) {
  if (!permitted(token, "User.ReadBasic.All", "User.Read.All")) return forbidden();
  const { value, next } = paged(peopleOf(entra, token).map(person), url);
  const links = next && { "@odata.nextLink": next };
  return { status: 200, body: { "@odata.context": `${graph.address}/v1.0/$metadata#users`, ...links, value } };
}

function delta(entra, graph, token, url) {
  if (!permitted(token, "User.Read.All")) return forbidden();
  const since = Number(url.searchParams.get("$deltatoken") ?? -1);
  const all = since >= 0 ? graph.changes.slice(since) : peopleOf(entra, token).map(person);
  const { value, next } = paged(all, url);
  const done = new URL("/v1.0/users/delta", graph.address);
  done.searchParams.set("$deltatoken", String(graph.changes.length));
  const links = next ? { "@odata.nextLink": next } : { "@odata.deltaLink": done.href };
  return { status: 200, body: { "@odata.context": `${graph.address}/v1.0/$metadata#users`, ...links, value } };
}

function userInfo(entra, graph, token) {
  const { sub, name, preferred_username: username } = token;
  return { status: 200, body: { sub, name, email: username } };
}

/** The answers to as many as twenty requests in one (JSON batching), in any order. */
async function batch(entra, graph, token, method, body) {
  if (method !== "POST")
    return refused(405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.");
  let requests;
  try {
    ({ requests } = JSON.parse(body));
  } catch {
    return refused(400, "BadRequest", "Unable to read JSON request payload.");
  }
  if (!Array.isArray(requests) || requests.length > longestBatch || requests.some(({ id, url }) => !id || !url)) {
    return refused(
      400,
      "BadRequest",
      `Number of batch request steps exceeds the maximum value of ${longestBatch}, or one lacks id or url.`,
    );
  }
  const responses = requests.map(({ id, method: verb = "GET", url }) => {
    const answer = resource(entra, graph, token, verb.toUpperCase(), `/v1.0${url.startsWith("/") ? "" : "/"}${url}`);
    return { id, status: answer.status, headers: { "Content-Type": "application/json" }, body: answer.body };
  });
  return { status: 200, body: { responses: responses.reverse() } };
}

function paged(all, url) {
  const size = Number(url.searchParams.get("$top") ?? pageSize);
  const from = Number(url.searchParams.get("$skiptoken") ?? 0);
  const next = new URL(url);
  next.searchParams.set("$skiptoken", String(from + size));
  return { value: all.slice(from, from + size), next: from + size < all.length ? next.href : undefined };
}

/** The members and guests of the token's tenant. */
function peopleOf(entra, { tid }) {
  return entra.users.flatMap((user) => {
    const guest = user.guestIn?.find(({ tenant }) => tenant === tid);
    if (user.home === tid) return [{ ...user, id: user.oid }];
    return guest ? [{ ...user, id: guest.oid }] : [];
  });
}

function person({ id, name, username, email }) {
  return { id, displayName: name, userPrincipalName: username, mail: email ?? null };
}
