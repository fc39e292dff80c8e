// npm's autocannon as a program: `node autocannon.mjs <JSON>` prints `{ requests, refused, failed }`, as JSON as well.
// `inTurn` is a file as in-turn.lua has it; each connection begins at its start.

import { readFileSync } from "node:fs";

import autocannon from "autocannon";

const { inTurn, milliseconds, ...given } = JSON.parse(process.argv[2]);

function requests() {
  const lines = readFileSync(inTurn, "utf8").trimEnd().split("\n");
  return lines.map((line) => line.split("\t")).map(([path, cookie]) => ({ path, headers: { ...given.headers, cookie } }));
}

// It looks at the clock once in a second.
const duration = Math.ceil(milliseconds / 1000);
const result = await autocannon({ ...given, duration, ...(inTurn && { requests: requests() }) });
console.log(JSON.stringify({ requests: result.requests.total, refused: result.non2xx, failed: result.errors }));
