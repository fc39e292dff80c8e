// Builds the Worker into build/worker/: cargo, wasm-bindgen, wasm-opt, entry script. Wrangler calls it as well, at
// every change under src/, so it returns at once when nothing changed.

import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";

import { installPackages } from "./packages.mjs";
import { filesUnder, hashOf, inProject, stampHolds, writeStamp } from "./project.mjs";
import { checkRust, targetDirectory } from "./rust.mjs";
import { main, quietly, run, say, step, Stop } from "./step.mjs";

const output = inProject("build", "worker");
const stamp = inProject("build", "worker.stamp");
/** The wasm module with the names of its functions, which are not uploaded: scripts/shares.mjs counts by them. */
export const named = inProject("build", "named.wasm");
// The main module and what wasm imports stand beside the generated bindings, in the directories that they have here.
const edge = inProject("src", "edge");
const modules = filesUnder(edge).filter((file) => file.endsWith(".js"));
const built = (module) => join(output, relative(edge, module));
const inputs = ["src", "tools", "Cargo.toml", "Cargo.lock", ".cargo", "rust-toolchain.toml", "scripts/build.mjs"];

export async function buildWorker() {
  const hash = hashOf(...inputs.map((input) => inProject(input)));
  if (stampHolds(stamp, hash) && modules.every((module) => existsSync(built(module)))) {
    return say("✓ Worker: nothing changed");
  }
  await checkRust();
  rmSync(stamp, { force: true });
  await step("Worker: cargo build (wasm32)", () =>
    cargo("build", "--release", "--lib", "--target", "wasm32-unknown-unknown"),
  );
  await step("Worker: wasm-bindgen", generateBindings);
  await step("Worker: wasm-opt", optimise);
  for (const module of modules) {
    mkdirSync(dirname(built(module)), { recursive: true });
    copyFileSync(module, built(module));
  }
  writeStamp(stamp, hash);
  printSizes();
}

// Quiet when all is well; cargo's own progress would bury the one line per step.
async function cargo(command, ...args) {
  const quiet = process.stderr.isTTY ? [] : ["--quiet"];
  const code = await run("cargo", [command, ...quiet, ...args], { cwd: inProject() });
  if (code !== 0) throw new Stop("The Worker does not compile; cargo says why above.");
}

async function generateBindings() {
  const wasm = join(targetDirectory(), "wasm32-unknown-unknown", "release", "vestibule.wasm");
  rmSync(output, { recursive: true, force: true });
  mkdirSync(output, { recursive: true });
  await cargo("run", "--release", "--package", "bundle", "--", wasm, output);
}

async function optimise() {
  const wasm = join(output, "vestibule_bg.wasm");
  // The features that rustc enables for this target by default, those of .cargo/config.toml, and reference types, which
  // wasm-bindgen may add.
  const features = [
    "--enable-bulk-memory",
    "--enable-bulk-memory-opt",
    "--enable-call-indirect-overlong",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
    "--enable-simd",
  ];
  // The upload counts as gzip has it, so functions stay small and stand by those that are like them: of what LLVM left apart
  // only the smallest is put together again, and the order is that of the names (docs/decisions.md).
  const forGzip = ["--one-caller-inline-max-function-size=25", "--reorder-functions-by-name"];
  // In flat form, once, control flow and locals can be laid out anew. A second time finds some more of what the first left.
  const passes = ["--flatten", "--rereloop", "-Oz", "-Oz"];
  await wasmOpt(...passes, ...forGzip, ...features, "-g", wasm, "-o", named);
  const strip = ["--strip-debug", "--strip-producers", "--strip-target-features"];
  await wasmOpt(...features, ...strip, named, "-o", wasm);
}

async function wasmOpt(...args) {
  await quietly(process.execPath, [inProject("node_modules", "binaryen", "bin", "wasm-opt"), ...args]);
}

function printSizes() {
  for (const file of filesUnder(output)) {
    const bytes = readFileSync(file);
    const [raw, gzip] = [bytes.length, gzipSync(bytes, { level: 9 }).length].map((size) => (size / 1024).toFixed(1));
    say(`  ${relative(inProject(), file).padEnd(40)} ${raw.padStart(8)} KiB ${gzip.padStart(8)} KiB gzip`);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  await main(async () => {
    await installPackages();
    await buildWorker();
  });
}
