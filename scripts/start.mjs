// `npm start`: everything the demo needs, from a fresh clone to a page to click on.

import { createServer } from "node:net";

import { continueOnProjectNode, onOrphaned } from "./packages.mjs";
import { main, say, Stop } from "./step.mjs";

await main(async () => {
  const code = await continueOnProjectNode();
  return code ?? startDemo();
});

// Imported late: these need the packages that were only just installed.
async function startDemo() {
  const { buildWorker } = await import("./build.mjs");
  const { ensureDevVars } = await import("./dev-vars.mjs");
  const { ports } = await import("../demo/settings.mjs");
  await buildWorker();
  const secrets = ensureDevVars();
  await checkPorts(ports);
  const parts = [];
  const stopped = stopSignal();
  try {
    await startParts(parts, secrets);
    const worker = parts.at(-1);
    const reason = await Promise.race([stopped, worker.ended.then(() => "Wrangler ended")]);
    say(`\n${reason}: ending all parts.`);
    return reason === "Wrangler ended" ? 1 : 0;
  } finally {
    await Promise.all(parts.reverse().map((part) => part.close()));
  }
}

async function startParts(parts, secrets) {
  const settings = await import("../demo/settings.mjs");
  const { startProvider } = await import("../demo/provider.mjs");
  const { startOrigin } = await import("../demo/origin.mjs");
  const { startApi } = await import("../demo/api.mjs");
  const { LocalWorker } = await import("./wrangler.mjs");
  const { ports, publicOrigin, client, orders, invoices } = settings;
  const clientSecret = secrets.OpenIdConnect__ClientSecret;
  const provider = { ...client, clientSecret, port: ports.provider, resources: [orders, invoices] };
  const op = await startProvider(provider);
  parts.push(op);
  parts.push(await startOrigin({ port: ports.origin, publicOrigin }));
  for (const [list, { resource }] of Object.entries({ orders, invoices })) {
    parts.push(await startApi({ port: ports[list], issuer: op.issuer, audience: resource, list }));
  }
  const worker = new LocalWorker();
  parts.push(worker);
  await refuseMisconfigured(worker, await worker.ready(`http://127.0.0.1:${ports.worker}`));
  await printGuide(settings);
  worker.showLines((line) => say(`worker | ${line}`));
}

async function refuseMisconfigured(worker, { health, me }) {
  const bad = [health, me].find((answer) => answer?.status === 500);
  if (!bad) return;
  // The Worker's log takes its own way and may come after the answer.
  await new Promise((resolve) => setTimeout(resolve, 500));
  const faults = worker.faults.map((fault) => (typeof fault === "string" ? fault : JSON.stringify(fault)));
  if (faults.length || bad.text.includes("misconfigured")) {
    const list = faults.map((fault) => `\n  - ${fault}`).join("") || `\n  ${bad.text}`;
    throw new Stop(`The Worker refuses its configuration (wrangler.toml, .dev.vars):${list}`);
  }
  worker.showLines(say, true);
  throw new Stop(`The Worker answers ${bad.status}: ${bad.text}`);
}

async function printGuide({ ports, publicOrigin }) {
  const { accounts } = await import("../demo/accounts.mjs");
  say(`
  OpenID Provider  http://127.0.0.1:${ports.provider}
  Origin           http://127.0.0.1:${ports.origin}
  Orders API       http://127.0.0.1:${ports.orders}
  Invoices API     http://127.0.0.1:${ports.invoices}
  Vestibule        ${publicOrigin}

  Open ${publicOrigin} and sign in as
${accounts.map(({ username, password }) => `    ${username.padEnd(6)} password ${password}`).join("\n")}

  ${publicOrigin}/public/about   for everybody
  ${publicOrigin}/welcome        for everybody, and greets whoever is signed in
  ${publicOrigin}/admin/reports  for administrators: alice, but not bob

  Ctrl-C ends everything.
`);
}

async function checkPorts(ports) {
  const names = {
    worker: "the Worker",
    provider: "the OpenID Provider",
    origin: "the origin",
    orders: "the Orders API",
    invoices: "the Invoices API",
  };
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
