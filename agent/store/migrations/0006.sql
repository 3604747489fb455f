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
