-- Deletes a slice of the idempotency keys that are older than a time.
DELETE FROM dunlin_idempotency WHERE (scope, key) IN (SELECT scope, key FROM dunlin_idempotency WHERE time < $1 ORDER BY time LIMIT $2)
