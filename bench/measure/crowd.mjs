// A thousand requests in one moment with an access token that has expired, at an OP that takes its time: how many token
// requests that is, and whether all are answered within one more round trip of the OP after the first. The same with a
// fresh token, and through the floor, shows how long a thousand answers take this machine.

import { setTimeout as pause } from "node:timers/promises";

import { listen, sendJson } from "../../demo/listen.mjs";
import { gather } from "../parts/crowd.mjs";
import { startWorld } from "../parts/world.mjs";
import { cpuAtRest } from "./cpu.mjs";
import { isStale, refreshes } from "./expired.mjs";
import { median, quantile } from "./statistics.mjs";

const delay = 200;
const path = "/api/Bench/small.json";
const who = ["floor", "vestibule", "tuned"];

/** For each: `{ contestant, fresh, expired, roundTrip, grants, stale }`; the crowds as `crowdOf` has them. */
export async function crowds({ contestants, times, size = 1000, ...settings }) {
  const seen = [];
  const origin = await listen(0, (request, response) => {
    seen.push({ authorization: request.headers.authorization, at: Date.now() });
    return sendJson(response, 200, {});
  });
  const asked = contestants.filter(({ name }) => who.includes(name));
  const world = await startWorld({ ...settings, origin, contestants: asked });
  const trips = delayed(world.provider);
  try {
    const results = [];
    for (const contestant of asked) results.push(await measured({ world, contestant, times, size, seen, trips }));
    return results;
  } finally {
    await Promise.all([world.close(), origin.close()]);
  }
}

async function measured({ world, contestant, times, size, seen, trips }) {
  const worker = await world.start(contestant);
  try {
    const rounds = [];
    // The first lets V8 compile what it will.
    for (let round = 0; round <= times; round += 1) rounds.push(await crowdsOf({ world, worker, size, seen, trips }));
    return { contestant, ...summed(rounds.slice(1)) };
  } finally {
    await worker.close();
  }
}

/** Where there are tokens, one crowd whose token has expired; and one whose token is fresh. */
async function crowdsOf({ world, worker, size, seen, trips }) {
  const client = worker.newClient();
  if (!worker.contestant.signsIn) return { fresh: await crowdOf(worker, client, size) };
  const [api] = world.provider.resources;
  api.accessTokenSeconds = 2;
  await client.signIn("/small.json");
  await client.call(path);
  await pause(3000);
  // Of the token that comes now, no latecomer finds that it ends.
  api.accessTokenSeconds = 3600;
  const grants = refreshes(world.provider);
  seen.length = trips.length = 0;
  const expired = await crowdOf(worker, client, size);
  const counts = { grants: refreshes(world.provider) - grants, stale: seen.filter(isStale).length };
  return { expired, ...counts, roundTrip: Math.max(0, ...trips), fresh: await crowdOf(worker, client, size) };
}

async function crowdOf(worker, client, size) {
  const crowd = await gather({ worker, path, headers: client.callHeaders(), count: size });
  try {
    const before = await cpuAtRest(worker.pid);
    const answers = await crowd.ask();
    return { ...answered(answers), cpu: ((await cpuAtRest(worker.pid)) - before) / size };
  } finally {
    await crowd.close();
  }
}

/** `{ size, answered, first, middle, late, gap }`: how many 200s, and when they came, in ms. Exported for tests. */
export function answered(answers) {
  const fine = answers.filter(({ status }) => status === 200).map(({ milliseconds }) => milliseconds);
  const [first, middle, late] = [0, 0.5, 0.99].map((share) => quantile(fine, share));
  return { size: answers.length, answered: fine.length, first, middle, late, gap: late - first };
}

/** The median of what takes time, and the worst of what must always hold. Exported for tests. */
export function summed(rounds) {
  const worst = (part) => Math.max(...rounds.map((round) => round[part]));
  const fresh = together(rounds.map((round) => round.fresh));
  if (!rounds[0].expired) return { fresh };
  const expired = together(rounds.map((round) => round.expired));
  const roundTrip = median(rounds.map((round) => round.roundTrip));
  return { fresh, expired, roundTrip, grants: worst("grants"), stale: worst("stale") };
}

function together(crowds) {
  const middle = ["first", "middle", "late", "gap", "cpu"].map((part) => [part, median(crowds.map((crowd) => crowd[part]))]);
  const fewest = Math.min(...crowds.map((crowd) => crowd.answered));
  return { size: crowds[0].size, answered: fewest, ...Object.fromEntries(middle) };
}

/** Has the OP wait before it looks at a token request; gives a growing list of how long each took it, in ms. */
function delayed(provider) {
  const trips = [];
  provider.intercept = (request, response) => {
    if (request.method !== "POST" || !request.url.startsWith("/token")) return false;
    const start = performance.now();
    response.once("finish", () => trips.push(performance.now() - start));
    setTimeout(() => provider.callback(request, response), delay);
    return true;
  };
  return trips;
}
