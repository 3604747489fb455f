-- User identities: what is known of a person beside the id. It goes when they are deleted; the id stays with the past.
ALTER TABLE user_identities ADD COLUMN user_identity_key TEXT;
ALTER TABLE user_identities ADD COLUMN full_name TEXT;
ALTER TABLE user_identities ADD COLUMN email_address TEXT COLLATE NOCASE;
ALTER TABLE user_identities ADD COLUMN phone_number TEXT;
ALTER TABLE user_identities ADD COLUMN deleted_at INTEGER; -- null again where it was named anew since
CREATE UNIQUE INDEX user_identities_by_key ON user_identities (user_identity_key) WHERE user_identity_key IS NOT NULL;
CREATE UNIQUE INDEX user_identities_by_email ON user_identities (email_address) WHERE email_address IS NOT NULL;
CREATE UNIQUE INDEX user_identities_by_phone ON user_identities (phone_number) WHERE phone_number IS NOT NULL;

-- Events are found by their id.
CREATE INDEX journal_by_event ON journal (json_extract(body, '$.event_id')) WHERE number IS NOT NULL;

-- Access codes: each is an access grant with a name of nobody (access_code:…), and one key for those that share a code.
ALTER TABLE access_grants ADD COLUMN common_code_key TEXT;

-- What was told of access codes: that a code was set on its device, or could not be, and not yet that it was removed.
CREATE TABLE codes_told (
  code TEXT NOT NULL, -- the credential; of an access code that was made by itself, its id
  device_id TEXT NOT NULL, -- empty for one that was made by itself: it has one device
  is_set INTEGER NOT NULL,
  has_failed INTEGER NOT NULL,
  PRIMARY KEY (code, device_id)
) STRICT, WITHOUT ROWID;
-- Codes that are on locks already are told when they leave.
INSERT INTO codes_told SELECT DISTINCT credential_id, device_id, 1, 0 FROM placements AS p
  WHERE valid_to IS NULL AND kind = 'pin' AND EXISTS (
    SELECT 1 FROM placements AS past WHERE past.credential_id = p.credential_id AND past.lock = p.lock AND past.state = 'live'
  );
