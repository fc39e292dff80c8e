// Many requests at one moment, the same for all: see crowd-thread.mjs.

import { once } from "node:events";
import { Worker as Thread } from "node:worker_threads";

/** Connects `count` browsers to `worker`; `ask` sends for all of them and gives `[{ status, milliseconds }]`. */
export async function gather({ worker, path, headers, count }) {
  const lines = Object.entries({ host: new URL(worker.publicOrigin).host, ...headers }).map(([name, value]) => `${name}: ${value}`);
  const text = [`GET ${path} HTTP/1.1`, ...lines, "", ""].join("\r\n");
  const thread = new Thread(new URL("crowd-thread.mjs", import.meta.url), { workerData: { port: worker.port, count, text } });
  await once(thread, "message");
  return {
    ask: async () => {
      thread.postMessage("go");
      const [answers] = await once(thread, "message");
      return answers;
    },
    close: () => thread.terminate(),
  };
}
