// D1, in the database TOKEN_CACHE_DB. Every call begins a session at the primary, so that no replica shows what was deleted.
// The first write makes the table: whoever merely asks, makes nothing. What has ended counts as missing, and goes with a
// later write.

// Moments are seconds since the epoch. Without a rowid the key is the table's only order, and a row is one write less.
const TABLE = `CREATE TABLE IF NOT EXISTS token_cache (
  key TEXT PRIMARY KEY, value BLOB NOT NULL, metadata TEXT NOT NULL, expires_at INTEGER NOT NULL
) WITHOUT ROWID`;
const INDEX = "CREATE INDEX IF NOT EXISTS token_cache_expires_at ON token_cache (expires_at)";

const PUT = `INSERT INTO token_cache (key, value, metadata, expires_at) VALUES (?1, ?2, ?3, ?4)
  ON CONFLICT (key) DO UPDATE SET value = excluded.value, metadata = excluded.metadata, expires_at = excluded.expires_at`;
// Few at a time: a sign-in waits for it.
const DELETE_ENDED = "DELETE FROM token_cache WHERE key IN (SELECT key FROM token_cache WHERE expires_at <= ?1 LIMIT 20)";
const DELETE = "DELETE FROM token_cache WHERE key IN (SELECT value FROM json_each(?1))";
const REPLACE = `UPDATE token_cache SET value = ?2, metadata = ?3, expires_at = ?4 WHERE key = ?1 AND expires_at > ?5
  RETURNING key`;
// The end of the range is a character that no key has. A pattern would need its own characters escaped.
const LIST = `SELECT key, metadata FROM token_cache
  WHERE key >= ?1 AND key < ?2 || char(1114111) AND expires_at > ?3 ORDER BY key LIMIT ?4`;

export async function get(env, key) {
  const database = primary(env);
  const read = database.prepare("SELECT value FROM token_cache WHERE key = ?1 AND expires_at > ?2").bind(key, now());
  const value = await unlessEmpty(database, () => read.first("value"), null);
  return value && new Uint8Array(value);
}

export async function put(env, key, value, metadata, lifetime) {
  const database = primary(env);
  const write = [database.prepare(PUT).bind(key, value, metadata, now() + lifetime), database.prepare(DELETE_ENDED).bind(now())];
  const create = [TABLE, INDEX].map((statement) => database.prepare(statement));
  const isWritten = await unlessEmpty(database, () => database.batch(write), undefined);
  if (!isWritten) await database.batch([...create, ...write]);
}

export async function replace(env, key, value, metadata, lifetime) {
  const database = primary(env);
  const write = database.prepare(REPLACE).bind(key, value, metadata, now() + lifetime, now());
  return (await unlessEmpty(database, () => write.first("key"), null)) !== null;
}

export async function remove(env, keys) {
  const database = primary(env);
  const remove = database.prepare(DELETE).bind(JSON.stringify(keys));
  await unlessEmpty(database, () => remove.run());
}

export async function list(env, prefix, cursor, limit) {
  const database = primary(env);
  // One bound for where to begin, or each page would read those before it: right after the last key, which has no control
  // characters.
  const from = cursor === undefined ? prefix : `${cursor}\u0001`;
  const read = database.prepare(LIST).bind(from, prefix, now(), limit + 1);
  const found = await unlessEmpty(database, () => read.raw(), []);
  const keys = found.slice(0, limit);
  return { cursor: found.length > limit ? keys.at(-1)[0] : undefined, keys };
}

function primary(env) {
  return env.TOKEN_CACHE_DB.withSession("first-primary");
}

/** What `act` gives; `otherwise` if that fails only because nobody has written anything yet. */
async function unlessEmpty(database, act, otherwise) {
  try {
    return await act();
  } catch (failure) {
    const tables = await database.prepare("SELECT name FROM sqlite_master WHERE name = 'token_cache'").raw();
    if (tables.length > 0) throw failure;
    return otherwise;
  }
}

function now() {
  return Math.floor(Date.now() / 1000);
}
