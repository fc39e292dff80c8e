// Everything of one run: the OP, the KV, the origin, and the places where the contestants will stand.

import { join } from "node:path";

import { freePort } from "../../tests/worker/free-port.mjs";
import { Client } from "./client.mjs";
import { startKv } from "./kv.mjs";
import { startOrigin } from "./origin.mjs";
import { startProvider } from "./provider.mjs";
import { startWorkerd } from "./workerd.mjs";

/** `origin` has a `port`; `accessTokenSeconds` is how long the OP's tokens live. */
export async function startWorld({ folder, tls, builds, origin, contestants, accessTokenSeconds = 3600 }) {
  const places = new Map();
  for (const contestant of contestants) places.set(contestant.name, await placeOf(contestant));
  const redirectUris = [...places.values()].map(({ redirectUri }) => redirectUri);
  const [provider, kv] = await Promise.all([startProvider({ redirectUris, tls, accessTokenSeconds }), startKv()]);
  const parts = { origin: `http://127.0.0.1:${origin.port}`, issuer: provider.issuer, kvPort: kv.port, builds, accessTokenSeconds };
  return {
    provider,
    kv,
    /** A fresh process, which knows nothing; `how` is for `startWorkerd`. */
    start: async (contestant, how = {}) => {
      const { port, publicOrigin, ...place } = places.get(contestant.name);
      const worker = contestant.worker(parts, { publicOrigin, ...place });
      const started = await startWorkerd({ folder: join(folder, contestant.name), port, trusted: tls.cert, ...worker, ...how });
      return { contestant, publicOrigin, newClient: () => new Client({ publicOrigin, authority: tls.cert }), ...started };
    },
    close: () => Promise.all([provider.close(), kv.close()]),
  };
}

/** The same with an origin of static files, for as long as `work` takes. */
export async function inWorld({ tools, ...settings }, work) {
  const origin = await startOrigin({ nginx: tools.nginx, folder: settings.folder });
  const world = await startWorld({ ...settings, origin });
  try {
    return await work(world);
  } finally {
    await Promise.all([world.close(), origin.close()]);
  }
}

async function placeOf({ callback = "/none" }) {
  const port = await freePort();
  const publicOrigin = `http://localhost:${port}`;
  return { port, publicOrigin, redirectUri: publicOrigin + callback };
}
