-- Keys of the HTTP door. What they are is nowhere: `mark` finds the row, `hash` proves it (scrypt).
CREATE TABLE keys (
  key_id TEXT PRIMARY KEY,
  kind TEXT NOT NULL, -- api_key, personal_access_token
  name TEXT,
  mark TEXT NOT NULL UNIQUE, -- keyed hash of the key (HMAC)
  salt BLOB NOT NULL,
  hash BLOB NOT NULL,
  commands TEXT NOT NULL, -- JSON: group/verb, group/* or *
  devices TEXT, -- JSON; null: all
  codes INTEGER NOT NULL, -- may be told codes
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  revoked_at INTEGER
) STRICT, WITHOUT ROWID;
