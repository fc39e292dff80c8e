// WebSockets of the origin and of APIs, which are carried for a session, or an access token, and end with it. Messages pass from one end to
// the other here, and none enters wasm.

import { watchSession } from "./store.js";
import { EXPIRED, SIGNED_OUT, closeAs, saysSignedOut } from "./web-socket.js";

// What a timer can wait at most.
const LONGEST_WAIT = 2 ** 31 - 1;
const LOOK_EVERY = 60_000;
const FIRST_PAUSE = 1000;
const LONGEST_PAUSE = 30_000;

/**
 * The answer as it is; or, if it has a WebSocket, another one whose WebSocket ends with the session, which does so at
 * `endsAt` (seconds since the epoch) in any case. Without the name of an object, the function of `onLook` is asked. Without
 * a session there is an access token, of which nothing is known but when it ends.
 */
export function carry(answer, request, context, env, session, object, endsAt) {
  if (!answer.webSocket) return answer;
  const { 0: browser, 1: ours } = new WebSocketPair();
  const relay = new Relay(ours, answer.webSocket);
  const signOut = () => relay.close(...SIGNED_OUT);
  relay.onClose(callAt(endsAt * 1000, session ? signOut : () => relay.close(...EXPIRED)));
  if (object) relay.onClose(listen(() => watchSession(env, object, session), signOut));
  else if (session) relay.onClose(poll(() => look(request, env, context), signOut));
  const headers = new Headers(answer.headers);
  // Agreed between the upstream and us; the platform makes its own agreement with the browser.
  headers.delete("sec-websocket-extensions");
  return new Response(null, { status: 101, headers, webSocket: browser });
}

let look;
/** Sets the function that promises whether the session of a request goes on. */
export function onLook(goesOn) {
  look = goesOn;
}

/**
 * Listens to an account's object until it says that the session has ended. `open` opens a WebSocket to it; one that
 * breaks is opened anew. The result is a function that ends all this.
 */
export function listen(open, onEnd) {
  let isOver = false;
  let pause = FIRST_PAUSE;
  let socket;
  let timer;
  const connect = async () => {
    const since = Date.now();
    const broken = () => {
      if (isOver) return;
      if (Date.now() - since > LONGEST_PAUSE) pause = FIRST_PAUSE;
      timer = setTimeout(connect, pause);
      pause = Math.min(pause * 2, LONGEST_PAUSE);
    };
    try {
      socket = (await open()).webSocket;
      hear(socket, onEnd, broken);
      if (isOver) socket.close();
    } catch {
      broken();
    }
  };
  connect();
  return () => {
    isOver = true;
    clearTimeout(timer);
    socket?.close();
  };
}

/** Asks from time to time whether the session goes on. What cannot be known ends nothing. */
export function poll(goesOn, onEnd) {
  const timer = setInterval(() => {
    goesOn().then((is) => is || onEnd(), () => {});
  }, LOOK_EVERY);
  return () => clearInterval(timer);
}

/** The result is a function that stops waiting. */
export function callAt(moment, act) {
  let timer;
  const wait = () => {
    const left = moment - Date.now();
    if (left <= 0) act();
    else timer = setTimeout(wait, Math.min(left, LONGEST_WAIT));
  };
  wait();
  return () => clearTimeout(timer);
}

/** Two ends between which everything passes, until one of them closes or both are closed. */
class Relay {
  #ends;
  #isClosed = false;
  #letGo = [];

  constructor(...ends) {
    this.#ends = ends;
    const [first, second] = ends;
    this.#pass(first, second);
    this.#pass(second, first);
    for (const end of ends) end.accept();
  }

  /** Has a function called when the ends are closed. */
  onClose(letGo) {
    if (this.#isClosed) letGo();
    else this.#letGo.push(letGo);
  }

  close(code, reason) {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const end of this.#ends) closeAs(end, code, reason);
    for (const letGo of this.#letGo) letGo();
  }

  #pass(from, to) {
    from.binaryType = "arraybuffer";
    from.addEventListener("message", ({ data }) => {
      if (!this.#isClosed) to.send(data);
    });
    from.addEventListener("close", ({ code, reason }) => this.close(code, reason));
    from.addEventListener("error", () => this.close(1006));
  }
}

/** Calls one of two functions, once: when the session has ended, or the WebSocket has. */
function hear(socket, onEnd, onBreak) {
  let isOver = false;
  const once = (finish) => {
    if (!isOver) finish();
    isOver = true;
  };
  socket.addEventListener("message", ({ data }) => saysSignedOut(data) && once(onEnd));
  socket.addEventListener("close", ({ code }) => once(code === SIGNED_OUT[0] ? onEnd : onBreak));
  socket.addEventListener("error", () => once(onBreak));
  socket.accept();
}
