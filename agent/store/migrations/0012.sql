-- A round looks at what is not at rest (domain/placement.ts says what is), and not at the thousand codes of its lock that are.
ALTER TABLE placements ADD COLUMN at_rest INTEGER NOT NULL DEFAULT 0;
UPDATE placements SET at_rest = 1
WHERE valid_to IS NULL AND belief = 'held' AND disabled IS NULL AND other_window IS NULL AND wanted = 1 AND suspect = 0
  AND late_slot IS NULL AND refusal IS NULL AND next_at IS NULL AND (dormant = 0 OR window IS NOT NULL);
CREATE INDEX placements_at_work ON placements (lock, rank) WHERE valid_to IS NULL AND at_rest = 0;
