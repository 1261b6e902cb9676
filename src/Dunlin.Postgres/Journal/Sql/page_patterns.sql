-- Reads the next events after $1 of the topics $4 and of the topics that match patterns; otherwise like page_topics.
-- Each pattern is a range of names ($5 to $6) and a regular expression ($7). If the ranges contain up to $8 names ("few"), the offsets come
-- from the index of each topic. Otherwise they come from the journal in order, of which $9 events are examined.
-- Only one of the two branches runs: each has a condition that does not depend on its rows. The last column is the offset where the
-- examination stopped before the end.
WITH asked AS MATERIALIZED (
    SELECT lower, upper, expression FROM unnest($5::TEXT[], $6::TEXT[], $7::TEXT[]) AS asked (lower, upper, expression)
), state AS (
    SELECT greatest(coalesce((SELECT max("offset") FROM dunlin_journal), 0), trimmed.value) AS head, epoch.value AS epoch,
        CASE WHEN trimmed.value > $1 THEN
            EXISTS (SELECT 1 FROM dunlin_topic WHERE name = ANY ($4::TEXT[] COLLATE "C") AND trimmed_through > $1)
            OR EXISTS (SELECT 1 FROM asked JOIN dunlin_topic ON name >= lower COLLATE "C" AND name < upper COLLATE "C"
                WHERE trimmed_through > $1 AND name ~ expression)
        ELSE false END AS is_trimmed
    FROM dunlin_counter trimmed, dunlin_counter epoch WHERE trimmed.name = 'trimmed_through' AND epoch.name = 'epoch'
), in_range AS MATERIALIZED (
    SELECT topic.id, topic.name, asked.expression
    FROM asked
    CROSS JOIN LATERAL (
        SELECT id, name FROM dunlin_topic WHERE name >= lower COLLATE "C" AND name < upper COLLATE "C" ORDER BY name LIMIT $8 + 1
    ) AS topic
), choice AS MATERIALIZED (
    SELECT count(*) <= $8 AS is_few FROM in_range
), few AS MATERIALIZED (
    SELECT id FROM dunlin_topic WHERE (SELECT is_few FROM choice) AND name = ANY ($4::TEXT[] COLLATE "C")
    UNION
    SELECT id FROM in_range WHERE (SELECT is_few FROM choice) AND name ~ expression
), looked AS MATERIALIZED (
    SELECT "offset", topic FROM dunlin_journal WHERE NOT (SELECT is_few FROM choice) AND "offset" > $1 ORDER BY "offset" LIMIT $9
), wanted_topics AS MATERIALIZED (
    SELECT topic.id FROM (
        SELECT topic FROM looked UNION SELECT further.topic FROM looked JOIN dunlin_event_topic further USING ("offset")
    ) AS seen JOIN dunlin_topic topic ON topic.id = seen.topic
    WHERE topic.name = ANY ($4::TEXT[] COLLATE "C") OR EXISTS (SELECT 1 FROM asked WHERE topic.name ~ asked.expression)
), next AS MATERIALIZED (
    (SELECT DISTINCT found."offset"
    FROM few
    CROSS JOIN LATERAL (
        (SELECT "offset" FROM dunlin_journal WHERE topic = few.id AND "offset" > $1 ORDER BY "offset" LIMIT $2 + 1)
        UNION ALL
        (SELECT "offset" FROM dunlin_event_topic further WHERE further.topic = few.id AND "offset" > $1 ORDER BY "offset" LIMIT $2 + 1)
    ) AS found
    ORDER BY found."offset" LIMIT $2 + 1)
    UNION ALL
    (SELECT looked."offset" FROM looked
    WHERE topic IN (SELECT id FROM wanted_topics)
        OR EXISTS (SELECT 1 FROM dunlin_event_topic further WHERE further."offset" = looked."offset" AND further.topic IN (SELECT id FROM wanted_topics))
    ORDER BY looked."offset" LIMIT $2 + 1)
), wanted AS MATERIALIZED (
    SELECT event.*, row_number() OVER before AS number, sum(octet_length(data)) OVER before - octet_length(data) AS bytes_before
    FROM next JOIN dunlin_journal event ON event."offset" = next."offset"
    WINDOW before AS (ORDER BY event."offset" ROWS UNBOUNDED PRECEDING)
)
SELECT state.head, state.epoch, state.is_trimmed, (SELECT count(*) FROM wanted), event."offset",
    (SELECT name FROM dunlin_topic WHERE id = event.topic), event.type, event.data,
    event.user_id, event.session_id, event.connection_id, event.device_id, event.time, event.extra,
    (SELECT max("offset") FROM looked HAVING count(*) = $9)
FROM state LEFT JOIN wanted AS event ON event.number <= $2 AND event.bytes_before < $3
ORDER BY event."offset"
