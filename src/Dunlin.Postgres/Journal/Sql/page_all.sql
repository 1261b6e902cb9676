-- Reads the next events of all topics after $1: at most $2 events, up to the one that reaches $3 bytes. One statement is one snapshot, so
-- head and trimming match the events. Returns a row without an event if there is none. Each event is read once: a node reads all events of
-- the other nodes with this statement. Long data stays outside of the rows until the last step.
WITH state AS (
    SELECT greatest(coalesce((SELECT max("offset") FROM dunlin_journal), 0), trimmed.value) AS head, epoch.value AS epoch, trimmed.value > $1 AS is_trimmed
    FROM dunlin_counter trimmed, dunlin_counter epoch WHERE trimmed.name = 'trimmed_through' AND epoch.name = 'epoch'
), wanted AS MATERIALIZED (
    SELECT next.*, row_number() OVER before AS number, sum(octet_length(data)) OVER before - octet_length(data) AS bytes_before
    FROM (SELECT * FROM dunlin_journal WHERE "offset" > $1 ORDER BY "offset" LIMIT $2 + 1) AS next
    WINDOW before AS (ORDER BY "offset" ROWS UNBOUNDED PRECEDING)
)
SELECT state.head, state.epoch, state.is_trimmed, (SELECT count(*) FROM wanted), event."offset",
    (SELECT name FROM dunlin_topic WHERE id = event.topic), event.type, event.data,
    event.user_id, event.session_id, event.connection_id, event.device_id, event.time, event.extra
FROM state LEFT JOIN wanted AS event ON event.number <= $2 AND event.bytes_before < $3
ORDER BY event."offset"
