// Sessions that nobody signed in for: sealed by a program of the project's own (bench/sessions), with the key that the
// contestants have.

import { join } from "node:path";
import { createInterface } from "node:readline";

import { inProject } from "../../scripts/project.mjs";
import { targetDirectory } from "../../scripts/rust.mjs";
import { quietly } from "../../scripts/step.mjs";
import { key } from "./contestants.mjs";
import { begin } from "./process.mjs";
import { resource } from "./provider.mjs";

/**
 * Builds the program; gives a function that makes `number` sessions from the number `first` on, with so many access tokens in
 * each: `{ cookie, key, value }`, as they are asked for.
 */
export async function sealer() {
  await quietly("cargo", ["build", "--quiet", "--locked", "--package", "bench-sessions"], { cwd: inProject() });
  const program = join(targetDirectory(), "debug", "bench-sessions");
  return ({ first = 0, number, tokens = 1, issuer }) => {
    const now = Math.floor(Date.now() / 1000);
    return sealed(program, [first, number, tokens, now, issuer, resource.resource, resource.scopes]);
  };
}

async function* sealed(program, args) {
  const child = begin(program, args.map(String), { env: { KEY: key.toString("base64") }, stdio: ["ignore", "pipe", "inherit"] });
  // The pipe is full until somebody reads: never more than a few of them are in memory.
  for await (const line of createInterface({ input: child.stdout })) {
    const { cookie, key: name, value } = JSON.parse(line);
    yield { cookie, key: name, value: Buffer.from(value, "base64") };
  }
}
