// What must be built before it is measured: Vestibule, @hono/oidc-auth in one file, the `worker` crate's passthrough.

import { mkdirSync, rmSync } from "node:fs";
import { join, relative } from "node:path";

import { buildWorker } from "../../scripts/build.mjs";
import { filesUnder, inProject } from "../../scripts/project.mjs";
import { targetDirectory } from "../../scripts/rust.mjs";
import { quietly, step, Stop } from "../../scripts/step.mjs";

const output = inProject("build", "bench");

/** The modules of those that are built, by name; what could not be built is left out, and `missing` says why. */
export async function build(names) {
  const builds = {};
  const missing = {};
  if (names.includes("vestibule")) {
    await buildWorker();
    await step("Vestibule: esbuild", async () => (builds.vestibule = await bundleVestibule()));
  }
  if (names.includes("hono")) await step("@hono/oidc-auth: esbuild", async () => (builds.hono = await bundleHono()));
  if (names.includes("workers-rs")) {
    const started = step("`worker` crate: cargo build (wasm32)", async () => (builds["workers-rs"] = await buildWorkersRs()));
    await started.catch((error) => {
      if (!(error instanceof Stop)) throw error;
      missing["workers-rs"] = error.message;
    });
  }
  return { builds, missing };
}

/** As Wrangler uploads it: one module of JavaScript, minified, and the wasm beside it. */
async function bundleVestibule() {
  const worker = inProject("build", "worker");
  const outfile = await bundled(join(worker, "entry.js"), "vestibule.mjs", ["*.wasm", "cloudflare:workers"]);
  return { "vestibule.mjs": outfile, "vestibule_bg.wasm": join(worker, "vestibule_bg.wasm") };
}

async function bundleHono() {
  return { "hono.mjs": await bundled(inProject("bench", "workers", "hono.mjs"), "hono.mjs") };
}

async function bundled(entryPoint, name, external = []) {
  const { build: bundle } = await import("esbuild");
  const outfile = join(output, name);
  await bundle({
    entryPoints: [entryPoint],
    outfile,
    external,
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2023",
    conditions: ["workerd", "worker", "import"],
    logLevel: "warning",
    // What wasm-bindgen writes.
    logOverride: { "duplicate-object-key": "silent" },
  });
  return outfile;
}

async function buildWorkersRs() {
  const folder = inProject("bench", "workers", "rust");
  const target = join(targetDirectory(), "bench");
  const env = { ...process.env, CARGO_TARGET_DIR: target };
  await quietly("cargo", ["build", "--quiet", "--locked", "--release", "--target", "wasm32-unknown-unknown"], { cwd: folder, env });
  const bound = join(output, "workers-rs");
  rmSync(bound, { recursive: true, force: true });
  mkdirSync(bound, { recursive: true });
  const wasm = join(target, "wasm32-unknown-unknown", "release", "passthrough.wasm");
  await quietly("cargo", ["run", "--quiet", "--release", "--package", "bundle", "--", wasm, bound], { cwd: inProject() });
  // With what the crate brings of its own JavaScript.
  const generated = filesUnder(bound).filter((file) => /\.(js|wasm)$/.test(file));
  return { "entry.js": join(folder, "entry.js"), ...Object.fromEntries(generated.map((file) => [relative(bound, file), file])) };
}
