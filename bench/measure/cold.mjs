// Cold starts: the CPU of a fresh process until it listens, and of its first request. What an empty Worker costs is
// the runtime's; the rest is the code's, and what it reads before it can answer.

import { middleHalf } from "./statistics.mjs";
import { cpuAtRest } from "./cpu.mjs";
import { turned } from "./turns.mjs";
import { empty, vestibuleOnKv } from "../parts/contestants.mjs";
import { Client } from "../parts/client.mjs";
import { Stop } from "../../scripts/step.mjs";

const anonymous = { path: "/public/small.json", title: "anonymous" };
const signedIn = { path: "/api/Bench/small.json", title: "signed in" };

/** Those of `contestants` that are measured: the control would be the floor once more. */
export function coldContestants(contestants) {
  return [empty, ...contestants.filter(({ name }) => name !== "control"), vestibuleOnKv];
}

/**
 * `[{ contestant, request, start, first, over }]` in ms as `middleHalf` has it: until it listens, for the first request, and
 * both over the empty Worker's.
 */
export async function coldStarts({ world, contestants, times }) {
  const cases = await casesOf(world, coldContestants(contestants));
  for (let turn = 0; turn < times; turn += 1) {
    for (const one of turned(cases, turn)) one.samples.push(await coldStart(world, one));
  }
  return cases.map(({ contestant, request, samples }) => resultOf({ contestant, request, samples }, cases[0].samples));
}

/** In the order of the table, of which the empty Worker is the first. Whoever is signed in did so in an earlier process. */
async function casesOf(world, contestants) {
  const named = contestants.filter((contestant) => contestant !== vestibuleOnKv);
  const cases = named.map((contestant) => ({ contestant, request: anonymous }));
  for (const contestant of contestants.filter(({ signsIn }) => signsIn)) {
    const worker = await world.start(contestant);
    const client = worker.newClient();
    await client.signIn("/small.json").finally(() => worker.close());
    cases.push({ contestant, request: signedIn, client });
  }
  return cases.map((one) => ({ ...one, samples: [] }));
}

async function coldStart(world, { contestant, request, client }) {
  const worker = await world.start(contestant, { isCold: true, keepsObjects: true });
  try {
    const start = await cpuAtRest(worker.pid);
    const { status } = await (client ?? new Client(worker)).call(request.path);
    if (status !== 200) throw new Stop(`${contestant.name} answers the first request with ${status}.\n\n${worker.log().slice(-2000)}`);
    return { start, first: (await cpuAtRest(worker.pid)) - start };
  } finally {
    await worker.close();
  }
}

/** Exported for tests. Each sample is compared with the empty Worker's of the same turn. */
export function resultOf({ contestant, request, samples }, ofEmpty) {
  const over = samples.map(({ start, first }, turn) => start + first - ofEmpty[turn].start - ofEmpty[turn].first);
  const [start, first] = ["start", "first"].map((part) => middleHalf(samples.map((sample) => sample[part])));
  return { contestant, request, start, first, over: middleHalf(over) };
}
