// `npm start`: everything the demo needs, from a fresh clone to a page to click on. With `-- --entra` it signs in at a local
// stand-in for the Microsoft identity platform.

import { createServer } from "node:net";

import { continueOnProjectNode, onOrphaned } from "./packages.mjs";
import { main, say, Stop } from "./step.mjs";

const demos = { "--entra": "./demo-entra.mjs" };

await main(async () => {
  const [name, ...more] = process.argv.slice(2);
  if (more.length > 0 || (name && !Object.hasOwn(demos, name))) {
    throw new Stop(
      `npm start takes ${Object.keys(demos)
        .map((known) => `-- ${known}`)
        .join(" or ")}, or nothing.`,
    );
  }
  const code = await continueOnProjectNode();
  return code ?? startDemo(demos[name] ?? "./demo-provider.mjs");
});

// Imported late: these need the packages that were only just installed.
async function startDemo(module) {
  const { buildWorker } = await import("./build.mjs");
  const { ensureDevVars } = await import("./dev-vars.mjs");
  const demo = await import(module);
  await buildWorker();
  const secrets = ensureDevVars(demo.worker.devVars, demo.worker.secrets);
  await checkPorts(demo);
  const parts = [];
  const stopped = stopSignal();
  try {
    await startParts(demo, parts, secrets);
    const worker = parts.at(-1);
    const reason = await Promise.race([stopped, worker.ended.then(() => "Wrangler ended")]);
    say(`\n${reason}: ending all parts.`);
    return reason === "Wrangler ended" ? 1 : 0;
  } finally {
    await Promise.all(parts.reverse().map((part) => part.close()));
  }
}

async function startParts(demo, parts, secrets) {
  const { LocalWorker } = await import("./wrangler.mjs");
  await demo.startParts(parts, secrets);
  const worker = new LocalWorker(demo.worker);
  parts.push(worker);
  await refuseMisconfigured(demo, worker, await worker.ready(`http://127.0.0.1:${demo.ports.worker}`));
  say(demo.guide());
  worker.showLines((line) => say(`worker | ${line}`));
}

async function refuseMisconfigured(demo, worker, { health, me }) {
  const bad = [health, me].find((answer) => answer?.status === 500);
  if (!bad) return;
  // The Worker's log takes its own way and may come after the answer.
  await new Promise((resolve) => setTimeout(resolve, 500));
  const faults = worker.faults.map((fault) => (typeof fault === "string" ? fault : JSON.stringify(fault)));
  if (faults.length || bad.text.includes("misconfigured")) {
    const list = faults.map((fault) => `\n  - ${fault}`).join("") || `\n  ${bad.text}`;
    throw new Stop(`The Worker refuses its configuration (${demo.worker.config}, ${demo.worker.devVars}):${list}`);
  }
  worker.showLines(say, true);
  throw new Stop(`The Worker answers ${bad.status}: ${bad.text}`);
}

async function checkPorts({ ports, names }) {
  for (const [part, port] of Object.entries(ports)) {
    if (await isFree(port)) continue;
    throw new Stop(`Port ${port} on 127.0.0.1 is in use, and ${names[part]} needs it. End what listens there first.`);
  }
}

function isFree(port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

function stopSignal() {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => resolve(signal));
    onOrphaned(() => resolve("npm ended"));
  });
}
