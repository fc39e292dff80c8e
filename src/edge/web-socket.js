// How a WebSocket ends.

/** The code and the reason when its session has ended: 401 in the range that RFC 6455 §7.4.2 leaves to applications. */
export const SIGNED_OUT = [4401, "signed out"];
/** The same when its access token has expired. */
export const EXPIRED = [4401, "access token expired"];
const MESSAGE = JSON.stringify({ event: "signed_out" });
const NO_CODE = 1005;
const BROKEN = 1011;

/** Tells whoever watches a session that it has ended. */
export function tellSignedOut(socket) {
  try {
    socket.send(MESSAGE);
    socket.close(...SIGNED_OUT);
  } catch {
    // It is closed already.
  }
}

/** Whether a message says so. */
export function saysSignedOut(data) {
  return data === MESSAGE;
}

/** Closes with the code and the reason that another end was closed with. */
export function closeAs(socket, code, reason) {
  try {
    if (code === NO_CODE) socket.close();
    else socket.close(code, reason);
  } catch {
    // 1006 and its like only say what happened, and are never sent (RFC 6455 §7.4.1).
    socket.close(BROKEN);
  }
}
