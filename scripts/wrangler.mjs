// Wrangler's local Worker as a child process: its lines, its readiness, its end.

import { spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { createInterface } from "node:readline";

import { inProject } from "./project.mjs";
import { Stop } from "./step.mjs";

const quietEnvironment = {
  // No questions, no telemetry, no look for updates: `npm start` may run without a terminal and without a network.
  CI: "true",
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_SEND_ERROR_REPORTS: "false",
  WRANGLER_HIDE_BANNER: "true",
  WRANGLER_WRITE_LOGS: "false",
  WRANGLER_NO_SKILLS_UPDATE_PROMPTS: "true",
  NO_COLOR: "1",
  // The demo needs no real Request.cf, and a machine without a network would print an error for it.
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
};

export class LocalWorker {
  faults = [];
  #lines = [];
  #show = () => {};

  /** `config` is the Worker's wrangler.toml, `state` the directory of its store. */
  constructor({ config, state }) {
    const program = inProject("node_modules", "wrangler", "bin", "wrangler.js");
    const shown = ["--show-interactive-dev-session=false", "--inspector-port", "0"];
    const args = [program, "dev", "--local", "--config", config, ...shown, "--persist-to", state];
    // The demo's OP forgets everything when it ends: the keys and sessions of its predecessor would only be in the way.
    rmSync(state, { recursive: true, force: true });
    // Its own process group, so that the end of it is the end of workerd too.
    this.child = spawn(process.execPath, args, {
      cwd: inProject(),
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...quietEnvironment },
    });
    this.ended = new Promise((resolve) => this.child.once("close", resolve));
    for (const stream of [this.child.stdout, this.child.stderr]) {
      createInterface({ input: stream }).on("line", (line) => this.#accept(line));
    }
  }

  /** From now on every line goes to `print`; those that came before go there when `withEarlier` is set. */
  showLines(print, withEarlier = false) {
    if (withEarlier) this.#lines.forEach(print);
    this.#show = print;
  }

  /** Waits for any answer to GET /.auth/health, then for one to GET /.auth/me, which needs a whole configuration. */
  async ready(base, patience = 120_000) {
    const deadline = Date.now() + patience;
    while (Date.now() < deadline) {
      const health = await this.#get(`${base}/.auth/health`);
      if (health) {
        const me = await this.#get(`${base}/.auth/me`);
        return { health, me };
      }
      if (this.child.exitCode !== null) break;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    throw new Stop(`The Worker did not start. Wrangler says:\n\n${this.#lines.slice(-40).join("\n")}`);
  }

  async close() {
    this.#signal("SIGTERM");
    const late = setTimeout(() => this.#signal("SIGKILL"), 3000);
    await this.ended;
    clearTimeout(late);
    // workerd may outlive Wrangler for a moment, or for ever when Wrangler was killed.
    this.#signal("SIGKILL");
  }

  #signal(signal) {
    try {
      process.kill(-this.child.pid, signal);
    } catch {
      // The group is gone, which is what was wanted.
    }
  }

  async #get(url) {
    try {
      const response = await fetch(url, { redirect: "manual", headers: { accept: "application/json" } });
      return { status: response.status, text: await response.text() };
    } catch {
      return undefined;
    }
  }

  #accept(line) {
    if (line.trim() === "") return;
    this.#lines.push(line);
    this.#show(line);
    const event = parsed(line);
    if (event?.event === "config.invalid") this.faults = event.faults ?? [];
  }
}

function parsed(line) {
  try {
    // Wrangler colours console.error whatever NO_COLOR says, so the JSON has something before it and after it.
    return JSON.parse(line.slice(line.indexOf("{"), line.lastIndexOf("}") + 1));
  } catch {
    return undefined;
  }
}
