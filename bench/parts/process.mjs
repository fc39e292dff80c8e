// Child processes: waiting until one answers, and ending those that this run started, however it ends.

import { spawn } from "node:child_process";
import { connect } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

import { Stop } from "../../scripts/step.mjs";

const running = new Set();
process.on("exit", () => running.forEach((child) => child.kill("SIGKILL")));

/** As `spawn`, but it does not outlive this process. */
export function begin(program, args, options) {
  const child = spawn(program, args, options);
  running.add(child);
  child.once("close", () => running.delete(child));
  return child;
}

/** Waits until `url` answers anything; `log` gives what the process said, for the message when it does not. */
export function answers(url, child, log) {
  return isUp(child, log, async () => {
    const answer = await fetch(url, { redirect: "manual" }).catch(() => undefined);
    await answer?.arrayBuffer();
    return answer;
  });
}

/** The same, but it sends no request: only whether anybody takes connections. */
export function listens(port, child, log) {
  return isUp(child, log, () => isTaken(port));
}

async function isUp(child, log, look) {
  const deadline = Date.now() + 20_000;
  while (Date.now() < deadline && child.exitCode === null && child.signalCode === null) {
    if (await look()) return;
    await pause(30);
  }
  child.kill("SIGKILL");
  throw new Stop(`\`${child.spawnfile}\` did not start:\n\n${log()}`);
}

function isTaken(port) {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const tell = (answer) => () => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("connect", tell(true)).once("error", tell(false));
  });
}

export async function ended(child, signal = "SIGKILL") {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const over = new Promise((resolve) => child.once("close", resolve));
  child.kill(signal);
  await over;
}
