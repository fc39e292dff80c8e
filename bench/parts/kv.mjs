// Workers KV as workerd asks for it: a namespace is a service that speaks this HTTP. It stands outside the Workers'
// processes, as Workers KV does, and is as fast as memory, as Workers KV is not.

import { listen } from "../../demo/listen.mjs";

/** `entries` are `{ value, metadata }` by their keys. */
export async function startKv() {
  const entries = new Map();
  const server = await listen(0, async (request, response) => {
    const url = new URL(request.url, "http://kv");
    const key = decodeURIComponent(url.pathname.slice(1));
    if (request.method === "GET" && key === "") return list(entries, url.searchParams, response);
    return methods[request.method](entries, key, request, response);
  });
  return { port: server.port, entries, close: server.close };
}

const methods = {
  GET(entries, key, _request, response) {
    const entry = entries.get(key);
    if (!entry) return response.writeHead(404).end();
    response.writeHead(200, entry.metadata ? { "cf-kv-metadata": entry.metadata } : {});
    response.end(entry.value);
  },
  async PUT(entries, key, request, response) {
    const chunks = await request.toArray();
    entries.set(key, { value: Buffer.concat(chunks), metadata: request.headers["cf-kv-metadata"] });
    response.writeHead(200).end();
  },
  DELETE(entries, key, _request, response) {
    entries.delete(key);
    response.writeHead(200).end();
  },
};

function list(entries, parameters, response) {
  const prefix = parameters.get("prefix") ?? "";
  const named = [...entries].filter(([name]) => name.startsWith(prefix));
  const keys = named.map(([name, { metadata }]) => ({ name, metadata: metadata && JSON.parse(metadata) }));
  response.writeHead(200, { "content-type": "application/json" });
  response.end(JSON.stringify({ keys, list_complete: true }));
}
