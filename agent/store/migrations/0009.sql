-- Of an attempt for somebody who stands at a door: who that is, with what, so that it can be told after a crash.
ALTER TABLE action_attempts ADD COLUMN presenter_id TEXT;
ALTER TABLE action_attempts ADD COLUMN presenter_kind TEXT;
ALTER TABLE action_attempts ADD COLUMN presenter_code TEXT;
