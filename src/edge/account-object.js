// The object of an account, or of an OpenID Provider's session: one in the world for each name, where everything that
// must happen once or in order does. What it does is decided in wasm (account_object.rs); here, whoever watches a session
// hears that it has ended.

import { DurableObject } from "cloudflare:workers";

import { AccountStorage } from "./account-storage.js";
import { enter } from "./instance.js";
import { SESSION_HEADER } from "./store.js";
import { rejection } from "./traps.js";
import { accountExpired, serveAccount } from "./vestibule.js";
import { closeAs, tellSignedOut } from "./web-socket.js";

export class AccountObject extends DurableObject {
  #storage;

  constructor(state, env) {
    super(state, env);
    // What cannot be made durable ends the object, and with it every WebSocket: whoever comes back is told then.
    this.#storage = new AccountStorage(state.storage, () => state.waitUntil(this.#tell().catch(() => {})));
    // Answered without waking the object, so that a page may keep its connection open with it.
    state.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
  }

  call(request) {
    this.#storage.forget();
    return enter(() => serveAccount(this.env, this.ctx, this.#storage, request), rejection);
  }

  alarm() {
    return enter(() => accountExpired(this.env, this.ctx, this.#storage), rejection);
  }

  /** Takes a WebSocket that watches a session. Only our own Worker gets here, and only with a session that it vouches for. */
  fetch(request) {
    const session = request.headers.get(SESSION_HEADER);
    this.#storage.forget();
    const goesOn = this.#goesOn(session);
    const { 0: theirs, 1: ours } = new WebSocketPair();
    this.ctx.acceptWebSocket(ours, [session]);
    if (!goesOn) tellSignedOut(ours);
    return new Response(null, { status: 101, webSocket: theirs });
  }

  /** Nothing that comes is meant for the object. */
  webSocketMessage() {}

  webSocketClose(socket, code, reason) {
    closeAs(socket, code, reason);
  }

  webSocketError() {}

  #goesOn(session) {
    const entry = 4;
    return Boolean(this.#storage.session(session)?.[entry]);
  }

  /** Tells whoever watches a session that has ended, once that is durable: it must not be heard of and then undone. */
  async #tell() {
    await this.#storage.flush();
    for (const socket of this.ctx.getWebSockets()) {
      const [session] = this.ctx.getTags(socket);
      if (!this.#goesOn(session)) tellSignedOut(socket);
    }
  }
}
