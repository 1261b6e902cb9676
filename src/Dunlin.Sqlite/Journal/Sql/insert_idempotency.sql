-- Remembers the answer to a key, in the transaction of what it answers.
INSERT INTO dunlin_idempotency (scope, key, fingerprint, first_offset, count, time) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
