// What an isolate keeps: a hundred thousand sessions come through it, each once, and its memory is looked at on the way.
//
// On Workers KV alone. The accounts' objects would be as many, and here they live in the isolate of the Worker, which they
// do on Cloudflare only as long as it happens to run where they do.

import { readFileSync } from "node:fs";
import { Agent, request } from "node:http";

import { freePort } from "../../tests/worker/free-port.mjs";
import { inProject } from "../../scripts/project.mjs";
import { say, Stop } from "../../scripts/step.mjs";
import { scriptHeaders } from "../parts/client.mjs";
import { vestibule } from "../parts/contestants.mjs";
import { inspect } from "../parts/inspector.mjs";

const connections = 16;
const path = "/api/Bench/small.json";

const entry = { "memory.mjs": inProject("bench", "workers", "vestibule-memory.mjs") };

export const watched = {
  ...{ name: "vestibule-memory", title: "**Vestibule**" },
  worker: (parts, place) => ({ ...vestibule(parts, place, { hasObjects: false, entry }), v8Flags: ["--expose-gc"] }),
};

/** `[{ sessions, wasm, heap, resident }]` in bytes, before the first session and after each of `stages`. */
export async function memoryOver({ world, seal, stages }) {
  const inspectorPort = await freePort();
  const worker = await world.start(watched, { inspectorPort });
  const inspector = await inspect(inspectorPort);
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const sessions = seal({ number: stages.at(-1), issuer: world.provider.issuer });
  try {
    const results = [await looked({ worker, inspector, agent, count: 0 })];
    for (const count of stages) {
      const more = count - results.at(-1).sessions;
      await Promise.all(Array.from({ length: connections }, (_, lane) => visits({ world, worker, agent, sessions, count: share(more, lane) })));
      results.push(await looked({ worker, inspector, agent, count }));
      say(`  ${count} sessions`);
    }
    return results;
  } finally {
    inspector.close();
    agent.destroy();
    await worker.close();
  }
}

/** How many of `all` fall to one of the connections. */
function share(all, lane) {
  return Math.floor((all + lane) / connections);
}

/** One after the other, each of another session, whose entry the store has for as long as it takes. */
async function visits({ world, worker, agent, sessions, count }) {
  for (let visit = 0; visit < count; visit += 1) {
    const { value: session } = await sessions.next();
    world.kv.entries.set(session.key, { value: session.value });
    const { status } = await get(worker, agent, path, { ...scriptHeaders(worker.publicOrigin), cookie: session.cookie });
    if (status !== 200) throw new Stop(`A sealed session is answered with ${status}.\n\n${worker.log().slice(-2000)}`);
    world.kv.entries.delete(session.key);
  }
}

async function looked({ worker, inspector, agent, count }) {
  const wasm = Number((await get(worker, agent, "/bench/memory", {})).text);
  const heap = await inspector.heap();
  const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${worker.pid}/status`, "utf8"));
  return { sessions: count, wasm, heap, resident: Number(kibibytes) * 1024 };
}

function get(worker, agent, url, headers) {
  const options = { agent, host: "127.0.0.1", port: worker.port, path: url, headers: { host: new URL(worker.publicOrigin).host, ...headers } };
  return new Promise((resolve, reject) => {
    const sent = request(options, async (answer) => {
      const chunks = await answer.toArray().catch(reject);
      resolve({ status: answer.statusCode, text: Buffer.concat(chunks ?? []).toString("utf8") });
    });
    sent.once("error", reject).end();
  });
}
