// WebSockets of the tests: a server that keeps what it receives, and a client that does as a page's script would.

import { createServer } from "node:http";

import { WebSocket, WebSocketServer } from "ws";

/** An origin or API behind the gateway. `connections` grows by one for each WebSocket, with the request that opened it. */
export async function startSockets({ headers = [], ...options } = {}) {
  const sockets = { connections: [], onConnection: () => {} };
  const server = createServer((_request, response) => response.end("a page"));
  const acceptor = new WebSocketServer({ server, ...options });
  acceptor.on("headers", (lines) => lines.push(...headers));
  acceptor.on("connection", (socket, request) => {
    const connection = Object.assign(watched(socket), { request });
    sockets.connections.push(connection);
    sockets.onConnection(connection);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = () => {
    for (const client of acceptor.clients) client.terminate();
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return Object.assign(sockets, { port: server.address().port, close });
}

/** A WebSocket that a script of our page opens in that browser; or `{ status, headers, json }` where it is refused. */
export function connect(browser, path, { headers, protocols = [], ...options } = {}) {
  const url = new URL(path, browser.world.publicOrigin);
  const all = {
    origin: browser.world.publicOrigin,
    "sec-fetch-mode": "websocket",
    "sec-fetch-site": "same-origin",
    ...(browser.session && { cookie: `__Host-session=${browser.session}; theme=dark` }),
    ...headers,
  };
  // Browsers do not wait long for the server to end a connection whose Close frames have been exchanged: workerd may take
  // ten seconds over it.
  const settings = { headers: defined(all), closeTimeout: 500, ...options };
  const socket = new WebSocket(`ws://127.0.0.1:${url.port}${url.pathname}`, protocols, settings);
  const connection = watched(socket);
  return new Promise((resolve, reject) => {
    socket.once("upgrade", (response) => Object.assign(connection, { headers: response.headers }));
    socket.once("open", () => resolve(connection));
    socket.once("error", reject);
    socket.once("unexpected-response", async (_request, response) => {
      const text = Buffer.concat(await response.toArray()).toString();
      resolve({ status: response.statusCode, headers: response.headers, json: () => JSON.parse(text) });
    });
  });
}

/** What a WebSocket receives, and how it ends: `closed` is `[code, reason]`. */
function watched(socket) {
  const messages = [];
  socket.on("message", (data, isBinary) => messages.push(isBinary ? data : data.toString()));
  socket.on("error", () => {});
  const closed = new Promise((resolve) => socket.once("close", (code, reason) => resolve([code, reason.toString()])));
  return { socket, messages, closed };
}

function defined(object) {
  return JSON.parse(JSON.stringify(object));
}
