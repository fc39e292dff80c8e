// The debugger's view of a Worker, as far as its memory goes (workerd speaks Chrome's DevTools protocol).

/** `{ heap, close }`: `heap` gives the bytes that JavaScript has in use, garbage that nobody has collected included. */
export async function inspect(port) {
  const [target] = await (await fetch(`http://127.0.0.1:${port}/json`)).json();
  const socket = new WebSocket(`ws://127.0.0.1:${port}/${new URL(target.webSocketDebuggerUrl).pathname.slice(1)}`);
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve, { once: true });
    socket.addEventListener("error", () => reject(new Error("the inspector does not answer")), { once: true });
  });
  const waiting = new Map();
  socket.addEventListener("message", ({ data }) => {
    const { id, result } = JSON.parse(data);
    waiting.get(id)?.(result);
    waiting.delete(id);
  });
  let calls = 0;
  const call = (method) =>
    new Promise((resolve, reject) => {
      waiting.set((calls += 1), resolve);
      socket.send(JSON.stringify({ id: calls, method }));
      setTimeout(reject, 10_000, new Error(`the inspector does not answer ${method}`)).unref();
    });
  return { heap: async () => (await call("Runtime.getHeapUsage")).usedSize, close: () => socket.close() };
}
