-- Reads the next events of the topics $4 after $1; otherwise like page_all. The offsets come from the index of each topic, only as many as
-- the page may need. The cost grows with the topics and the events of the page, not with the journal.
WITH state AS (
    SELECT greatest(coalesce((SELECT max("offset") FROM dunlin_journal), 0), trimmed.value) AS head, epoch.value AS epoch,
        EXISTS (SELECT 1 FROM dunlin_topic WHERE name = ANY ($4::TEXT[] COLLATE "C") AND trimmed_through > $1) AS is_trimmed
    FROM dunlin_counter trimmed, dunlin_counter epoch WHERE trimmed.name = 'trimmed_through' AND epoch.name = 'epoch'
), next AS MATERIALIZED (
    SELECT DISTINCT found."offset"
    FROM dunlin_topic topic
    CROSS JOIN LATERAL (
        (SELECT "offset" FROM dunlin_journal WHERE topic = topic.id AND "offset" > $1 ORDER BY "offset" LIMIT $2 + 1)
        UNION ALL
        (SELECT "offset" FROM dunlin_event_topic further WHERE further.topic = topic.id AND "offset" > $1 ORDER BY "offset" LIMIT $2 + 1)
    ) AS found
    WHERE topic.name = ANY ($4::TEXT[] COLLATE "C")
    ORDER BY found."offset" LIMIT $2 + 1
), wanted AS MATERIALIZED (
    SELECT event.*, row_number() OVER before AS number, sum(octet_length(data)) OVER before - octet_length(data) AS bytes_before
    FROM next JOIN dunlin_journal event ON event."offset" = next."offset"
    WINDOW before AS (ORDER BY event."offset" ROWS UNBOUNDED PRECEDING)
)
SELECT state.head, state.epoch, state.is_trimmed, (SELECT count(*) FROM wanted), event."offset",
    (SELECT name FROM dunlin_topic WHERE id = event.topic), event.type, event.data,
    event.user_id, event.session_id, event.connection_id, event.device_id, event.time, event.extra
FROM state LEFT JOIN wanted AS event ON event.number <= $2 AND event.bytes_before < $3
ORDER BY event."offset"
