// What each crate, and each module of ours, has in the wasm that is uploaded: `node scripts/shares.mjs`. Functions count
// where their source stands: a generic one of `core` is `core`'s, whoever uses it. The last column is each share
// compressed alone; together they come to more than the upload.

import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

import { buildWorker, named } from "./build.mjs";
import { continueOnProjectNode } from "./packages.mjs";
import { main, say } from "./step.mjs";

// The ids of sections, of kinds of imports and of lists of names (WebAssembly Core Specification 2.0, §5.5 and §7.4.1).
const [CUSTOM, IMPORTS, CODE, DATA] = [0, 2, 10, 11];
const [FUNCTION, TABLE, MEMORY] = [0, 1, 2];
const FUNCTION_NAMES = 1;

async function show() {
  await buildWorker();
  const sections = sectionsOf(readFileSync(named));
  const names = namesOf(sections.get("name"));
  const first = importedFunctions(sections.get(IMPORTS));
  const shares = new Map([["(texts and tables)", [sections.get(DATA).rest()]]]);
  sections.get(CODE).list((reader, position) => {
    const share = shareOf(names.get(first + position));
    shares.set(share, [...(shares.get(share) ?? []), reader.bytes()]);
  });
  print([...shares].map(([share, parts]) => ({ share, bytes: Buffer.concat(parts) })));
}

function shareOf(name = "") {
  // The precompiled crates bear their hashes: `core[c5930c85a12de822]::fmt::write`.
  const [, crate, module] = /\b([a-z]\w*)::(\w*)/.exec(name.replaceAll(/\[[0-9a-f]+\]/g, "")) ?? [];
  if (crate === undefined) return "(generated)";
  return crate === "vestibule" ? `${crate}::${module}` : crate;
}

function print(shares) {
  const total = shares.reduce((sum, { bytes }) => sum + bytes.length, 0);
  for (const { share, bytes } of shares.sort((one, other) => other.bytes.length - one.bytes.length)) {
    const percent = ((100 * bytes.length) / total).toFixed(1).padStart(5);
    const [raw, gzip] = [bytes, gzipSync(bytes, { level: 9 })].map(({ length }) => (length / 1024).toFixed(1));
    say(`${share.padEnd(28)} ${raw.padStart(7)} KiB ${percent} % ${gzip.padStart(7)} KiB gzip`);
  }
}

class Reader {
  constructor(wasm, at = 0) {
    Object.assign(this, { wasm, at });
  }

  get isAtEnd() {
    return this.at >= this.wasm.length;
  }

  number() {
    for (let result = 0, shift = 0; ; shift += 7) {
      const byte = this.wasm[this.at++];
      result += (byte & 127) * 2 ** shift;
      if (byte < 128) return result;
    }
  }

  bytes(length = this.number()) {
    this.at += length;
    return this.wasm.subarray(this.at - length, this.at);
  }

  rest() {
    return this.wasm.subarray(this.at);
  }

  text() {
    return this.bytes().toString();
  }

  list(item) {
    const count = this.number();
    for (let position = 0; position < count; position++) item(this, position);
  }
}

function sectionsOf(wasm) {
  const sections = new Map();
  const afterVersion = 8;
  for (const reader = new Reader(wasm, afterVersion); !reader.isAtEnd; ) {
    const [id] = reader.bytes(1);
    const section = new Reader(reader.bytes());
    sections.set(id === CUSTOM ? section.text() : id, section);
  }
  return sections;
}

function namesOf(section) {
  const names = new Map();
  while (!section.isAtEnd) {
    const [id] = section.bytes(1);
    const list = new Reader(section.bytes());
    if (id === FUNCTION_NAMES) list.list((reader) => names.set(reader.number(), reader.text()));
  }
  return names;
}

/** Functions are numbered from the imported ones on. */
function importedFunctions(section) {
  let count = 0;
  section.list((reader) => {
    reader.text();
    reader.text();
    const [kind] = reader.bytes(1);
    if (kind === TABLE) reader.bytes(1);
    if (kind === TABLE || kind === MEMORY) {
      const hasMaximum = reader.number() & 1;
      reader.number();
      if (hasMaximum) reader.number();
    } else if (kind === FUNCTION) {
      reader.number();
      count++;
    } else {
      // The type of a global, and whether it changes.
      reader.bytes(2);
    }
  });
  return count;
}

await main(async () => (await continueOnProjectNode()) ?? show());
