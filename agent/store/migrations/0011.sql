-- Commands that are answered, and still to be carried out: a group in a row, as JSON, by the number of the letter with its first
-- reply. The others have those after it.
CREATE TABLE backlog (first_letter INTEGER PRIMARY KEY, commands TEXT NOT NULL) STRICT;

-- From now on numbers of letters are reserved, also before the first was put.
INSERT INTO sqlite_sequence (name, seq) SELECT 'outbox', 0 WHERE NOT EXISTS (SELECT * FROM sqlite_sequence WHERE name = 'outbox');
