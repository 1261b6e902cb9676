-- Inserts the further topics of events: the JSON array $1 of offset and topic. The topics exist.
INSERT INTO dunlin_event_topic (topic, "offset")
SELECT topic.id, (pair ->> 0)::BIGINT FROM json_array_elements($1::JSON) AS pair JOIN dunlin_topic topic ON topic.name = pair ->> 1
ON CONFLICT DO NOTHING
