-- Looked at every minute: PINs that are on their way to their device, by how long they have been.
CREATE INDEX placements_on_the_way ON placements (since) WHERE valid_to IS NULL AND kind = 'pin' AND wanted = 1 AND dormant = 0
  AND state IN ('waiting', 'writing', 'unconfirmed');

-- Who stands at a door waits for a look-up in each of two indexes: all that is asked for is in them.
CREATE INDEX placements_at_doors ON placements (fingerprint, lock, user_identity_id, credential_id)
  WHERE valid_to IS NULL AND belief = 'held' AND proof = 'decided_here';
DROP INDEX grants_of_identity;
CREATE INDEX grants_of_identity ON grants (user_identity_id, device_id, access_grant_id, in_force, dormant, opens_at, zone, paused)
  WHERE valid_to IS NULL;
