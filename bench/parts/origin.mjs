// The origin: static files, as fast as this machine can serve them, so that what is measured is what stands before it.

import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

import { listen } from "../../demo/listen.mjs";
import { freePort } from "../../tests/worker/free-port.mjs";
import { answers, begin, ended } from "./process.mjs";

const small = JSON.stringify({ id: 4711, customer: "Alice Liddell", items: [{ name: "Tea", price: 3.5 }], open: true });
const files = {
  "small.json": small,
  "plain.json": small,
  "64k.bin": randomBytes(64 * 1024),
  "10m.bin": randomBytes(10 * 1024 * 1024),
};
/** The one answer that leaves it to others to say who may keep it. */
const silent = "plain.json";
const policy = "private, no-cache";

/** `nginx` is the program, or undefined for a slower origin in this process. Every file is at any depth of the paths used. */
export async function startOrigin({ nginx, folder }) {
  if (!nginx) return startNodeOrigin();
  const root = join(folder, "files");
  rmSync(root, { recursive: true, force: true });
  mkdirSync(root, { recursive: true });
  for (const [name, contents] of Object.entries(files)) writeFileSync(join(root, name), contents);
  for (const prefix of ["api", "Bench", "public"]) symlinkSync(".", join(root, prefix));
  const port = await freePort();
  const configuration = join(folder, "nginx.conf");
  writeFileSync(configuration, nginxConfiguration({ port, root, folder }));
  // Where nginx changes its user, that user must get here.
  chmodSync(folder, 0o755);
  const child = begin(nginx, ["-c", configuration, "-p", folder, "-e", join(folder, "nginx.log")], { stdio: "ignore" });
  await answers(`http://127.0.0.1:${port}/small.json`, child, () => readFileSync(join(folder, "nginx.log"), "utf8"));
  return { port, close: () => ended(child, "SIGTERM") };
}

function nginxConfiguration({ port, root, folder }) {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  return `
daemon off;
worker_processes 1;
pid ${join(folder, "nginx.pid")};
error_log ${join(folder, "nginx.log")} warn;
events { worker_connections 4096; }
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000000;
  open_file_cache max=100;
  default_type application/octet-stream;
  types { application/json json; }
${temporary.map((name) => `  ${name}_temp_path ${join(folder, name)};`).join("\n")}
  server {
    listen 127.0.0.1:${port} backlog=4096;
    root ${root};
    location / { add_header cache-control "${policy}"; }
    location ~ /${silent.replace(".", "\\.")}$ { }
  }
}
`;
}

async function startNodeOrigin() {
  return listen(0, (request, response) => {
    const name = basename(request.url);
    const contents = files[name];
    if (contents === undefined) return response.writeHead(404).end();
    const type = name.endsWith(".json") ? "application/json" : "application/octet-stream";
    const head = { "content-type": type, "content-length": Buffer.byteLength(contents) };
    response.writeHead(200, name === silent ? head : { ...head, "cache-control": policy });
    response.end(contents);
  });
}
