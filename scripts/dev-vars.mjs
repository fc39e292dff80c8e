// .dev.vars holds the secrets of the local Worker, and git never sees it.

import { randomBytes } from "node:crypto";
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { parseEnv } from "node:util";

import { client } from "../demo/settings.mjs";
import { inProject } from "./project.mjs";
import { say } from "./step.mjs";

const file = inProject(".dev.vars");

/** Writes what is missing, leaves what is there, and gives all of it. */
export function ensureDevVars() {
  const present = existsSync(file) ? parseEnv(readFileSync(file, "utf8")) : {};
  const wanted = {
    Session__Key: () => randomBytes(32).toString("base64"),
    OpenIdConnect__ClientSecret: () => client.clientSecret,
  };
  const added = Object.keys(wanted).filter((name) => !present[name]);
  for (const name of added) {
    present[name] = wanted[name]();
    appendFileSync(file, `${name}="${present[name]}"\n`, { mode: 0o600 });
  }
  say(added.length ? `✓ .dev.vars: wrote ${added.join(", ")}` : "✓ .dev.vars: nothing changed");
  return present;
}
