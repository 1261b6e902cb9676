-- Deletes and returns the first committed rows after the number $1 or in the ranges $2 (JSON: arrays of first and last number): at most $3
-- rows, up to the one that reaches $4 bytes. In any order. The lock of the writers is held, so no other node takes them.
-- Columns: number, the oldest running and the next transaction of the snapshot, the row.
WITH snapshot AS MATERIALIZED (
    SELECT pg_snapshot_xmin(current)::TEXT::BIGINT AS oldest, pg_snapshot_xmax(current)::TEXT::BIGINT AS next
    FROM pg_current_snapshot() AS current
), seen AS MATERIALIZED (
    (SELECT number, id FROM dunlin_outbox_order WHERE number > $1 ORDER BY number LIMIT $3)
    UNION ALL
    (SELECT found.number, found.id FROM json_array_elements($2::json) AS gap CROSS JOIN LATERAL (
        SELECT number, id FROM dunlin_outbox_order
        WHERE number BETWEEN (gap ->> 0)::BIGINT AND (gap ->> 1)::BIGINT ORDER BY number LIMIT $3
    ) AS found)
), due AS MATERIALIZED (
    SELECT number, id, sum(bytes) OVER (ORDER BY number) - bytes AS bytes_before
    FROM (
        SELECT number, id, coalesce((SELECT octet_length(data) FROM dunlin_outbox WHERE dunlin_outbox.id = first.id), 0) AS bytes
        FROM (SELECT number, id FROM seen ORDER BY number LIMIT $3) AS first
    ) AS measured
), ordered AS (
    DELETE FROM dunlin_outbox_order WHERE number = ANY (ARRAY(SELECT number FROM due WHERE bytes_before < $4))
)
DELETE FROM dunlin_outbox USING due, snapshot
WHERE dunlin_outbox.id = ANY (ARRAY(SELECT id FROM due WHERE bytes_before < $4)) AND due.id = dunlin_outbox.id
RETURNING due.number, snapshot.oldest, snapshot.next, dunlin_outbox.id, topic, type, data, user_id, session_id, connection_id, device_id, extra
