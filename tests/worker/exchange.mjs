// One HTTP request as it is, over node:http: nothing is added, followed, normalised or kept.

import { Agent, request as httpRequest } from "node:http";
import { connect } from "node:net";

/**
 * Sends a request to 127.0.0.1 whatever the host of the URL, and gives status, headers and the whole body. `target`
 * overrides the request target that the URL would give; `body` is text, bytes or a stream.
 */
export async function exchange(url, options = {}) {
  const message = await open(url, options);
  const chunks = await message.toArray();
  return answerOf(url, message, Buffer.concat(chunks));
}

/** As `exchange`, but gives the answer as soon as its head is there: a readable stream with `statusCode`. */
export function open(url, { method = "GET", headers = {}, body, target } = {}) {
  const { host, port, pathname, search } = new URL(url);
  const options = { host: "127.0.0.1", port, method, path: target ?? pathname + search, headers: { host, ...headers } };
  return new Promise((resolve, reject) => {
    const request = httpRequest({ ...options, agent: new Agent({ keepAlive: false }) }, resolve);
    request.once("error", reject);
    // A request that hangs is a failure with an address, not a test run without end.
    request.setTimeout(20_000, () => request.destroy(new Error(`no answer from ${method} ${url}`)));
    if (body?.pipe) body.pipe(request);
    else request.end(body);
  });
}

/** Sends bytes that no HTTP library would, and gives what comes back before the connection ends. */
export function sendRaw(port, bytes) {
  return new Promise((resolve) => {
    const chunks = [];
    const socket = connect(port, "127.0.0.1", () => socket.write(bytes));
    socket.setTimeout(10_000, () => socket.destroy());
    socket.on("data", (chunk) => chunks.push(chunk));
    socket.on("error", () => {});
    socket.on("close", () => resolve(Buffer.concat(chunks).toString("latin1")));
  });
}

function answerOf(url, message, bytes) {
  return {
    url: String(url),
    status: message.statusCode,
    headers: message.headers,
    rawHeaders: message.rawHeaders,
    setCookies: message.headers["set-cookie"] ?? [],
    bytes,
    text: bytes.toString("utf8"),
    json: () => JSON.parse(bytes.toString("utf8")),
  };
}
