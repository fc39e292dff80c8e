// The Rust toolchain: is it there, and can it build for WebAssembly?

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { inProject } from "./project.mjs";
import { quietly, step, Stop } from "./step.mjs";

const target = "wasm32-unknown-unknown";

export async function checkRust() {
  // Where rustup does not install by itself what rust-toolchain.toml names.
  if (!output("rustc", ["--version"]) && output("rustup", ["--version"])) {
    await step("Rust toolchain", () => quietly("rustup", ["toolchain", "install"], { cwd: inProject() }));
  }
  const version = output("rustc", ["--version"]);
  if (!version || !output("cargo", ["--version"])) {
    throw new Stop(
      "Rust is not installed, or not on the PATH. Install it with rustup (https://rustup.rs), then run this again:\n" +
        "  curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh",
    );
  }
  checkAge(version);
  if (hasTarget()) return;
  if (!output("rustup", ["--version"])) {
    throw new Stop(`This Rust has no standard library for ${target}, and there is no rustup to add it.`);
  }
  await step(`Rust target ${target}`, () => quietly("rustup", ["target", "add", target], { cwd: inProject() }));
}

function checkAge(version) {
  const wanted = /^rust-version\s*=\s*"(\d+)\.(\d+)/m.exec(readFileSync(inProject("Cargo.toml"), "utf8"));
  const found = /^rustc (\d+)\.(\d+)/.exec(version);
  if (!wanted || !found) return;
  const [, major, minor] = wanted.map(Number);
  const [, foundMajor, foundMinor] = found.map(Number);
  if (foundMajor > major || (foundMajor === major && foundMinor >= minor)) return;
  throw new Stop(`Rust ${major}.${minor} or newer is needed, and this is ${version.trim()}. Run: rustup update`);
}

// Asked of the disk, not of rustup: that works without a network and without rustup.
function hasTarget() {
  const sysroot = output("rustc", ["--print", "sysroot"])?.trim();
  return Boolean(sysroot) && existsSync(join(sysroot, "lib", "rustlib", target, "lib"));
}

/** Where cargo puts its output, whatever a variable or a configuration file says about it. */
export function targetDirectory() {
  const metadata = output("cargo", ["metadata", "--format-version", "1", "--no-deps", "--offline"]);
  if (!metadata) throw new Stop("`cargo metadata` failed. Run it to see why.");
  return JSON.parse(metadata).target_directory;
}

function output(program, args) {
  const result = spawnSync(program, args, { cwd: inProject(), encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
  return result.status === 0 ? result.stdout : undefined;
}
