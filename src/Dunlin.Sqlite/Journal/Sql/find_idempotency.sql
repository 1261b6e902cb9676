-- Reads the stored result of an idempotency key.
SELECT fingerprint, first_offset, count FROM dunlin_idempotency WHERE scope = ?1 AND key = ?2
