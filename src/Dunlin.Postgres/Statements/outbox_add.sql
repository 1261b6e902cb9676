-- Inserts a row.
INSERT INTO dunlin_outbox (topic, type, data, user_id, session_id, connection_id, device_id, extra)
VALUES ($1, $2, $3, $4, $5, $6, $7, NULLIF($8, ''::bytea))
