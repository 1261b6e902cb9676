-- Stores the results of the idempotency keys of a batch, in the transaction of the batch.
INSERT INTO dunlin_idempotency (scope, key, fingerprint, first_offset, count, time)
SELECT scope, key, fingerprint, first_offset, count, $6
FROM unnest($1::TEXT[], $2::TEXT[], $3::BYTEA[], $4::BIGINT[], $5::INTEGER[]) AS answer (scope, key, fingerprint, first_offset, count)
