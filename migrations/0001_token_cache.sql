-- The table of Session.TokenCache = "D1". The Worker makes it by itself at the first sign-in; whoever wants it to be there
-- before runs `npx wrangler d1 migrations apply TOKEN_CACHE_DB --remote`.
CREATE TABLE IF NOT EXISTS token_cache (
  key TEXT PRIMARY KEY, value BLOB NOT NULL, metadata TEXT NOT NULL, expires_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS token_cache_expires_at ON token_cache (expires_at);
