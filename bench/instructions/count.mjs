// Counts instructions: of what one program does once, by valgrind, on the host. Not its time, and the same on a busy machine.

import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

import { findProgram } from "../../scripts/programs.mjs";
import { inProject } from "../../scripts/project.mjs";
import { targetDirectory } from "../../scripts/rust.mjs";
import { run, Stop } from "../../scripts/step.mjs";
import { compiledAsDeployed } from "../micro/environment.mjs";

const execute = promisify(execFile);

export function findValgrind() {
  return findProgram(["valgrind"], ["/usr/bin"]);
}

/** The program; cargo knows whether it has to be compiled. */
export async function buildProgram() {
  const args = ["build", "--quiet", "--profile", "bench", "--package", "instructions"];
  const code = await run("cargo", args, { cwd: inProject(), env: compiledAsDeployed() });
  if (code !== 0) throw new Stop("What is measured does not compile; cargo says why above.");
  return join(targetDirectory(), "release", "instructions");
}

/** The names of everything that it can do. */
export async function everything(program) {
  return (await execute(program)).stdout.trim().split("\n");
}

/** How many instructions it takes, without what prepares it: the program marks that by a function. */
export async function instructionsOf(valgrind, program, what) {
  const marked = ["--collect-atstart=no", "--toggle-collect=instructions::measured*"];
  const args = ["--tool=callgrind", "--callgrind-out-file=/dev/null", ...marked, program, what];
  const { stderr } = await execute(valgrind, args);
  const collected = /Collected\s*:\s*(\d+)/.exec(stderr);
  if (!collected) throw new Stop(`valgrind has counted nothing:\n${stderr}`);
  return Number(collected[1]);
}
