// What is measured. Each load names the address, who asks, and what the answer must be.

import { page } from "./parts/client.mjs";

const everyone = ["floor", "control", "vestibule", "tuned", "hono", "workers-rs"];
const withAccess = ["floor", "control", "vestibule", "tuned", "hono"];
const atTheFloor = ["floor", "control", "vestibule", "tuned"];

/**
 * `goal` and `aim` are Vestibule's, as ratios to the floor's CPU in the same scenario, or in the one that `floor` names. A
 * `signedIn` request carries the session of whoever signs in at all; `headers` are those that differ from a script's own. What
 * Cloudflare says of each request comes with it, unless the load `isBare`.
 */
export const loads = [
  {
    name: "json",
    title: "signed in, small JSON, 32 connections",
    ...{ path: "/api/Bench/small.json", connections: 32, signedIn: true, who: everyone, goal: 1.15, aim: 1.05 },
  },
  {
    name: "json-1",
    title: "the same, 1 connection",
    ...{ path: "/api/Bench/small.json", connections: 1, signedIn: true, who: everyone, goal: 1.08, aim: 1.03 },
  },
  {
    name: "bare",
    title: "as the first, without `request.cf`",
    ...{ path: "/api/Bench/small.json", connections: 32, signedIn: true, isBare: true, who: atTheFloor, goal: 1.15, aim: 1.05 },
  },
  {
    name: "64k",
    title: "signed in, 64 KiB",
    ...{ path: "/api/Bench/64k.bin", connections: 32, signedIn: true, who: everyone, goal: 1.1 },
  },
  {
    name: "10m",
    title: "signed in, 10 MiB, 4 connections",
    ...{ path: "/api/Bench/10m.bin", connections: 4, milliseconds: 500, signedIn: true, who: withAccess, goal: 1.03 },
  },
  {
    name: "page",
    title: "signed in, the origin and not an API",
    ...{ path: "/small.json", connections: 32, signedIn: true, who: atTheFloor },
  },
  {
    name: "navigation",
    title: "signed in, a page is opened",
    ...{ path: "/small.json", connections: 32, signedIn: true, headers: page, who: atTheFloor },
  },
  {
    name: "plain",
    title: "signed in, answer without Cache-Control",
    ...{ path: "/api/Bench/plain.json", connections: 32, signedIn: true, who: atTheFloor },
  },
  {
    name: "anonymous",
    title: "anonymous, a route open to all",
    ...{ path: "/public/small.json", connections: 32, who: withAccess, goal: 1.08 },
  },
  {
    name: "refused",
    title: "refused: 401 without a session",
    ...{ path: "/api/Bench/small.json", connections: 32, status: 401, floor: "json", who: ["vestibule", "tuned", "hono"], goal: 0.45 },
  },
];

/** Measured by signing in, or by counting, and not by load. */
export const others = {
  "sign-in": "complete sign-in (× JavaScript by hand)",
  expired: "32 requests at once, access token expired",
  crowd: "1 000 requests at once, access token expired, an OP that takes 200 ms",
  cold: "start and first request of a fresh process",
};

/** Not part of a run unless they are asked for, as they take long. Each has a place of its own in docs/performance.md. */
export const separate = {
  growth: "CPU with more route rules, APIs, cookies, tokens, addresses and sessions",
  memory: "an isolate's memory while 100 000 sessions come through it",
};

/** What a run measures where nothing else is asked for. */
export const usual = [...loads.map(({ name }) => name), ...Object.keys(others)];
export const names = [...usual, ...Object.keys(separate)];
