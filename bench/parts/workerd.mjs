// One Worker in a process of bare `workerd serve`. Never through `wrangler dev` or Miniflare: they cost many times what they run.

import { execFile } from "node:child_process";
import { copyFileSync, mkdirSync, openSync, closeSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

import { inProject } from "../../scripts/project.mjs";
import { CF_HEADER } from "./cf.mjs";
import { answers, begin, ended, listens } from "./process.mjs";
import { program } from "./runtime.mjs";

/**
 * Starts it on `port`. `modules` are files by the name of the module, the first is the main one; `bindings` and `more` are
 * lines of the Worker's configuration; `kvPort` is where its KV is; `disk` names the service that keeps its objects; `trusted`
 * is a certificate in PEM, `v8Flags` are switches of V8. One that starts `isCold` has had no request yet; one that
 * `keepsObjects` has those of the process that stood here before. `inspectorPort` is where a debugger finds it.
 */
export async function startWorkerd({ folder, port, isCold, keepsObjects, inspectorPort, ...worker }) {
  if (!keepsObjects) rmSync(folder, { recursive: true, force: true });
  for (const [name, file] of Object.entries(worker.modules)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    copyFileSync(file, join(folder, name));
  }
  if (worker.disk) mkdirSync(join(folder, worker.disk), { recursive: true });
  const [configuration, log] = ["config.capnp", "output.log"].map((name) => join(folder, name));
  writeFileSync(configuration, capnp({ folder, port, ...worker }));
  const output = openSync(log, "w");
  const served = isCold ? ["--binary", await compiled(configuration)] : [configuration];
  const more = inspectorPort ? [`--inspector-addr=127.0.0.1:${inspectorPort}`] : [];
  const child = begin(program, ["serve", ...served, ...more], { stdio: ["ignore", output, output] });
  closeSync(output);
  const said = () => readFileSync(log, "utf8");
  await (isCold ? listens(port, child, said) : answers(`http://127.0.0.1:${port}/public/small.json`, child, said));
  return { pid: child.pid, port, log: said, close: () => ended(child) };
}

/** Without this each start would read the text of the configuration, into which workerd copies all modules. */
async function compiled(configuration) {
  const { stdout } = await promisify(execFile)(program, ["compile", "--config-only", configuration], binary);
  const file = configuration.replace(/\.capnp$/, ".bin");
  writeFileSync(file, stdout);
  return file;
}

const binary = { encoding: "buffer", maxBuffer: 64 * 1024 * 1024 };

function capnp({ folder, port, modules, bindings = [], more = [], kvPort, disk, trusted, v8Flags = [] }) {
  const date = /^compatibility_date = "(.+)"$/m.exec(readFileSync(inProject("wrangler.toml"), "utf8"))[1];
  const kv = kvPort ? `(name = "kv", external = (address = "127.0.0.1:${kvPort}", http = ())),` : "";
  const objects = disk ? `(name = ${quoted(disk)}, disk = (path = ${quoted(join(folder, disk))}, writable = true)),` : "";
  const fields = [
    `modules = [${Object.keys(modules).map(module).join(", ")}]`,
    `compatibilityDate = ${quoted(date)}`,
    `bindings = [${bindings.join(", ")}]`,
    `globalOutbound = "network"`,
    ...more,
  ];
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  ${v8Flags.length > 0 ? `v8Flags = [${v8Flags.map(quoted).join(", ")}],` : ""}
  services = [
    (name = "main", worker = .worker),
    (name = "network", network = (allow = ["private", "public"], tlsOptions = (trustedCertificates = [${quoted(trusted)}]))),
    ${kv}
    ${objects}
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (cfBlobHeader = ${quoted(CF_HEADER)}), service = "main")],
);
const worker :Workerd.Worker = (
  ${fields.join(",\n  ")},
);
`;
}

function module(name) {
  const kind = name.endsWith(".wasm") ? "wasm" : "esModule";
  return `(name = ${quoted(name)}, ${kind} = embed ${quoted(name)})`;
}

export function text(name, value) {
  return `(name = ${quoted(name)}, text = ${quoted(value)})`;
}

export function json(name, value) {
  return `(name = ${quoted(name)}, json = ${quoted(JSON.stringify(value))})`;
}

// Cap'n Proto's strings escape as JSON's do, as far as ASCII goes.
function quoted(value) {
  return JSON.stringify(value);
}
