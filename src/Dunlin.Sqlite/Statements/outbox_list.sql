-- Reads the rows after the id ?1 in order, at most 1,000.
SELECT id, id, topic, type, data, user_id, session_id, connection_id, device_id, extra FROM dunlin_outbox WHERE id > ?1 ORDER BY id LIMIT 1000
