-- Inserts the further topics of the events of a batch. The topics exist.
INSERT INTO dunlin_event_topic (topic, "offset")
SELECT (SELECT id FROM dunlin_topic WHERE name = further.topic COLLATE "C"), further."offset"
FROM unnest($1::TEXT[], $2::BIGINT[]) AS further (topic, "offset")
ON CONFLICT DO NOTHING
