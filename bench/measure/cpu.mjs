// The CPU time of a process, user and system together, from the kernel's own count.

import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";

/**
 * Milliseconds since the process began. The count of each thread is in nanoseconds, where /proc/<pid>/stat has ticks of
 * 10 ms. A thread that has ended is in it no more; workerd keeps those that it starts with.
 */
export function cpuOf(pid) {
  const threads = readdirSync(`/proc/${pid}/task`);
  const counts = threads.map((thread) => nanosecondsIn(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8")));
  return counts.reduce((sum, count) => sum + count, 0) / 1e6;
}

/** The same once the process has nothing left to do, or after a second. */
export async function cpuAtRest(pid) {
  let [before, now] = [undefined, cpuOf(pid)];
  for (let look = 0; look < 25 && now !== before; look += 1) {
    await pause(40);
    [before, now] = [now, cpuOf(pid)];
  }
  return now;
}

/** The first of three numbers: time on a CPU, time in the queue for one, turns. Exported for tests. */
export function nanosecondsIn(schedstat) {
  return Number(schedstat.split(" ", 1)[0]);
}
