// The SQLite storage of one account's object, in the terms of the trait that account_storage.rs implements with it.
// Moments are seconds since the epoch. Whatever the platform throws passes through.

let lives = 0;

export class AccountStorage {
  /** Which life of an object this is, of all that the isolate has seen. */
  life = (lives += 1);
  #storage;
  #onEnd;
  /** Undefined until somebody looks. */
  #hasTables;
  // What a call read or wrote last is still so until it ends, and is not asked of SQLite again: a sign-in asks for both
  // three times. Another call begins by forgetting it.
  /** The rows of the watermark; undefined until somebody looks. */
  #watermark;
  /** The session that was written last, or undefined. */
  #latest;
  /** When the object wakes, in milliseconds; undefined until somebody looks. */
  #wakesAt;
  #waking = Promise.resolve();

  /** `onEnd` is called when a session may have ended, which is not durable yet. */
  constructor(storage, onEnd = () => {}) {
    this.#storage = storage;
    this.#onEnd = onEnd;
  }

  /** Forgets what was read for another call. */
  forget() {
    this.#watermark = undefined;
    this.#latest = undefined;
  }

  /** `[id, issued_at, expires_at, revision, entry, metadata]`, or undefined. */
  session(id) {
    if (this.#latest?.[0] === id) return this.#latest;
    return this.#read("SELECT id, issued_at, expires_at, revision, entry, metadata FROM session WHERE id = ?", id)[0];
  }

  /** `[id, issued_at, expires_at, revision, entry, metadata]` of each. */
  sessions() {
    return this.#read("SELECT id, issued_at, expires_at, revision, entry, metadata FROM session");
  }

  putSession(id, issuedAt, expiresAt, revision, entry, metadata) {
    const values = [id, issuedAt, expiresAt, revision, entry, metadata];
    this.#latest = undefined;
    this.#prepare();
    this.#rows("INSERT OR REPLACE INTO session VALUES (?, ?, ?, ?, ?, ?)", ...values);
    this.#latest = values;
    if (entry === null) this.#onEnd();
  }

  validAfter() {
    this.#watermark ??= this.#read("SELECT valid_after FROM watermark");
    return this.#watermark[0]?.[0];
  }

  endUntil(until) {
    this.forget();
    const move = "INSERT INTO watermark VALUES (1, ?) ON CONFLICT DO UPDATE SET valid_after = max(valid_after, excluded.valid_after)";
    this.#transaction(() => {
      this.#rows(move, until);
      this.#rows("DELETE FROM session WHERE issued_at <= ?", until);
    });
    this.#onEnd();
  }

  isSpent(token) {
    return this.#read("SELECT 1 FROM logout_token WHERE token = ?", token).length > 0;
  }

  /** Whether the token was not used before; from now on it is. */
  spend(token, expiresAt) {
    this.#prepare();
    return this.#rows("INSERT OR IGNORE INTO logout_token VALUES (?, ?) RETURNING 1", token, expiresAt).length > 0;
  }

  willDelete(key) {
    this.#prepare();
    this.#rows("INSERT OR IGNORE INTO deletion VALUES (?)", key);
  }

  toDelete() {
    return this.#read("SELECT key FROM deletion").map(([key]) => key);
  }

  deleted(key) {
    this.#read("DELETE FROM deletion WHERE key = ?", key);
  }

  /** When the next session or logout token ends or, with none left, the watermark; or undefined. */
  expire(now, longest) {
    this.forget();
    // Whoever calls this was woken.
    this.#wakesAt = undefined;
    const next = this.#isPrepared() ? this.#deleteEnded(now, longest) : undefined;
    // With none of them, nothing is worth keeping, and only an object without storage costs nothing.
    if (next === undefined && this.toDelete().length === 0) this.#clear();
    this.#onEnd();
    return next;
  }

  /** One alarm is all that an object has, so the earliest moment wins. */
  wakeAt(moment) {
    const alarm = moment * 1000;
    if (this.#wakesAt <= alarm && this.#wakesAt > Date.now()) return;
    // One after the other: two that read before either wrote could leave the later moment. A failure is no one's to
    // handle: what has ended is refused whether or not it is deleted, and the next session asks again.
    this.#waking = this.#waking.then(async () => {
      const current = await this.#storage.getAlarm();
      const isLate = current === null || current > alarm;
      if (isLate) await this.#storage.setAlarm(alarm);
      this.#wakesAt = isLate ? alarm : current;
    }).catch(() => {});
  }

  async flush() {
    await this.#waking;
    await this.#storage.sync();
  }

  #deleteEnded(now, longest) {
    return this.#transaction(() => {
      this.#rows("DELETE FROM session WHERE expires_at <= ?", now);
      this.#rows("DELETE FROM watermark WHERE valid_after + ? <= ?", longest, now);
      this.#rows("DELETE FROM logout_token WHERE expires_at <= ?", now);
      const [[first]] = this.#rows("SELECT min(expires_at) FROM (SELECT expires_at FROM session UNION ALL SELECT expires_at FROM logout_token)");
      return first ?? this.#rows("SELECT valid_after + ? FROM watermark", longest)[0]?.[0];
    });
  }

  #transaction(statements) {
    this.#prepare();
    return this.#storage.transactionSync(statements);
  }

  /** Prepares nothing: whoever merely asks, about an account that nobody has, must not make an object keep anything. */
  #read(statement, ...values) {
    return this.#isPrepared() ? this.#rows(statement, ...values) : [];
  }

  #rows(statement, ...values) {
    return [...this.#storage.sql.exec(statement, ...values).raw()];
  }

  #isPrepared() {
    if (this.#hasTables === undefined) {
      this.#hasTables = false;
      // Those of an earlier version may not be all.
      if (this.#rows("SELECT 1 FROM sqlite_master WHERE name = 'session'").length > 0) this.#prepare();
    }
    return this.#hasTables;
  }

  #prepare() {
    if (this.#hasTables) return;
    this.#storage.sql.exec(TABLES);
    this.#hasTables = true;
  }

  #clear() {
    this.forget();
    this.#hasTables = false;
    this.#storage.deleteAll().catch(() => {});
  }
}

// Without a rowid the key is a table's only order, and a row is one write less. Those of an earlier version have one.
const TABLES = `
  CREATE TABLE IF NOT EXISTS session (
    id TEXT PRIMARY KEY, issued_at INTEGER, expires_at INTEGER, revision INTEGER, entry BLOB NULL, metadata TEXT
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS watermark (only_row INTEGER PRIMARY KEY CHECK (only_row = 1), valid_after INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS logout_token (token TEXT PRIMARY KEY, expires_at INTEGER) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS deletion (key TEXT PRIMARY KEY) WITHOUT ROWID;
`;
