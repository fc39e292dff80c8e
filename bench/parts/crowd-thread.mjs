// A thread that is many browsers at once: each has a connection already, all send in one moment, and each notes when its
// answer begins. In a thread of its own, so that what the OP and the origin do in the other one delays no clock here.

import { connect } from "node:net";
import { parentPort, workerData } from "node:worker_threads";

const { port, count, text } = workerData;

const sockets = await Promise.all(Array.from({ length: count }, opened));
parentPort.once("message", async () => {
  const start = performance.now();
  const answers = await Promise.all(sockets.map((socket) => asked(socket, start)));
  sockets.forEach((socket) => socket.destroy());
  parentPort.postMessage(answers);
});
parentPort.postMessage("ready");

function opened() {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    socket.once("connect", () => resolve(socket)).once("error", reject);
  });
}

/** `{ status, milliseconds }`; the status is 0 where none came within 30 s. */
function asked(socket, start) {
  return new Promise((resolve) => {
    const settle = (status) => resolve({ status, milliseconds: performance.now() - start });
    socket.once("data", (head) => settle(Number(head.subarray(9, 12).toString("latin1"))));
    for (const end of ["error", "close"]) socket.once(end, () => settle(0));
    socket.setTimeout(30_000, () => settle(0));
    socket.write(text);
  });
}
