-- Reads the stored results of the idempotency keys of a batch.
SELECT known.scope, known.key, known.fingerprint, known.first_offset, known.count
FROM unnest($1::TEXT[], $2::TEXT[]) AS asked (scope, key)
JOIN dunlin_idempotency known ON known.scope = asked.scope AND known.key = asked.key
