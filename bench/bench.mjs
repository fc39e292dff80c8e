// One run, from the builds to the tables.

import { loadavg } from "node:os";

import { say, step } from "../scripts/step.mjs";
import { coldContestants, coldStarts } from "./measure/cold.mjs";
import { crowds } from "./measure/crowd.mjs";
import { expiredTokens } from "./measure/expired.mjs";
import { runRounds } from "./measure/rounds.mjs";
import { build } from "./parts/builds.mjs";
import { certificate } from "./parts/certificate.mjs";
import { contestants } from "./parts/contestants.mjs";
import { startOrigin } from "./parts/origin.mjs";
import { findTools } from "./parts/tools.mjs";
import { startWorld } from "./parts/world.mjs";
import { machine } from "./report/machine.mjs";
import { writeResults } from "./report/page.mjs";
import { plot } from "./report/plot.mjs";
import { resultsOf } from "./report/results.mjs";
import { coldTable, crowdTable, expiredTable, overview, scenarioTable } from "./report/table.mjs";
import { loads, others } from "./scenarios.mjs";

/** `folder` is a temporary one, `options` as `optionsOf` gives them. */
export async function bench({ folder, options }) {
  const tools = await findTools();
  const { builds, missing } = await build(contestants.map(({ name }) => name));
  const present = contestants.filter(({ name }) => !missing[name]);
  for (const [name, why] of Object.entries(missing)) say(`! ${name} is left out: ${why.split("\n")[0]}`);
  const settings = { folder, builds, contestants: present, tls: await certificate(folder) };
  const busy = [loadavg()[0]];
  const scenarios = scenariosOf(options.wanted);
  const samples = scenarios.length > 0 && (await measure({ ...settings, tools, options, scenarios }));
  const expired = options.wanted.includes("expired") && (await timed("expired access tokens", () => expiredTokens(settings)));
  const crowd = options.wanted.includes("crowd") && (await timed("crowds", () => crowds({ ...settings, times: options.crowds })));
  const cold = options.wanted.includes("cold") && (await timed("cold starts", () => measureCold({ ...settings, tools, options })));
  busy.push(loadavg()[0]);
  const results = samples ? resultsOf({ samples, scenarios, contestants: present }) : [];
  const about = machine({ ...tools, rounds: options.rounds, loads: busy });
  const text = measured({ results, expired, crowd, cold, about, contestants: present });
  say(`\n${text}\n`);
  if (options.isWritten) writeResults(text, plot(results));
}

function measure({ options, scenarios, ...settings }) {
  const { contestants: present, tools } = settings;
  return inWorld(settings, (world) => runRounds({ world, contestants: present, scenarios, options, generator: tools.generator }));
}

function measureCold({ options, contestants: present, ...settings }) {
  const all = coldContestants(present);
  return inWorld({ ...settings, contestants: all }, (world) => coldStarts({ world, contestants: present, times: options.coldStarts }));
}

async function inWorld({ tools, ...settings }, work) {
  const origin = await startOrigin({ nginx: tools.nginx, folder: settings.folder });
  const world = await startWorld({ ...settings, origin });
  try {
    return await work(world);
  } finally {
    await Promise.all([world.close(), origin.close()]);
  }
}

/** The load scenarios wanted, and with them those that they are compared to; sign-ins come last, as they fill memories. */
function scenariosOf(wanted) {
  const bases = loads.filter(({ name }) => wanted.includes(name)).map(({ floor }) => floor);
  const chosen = loads.filter(({ name }) => wanted.includes(name) || bases.includes(name));
  const signIn = { name: "sign-in", title: others["sign-in"], signIns: true, floorIs: "tuned", who: ["vestibule", "tuned", "hono"], goal: 1 };
  return wanted.includes("sign-in") ? [...chosen, signIn] : chosen;
}

/** What is printed, and what docs/performance.md gets. */
function measured({ results, expired, crowd, cold, about, contestants: present }) {
  const all = results.length > 1 ? [overview(results, present)] : [];
  const more = [expired && expiredTable(expired, present), crowd && crowdTable(crowd), cold && coldTable(cold)];
  const parts = [about, ...all, ...results.map(scenarioTable), ...more.filter(Boolean)];
  return parts.join("\n\n");
}

async function timed(what, work) {
  let result;
  await step(what, async () => {
    result = await work();
  });
  return result;
}
