// Where things are, and whether they changed since the last time.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

export function inProject(...path) {
  return join(root, ...path);
}

/** All files under the given files and directories, in an order that does not depend on the disk. */
export function filesUnder(...paths) {
  return paths.flatMap((path) => {
    if (!existsSync(path)) return [];
    if (!statSync(path).isDirectory()) return [path];
    const names = readdirSync(path).filter((name) => name !== "target");
    return filesUnder(...names.sort().map((name) => join(path, name)));
  });
}

export function hashOf(...paths) {
  const hash = createHash("sha256");
  for (const file of filesUnder(...paths)) {
    hash.update(`${relative(root, file)}\0`).update(createHash("sha256").update(readFileSync(file)).digest());
  }
  return hash.digest("hex");
}

/** A stamp is a small file that holds the hash of what its neighbours were made from. */
export function stampHolds(stamp, hash) {
  return existsSync(stamp) && readFileSync(stamp, "utf8") === hash;
}

export function writeStamp(stamp, hash) {
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, hash);
}
