// Hears that the session has ended, whoever ended it and wherever.

const SIGNED_OUT = 4401;
const [SHORTEST_WAIT, LONGEST_WAIT] = [1_000, 60_000];

/**
 * Calls `signedOut` once, when the session is over. A connection that ends otherwise says nothing about the session,
 * nor does one that is refused: `isSignedOut` is asked then, and the next attempt waits longer than the last. So a
 * gateway that has nobody to tell (Workers KV alone) is asked once a minute.
 */
export function listen({ signedOut, isSignedOut }) {
  let wait = SHORTEST_WAIT;
  let isOver = false;

  function connect() {
    const socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}/.auth/events`);
    socket.addEventListener("open", () => (wait = SHORTEST_WAIT));
    socket.addEventListener("message", ({ data }) => saysSignedOut(data) && end());
    socket.addEventListener("close", ({ code }) => (code === SIGNED_OUT ? end() : tryAgain()));
  }

  async function tryAgain() {
    if (isOver) return;
    if (await isSignedOut()) return end();
    setTimeout(connect, wait);
    wait = Math.min(wait * 2, LONGEST_WAIT);
  }

  function end() {
    if (isOver) return;
    isOver = true;
    signedOut();
  }

  connect();
}

function saysSignedOut(data) {
  try {
    return JSON.parse(data).event === "signed_out";
  } catch {
    return false;
  }
}
