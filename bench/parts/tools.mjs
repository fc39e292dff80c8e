// nginx and wrk: found, or installed where that takes no question, or else replaced by slower ones from npm and Node.

import { join } from "node:path";

import { findProgram } from "../../scripts/programs.mjs";
import { inProject } from "../../scripts/project.mjs";
import { quietly, say, step, Stop } from "../../scripts/step.mjs";

const packages = { nginx: "nginx-light", wrk: "wrk" };

/** `{ nginx, generator }`: the program or undefined, and `{ name, program }` of wrk or autocannon. */
export async function findTools() {
  await installMissing(Object.keys(packages).filter((name) => !find(name)));
  const [nginx, wrk] = [find("nginx"), find("wrk")];
  if (!nginx) say("! nginx is missing: the origin is Node's, which costs this machine more, but no Worker.");
  if (!wrk) say("! wrk is missing: npm's autocannon makes the load, more slowly.");
  const autocannon = inProject("bench", "measure", "autocannon.mjs");
  return { nginx, generator: wrk ? { name: "wrk", program: wrk } : { name: "autocannon", program: autocannon } };
}

/** From Debian, by its administrator. A service that starts with the package is Debian's choice; this run uses its own. */
async function installMissing(missing) {
  if (missing.length === 0 || process.getuid?.() !== 0 || !find("apt-get")) return;
  const names = missing.map((name) => packages[name]);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const installed = step(`Debian packages: ${names.join(", ")}`, async () => {
    await quietly("apt-get", ["install", "-y", "--no-install-recommends", ...names], { env });
  });
  await installed.catch((error) => {
    if (!(error instanceof Stop)) throw error;
    say(`! ${names.join(" and ")} cannot be installed.`);
  });
}

function find(name) {
  return findProgram([name], ["/usr/sbin", "/usr/local/sbin"]);
}
