-- Locks: which lock a placement is on, and where each device was when it was last known.
ALTER TABLE placements ADD COLUMN lock TEXT NOT NULL DEFAULT '';
UPDATE placements SET lock = ifnull(
  (SELECT json_extract(abilities, '$.identity') FROM devices WHERE devices.device_id = placements.device_id), ''
);
CREATE INDEX placements_on_lock ON placements (lock, rank) WHERE valid_to IS NULL;
DROP INDEX placements_without_room;
CREATE INDEX placements_without_room ON placements (lock, rank) WHERE valid_to IS NULL AND refusal = 'full';
DROP INDEX placements_removing;
CREATE INDEX placements_removing ON placements (lock, device_id, since) WHERE valid_to IS NULL AND state = 'removing';

CREATE INDEX placements_past ON placements (credential_id, lock, row);

ALTER TABLE devices ADD COLUMN lock TEXT; -- the lock that is there, by its own last word; null where it was met elsewhere since
ALTER TABLE devices ADD COLUMN link TEXT; -- with address: where it was when it said so
ALTER TABLE devices ADD COLUMN address TEXT;
ALTER TABLE devices ADD COLUMN before TEXT; -- the lock whose place it took
ALTER TABLE devices ADD COLUMN unread INTEGER NOT NULL DEFAULT 0; -- as it took that place, and was not read as a whole yet
UPDATE devices SET lock = json_extract(abilities, '$.identity');
CREATE INDEX devices_of_lock ON devices (lock);

-- Commands: how new the newest command was that a pair has seen.

CREATE TABLE marks (
  user_identity_id TEXT NOT NULL, -- of no row elsewhere, where it was revoked before it was ever named
  device_id TEXT NOT NULL,
  as_of TEXT NOT NULL, -- sixteen digits, or UTC to the nanosecond
  closed INTEGER NOT NULL,
  forget_at INTEGER, -- null while it is granted
  PRIMARY KEY (user_identity_id, device_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX marks_to_forget ON marks (forget_at) WHERE forget_at IS NOT NULL;

-- Broker: what was refused of what it keeps, and the session that it keeps for us.
CREATE TABLE retained_refusals (
  topic TEXT PRIMARY KEY,
  mark TEXT NOT NULL, -- keyed hash of the content
  at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE broker_sessions (
  broker TEXT NOT NULL, -- host:port
  client_id TEXT NOT NULL,
  connected_at INTEGER NOT NULL, -- the last time that we surely were
  offline_since INTEGER, -- of the last session that was lost
  lost_at INTEGER,
  PRIMARY KEY (broker, client_id)
) STRICT, WITHOUT ROWID;

-- What waits on a topic that nobody listens to is passed over, and looked for by its topic.
CREATE INDEX outbox_by_topic ON outbox (topic, id);

-- Outbox: the room that events may take.
ALTER TABLE outbox ADD COLUMN number INTEGER; -- of an event
UPDATE outbox SET number = json_extract(CAST(payload AS TEXT), '$.number') WHERE rank = 1;
CREATE INDEX outbox_by_number ON outbox (number) WHERE number IS NOT NULL;

-- One row: how many events wait. To count them each time would take longer, the longer the cloud is away.
CREATE TABLE outbox_events (waiting INTEGER NOT NULL) STRICT;
INSERT INTO outbox_events SELECT count(*) FROM outbox WHERE number IS NOT NULL;
CREATE TRIGGER outbox_event_put AFTER INSERT ON outbox WHEN new.number IS NOT NULL
BEGIN
  UPDATE outbox_events SET waiting = waiting + 1;
END;
CREATE TRIGGER outbox_event_gone AFTER DELETE ON outbox WHEN old.number IS NOT NULL
BEGIN
  UPDATE outbox_events SET waiting = waiting - 1;
END;

-- Order: locks that are left alone for a while, and the oldest of what is to be taken away.
ALTER TABLE devices ADD COLUMN breaker_since INTEGER; -- null while it is closed
ALTER TABLE devices ADD COLUMN breaker_tries INTEGER;
ALTER TABLE devices ADD COLUMN breaker_next INTEGER;
CREATE INDEX placements_owed ON placements (since) WHERE valid_to IS NULL AND state = 'removing';
