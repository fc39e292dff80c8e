// An API of OData's kind, as Microsoft Graph is: a page follows the links of its answers as they are.

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { brotliCompressSync, gunzipSync, gzipSync } from "node:zlib";

import { open } from "../worker/exchange.mjs";
import { startWorld } from "./world.mjs";

let world;
let browser;
let graph;
let page;
before(async () => {
  world = await startWorld({ apiVars: { Orders: { RelativePath: "v1.0", RewriteLinks: true } } });
  graph = `http://127.0.0.1:${world.orders.port}/v1.0`;
  page = `${world.publicOrigin}/api/Orders`;
  browser = world.browser();
  await browser.signIn();
});
after(() => world.close());
beforeEach(() => {
  world.orders.requests.length = 0;
  world.orders.intercept = serve;
});

const type = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8";

/** Seven messages, three at a time, and what has changed since. */
function serve(request, response) {
  const url = new URL(request.url, graph);
  const say = (body, headers) => response.writeHead(200, { "content-type": type, ...headers }).end(JSON.stringify(body));
  if (url.pathname === "/v1.0/me/messages") say(messages(url));
  else if (url.pathname === "/v1.0/users/delta") say({ value: [], "@odata.deltaLink": `${graph}/users/delta?$deltatoken=b~1` });
  else if (url.pathname === "/v1.0/$batch") batch(request).then(say);
  else if (url.pathname.endsWith("/content")) response.writeHead(302, { location: `${graph}/download?tempauth=1` }).end();
  else response.writeHead(404).end();
  return true;
}

function messages(url) {
  const skip = Number(url.searchParams.get("$skiptoken") ?? 0);
  const value = [0, 1, 2, 3, 4, 5, 6].slice(skip, skip + 3).map((id) => ({ id, subject: `Zoë ${id} @odata.nextLink`, from: "a@b.example" }));
  const next = new URLSearchParams({ $filter: url.searchParams.get("$filter"), $skiptoken: skip + 3 });
  const link = skip + 3 < 7 ? { "@odata.nextLink": `${graph}/me/messages?${next}` } : {};
  return { "@odata.context": `${graph}/$metadata#messages`, ...link, value };
}

async function batch(request) {
  const { requests } = JSON.parse(Buffer.concat(await request.toArray()));
  return { responses: requests.map(({ id, url }) => ({ id, status: 200, body: messages(new URL(`${graph}${url}`)) })) };
}

test("a page reads every page of an answer by its links, and what has changed since", async () => {
  const filter = "startswith(subject,'Zoë')";
  const subjects = [];
  let address = `${page}/me/messages?$filter=${encodeURIComponent(filter)}`;
  while (address) {
    const answer = await browser.script(address);
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.json()["@odata.context"], `${graph}/$metadata#messages`);
    subjects.push(...answer.json().value.map(({ subject }) => subject));
    address = answer.json()["@odata.nextLink"];
    assert.ok(!address || address.startsWith(`${page}/me/messages?`), address);
  }
  assert.deepEqual(subjects, [0, 1, 2, 3, 4, 5, 6].map((id) => `Zoë ${id} @odata.nextLink`));
  for (const { url, headers } of world.orders.requests) {
    assert.equal(new URL(url, graph).searchParams.get("$filter"), filter);
    assert.match(headers.authorization, /^Bearer ey/);
  }
  const delta = (await browser.script("/api/Orders/users/delta")).json()["@odata.deltaLink"];
  assert.equal(delta, `${page}/users/delta?$deltatoken=b~1`);
  assert.equal((await browser.script(delta)).status, 200);
  assert.equal(world.orders.requests.at(-1).url, "/v1.0/users/delta?$deltatoken=b~1");
});

test("a batch goes out as it is, and the links in its answers lead back", async () => {
  const body = JSON.stringify({ requests: [{ id: "1", method: "GET", url: "/me/messages?$filter=é" }, { id: "2", method: "GET", url: "/me/messages?$skiptoken=3" }] });
  const headers = { "content-type": "application/json" };
  const answer = await browser.script("/api/Orders/$batch", { method: "POST", headers, body });
  assert.deepEqual(answer.json().responses.map(({ body }) => body["@odata.nextLink"].startsWith(`${page}/me/messages?`)), [true, true]);
  assert.equal(world.orders.requests.at(-1).url, "/v1.0/$batch");
  const foreign = await browser.script("/api/Orders/$batch", { method: "POST", headers: { ...headers, "sec-fetch-site": "cross-site" }, body });
  assert.deepEqual([foreign.status, foreign.json().code, world.orders.requests.length], [403, "csrf_rejected", 1]);
});

