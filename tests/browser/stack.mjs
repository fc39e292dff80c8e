// Everything that a browser test needs, on free ports: the demo's OP, origin and API, and the built Worker in workerd.

import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { extname, relative } from "node:path";

import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";

import { startApi } from "../../demo/api.mjs";
import { startOrigin } from "../../demo/origin.mjs";
import { startProvider } from "../../demo/provider.mjs";
import { filesUnder, inProject } from "../../scripts/project.mjs";
import { watchTokenEndpoint } from "./issued_tokens.mjs";

const build = inProject("build", "worker");
const orders = { resource: "https://orders.example/", scopes: "orders.read orders.write" };

/** `provider` holds more settings of the section OpenIdConnect. */
export async function startStack({ provider = {} } = {}) {
  const port = await freePort();
  const publicOrigin = `http://localhost:${port}`;
  const client = {
    clientId: "the browser tests' client",
    clientSecret: "SECRET?%Gclient with spaces",
    redirectUris: [`${publicOrigin}/signin-oidc`],
    postLogoutRedirectUris: [`${publicOrigin}/signout-callback-oidc`],
  };
  const op = await startProvider({ ...client, resources: [orders] });
  const issued = watchTokenEndpoint(op);
  const origin = await startOrigin({ publicOrigin });
  const api = await startApi({ issuer: op.issuer, audience: orders.resource });
  const worker = startWorker(port, variables({ client, provider, publicOrigin, op, origin, api }));
  await worker.ready;
  const close = async () => {
    await worker.dispose();
    await Promise.all([op.close(), origin.close(), api.close()]);
  };
  return { publicOrigin, op, origin, api, issued, close };
}

function variables({ client, provider, publicOrigin, op, origin, api }) {
  return {
    OpenIdConnect: { Authority: op.issuer, ClientId: client.clientId, ...provider },
    OpenIdConnect__ClientSecret: client.clientSecret,
    DownstreamApis: {
      Orders: { BaseUrl: `http://127.0.0.1:${api.port}`, Scopes: orders.scopes, Resource: orders.resource },
    },
    Gateway: { PublicOrigin: publicOrigin, Origin: `http://127.0.0.1:${origin.port}` },
    Session__Key: randomBytes(32).toString("base64"),
  };
}

function startWorker(port, bindings) {
  const modules = filesUnder(build).map((path) => ({
    type: extname(path) === ".wasm" ? "CompiledWasm" : "ESModule",
    path,
    contents: readFileSync(path, extname(path) === ".wasm" ? undefined : "utf8"),
  }));
  modules.sort((one, other) => isEntry(other.path) - isEntry(one.path));
  const options = {
    name: "vestibule",
    host: "127.0.0.1",
    port,
    modules,
    modulesRoot: build,
    compatibilityDate: "2026-11-01",
    kvNamespaces: ["TOKEN_CACHE"],
    bindings,
    cf: false,
    telemetry: { enabled: false },
    log: new Log(LogLevel.ERROR),
    handleStructuredLogs: () => {},
  };
  return new Miniflare(convertV4MiniflareOptions(options));
}

// workerd takes the first module for the main one.
function isEntry(path) {
  return relative(build, path) === "entry.js";
}

/** The public origin is part of the Worker's configuration and of the OP's, so its port must be known before either. */
function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
