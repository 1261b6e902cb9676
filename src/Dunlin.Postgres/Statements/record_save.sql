-- Inserts or replaces the row of its space and key. The store calls it after its checks, in the same transaction.
INSERT INTO dunlin_record (space, key, version, created, deleted_at, audience, value) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (space, key) DO UPDATE SET
    version = excluded.version, created = excluded.created, deleted_at = excluded.deleted_at, audience = excluded.audience, value = excluded.value
