-- Stores the result of an idempotency key, in the transaction of its request.
INSERT INTO dunlin_idempotency (scope, key, fingerprint, first_offset, count, time) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
