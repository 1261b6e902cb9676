-- Reads the row of a key, deleted or not.
SELECT key, version, created, deleted_at, audience, value FROM dunlin_record WHERE space = $1 AND key = $2
