// One run, from the builds to the tables.

import { loadavg } from "node:os";

import { say, step } from "../scripts/step.mjs";
import { coldContestants, coldStarts } from "./measure/cold.mjs";
import { crowds } from "./measure/crowd.mjs";
import { expiredTokens } from "./measure/expired.mjs";
import { grown, growth } from "./measure/growth.mjs";
import { memoryOver, watched } from "./measure/memory.mjs";
import { runRounds } from "./measure/rounds.mjs";
import { build } from "./parts/builds.mjs";
import { certificate } from "./parts/certificate.mjs";
import { contestants, tunedWithObjects, vestibuleOnKv } from "./parts/contestants.mjs";
import { sealer } from "./parts/sealed-sessions.mjs";
import { findTools } from "./parts/tools.mjs";
import { inWorld } from "./parts/world.mjs";
import { machine } from "./report/machine.mjs";
import { writePart, writePlot } from "./report/page.mjs";
import { plot } from "./report/plot.mjs";
import { resultsOf } from "./report/results.mjs";
import { coldTable, crowdTable, expiredTable, growthTable, memoryTable, overview, scenarioTable } from "./report/table.mjs";
import { loads, others, usual } from "./scenarios.mjs";

/** `folder` is a temporary one, `options` as `optionsOf` gives them. */
export async function bench({ folder, options }) {
  const tools = await findTools();
  const { builds, missing } = await build(contestants.map(({ name }) => name));
  const present = contestants.filter(({ name }) => !missing[name]);
  for (const [name, why] of Object.entries(missing)) say(`! ${name} is left out: ${why.split("\n")[0]}`);
  const settings = { folder, tools, options, builds, contestants: present, tls: await certificate(folder) };
  for (const part of parts.filter(({ isWanted }) => isWanted(options.wanted))) {
    const busy = [loadavg()[0]];
    const { text, svg } = await part.measure(settings);
    busy.push(loadavg()[0]);
    const about = machine({ ...tools, rounds: part.name === "memory" ? 1 : options.rounds, loads: busy });
    const measured = `${about}\n\n${text}`;
    say(`\n${measured}\n`);
    if (options.isWritten) writePart(part.name, measured);
    if (options.isWritten && svg) writePlot(svg);
  }
}

/** What has a place of its own in docs/performance.md. */
const parts = [
  { name: "bench", isWanted: (wanted) => wanted.some((name) => usual.includes(name)), measure: measureUsual },
  { name: "growth", isWanted: (wanted) => wanted.includes("growth"), measure: measureGrowth },
  { name: "memory", isWanted: (wanted) => wanted.includes("memory"), measure: measureMemory },
];

async function measureUsual({ tools, options, ...settings }) {
  const { contestants: present } = settings;
  const scenarios = scenariosOf(options.wanted);
  const loaded = scenarios.some(({ signIns }) => signIns) ? [...present, tunedWithObjects, vestibuleOnKv] : present;
  // A sample of autocannon takes a second, one of wrk a part of it.
  const turns = tools.generator.name === "wrk" ? options.turns : 1;
  const rounds = (world) => runRounds({ world, contestants: loaded, scenarios, options: { ...options, turns }, generator: tools.generator });
  const starts = (world) => coldStarts({ world, contestants: present, times: options.coldStarts });
  const samples = scenarios.length > 0 && (await inWorld({ ...settings, tools, contestants: loaded }, rounds));
  const countings = {
    expired: () => expiredTokens(settings),
    crowd: () => crowds({ ...settings, times: options.crowds }),
    cold: () => inWorld({ ...settings, tools, contestants: coldContestants(present) }, starts),
  };
  const counted = {};
  for (const name of Object.keys(countings).filter((name) => options.wanted.includes(name))) counted[name] = await timed(name, countings[name]);
  const results = samples ? resultsOf({ samples, scenarios, contestants: loaded }) : [];
  return { text: told({ results, ...counted, contestants: present }), svg: plot(results) };
}

async function measureGrowth({ tools, options, ...settings }) {
  const seal = await sealer();
  const measure = (world) => growth({ world, folder: settings.folder, seal, generator: tools.generator, options });
  return { text: growthTable(await inWorld({ ...settings, tools, contestants: grown }, measure)) };
}

async function measureMemory({ options, ...settings }) {
  const seal = await sealer();
  const measure = (world) => memoryOver({ world, seal, stages: options.sessions });
  return { text: memoryTable(await inWorld({ ...settings, contestants: [watched] }, measure)) };
}

/** The load scenarios wanted, and with them those that they are compared to; sign-ins come last, as they fill memories. */
function scenariosOf(wanted) {
  const bases = loads.filter(({ name }) => wanted.includes(name)).map(({ floor }) => floor);
  const chosen = loads.filter(({ name }) => wanted.includes(name) || bases.includes(name));
  const who = ["vestibule", vestibuleOnKv.name, "tuned", tunedWithObjects.name, "hono"];
  const signIn = { name: "sign-in", title: others["sign-in"], signIns: true, floorIs: "tuned", who, goal: 1 };
  return wanted.includes("sign-in") ? [...chosen, signIn] : chosen;
}

function told({ results, expired, crowd, cold, contestants: present }) {
  const all = results.length > 1 ? [overview(results, present)] : [];
  const more = [expired && expiredTable(expired, present), crowd && crowdTable(crowd), cold && coldTable(cold)];
  return [...all, ...results.map(scenarioTable), ...more.filter(Boolean)].join("\n\n");
}

async function timed(what, work) {
  let result;
  await step(what, async () => {
    result = await work();
  });
  return result;
}
