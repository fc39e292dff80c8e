// A thousand requests in one moment with an access token that has expired, at an OP that takes its time: how many token
// requests that is, and whether all are answered within one more round trip of the OP after the first. The same with a
// fresh token, and through the floor, shows how long a thousand answers take this machine.

import { setTimeout as pause } from "node:timers/promises";

import { listen, sendJson } from "../../demo/listen.mjs";
import { gather } from "../parts/crowd.mjs";
import { startWorld } from "../parts/world.mjs";
import { isStale, refreshes } from "./expired.mjs";
import { median, quantile } from "./statistics.mjs";

const size = 1000;
const accessTokenSeconds = 6;
const delay = 200;
const path = "/api/Bench/small.json";
const who = ["floor", "vestibule", "tuned"];

/** For each: `{ contestant, fresh, expired, roundTrip, grants, stale }`; the crowds as `crowdOf` has them. */
export async function crowds({ contestants, times, ...settings }) {
  const seen = [];
  const origin = await listen(0, (request, response) => {
    seen.push({ authorization: request.headers.authorization, at: Date.now() });
    return sendJson(response, 200, {});
  });
  const asked = contestants.filter(({ name }) => who.includes(name));
  const world = await startWorld({ ...settings, origin, contestants: asked, accessTokenSeconds });
  const trips = delayed(world.provider);
  try {
    const results = [];
    for (const contestant of asked) results.push(await measured({ world, contestant, times, seen, trips }));
    return results;
  } finally {
    await Promise.all([world.close(), origin.close()]);
  }
}

async function measured({ world, contestant, times, seen, trips }) {
  const worker = await world.start(contestant);
  try {
    const client = worker.newClient();
    if (contestant.signsIn) await client.signIn("/small.json");
    const rounds = [];
    for (let round = 0; round < times; round += 1) rounds.push(await crowdsOf({ world, worker, client, seen, trips }));
    return { contestant, ...summed(rounds) };
  } finally {
    await worker.close();
  }
}

/** One crowd with a fresh token and, where there are tokens, one after that has expired. */
async function crowdsOf({ world, worker, client, seen, trips }) {
  await client.call(path);
  const fresh = crowdOf(await sent(worker, client));
  if (!worker.contestant.signsIn) return { fresh };
  await pause(accessTokenSeconds * 1000 + 1000);
  const grants = refreshes(world.provider);
  seen.length = trips.length = 0;
  const expired = crowdOf(await sent(worker, client));
  return { fresh, expired, roundTrip: Math.max(0, ...trips), grants: refreshes(world.provider) - grants, stale: seen.filter(isStale).length };
}

async function sent(worker, client) {
  const crowd = await gather({ worker, path, headers: client.callHeaders(), count: size });
  try {
    return await crowd.ask();
  } finally {
    await crowd.close();
  }
}

/** `{ size, answered, first, middle, late }`: how many 200s, and when they came, in ms. Exported for tests. */
export function crowdOf(answers) {
  const fine = answers.filter(({ status }) => status === 200).map(({ milliseconds }) => milliseconds);
  return { size: answers.length, answered: fine.length, first: quantile(fine, 0), middle: median(fine), late: quantile(fine, 0.99) };
}

/** The median of what takes time, and the worst of what must always hold. Exported for tests. */
export function summed(rounds) {
  const worst = (part) => Math.max(...rounds.map((round) => round[part]));
  const of = (kind) => {
    const all = rounds.map((round) => round[kind]).filter(Boolean);
    if (all.length === 0) return undefined;
    const middle = (part) => median(all.map((crowd) => crowd[part]));
    const answered = Math.min(...all.map((crowd) => crowd.answered));
    return { size: all[0].size, answered, first: middle("first"), middle: middle("middle"), late: middle("late"), gap: median(all.map(({ late, first }) => late - first)) };
  };
  const [fresh, expired] = ["fresh", "expired"].map(of);
  return expired ? { fresh, expired, roundTrip: median(rounds.map(({ roundTrip }) => roundTrip)), grants: worst("grants"), stale: worst("stale") } : { fresh };
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
