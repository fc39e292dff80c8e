// The rounds of load: in each, fresh processes of all contestants, who take turns at every scenario, so that what the machine
// does meanwhile falls on all of them. A process has a bias of some percent for life, which only fresh ones even out.

import { Samples } from "./samples.mjs";
import { cpuOf } from "./cpu.mjs";
import { load } from "./load.mjs";
import { turned } from "./turns.mjs";
import { cpuUnderLoad } from "./under-load.mjs";
import { cfHeader } from "../parts/cf.mjs";
import { Client, scriptHeaders } from "../parts/client.mjs";
import { say, Stop } from "../../scripts/step.mjs";

/** Gives the samples: CPU in µs for each request, or each sign-in, by scenario and contestant. */
export async function runRounds({ world, contestants, scenarios, options, generator }) {
  const samples = new Samples();
  for (let round = 0; round < options.rounds; round += 1) {
    const started = performance.now();
    const workers = [];
    try {
      for (const contestant of turned(contestants, round)) workers.push(await world.start(contestant));
      await playRound({ round, workers, scenarios, options, generator, samples });
    } finally {
      await Promise.all(workers.map((worker) => worker.close()));
    }
    say(`✓ round ${round + 1} of ${options.rounds} (${((performance.now() - started) / 1000).toFixed(0)} s)`);
  }
  return samples;
}

async function playRound({ round, workers, scenarios, options, generator, samples }) {
  for (const worker of workers) await prepare(worker, { scenarios, options, generator });
  for (const [begin, scenario] of scenarios.entries()) {
    const mine = workers.filter(({ contestant }) => scenario.who.includes(contestant.name));
    for (let turn = 0; turn < options.turns; turn += 1) {
      for (const worker of turned(mine, begin + turn)) {
        const settings = { scenario, options, generator, isFirst: turn === 0 };
        const cpu = await (scenario.signIns ? signIns(worker, settings) : underLoad(worker, settings));
        samples.add(scenario.name, worker.contestant.name, round * options.turns + turn, cpu);
      }
    }
  }
}

/** Signs in, looks whether every answer is what it must be, and lets V8 compile what it will. */
async function prepare(worker, { scenarios, options, generator }) {
  worker.client = worker.newClient();
  if (worker.contestant.signsIn) await worker.client.signIn("/small.json").catch((error) => explain(worker, error));
  const mine = scenarios.filter(({ who, path }) => path && who.includes(worker.contestant.name));
  for (const scenario of mine) {
    const anyone = new Client({ publicOrigin: worker.publicOrigin });
    const { status } = await (scenario.signedIn ? worker.client : anyone).call(scenario.path);
    if (status !== (scenario.status ?? 200)) {
      explain(worker, new Stop(`${worker.contestant.name} answers ${status} in the scenario ${scenario.name}.`));
    }
  }
  if (mine.length > 0) await load(generator, { ...requestOf(worker, mine[0]), milliseconds: options.warmUp });
}

function underLoad(worker, { scenario, options, generator, isFirst }) {
  const { contestant, pid } = worker;
  const milliseconds = scenario.milliseconds ?? options.milliseconds;
  // What the others touched meanwhile comes back soon; what V8 has to compile for another kind of request takes longer.
  const warmUp = isFirst ? 300 : 100;
  const request = requestOf(worker, scenario);
  const what = `${contestant.name}, ${scenario.name}`;
  return cpuUnderLoad({ pid, request, generator, milliseconds, warmUp, status: scenario.status, what });
}

/** Adds what the Worker said last. */
function explain(worker, error) {
  if (error instanceof Stop) error.message += `\n\n${worker.log().slice(-2000)}`;
  throw error;
}

function requestOf(worker, { path, connections, signedIn, headers: different, isBare }) {
  const headers = signedIn ? worker.client.callHeaders() : scriptHeaders(worker.publicOrigin);
  const present = Object.fromEntries(Object.entries({ ...headers, ...different, ...(!isBare && cfHeader) }).filter(([, value]) => value !== ""));
  // wrk may know localhost by the other address family only, and knows its own header by this spelling.
  return { url: `http://127.0.0.1:${worker.port}${path}`, headers: { Host: new URL(worker.publicOrigin).host, ...present }, connections };
}

/** New people, one after the other; the OP's work is another process's. V8 compiles during the first of them. */
async function signIns(worker, { options, isFirst }) {
  if (isFirst) await people(worker, 20);
  const before = cpuOf(worker.pid);
  await people(worker, options.signIns);
  return ((cpuOf(worker.pid) - before) * 1000) / options.signIns;
}

async function people(worker, count) {
  for (let person = 0; person < count; person += 1) await worker.newClient().signIn("/small.json");
}