test("system query options and what is not ASCII reach the API as they were sent", async () => {
  for (const target of ["/$count?$filter=a%20eq%20%27%C3%A9%27&$top=5", "/users?$search=%22displayName:Zo%C3%AB%22&$count=true", "/me/drive/root:/a%20b/%E6%97%A5.txt:/x?$skiptoken=a%2Bb%2F%3D"]) {
    await browser.script(`/api/Orders${target}`, { headers: { consistencylevel: "eventual", prefer: "odata.maxpagesize=3" } });
    const { url, headers } = world.orders.requests.at(-1);
    assert.deepEqual([url, headers.consistencylevel, headers.prefer], [`/v1.0${target}`, "eventual", "odata.maxpagesize=3"]);
  }
});

test("a redirect to a download is the browser's to follow, to where the API says", async () => {
  const answer = await browser.script("/api/Orders/me/drive/items/1/content");
  assert.deepEqual([answer.status, answer.headers.location], [302, `${graph}/download?tempauth=1`]);
  assert.equal(world.orders.requests.length, 1);
});

test("a compressed answer is read, and what is said about its bytes is not passed on", async () => {
  const body = JSON.stringify({ "@odata.nextLink": `${graph}/me?$skiptoken=1`, value: "x".repeat(5000) });
  for (const [encoding, compress] of [["gzip", gzipSync], ["br", brotliCompressSync]]) {
    world.orders.intercept = (_request, response) => {
      const bytes = compress(body);
      response.writeHead(200, { "content-type": "application/json", "content-encoding": encoding, "content-length": bytes.length, etag: 'W/"1"' }).end(bytes);
      return true;
    };
    const answer = await browser.script("/api/Orders/me", { headers: { "accept-encoding": "gzip, deflate, br, zstd" } });
    assert.equal(world.orders.requests.at(-1).headers["accept-encoding"], "gzip");
    assert.deepEqual([answer.status, answer.headers["content-length"], answer.headers.etag], [200, undefined, 'W/"1"']);
    // The platform compresses for the browser by itself.
    const text = answer.headers["content-encoding"] === "gzip" ? gunzipSync(answer.bytes).toString() : answer.text;
    assert.equal(text, body.replace(graph, page));
  }
});

test("an answer is passed on while the API is still sending", async () => {
  let finish;
  world.orders.intercept = (_request, response) => {
    response.writeHead(200, { "content-type": "application/json" }).write(`{"@odata.nextLink":"${graph.slice(0, 10)}`);
    finish = (rest) => response.end(rest);
    return true;
  };
  const answer = await open(`${page}/me`, { headers: browser.scriptHeaders() });
  const received = answer.setEncoding("utf8")[Symbol.asyncIterator]();
  assert.equal((await received.next()).value, '{"');
  finish(`${graph.slice(10)}/me?x"}`);
  let rest = "";
  for await (const piece of received) rest += piece;
  assert.equal(rest, `@odata.nextLink":"${page}/me?x"}`);
});

test("nothing else is changed: other types, errors without a body, and the answers of other APIs", async () => {
  const body = `{"@odata.nextLink":"${graph}/a"}`;
  const answers = (status, contentType) => (_request, response) => {
    const bytes = [204, 304].includes(status) ? "" : body;
    response.writeHead(status, { "content-type": contentType, ...(bytes && { "content-length": bytes.length }) }).end(bytes);
    return true;
  };
  for (const [status, contentType] of [[200, "text/plain"], [200, "application/octet-stream"], [206, "application/json"]]) {
    world.orders.intercept = answers(status, contentType);
    const answer = await browser.script("/api/Orders/a");
    assert.deepEqual([answer.status, answer.text, answer.headers["content-length"]], [status, body, String(body.length)]);
  }
  for (const status of [204, 304]) {
    world.orders.intercept = answers(status, "application/json");
    assert.deepEqual([(await browser.script("/api/Orders/a")).status], [status]);
  }
  world.orders.intercept = answers(400, "application/json");
  assert.equal((await browser.script("/api/Orders/a")).text, body.replace(graph, page));
  world.invoices.intercept = answers(200, "application/json");
  const answer = await browser.script("/api/Invoices/a", { headers: { "accept-encoding": "zstd" } });
  assert.deepEqual([answer.text, answer.headers["content-length"]], [body, String(body.length)]);
  assert.match(world.invoices.requests.at(-1).headers["accept-encoding"], /br/);
});
