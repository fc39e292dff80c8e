// The Worker written by hand with one thing more: each sign-in is a row in an object of its account, the least that it takes
// to sign somebody out everywhere.

import { DurableObject } from "cloudflare:workers";

export { default } from "./tuned.mjs";

export class AccountObject extends DurableObject {
  constructor(state, env) {
    super(state, env);
    state.storage.sql.exec("CREATE TABLE IF NOT EXISTS sessions (id TEXT PRIMARY KEY) WITHOUT ROWID");
  }

  async register(id) {
    this.ctx.storage.sql.exec("INSERT INTO sessions VALUES (?)", id);
    await this.ctx.storage.sync();
  }
}
