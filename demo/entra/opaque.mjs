// Values that mean something to Entra alone.

import { randomUUID } from "node:crypto";

/** One that nobody can guess. */
export function opaque(prefix) {
  return `${prefix}${randomUUID()}${randomUUID()}`.replaceAll("-", "");
}
