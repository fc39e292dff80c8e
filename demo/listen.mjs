// A loopback HTTP server that can be ended while clients hold keep-alive connections to it.

import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";

/** With `tls`, a `key` and its `cert` in PEM, it speaks https. */
export async function listen(port, onRequest, tls) {
  const create = tls ? (serve) => createTlsServer(tls, serve) : createServer;
  const server = create((request, response) => {
    Promise.resolve(onRequest(request, response)).catch(() => {
      if (response.headersSent) response.destroy();
      else response.writeHead(500).end();
    });
  });
  await new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  return {
    port: server.address().port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export function sendJson(response, status, body, headers = {}) {
  response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store", ...headers });
  response.end(JSON.stringify(body, null, 2));
}

export async function readBody(request, limit = 1024 * 1024) {
  const chunks = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length > limit) throw new Error("request body too large");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
