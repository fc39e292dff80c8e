// .dev.vars holds the secrets of the local Worker, and git never sees it.

import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { parseEnv } from "node:util";

import { say } from "./step.mjs";

const keyLine = /^\s*(export\s+)?Session__Key\s*=.*\n?/gm;

/**
 * Writes to `file` those of `secrets` that are missing, leaves what is there, and gives all of it. Only the session key is
 * new every time: the store of the last start is deleted, and a browser that still has a session of it must not be told to
 * wait for what is gone.
 */
export function ensureDevVars(file, secrets) {
  const before = existsSync(file) ? readFileSync(file, "utf8") : "";
  const kept = before.replace(keyLine, "");
  const known = parseEnv(kept);
  const missing = Object.entries(secrets).filter(([name]) => !known[name]);
  const wanted = { Session__Key: randomBytes(32).toString("base64"), ...Object.fromEntries(missing) };
  const lines = Object.entries(wanted).map(([name, value]) => `${name}="${value}"\n`);
  const text = `${kept}${kept === "" || kept.endsWith("\n") ? "" : "\n"}${lines.join("")}`;
  writeFileSync(file, text, { mode: 0o600 });
  say(`✓ .dev.vars: wrote ${Object.keys(wanted).join(", ")}`);
  return parseEnv(text);
}
