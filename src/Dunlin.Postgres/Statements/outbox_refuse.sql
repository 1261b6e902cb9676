-- Keeps a row that the journal does not accept, with the reason.
INSERT INTO dunlin_outbox_refused (id, topic, type, data, user_id, session_id, connection_id, device_id, extra, reason, time)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, NULLIF($9, ''::bytea), $10, (extract(epoch FROM clock_timestamp()) * 1000)::BIGINT)
