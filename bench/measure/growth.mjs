// What a request costs where there is more of something: CPU for each as a ratio to the least of it, in the same round.

import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { load } from "./load.mjs";
import { ratios, summary } from "./statistics.mjs";
import { turned } from "./turns.mjs";
import { cpuUnderLoad } from "./under-load.mjs";
import { scriptHeaders } from "../parts/client.mjs";
import { vestibule } from "../parts/contestants.mjs";
import { say } from "../../scripts/step.mjs";

const [page, call] = ["/small.json", "/api/Bench/small.json"];

/** Of what there is more, and where that is asked: `worker` is one of `grown`. Addresses and sessions take turns. */
export const series = [
  { title: "route rules", sizes: [1, 10, 100, 1000], worker: (size) => `rules-${size}`, path: page },
  { title: "downstream APIs", sizes: [1, 10, 100], worker: (size) => `apis-${size}`, path: call },
  { title: "cookies of others", sizes: [0, 10, 50], worker: () => "apis-1", path: call, cookies: (size) => size },
  { title: "access tokens of the session", sizes: [1, 10, 50], worker: () => "apis-100", path: call, tokens: (size) => size },
  { title: "addresses", sizes: [1, 100, 10_000], worker: () => "apis-1", path: call, addresses: (size) => size },
  { title: "sessions", sizes: [1, 10, 100, 1000], worker: () => "apis-1", path: call, sessions: (size) => size },
];

/** Vestibule, as many times as it is configured differently; on Workers KV alone, as nothing here asks an object. */
export const grown = [
  ...series[0].sizes.map((size) => of(`rules-${size}`, { routes: counted(size - 1, rule) })),
  ...series[1].sizes.map((size) => of(`apis-${size}`, { apis: Object.fromEntries(counted(size - 1, api)) })),
];

function rule(number) {
  return { Path: `/area-${number}/**`, Access: "Login" };
}

function of(name, more) {
  return { name, title: name, worker: (parts, place) => vestibule(parts, place, { hasObjects: false, ...more }) };
}

function api(number) {
  return [`Api${number}`, { BaseUrl: "http://127.0.0.1:9/", Scopes: "bench.read", Resource: `https://bench-${number}.example/` }];
}

function counted(length, make) {
  return Array.from({ length }, (_, index) => make(index + 1));
}

/** For each of `series` `{ title, rows: [{ size, cpu, ratio }] }`, in µs and as `summary` has them. */
export async function growth({ world, folder, seal, generator, options }) {
  const cases = series.flatMap(({ sizes, worker, ...one }) => sizes.map((size) => ({ ...one, size, place: worker(size), samples: new Map() })));
  for (const one of cases) {
    one.cookies = await cookiesOf(world, seal, one);
    one.inTurn = inTurn(folder, one);
  }
  for (let round = 0; round < options.rounds; round += 1) {
    await playRound({ world, cases, round, generator, options });
    say(`✓ round ${round + 1} of ${options.rounds}`);
  }
  return series.map(({ title }) => ({ title, rows: rowsOf(cases.filter((one) => one.title === title)) }));
}

/** The store has their sessions from now on. */
async function cookiesOf(world, seal, { title, size, tokens = () => 1, cookies = () => 0, sessions = () => 1 }) {
  const others = counted(cookies(size), (number) => `application-${number}=${"0123456789abcdef".repeat(2)}`);
  // Those with the same number are one session: each case has its own.
  const first = 10_000 * series.findIndex((one) => one.title === title) + size;
  const sealed = seal({ first, number: sessions(size), tokens: tokens(size), issuer: world.provider.issuer });
  const all = [];
  for await (const session of sealed) {
    world.kv.entries.set(session.key, { value: session.value });
    all.push([...others, session.cookie].join("; "));
  }
  return all;
}

/** The file with the requests of a case that has several. */
function inTurn(folder, { title, size, path, cookies, addresses = () => 1 }) {
  const turns = Math.max(addresses(size), cookies.length);
  if (turns === 1) return undefined;
  const file = join(folder, `${title}-${size}`);
  const address = (turn) => (addresses(size) === 1 ? path : `${path}?turn=${turn}`);
  writeFileSync(file, Array.from({ length: turns }, (_, turn) => `${address(turn)}\t${cookies[turn % cookies.length]}\n`).join(""));
  return file;
}

async function playRound({ world, cases, round, generator, options }) {
  const workers = new Map();
  try {
    for (const contestant of turned(grown, round)) workers.set(contestant.name, await world.start(contestant));
    for (const one of cases) await load(generator, { ...requestOf(workers, one), milliseconds: options.warmUp / 3 });
    for (const one of turned(cases, round * 5)) one.samples.set(round, await sample(workers, one, { generator, options }));
  } finally {
    await Promise.all([...workers.values()].map((worker) => worker.close()));
  }
}

function sample(workers, one, { generator, options }) {
  const { pid } = workers.get(one.place);
  const request = requestOf(workers, one);
  // Each session has to come by before the sample.
  const warmUp = request.inTurn ? options.warmUp : 400;
  return cpuUnderLoad({ pid, request, generator, milliseconds: 1000, warmUp, what: `${one.size} ${one.title}` });
}

function requestOf(workers, { place, path, cookies: [cookie], inTurn }) {
  const { port, publicOrigin } = workers.get(place);
  const headers = { Host: new URL(publicOrigin).host, ...scriptHeaders(publicOrigin), cookie };
  return { url: `http://127.0.0.1:${port}${path}`, headers, connections: 32, inTurn };
}

/** Exported for tests. */
export function rowsOf(cases) {
  const [least] = cases;
  return cases.map(({ size, samples }) => ({ size, cpu: summary([...samples.values()]), ratio: summary(ratios(samples, least.samples)) }));
}
