-- Rows of grants, credentials and placements are closed (valid_to), never overwritten: the past can be asked for.
-- Times are milliseconds since 1970, UTC. Columns named sealed hold AES-256-GCM; fingerprint holds HMAC-SHA-256.

CREATE TABLE meta (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE user_identities (
  user_identity_id TEXT PRIMARY KEY,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE grants (
  row INTEGER PRIMARY KEY,
  user_identity_id TEXT NOT NULL REFERENCES user_identities,
  device_id TEXT NOT NULL,
  access_grant_id TEXT,
  valid_from INTEGER NOT NULL,
  valid_to INTEGER
) STRICT;
CREATE UNIQUE INDEX grants_of_device ON grants (device_id, user_identity_id, ifnull(access_grant_id, '')) WHERE valid_to IS NULL;
CREATE INDEX grants_of_identity ON grants (user_identity_id, device_id) WHERE valid_to IS NULL;

CREATE TABLE credentials (
  row INTEGER PRIMARY KEY,
  credential_id TEXT NOT NULL,
  user_identity_id TEXT NOT NULL REFERENCES user_identities,
  kind TEXT NOT NULL,
  format TEXT,
  origin TEXT NOT NULL,
  sealed BLOB NOT NULL,
  fingerprint TEXT NOT NULL,
  known INTEGER NOT NULL,
  reissues INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  valid_from INTEGER NOT NULL,
  valid_to INTEGER
) STRICT;
CREATE UNIQUE INDEX credentials_open ON credentials (credential_id) WHERE valid_to IS NULL;
CREATE INDEX credentials_of_identity ON credentials (user_identity_id) WHERE valid_to IS NULL;
CREATE INDEX credentials_by_fingerprint ON credentials (fingerprint) WHERE valid_to IS NULL;
CREATE INDEX credentials_by_id ON credentials (credential_id);

CREATE TABLE placements (
  row INTEGER PRIMARY KEY,
  placement_id TEXT NOT NULL,
  device_id TEXT NOT NULL,
  user_identity_id TEXT NOT NULL,
  credential_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  wanted INTEGER NOT NULL,
  rank INTEGER NOT NULL, -- row of the grant that it is for: the order in which a full lock is filled
  belief TEXT NOT NULL,
  slot TEXT,
  proof TEXT,
  was_empty INTEGER,
  in_flight INTEGER,
  late_slot TEXT,
  late_writes INTEGER,
  late_since INTEGER,
  late_until INTEGER,
  late_check INTEGER,
  refusal TEXT,
  refusal_detail TEXT,
  suspect INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  pauses INTEGER NOT NULL,
  next_at INTEGER,
  state TEXT NOT NULL,
  since INTEGER NOT NULL,
  valid_from INTEGER NOT NULL,
  valid_to INTEGER
) STRICT;
CREATE UNIQUE INDEX placements_open ON placements (placement_id) WHERE valid_to IS NULL;
CREATE INDEX placements_of_device ON placements (device_id, rank) WHERE valid_to IS NULL;
CREATE INDEX placements_of_identity ON placements (user_identity_id, device_id) WHERE valid_to IS NULL;
CREATE INDEX placements_by_fingerprint ON placements (fingerprint) WHERE valid_to IS NULL;
CREATE INDEX placements_by_credential ON placements (credential_id) WHERE valid_to IS NULL;
CREATE INDEX placements_in_flight ON placements (in_flight) WHERE valid_to IS NULL AND in_flight = 1;
CREATE INDEX placements_without_room ON placements (device_id, rank) WHERE valid_to IS NULL AND refusal = 'full';
CREATE INDEX placements_removing ON placements (device_id, since) WHERE valid_to IS NULL AND state = 'removing';
CREATE INDEX placements_tally ON placements (device_id, state, since) WHERE valid_to IS NULL;

-- Pairs for which it is to be chosen (again) which credentials belong on the device.
CREATE TABLE choices (
  device_id TEXT NOT NULL,
  user_identity_id TEXT NOT NULL,
  PRIMARY KEY (device_id, user_identity_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE devices (
  device_id TEXT PRIMARY KEY,
  added_at INTEGER NOT NULL,
  abilities TEXT,
  online INTEGER NOT NULL,
  locked INTEGER,
  door_open INTEGER,
  battery REAL
) STRICT, WITHOUT ROWID;

-- What happened. Entries with a number are events: told to the cloud, gapless within an epoch.
CREATE TABLE journal (
  entry INTEGER PRIMARY KEY,
  number INTEGER UNIQUE,
  at INTEGER NOT NULL,
  type TEXT NOT NULL,
  device_id TEXT,
  user_identity_id TEXT,
  body TEXT NOT NULL
) STRICT;
CREATE INDEX journal_by_time ON journal (at);

-- What is still to be told: deleted when the broker has acknowledged it.
CREATE TABLE outbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  rank INTEGER NOT NULL, -- 0 a reply, 1 an event
  topic TEXT NOT NULL,
  payload BLOB NOT NULL,
  sealed INTEGER NOT NULL,
  correlation BLOB,
  at INTEGER NOT NULL
) STRICT;
CREATE INDEX outbox_in_order ON outbox (rank, id);

CREATE TABLE requests (
  request_id TEXT PRIMARY KEY,
  command TEXT NOT NULL,
  parameters TEXT NOT NULL, -- keyed hash
  status INTEGER NOT NULL,
  body BLOB NOT NULL,
  sealed INTEGER NOT NULL,
  at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX requests_by_time ON requests (at);

CREATE TABLE driver_state (
  link TEXT NOT NULL,
  key TEXT NOT NULL,
  sealed BLOB NOT NULL,
  PRIMARY KEY (link, key)
) STRICT, WITHOUT ROWID;
