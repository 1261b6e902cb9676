-- Deletes and returns the first committed rows after the number $1 or in the gaps $2: at most $3 rows, up to the one that reaches $4 bytes.
SELECT number, oldest, next, id, topic, type, data, user_id, session_id, connection_id, device_id, extra
FROM dunlin_outbox_take($1, $2, $3, $4)
