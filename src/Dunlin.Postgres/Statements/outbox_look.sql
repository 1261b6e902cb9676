-- Looks for committed rows after the number $1 or in the ranges $2 (JSON: arrays of first and last number), for the node $3. If another
-- node moves rows now, it returns true and does not look; for the node -1 it always looks.
-- Returns the number of rows up to 10,000, the age of the oldest in ms, the oldest running and the next transaction of the snapshot, and
-- the last number drawn.
WITH state AS MATERIALIZED (
    SELECT now, snapshot, $3 >= 0 AND mover % 1000 <> $3 AND mover / 1000 > now AS is_other
    FROM (
        SELECT (extract(epoch FROM clock_timestamp()) * 1000)::BIGINT AS now, pg_current_snapshot() AS snapshot,
            coalesce(pg_sequence_last_value('dunlin_outbox_mover'::regclass), 0) AS mover
    ) AS found
), waiting AS MATERIALIZED (
    (SELECT time FROM dunlin_outbox_order WHERE NOT (SELECT is_other FROM state) AND number > $1 ORDER BY number LIMIT 10000)
    UNION ALL
    (SELECT found.time FROM json_array_elements($2::json) AS gap CROSS JOIN LATERAL (
        SELECT time FROM dunlin_outbox_order
        WHERE NOT (SELECT is_other FROM state) AND number BETWEEN (gap ->> 0)::BIGINT AND (gap ->> 1)::BIGINT ORDER BY number LIMIT 10000
    ) AS found)
)
SELECT is_other, (SELECT count(*) FROM waiting), greatest(now - (SELECT min(time) FROM waiting), 0),
    pg_snapshot_xmin(snapshot)::TEXT::BIGINT, pg_snapshot_xmax(snapshot)::TEXT::BIGINT,
    coalesce(pg_sequence_last_value('dunlin_outbox_order_number_seq'::regclass), 0)
FROM state
