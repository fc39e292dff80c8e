// The public origin is part of the Worker's configuration and of the OP's, so its port must be known before either.

import { createServer } from "node:net";

/** A port that nobody listens on; also the address of something that is down. */
export async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
