// Load on one address, or on several in turn, from wrk or npm's autocannon: how many requests were answered, and how many
// not as expected.

import { once } from "node:events";

import { inProject } from "../../scripts/project.mjs";
import { begin } from "../parts/process.mjs";
import { Stop } from "../../scripts/step.mjs";

/**
 * Runs for `milliseconds`, autocannon for whole seconds, and gives `{ requests, refused, failed }`. With `inTurn`, a file as
 * in-turn.lua has it, requests differ.
 */
export async function load(tool, { milliseconds, ...request }) {
  const [program, args, read] =
    tool.name === "wrk"
      ? [tool.program, wrkArguments({ ...request, seconds: Math.ceil(milliseconds / 1000) + 10 }), readWrk]
      : [process.execPath, [tool.program, JSON.stringify({ ...request, milliseconds })], JSON.parse];
  const child = begin(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  // wrk knows whole seconds only, but tells what it has when it is interrupted.
  const timer = tool.name === "wrk" && setTimeout(() => child.kill("SIGINT"), milliseconds);
  const [output, errors] = await Promise.all([child.stdout.toArray(), child.stderr.toArray(), once(child, "close")]);
  clearTimeout(timer);
  // On a busy machine it may have been interrupted before it began.
  if (child.signalCode === "SIGINT") return { requests: 0, refused: 0, failed: 0 };
  const result = read(Buffer.concat(output).toString("utf8"));
  if (!result) throw new Stop(`${tool.name} measured nothing at ${request.url}: ${Buffer.concat([...output, ...errors])}`);
  return result;
}

function wrkArguments({ url, headers, connections, seconds, inTurn }) {
  const lines = Object.entries(headers).flatMap(([name, value]) => ["-H", `${name}: ${value}`]);
  const [script, file] = inTurn ? [["-s", inProject("bench", "measure", "in-turn.lua")], ["--", inTurn]] : [[], []];
  return ["-t1", `-c${connections}`, `-d${seconds}s`, "--timeout", "20s", ...script, ...lines, url, ...file];
}

/** Exported for tests. */
export function readWrk(output) {
  const requests = /(\d+) requests in/.exec(output);
  if (!requests) return undefined;
  const refused = /Non-2xx or 3xx responses: (\d+)/.exec(output);
  const errors = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(output);
  const failed = (errors?.slice(1) ?? []).reduce((sum, count) => sum + Number(count), 0);
  return { requests: Number(requests[1]), refused: Number(refused?.[1] ?? 0), failed };
}
