// One sample: the CPU of a process while a load is on it.

import { cpuOf } from "./cpu.mjs";
import { load } from "./load.mjs";
import { Stop } from "../../scripts/step.mjs";

/**
 * µs for each request in `milliseconds`, after `warmUp` milliseconds of the same. `status` is what each is answered with;
 * `what` says which sample it is, if it is none.
 */
export async function cpuUnderLoad({ pid, request, generator, milliseconds, warmUp, status = 200, what }) {
  await load(generator, { ...request, milliseconds: warmUp });
  // A machine that is busy with other work may leave a load nothing for all its time.
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const before = cpuOf(pid);
    const { requests, refused, failed } = await load(generator, { ...request, milliseconds });
    const cpu = cpuOf(pid) - before;
    if (refused !== (status >= 400 ? requests : 0) || failed > 0) {
      throw new Stop(`${what}: of ${requests} answers ${refused} were refusals, ${failed} failed.`);
    }
    if (requests > 0) return (cpu * 1000) / requests;
  }
  throw new Stop(`${what}: no request was answered within ${milliseconds} ms, three times. What else does this machine do?`);
}
