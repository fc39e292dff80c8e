// Many requests at once whose access token has expired, at an OP that rotates refresh tokens and forgives no second use
// of one: who is answered, with which token, at the price of how many token requests, and whether the session outlives it.

import { setTimeout as pause } from "node:timers/promises";

import { listen, sendJson } from "../../demo/listen.mjs";
import { startWorld } from "../parts/world.mjs";

const crowd = 32;
const accessTokenSeconds = 4;
const path = "/api/Bench/small.json";

/** For each contestant that signs in: `{ name, answered, stale, grants, isAlive }`. */
export async function expiredTokens({ contestants, ...settings }) {
  const seen = [];
  const origin = await listen(0, (request, response) => {
    if (request.url.endsWith("/small.json")) seen.push({ authorization: request.headers.authorization, at: Date.now() });
    return sendJson(response, 200, {});
  });
  const signingIn = contestants.filter(({ signsIn }) => signsIn);
  const world = await startWorld({ ...settings, origin, contestants: signingIn, accessTokenSeconds });
  try {
    const results = [];
    for (const contestant of signingIn) results.push(await storm(world, contestant, seen));
    return results;
  } finally {
    await Promise.all([world.close(), origin.close()]);
  }
}

async function storm(world, contestant, seen) {
  const worker = await world.start(contestant);
  try {
    const client = await worker.newClient().signIn("/small.json");
    await client.call(path);
    await pause(accessTokenSeconds * 1000 + 1000);
    const grantsBefore = refreshes(world.provider);
    seen.length = 0;
    // What the browser holds now goes with all of them.
    const answers = await Promise.all(Array.from({ length: crowd }, () => client.call(path)));
    const [answered, stale] = [answers.filter(({ status }) => status === 200).length, seen.filter(isStale).length];
    const grants = refreshes(world.provider) - grantsBefore;
    await pause(accessTokenSeconds * 1000 + 1000);
    seen.length = 0;
    const { status } = await client.call(path);
    return { name: contestant.name, crowd, answered, stale, grants, isAlive: status === 200 && seen.length === 1 && !seen.some(isStale) };
  } finally {
    await worker.close();
  }
}

/** Token requests, refused ones as well. */
export function refreshes({ events }) {
  const answered = ["grant.success", "grant.error"];
  return events.filter(({ event, grantType }) => answered.includes(event) && grantType === "refresh_token").length;
}

/** Whether the access token, a JWT, was over when it came. */
export function isStale({ authorization, at }) {
  const payload = authorization?.split(".")[1];
  return !payload || JSON.parse(Buffer.from(payload, "base64url").toString("utf8")).exp * 1000 < at;
}
