-- What somebody wanted of a bolt, and what came of it.
CREATE TABLE action_attempts (
  action_attempt_id TEXT PRIMARY KEY,
  device_id TEXT NOT NULL,
  act TEXT NOT NULL CHECK (act IN ('lock', 'unlock')),
  created_at INTEGER NOT NULL,
  deadline INTEGER NOT NULL,
  ended_at INTEGER,
  confirmed INTEGER, -- where it was done: the lock has said where its bolt is
  failure TEXT, -- where it was not
  detail TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX action_attempts_by_age ON action_attempts (created_at);
CREATE INDEX action_attempts_pending ON action_attempts (ended_at) WHERE ended_at IS NULL;
