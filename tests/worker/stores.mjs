// The stores as a test looks into them, past the Worker, in the terms of Workers KV.

/** What the Worker keeps beside the accounts' objects; nothing where a test cannot see it. */
export async function storeOf(runtime, tokenCache) {
  if (tokenCache === "KV") return runtime.getKVNamespace("TOKEN_CACHE");
  if (tokenCache === "D1") return new Database(await runtime.getD1Database("TOKEN_CACHE_DB"));
  return { list: async () => ({ keys: [] }) };
}

class Database {
  constructor(database) {
    this.database = database;
  }

  async list({ prefix }) {
    const rows = await this.#rows("SELECT key, metadata, expires_at FROM token_cache ORDER BY key");
    const keys = rows.map(({ key, metadata, expires_at: expiration }) => ({ name: key, metadata: JSON.parse(metadata), expiration }));
    return { keys: keys.filter(({ name }) => name.startsWith(prefix)) };
  }

  async get(key, type) {
    return (await this.getWithMetadata(key, type)).value;
  }

  async getWithMetadata(key, type) {
    const [row] = await this.#rows("SELECT value, metadata FROM token_cache WHERE key = ?", key);
    if (!row) return { value: null, metadata: null };
    const bytes = Uint8Array.from(row.value);
    return { value: type === "arrayBuffer" ? bytes.buffer : Buffer.from(bytes).toString(), metadata: JSON.parse(row.metadata) };
  }

  /** Until the end of time. */
  put(key, value, { metadata = {} } = {}) {
    const bytes = typeof value === "string" ? new TextEncoder().encode(value) : new Uint8Array(value);
    return this.run("INSERT OR REPLACE INTO token_cache VALUES (?, ?, ?, ?)", key, bytes, JSON.stringify(metadata), 2 ** 40);
  }

  delete(key) {
    return this.run("DELETE FROM token_cache WHERE key = ?", key);
  }

  run(statement, ...values) {
    return this.database.prepare(statement).bind(...values).run();
  }

  async #rows(statement, ...values) {
    const tables = await this.run("SELECT name FROM sqlite_master WHERE name = 'token_cache'");
    return tables.results.length > 0 ? (await this.run(statement, ...values)).results : [];
  }
}
