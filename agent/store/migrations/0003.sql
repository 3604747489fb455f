-- Access grants: what was granted for a time. Each change closes a row and adds one, so that the past can be asked for.
CREATE TABLE access_grants (
  row INTEGER PRIMARY KEY,
  access_grant_id TEXT NOT NULL,
  user_identity_id TEXT NOT NULL REFERENCES user_identities,
  access_grant_key TEXT,
  name TEXT,
  starts_at INTEGER, -- null: from the moment at which it was made, which nobody knew
  ends_at INTEGER,
  weekly TEXT, -- JSON; null: at any time of the week
  external INTEGER NOT NULL, -- what somebody changes on the lock stands
  modes TEXT NOT NULL, -- JSON: the access methods that were asked for
  created_at INTEGER NOT NULL,
  valid_from INTEGER NOT NULL,
  valid_to INTEGER
) STRICT;
CREATE UNIQUE INDEX access_grants_open ON access_grants (access_grant_id) WHERE valid_to IS NULL;
CREATE UNIQUE INDEX access_grants_by_key ON access_grants (access_grant_key) WHERE valid_to IS NULL AND access_grant_key IS NOT NULL;
CREATE INDEX access_grants_of_identity ON access_grants (user_identity_id) WHERE valid_to IS NULL;
CREATE INDEX access_grants_past ON access_grants (access_grant_id, valid_from);

-- Where an access grant applies: a row for each device, closed at its end. What follows from window, zone and time is
-- written into the row as it stands.
ALTER TABLE grants ADD COLUMN in_force INTEGER NOT NULL DEFAULT 1;
ALTER TABLE grants ADD COLUMN changes_at INTEGER; -- when that is to be looked at again; null: never
ALTER TABLE grants ADD COLUMN opens_at INTEGER; -- while it is not in force: when it will be
ALTER TABLE grants ADD COLUMN zone TEXT; -- by which it was looked at
ALTER TABLE grants ADD COLUMN paused TEXT; -- while it is not in force: the evidence that no code is left, once it was told
ALTER TABLE grants ADD COLUMN openings REAL NOT NULL DEFAULT 0; -- how often it opens on an average day
CREATE INDEX grants_changing ON grants (changes_at) WHERE valid_to IS NULL AND changes_at IS NOT NULL;
CREATE INDEX grants_of_access_grant ON grants (access_grant_id) WHERE access_grant_id IS NOT NULL;
CREATE INDEX grants_past ON grants (user_identity_id, device_id, valid_from);

-- What was told not to have been removed in time, by when it should have begun to go.
CREATE TABLE overdue (placement_id TEXT PRIMARY KEY, since INTEGER NOT NULL) STRICT, WITHOUT ROWID;

-- Clock: whether it was trusted last, and the last event that was committed while it was. One row.
CREATE TABLE clock (
  mark INTEGER,
  doubt TEXT, -- null while it is trusted
  since INTEGER, -- null until it is looked at for the first time
  step_by INTEGER, -- with step_to: it was set, by so many milliseconds, to this time, and nobody has said yet that it is right
  step_to INTEGER,
  turned_at INTEGER -- when it was last looked, trusted, which windows open and close
) STRICT;
INSERT INTO clock DEFAULT VALUES;
-- Times of what was written while it was not trusted (and later, where something is kept until a time after that).
CREATE INDEX outbox_undated ON outbox (at) WHERE at >= 8640000000000000;
