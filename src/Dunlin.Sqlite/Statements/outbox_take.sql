-- Deletes and returns the first rows after the id ?1: at most ?3 rows, up to the one that reaches ?4 bytes. In any order. ?2 is ignored.
-- Columns: number, two numbers for other dialects, the row.
DELETE FROM dunlin_outbox WHERE ?2 IS NOT NULL AND id IN (
    SELECT id FROM (
        SELECT id, sum(bytes) OVER (ORDER BY id) - bytes AS bytes_before
        FROM (SELECT id, length(data) AS bytes FROM dunlin_outbox WHERE id > ?1 ORDER BY id LIMIT ?3)
    ) WHERE bytes_before < ?4
)
RETURNING id, 0, 0, id, topic, type, data, user_id, session_id, connection_id, device_id, extra
