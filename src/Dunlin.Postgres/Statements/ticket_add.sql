-- Inserts a ticket unless its user ($9) or all users together ($10) have too many. Concurrent inserts may exceed a limit slightly, which is
-- harmless.
INSERT INTO dunlin_ticket (hash, user_id, name, roles, session_id, checks_session, expires_at, credential_expires_at, grants)
SELECT $1, $2, $3, $4, $5, $6, $7, $8, $11
WHERE (SELECT count(*) FROM (SELECT 1 FROM dunlin_ticket WHERE user_id = $2 LIMIT $9) AS own) < $9
    AND (SELECT reltuples FROM pg_class WHERE oid = 'dunlin_ticket'::regclass) < $10
