// The public origin is part of the Worker's configuration and of the OP's, so its port must be known before either.

import { once } from "node:events";
import { createServer } from "node:net";

// Below what systems give to whoever asks for any port: between now and the server's start, nobody else is given it. Above the
// last port that `fetch` refuses (10080, Fetch Standard, "bad port").
const FIRST = 10_081;
const COUNT = 20_000;
const given = new Set();

/** A port that nobody listens on; also the address of something that is down. */
export async function freePort() {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * COUNT);
    if (!given.has(port) && (await isFree(port))) {
      given.add(port);
      return port;
    }
  }
}

async function isFree(port) {
  const server = createServer().listen(port, "127.0.0.1");
  const isListening = await once(server, "listening").then(() => true, () => false);
  await new Promise((resolve) => server.close(resolve));
  return isListening;
}
