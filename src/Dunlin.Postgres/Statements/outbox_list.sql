-- Reads the committed rows after the number $1 in order, at most 1,000.
SELECT number, dunlin_outbox.id, topic, type, data, user_id, session_id, connection_id, device_id, extra
FROM (SELECT number, id FROM dunlin_outbox_order WHERE number > $1 ORDER BY number LIMIT 1000) AS first
JOIN dunlin_outbox USING (id) ORDER BY number
