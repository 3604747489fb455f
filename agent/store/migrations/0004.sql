-- Windows that the lock itself keeps, codes that are suspended, and what may be changed at the lock.
ALTER TABLE placements ADD COLUMN window TEXT; -- JSON, as the lock is to keep it; null: always
ALTER TABLE placements ADD COLUMN dormant INTEGER NOT NULL DEFAULT 0; -- no grant is open now, and the code may stay on the lock
ALTER TABLE placements ADD COLUMN external INTEGER NOT NULL DEFAULT 0; -- what somebody changes on the lock stands
ALTER TABLE placements ADD COLUMN in_place INTEGER NOT NULL DEFAULT 0; -- the code before it was taken away first
ALTER TABLE placements ADD COLUMN disabled TEXT; -- of what is held: suspended, by_us or by_hand
ALTER TABLE placements ADD COLUMN other_window INTEGER; -- of what is held: it opens at other times than it was written for
ALTER TABLE placements ADD COLUMN switch_on INTEGER; -- of a switch in doubt: what it was to do

ALTER TABLE grants ADD COLUMN dormant INTEGER NOT NULL DEFAULT 0; -- in force, and not open: the lock keeps it shut

-- What was read of each lock only to see whether all is as it should be.
ALTER TABLE devices ADD COLUMN audit_day INTEGER; -- days since 1970, UTC
ALTER TABLE devices ADD COLUMN audit_reads INTEGER; -- on that day
ALTER TABLE devices ADD COLUMN audit_at INTEGER; -- the last of them
