// The object of an account, or of an OpenID Provider's session: one in the world for each name, where everything that
// must happen once or in order does. What it does is decided in wasm (account_object.rs).

import { DurableObject } from "cloudflare:workers";

import { AccountStorage } from "./account-storage.js";
import { enter } from "./instance.js";
import { accountExpired, serveAccount } from "./vestibule.js";

export class AccountObject extends DurableObject {
  #storage;

  constructor(state, env) {
    super(state, env);
    this.#storage = new AccountStorage(state.storage);
  }

  call(request) {
    return enter(() => serveAccount(this.env, this.ctx, this.#storage, request), rejection);
  }

  alarm() {
    return enter(() => accountExpired(this.env, this.ctx, this.#storage), rejection);
  }
}

function rejection() {
  return Promise.reject(new Error("trapped"));
}
