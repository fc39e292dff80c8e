// How the scripts speak: one line per step with its time, and one message when something is missing.

import { spawn } from "node:child_process";

/** Ends the script with its message alone: the reader can act on it, and a stack trace would not help. */
export class Stop extends Error {}

export function say(text) {
  console.log(text);
}

/** Runs `work` and prints what it was and how long it took. Work that returns a string adds that to the line. */
export async function step(what, work) {
  const started = performance.now();
  const note = await work();
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  say(`✓ ${what}${typeof note === "string" ? `: ${note}` : ""} (${seconds} s)`);
}

export async function main(work) {
  try {
    process.exitCode = (await work()) ?? 0;
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    console.error(`\n✗ ${error.message}\n`);
    process.exitCode = 1;
  }
}

/** Runs a program to its end with its output shown, and gives its exit code. */
export function run(program, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: "inherit", ...options });
    child.once("error", (error) => reject(notFoundOr(error, program)));
    child.once("close", (code, signal) => resolve(code ?? (signal ? 1 : 0)));
  });
}

/** Runs a program with its output kept, and shown only when it fails. */
export async function quietly(program, args, options = {}) {
  const output = [];
  const code = await new Promise((resolve, reject) => {
    const child = spawn(program, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
    child.stdout.on("data", (chunk) => output.push(chunk));
    child.stderr.on("data", (chunk) => output.push(chunk));
    child.once("error", (error) => reject(notFoundOr(error, program)));
    child.once("close", resolve);
  });
  if (code === 0) return;
  const lines = Buffer.concat(output).toString("utf8").trim().split("\n");
  // npm lists all its options after an error.
  const shown = lines.filter((line) => !line.startsWith("npm warn")).slice(0, 25);
  throw new Stop(`\`${[program, ...args].join(" ")}\` failed:\n\n${shown.join("\n")}`);
}

function notFoundOr(error, program) {
  return error.code === "ENOENT" ? new Stop(`The program \`${program}\` is not installed.`) : error;
}
