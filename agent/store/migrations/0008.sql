-- Whether the cloud was told last that the lock is connected; null: nothing yet.
ALTER TABLE devices ADD COLUMN connected_told INTEGER;

-- What else was told of access codes: that one is on its device ahead of its time, and that it takes long to get there.
ALTER TABLE codes_told ADD COLUMN is_scheduled INTEGER NOT NULL DEFAULT 0;
ALTER TABLE codes_told ADD COLUMN is_late INTEGER NOT NULL DEFAULT 0;
