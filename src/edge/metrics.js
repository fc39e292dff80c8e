// Workers Analytics Engine, where the operator bound a dataset as METRICS. A point that cannot be written is lost: no
// request fails for it, and none waits.

// Where the class of the status stands: see STATUS of src/measure.rs.
const STATUS = 6;

/** Writes a data point: `point` has its texts, one on each line. */
export function count(env, point, milliseconds) {
  if (env.METRICS === undefined) return;
  write(env, point.split("\n"), milliseconds);
}

/** What is done with the answer to a request that is passed on from now on: its status and the time are added. */
export function counted(env, point) {
  const began = Date.now();
  return (answer) => {
    const blobs = point.split("\n");
    blobs[STATUS] = `${Math.floor(answer.status / 100)}xx`;
    write(env, blobs, Date.now() - began);
    return answer;
  };
}

function write(env, blobs, milliseconds) {
  try {
    env.METRICS.writeDataPoint({ indexes: [blobs[0]], blobs, doubles: [1, milliseconds] });
  } catch {
    // As if nobody counted.
  }
}
